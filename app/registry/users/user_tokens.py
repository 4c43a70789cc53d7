"""Make, rotate and revoke the tokens of users.

`by` is the token that asks for the change. It may do so with itself, and with tokens that may do at most what it may
itself; otherwise NotPermitted is raised. Where `by` is None, the operator asks, who may do everything.
"""

from collections.abc import Callable, Mapping
from typing import Any

from app.domain.errors import Conflict, NotFound, NotPermitted
from app.domain.tokens import Token, TokenRequest
from app.registry import documents, messages
from app.registry.messages import Origin
from app.registry.users import user_files
from app.registry.users.accounts import Accounts, how_to_rotate
from app.registry.users.user_files import FOLDER, Tokens, User
from storage.transaction import Transaction

MOST = 100  # tokens that a user has, where a token asks for one more


def seen_by(user: User, by: Token | None) -> list[Token]:
    """Return the tokens of a user that one of them sees: one for some repos sees only those for the same or fewer."""
    return [token for token in user.tokens if by is None or by.is_for_all(user.id, token.repos)]


def find(tokens: Tokens, name: str) -> Token:
    """Return a token by its name; NotFound if there is none."""
    for token in tokens:
        if token.name == name:
            return token
    raise NotFound("Token", name)


def refusal(by: Token | None, user_id: str, other: Token | TokenRequest) -> str | None:
    """Return why the token `by` may not make or change another one of a user, or None where it may."""
    if by is None or (isinstance(other, Token) and other.sha256 == by.sha256):
        return None
    shortfall = by.shortfall(user_id, other)
    return shortfall and f"The token '{by.name}' {shortfall}."


def check(by: Token | None, user_id: str, other: Token | TokenRequest) -> None:
    """Raise NotPermitted where the token `by` may not make or change another one."""
    problem = refusal(by, user_id, other)
    if problem:
        raise NotPermitted(problem)


def create(
    accounts: Accounts, origin: Origin, user_id: str, request: TokenRequest, by: Token | None = None
) -> tuple[Token, str]:
    """Create another token for a user. Return the token and its secret, which is not stored.

    Raises NotFound for the user, Conflict if they have a token of that name, or MOST tokens.
    """
    token, secret = Token.make(request, None if by is None else by.root)

    def add(tokens: Tokens, by: Token | None) -> Tokens:
        check(by, user_id, request)
        if any(other.name == token.name for other in tokens):
            own = f"If the token was lost, rotate it: POST /v1/tokens/{token.name}/rotate"
            how = how_to_rotate(user_id, token.name) if by is None else own
            raise Conflict(token.name, f"User '{user_id}' already has a token '{token.name}'. {how}")
        if by is not None and len(tokens) >= MOST:
            message = f"User '{user_id}' has {len(tokens)} tokens, and may make no more: revoke one first"
            raise Conflict(token.name, message)
        return (*tokens, token)

    details = {name: value for name, value in token.document().items() if name != "sha256"}
    _change(accounts, origin, user_id, f"Create token {token.name} of user {user_id}", add, by, details)
    return token, secret


def rotate(accounts: Accounts, origin: Origin, user_id: str, name: str, by: Token | None = None) -> tuple[Token, str]:
    """Replace a token by one of the same name and limits. Return it and its secret, which is not stored.

    The old secret stops working at once. Raises NotFound for the user or the token, Conflict where it expired.
    """
    made: list[tuple[Token, str]] = []

    def renew(tokens: Tokens, by: Token | None) -> Tokens:
        old = find(tokens, name)
        check(by, user_id, old)
        if old.is_expired():
            message = f"Token '{name}' of user '{user_id}' has expired: revoke it, and create another one"
            raise Conflict(name, message)
        made[:] = [old.renewed()]
        return tuple(made[0][0] if token is old else token for token in tokens)

    _change(accounts, origin, user_id, f"Rotate token {name} of user {user_id}", renew, by)
    return made[0]


def revoke(accounts: Accounts, origin: Origin, user_id: str, name: str, by: Token | None = None) -> int:
    """Revoke one token, at once in every process, and return how many the user has left.

    Raises NotFound for the user or the token.
    """
    left: list[Token] = []

    def remove(tokens: Tokens, by: Token | None) -> Tokens:
        old = find(tokens, name)
        check(by, user_id, old)
        left[:] = [token for token in tokens if token is not old]
        return tuple(left)

    _change(accounts, origin, user_id, f"Revoke token {name} of user {user_id}", remove, by)
    return len(left)


def revoke_all(accounts: Accounts, origin: Origin, user_id: str) -> int:
    """Revoke all tokens of a user, at once in every process, and return how many there were."""
    revoked: list[Token] = []

    def remove_all(tokens: Tokens, _: Token | None) -> Tokens:
        revoked[:] = tokens
        return ()

    _change(accounts, origin, user_id, f"Revoke tokens of user {user_id}", remove_all)
    return len(revoked)


def _find_asking(tokens: Tokens, by: Token) -> Token:
    """Return the token that asks as it is now: NotPermitted where it was revoked meanwhile.

    It must not live on in another token, and the names of its repos may have changed.
    """
    for token in tokens:
        if token.sha256 == by.sha256:
            return token
    raise NotPermitted(f"The token '{by.name}' was revoked.")


def _change(
    accounts: Accounts,
    origin: Origin,
    user_id: str,
    subject: str,
    change_list: Callable[[Tokens, Token | None], Tokens],
    by: Token | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    def change(transaction: Transaction) -> None:
        document, _ = user_files.expect(transaction, user_id)
        tokens = user_files.read_tokens(document, transaction, FOLDER.path(user_id))
        asking = None if by is None else _find_asking(tokens, by)
        after = [token.document() for token in change_list(tokens, asking)]
        documents.write(transaction, FOLDER.path(user_id), {**document, "tokens": after})
        lines = messages.changed_fields({}, details or {})
        transaction.commit(messages.message(origin, subject, lines), origin.author)

    accounts.use(lambda repository: repository.transact(change))
