"""The people of the demo. Their ids say that they are no users of the operator's."""

from app.registry.messages import Origin
from app.registry.users.user_files import User

ALICE = User("demo-alice", "Alice", "alice@demo.example")
BOB = User("demo-bob", "Bob", "bob@demo.example")
CAROL = User("demo-carol", "Carol", "carol@demo.example")
ALL = (ALICE, BOB, CAROL)


def origin(user: User, reason: str | None) -> Origin:
    """Return the author of a change that the command makes in the name of a user, without a token of theirs."""
    return Origin(user.id, user.alias, user.email, on_behalf=True, reason=reason)
