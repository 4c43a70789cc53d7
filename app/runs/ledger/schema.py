"""The version of the ledger's tables."""

from sqlalchemy import Connection, insert, select

from app.runs.ledger.tables import METADATA, VERSION

CURRENT = 1
_LOCK = 7_210_117  # of PostgreSQL, for those who make the tables


class LedgerUnknown(Exception):
    """The ledger has tables of a version that this Bakehouse does not know."""

    def __init__(self, found: int) -> None:
        super().__init__(
            f"it has tables of version {found}, and this Bakehouse knows version {CURRENT}: "
            "run the version of Bakehouse that made them, or a newer one."
        )


def prepare(connection: Connection) -> None:
    """Make the tables that are missing, in a transaction; LedgerUnknown where they are of another version."""
    if connection.dialect.name == "postgresql":  # two processes that make a table at once would fail
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    METADATA.create_all(connection)
    found = connection.execute(select(VERSION.c.version)).scalar()
    if found is None:
        connection.execute(insert(VERSION).values(version=CURRENT))
    elif found != CURRENT:
        raise LedgerUnknown(found)
