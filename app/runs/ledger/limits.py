"""What endpoints may be asked."""

from app.runs.ledger.database import Database


class Limits:
    """The limits."""

    def __init__(self, database: Database) -> None:
        self.database = database
