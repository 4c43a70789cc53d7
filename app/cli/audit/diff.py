"""`bakehouse diff`: what is not the same at two commits, in a whole repo or in one thing."""

from collections.abc import Iterator
from typing import Any

import click

from app.cli.asking import pages
from app.cli.asking.client import Answer, Client
from app.cli.asking.options import FULL, PROMPT, asking
from app.cli.asking.output import Cell, Output
from app.cli.asking.visible import lines
from app.cli.audit import commits
from app.cli.audit.things import place_of

_PATCH = "text/x-diff"
_SIDES = (("from", "red"), ("to", "green"))


@click.command()
@click.argument("from_", metavar="FROM")
@click.argument("to", required=False)
@click.option("--path", help="Only such files: 'targets/a.yml', 'targets/', 'targets/night*'.")
@click.option("-t", "--target", metavar="TARGET", help="Only the config of this target; 'default' is the default.")
@PROMPT
@click.option("--against", metavar="NAME", help="Compare with another target, or prompt, as it was at FROM.")
@click.option("--patch", is_flag=True, help="Print what 'git diff' prints.")
@FULL
@asking
def diff(
    client: Client,
    output: Output,
    from_: str,
    target: str | None,
    prompt: str | None,
    against: str | None,
    patch: bool,
    **query: Any,
) -> None:
    """Compare two commits: FROM, and TO, which is the last commit if it is left out.

    In a pipe, a line for each field: path, action, field, old and new value.
    """
    place: tuple[str, ...] = ()
    if target is not None or prompt is not None:
        place = place_of(target, prompt)
        if query["path"]:
            raise click.UsageError("--path is for the whole repo: leave it out, or the name of the one thing.")
    elif against is not None:
        raise click.UsageError("--against needs the thing to compare: --target or --prompt.")
    asked = {"from": from_, "against": against, **query}
    if patch:
        _print_patch(output, client.text(_PATCH, *place, "diff", **asked)[0])
    elif place:
        _print_one(output, client.get(*place, "diff", **asked), place)
    else:
        _print_all(output, pages.join(pages.every(client, "diff", **asked), "files"))


def _print_patch(output: Output, patch: bytes) -> None:
    """Print a patch: in a pipe exactly as it is, since `git apply` reads it there."""
    click.echo(lines(patch.decode("utf-8", "replace")) if output.is_terminal else patch, nl=False)


def _print_one(output: Output, answer: Answer, place: tuple[str, ...]) -> None:
    """Print how one thing differs."""
    if output.as_json:
        output.json(answer)
    elif output.is_terminal:
        output.line(*_sides(answer))
        commits.changes(output, answer)
    elif answer["changes"]:
        for row in commits.rows(answer):
            output.row(f"{'/'.join(place)}.yml", "updated", *row)


def _print_all(output: Output, answer: Answer) -> None:
    """Print which files of a repo differ."""
    if output.as_json:
        output.json(answer)
        return
    if not output.is_terminal:
        for file in answer["files"]:
            for row in commits.rows(file):
                output.row(file["path"], file["action"], *row)
        return
    output.line(*_sides(answer))
    for file in answer["files"]:
        output.line("")
        output.line(Cell(f"{file['path']} "), Cell(file["action"], commits.STYLES[file["action"]]))
        commits.changes(output, file)
    output.line("")
    counts = answer["counts"]
    output.line(
        ", ".join(f"{number} {name}" for name, number in counts.items()) if any(counts.values()) else "Nothing."
    )


def _sides(answer: Answer) -> Iterator[Cell]:
    for name, style in _SIDES:
        side = answer[name]
        thing = side.get("target_name") or side.get("prompt_name")
        yield Cell(f"{thing} at {side['commit'][:7]}" if thing else side["commit"][:7], style)
        if name == "from":
            yield Cell(" → ")
