"""`bakehouse users`: manage users and their tokens."""

import click

from app.cli.operator import OPERATOR, Utf8, with_reason
from app.cli.stored import find_data_dir
from app.domain.names import new_user_id_problem
from app.domain.preconditions import UNCONDITIONAL
from app.domain.tokens import Access
from app.registry.messages import Origin
from app.registry.stores import Stores
from app.registry.users import namesakes, user_tokens
from app.registry.users.accounts import REPOSITORY, Accounts
from app.registry.users.user_files import User
from app.schemas.accounts import TokenCreateSchema
from app.schemas.base import load


@click.group()
def users() -> None:
    """Manage users, with or without a running server."""


@users.command("create")
@click.argument("user_id", type=Utf8())
@click.option("--alias", type=Utf8(), help="The name that commits show.")
@click.option("--email", type=Utf8(), help="The address that commits show.")
@with_reason
def create_user(user_id: str, alias: str | None, email: str | None, origin: Origin) -> None:
    """Create a user and print their token, once; warn where commits show another user alike."""
    problem = new_user_id_problem(user_id)
    if problem:
        raise click.BadParameter(f"it {problem}", param_hint="USER_ID")
    accounts = _accounts()
    click.echo(accounts.create(origin, user_id, alias, email))
    for warning in namesakes.warnings(accounts, user_id):
        click.echo(warning, err=True)


@users.command("list")
def list_users() -> None:
    """List the users: id, alias, email, number of tokens."""
    for user in _accounts().list():
        click.echo("\t".join(_columns(user)))


@users.command("rename")
@click.argument("user_id", type=Utf8())
@click.option("--alias", type=Utf8(), help="The name that commits show from now on; empty: the id.")
@click.option("--email", type=Utf8(), help="The address that commits show from now on; empty: none.")
@with_reason
def rename_user(user_id: str, alias: str | None, email: str | None, origin: Origin) -> None:
    """Change the name or address that commits show of a user. Commits that exist keep what they show."""
    changes = {name: text or None for name, text in (("alias", alias), ("email", email)) if text is not None}
    if not changes:
        raise click.UsageError("Give --alias, --email, or both.")
    accounts = _accounts()
    user = accounts.change(origin, user_id, changes, UNCONDITIONAL)
    click.echo("\t".join(_columns(user)))
    for warning in namesakes.warnings(accounts, user_id):
        click.echo(warning, err=True)


@users.command("remove")
@click.argument("user_id", type=Utf8())
@with_reason
def remove_user(user_id: str, origin: Origin) -> None:
    """Remove a user who has no repos, with all tokens. The id is not given again, since commits name it."""
    stores = _stores()
    count = Accounts(stores.accounts, origin).remove(origin, user_id, UNCONDITIONAL, stores.repos)
    click.echo(f"Removed {user_id}, and revoked {count} token{'' if count == 1 else 's'}.")


@users.command("revoke")
@click.argument("user_id", type=Utf8())
@with_reason
def revoke_user(user_id: str, origin: Origin) -> None:
    """Revoke all tokens of a user. They stop working at once."""
    count = user_tokens.revoke_all(_accounts(), origin, user_id)
    click.echo(f"Revoked {count} token{'' if count == 1 else 's'} of {user_id}.")


@users.group()
def tokens() -> None:
    """Manage the tokens of users."""


@tokens.command("create")
@click.argument("user_id", type=Utf8())
@click.argument("name", type=Utf8())
@click.option("--read-only", is_flag=True, help="For reading and cloning only.")
@click.option("--repo", "repos", multiple=True, help="Only for this repo (or <owner>/<repo>); repeatable.")
@click.option("--expires", help="When it stops working, such as 2027-01-31T12:00:00Z.")
@with_reason
def create_token(
    user_id: str, name: str, read_only: bool, repos: tuple[str, ...], expires: str | None, origin: Origin
) -> None:
    """Give a user one more token and print it, once."""
    asked = {
        "name": name,
        "access": str(Access.READ if read_only else Access.WRITE),
        "repos": list(repos) or None,
        "expires_at": expires,
    }
    request = load(TokenCreateSchema(), asked, ())
    _, secret = user_tokens.create(_accounts(), origin, user_id, request)
    click.echo(secret)


@tokens.command("list")
@click.argument("user_id", type=Utf8())
def list_tokens(user_id: str) -> None:
    """List the tokens of a user: name, access, repos, when made, when they expire."""
    for token in _accounts().get(user_id).tokens:
        columns = (
            token.name,
            str(token.access),
            "all repos" if token.repos is None else ",".join(token.repos),
            token.created.isoformat(),
            token.expires.isoformat() if token.expires else "never",
        )
        click.echo("\t".join(columns))


@tokens.command("rotate")
@click.argument("user_id", type=Utf8())
@click.argument("name", type=Utf8())
@with_reason
def rotate_token(user_id: str, name: str, origin: Origin) -> None:
    """Replace a token by a new one of the same name and print it, once. The old one stops working at once."""
    _, secret = user_tokens.rotate(_accounts(), origin, user_id, name)
    click.echo(secret)


@tokens.command("revoke")
@click.argument("user_id", type=Utf8())
@click.argument("name", type=Utf8())
@with_reason
def revoke_token(user_id: str, name: str, origin: Origin) -> None:
    """Revoke one token. It stops working at once."""
    user_tokens.revoke(_accounts(), origin, user_id, name)
    click.echo(f"Revoked token {name} of {user_id}.")


def _visible(text: str | None) -> str:
    """Replace tabs, newlines and control characters, which would break the table or the terminal."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text or "-")


def _columns(user: User) -> tuple[str, ...]:
    return user.id, _visible(user.alias), _visible(user.email), str(len(user.tokens))


def _accounts() -> Accounts:
    return Accounts(_stores().accounts, OPERATOR)


def _stores() -> Stores:
    return Stores.of(find_data_dir(f"{REPOSITORY}.git"))
