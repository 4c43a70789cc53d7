"""What one answer may parse and send, by the server's settings."""

from app.domain.budgets import Room, Work
from app.wire.context import services


def work() -> Work:
    """Return what this answer may parse."""
    return Work(services().settings.max_parsed)


def room() -> Room:
    """Return the room of this answer."""
    return Room(services().settings.max_page)
