"""The commands of the audit, run in this process, in a clone or against a server."""

from collections.abc import Callable

from click.testing import CliRunner, Result

from app.cli import main

Pull = Callable[[], None]

NOWHERE = {
    "BAKEHOUSE_URL": None,
    "BAKEHOUSE_TOKEN": None,
    "BAKEHOUSE_REPO": None,
    "NO_COLOR": None,
    "FORCE_COLOR": None,
}


def ask(*arguments: object, **env: str) -> Result:
    """Run a command; `url` is BAKEHOUSE_URL."""
    given = {name if name.isupper() else f"BAKEHOUSE_{name.upper()}": value for name, value in env.items()}
    return CliRunner().invoke(main, [*map(str, arguments)], env=NOWHERE | given)


def lines(result: Result) -> list[list[str]]:
    """Return the records that a command printed to a pipe."""
    assert result.exit_code == 0, result.output
    return [line.split("\t") for line in result.stdout.splitlines()]


def assert_fails(result: Result, status: int, *mentions: str) -> None:
    """Expect that a command prints no answer, and says why without a stack trace."""
    assert (result.exit_code, result.stdout) == (status, ""), result.output
    assert "Traceback" not in result.stderr
    for mention in mentions:
        assert mention in result.stderr
