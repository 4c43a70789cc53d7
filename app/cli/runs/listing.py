"""`bakehouse runs list` and `bakehouse runs show`: which runs there are, and what is known of those of a target."""

from collections.abc import Iterator, Sequence

import click

from app.cli.asking import pages
from app.cli.asking.client import Answer, Client
from app.cli.asking.options import NUMBER, REF, asking
from app.cli.asking.output import Cell, Output, commit_id, time, who
from app.cli.asking.visible import visible
from app.cli.runs import in_clones, statuses
from app.cli.runs.statuses import KIND, STYLES
from app.domain.manifests import KINDS, Kind

_HEADS = ("target", "kind", "status", "rows", None, "failed", "started (UTC)", "who", "commit", "key", None)
_MOST = 100  # of a page
_SHORT_KEY = 12  # digits, as in the name of a manifest


@click.command("list")
@click.argument("target", required=False)
@NUMBER
@REF
@asking
def list_runs(client: Client, output: Output, target: str | None, number: int, ref: str | None) -> None:
    """List the runs of a repo, or of one target, newest first. With --ref those of this commit, and before it.

    A clone knows the runs that are complete, by their manifests.

    In a pipe, a line has: target, kind, status, rows, rows expected, failed rows, time, user, commit, key, error.
    """
    if client.clone is not None:
        answer = in_clones.listed(client.clone, target, ref, number)
    else:
        answer = _read(client, ("targets", target, "runs") if target else ("runs",), ref, number)
    if output.as_json:
        output.json(answer)
    else:
        output.table(_HEADS, map(_record, answer["runs"]))


def _read(client: Client, path: tuple[str, ...], ref: str | None, number: int) -> Answer:
    answer: Answer = {"runs": [], "next": None}
    for page in pages.every(client, *path, ref=ref, limit=min(number, _MOST)):
        answer = {**page, "runs": [*answer["runs"], *page["runs"]][:number]}
        if len(answer["runs"]) == number:
            break
    return answer


def _record(run: Answer) -> tuple[Cell, ...]:
    return (
        Cell(run["target_name"], "bold"),
        Cell(run["kind"]),
        Cell(run["status"], STYLES.get(run["status"], "")),
        Cell(str(run["lines"]), "", _rows(run)),
        Cell(str(run["total_expected"])),
        Cell(str(run["failed_rows"]), "yellow" if run["failed_rows"] else ""),
        time(run["created"]),
        who(run["started_by"]),
        commit_id(run["commit"]),
        Cell(run["key"], "", run["key"][:_SHORT_KEY]),
        Cell(run["error"] or ""),
    )


def _rows(run: Answer) -> str:
    return str(run["lines"]) if run["lines"] == run["total_expected"] else f"{run['lines']}/{run['total_expected']}"


@click.command()
@click.argument("target")
@KIND
@REF
@asking
def show(client: Client, output: Output, target: str, kind: Kind | None, ref: str | None) -> None:
    """Tell all that is known of the runs of a target: counts, tokens, who started them, and why one failed.

    With --ref: of the target as it was then. A clone knows the runs that are complete, by their manifests.

    In a pipe, a line has: kind, field, value.
    """
    kinds: Sequence[Kind] = [kind] if kind else KINDS
    found: dict[Kind, Answer]
    if client.clone is not None:
        found = in_clones.shown(client.clone, target, ref, kinds)
    else:
        found = {each: statuses.get(client, target, each, ref) for each in kinds}
    if output.as_json:
        output.json(found[kind] if kind else {str(each): status for each, status in found.items()})
        return
    for each, status in found.items():
        if output.is_terminal:
            statuses.show_one(output, target, each, status)
        for name, value in _fields(status):
            if output.is_terminal:
                output.line(Cell(f"  {name}: ", "dim"), value)
            else:
                output.row(each, name, value)
        if output.is_terminal:
            statuses.warn(status)


def _fields(status: Answer) -> Iterator[tuple[str, str]]:
    """Yield what a status tells beside its config and its warnings, as names and texts; nothing that is unset."""
    for name, value in status.items():
        if name == "started_by" and value:
            yield name, who(value).text
        elif not isinstance(value, dict | list) and value is not None:
            yield name, visible(str(value).lower() if isinstance(value, bool) else str(value))
