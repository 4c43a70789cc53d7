"""`bakehouse labels`: names for commits that move, such as `production`."""

from collections.abc import Iterator
from typing import Any

import click

from app.cli.asking import pages
from app.cli.asking.client import Answer, Client
from app.cli.asking.options import NUMBER, REASON, REF, asking
from app.cli.asking.output import Cell, Output, commit_id
from app.cli.audit import commits

_MOST_NAMES = 10


class _Labels(click.Group):
    """A group whose first command runs where none is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `list` first where no command is named."""
        is_named = bool(args) and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if is_named else ["list", *args])


@click.group(cls=_Labels)
def labels() -> None:
    """List the labels of a repo, move them, and tell who did so."""


@labels.command("list")
@REF
@asking
def list_labels(client: Client, output: Output, ref: str | None) -> None:
    """List the labels, each with who moved it last.

    In a pipe, a line has: name, commit, time of the move, user, reason, its commit, who may move it.
    """
    answer = client.get("labels", ref=ref)
    if output.as_json:
        output.json(answer)
        return
    heads = ("label", "is at", "moved (UTC)", "who", "why", None, "only moved by")
    output.table(heads, map(_record, answer["labels"]))


def _record(label: Answer) -> tuple[Cell, ...]:
    moved = commits.line(label["moved"] or {})
    protected = label["protected"]
    may_move = "" if protected is None else ", ".join(protected) or "the owner"
    return Cell(label["name"], "bold"), commit_id(label["commit"]), *moved, Cell(may_move)


@labels.command("history")
@click.argument("label")
@NUMBER
@REF
@asking
def label_history(client: Client, output: Output, label: str, **query: Any) -> None:
    """List the moves of a label, newest first.

    In a pipe, a line has: from, to, time, user, reason, commit. From is empty where the label was made, and to where
    it was deleted.
    """
    found = pages.newest(client, "labels", label, "history", items="moves", **query)
    answer = pages.join(found, "moves")
    if output.as_json:
        output.json(answer)
        return
    output.table(("from", "to", "moved (UTC)", "who", "why", "commit"), _moves(answer))


def _moves(answer: Answer) -> Iterator[tuple[Cell, ...]]:
    for move in answer["moves"]:
        yield commit_id(move["from"]), commit_id(move["to"]), *commits.line(move)


@labels.command("move")
@click.argument("label")
@click.argument("ref")
@click.option("--protect", metavar="USER", multiple=True, help="Only this user may move it, and the owner; repeatable.")
@click.option("--anyone", is_flag=True, help="Everybody who may write to the repo may move it.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@REASON
@asking
def move_label(
    client: Client,
    output: Output,
    label: str,
    ref: str,
    protect: tuple[str, ...],
    anyone: bool,
    dry_run: bool,
    reason: str | None,
) -> None:
    """Put a label on the commit that REF names; a label that is not there is made.

    In a pipe, the line has: label, from, to, and how many targets were created, updated and deleted.
    """
    if anyone and protect:
        raise click.UsageError("--anyone and --protect contradict each other: give one of them.")
    body: Answer = {"ref": ref, "dry_run": dry_run}
    if anyone or protect:
        body["protected"] = list(protect) or None
    answer, _ = client.write("PUT", "labels", label, body=body, reason=reason)
    targets = answer["targets"]
    if output.as_json:
        output.json(answer)
    elif not output.is_terminal:
        counts = [str(targets[name]) for name in ("created", "updated", "deleted")]
        output.row(label, answer["from"], answer["commit"], *counts)
    else:
        _show(output, answer)
    output.warn(answer)


def _show(output: Output, answer: Answer) -> None:
    verb = "would go" if answer["dry_run"] else "went"
    came = (" from ", commit_id(answer["from"])) if answer["from"] else ()
    output.line(Cell(answer["name"], "bold"), f" {verb}", *came, " to ", commit_id(answer["commit"]))
    targets = answer["targets"]
    counts = ", ".join(f"{targets[name]} {name}" for name in ("created", "updated", "deleted"))
    output.line(f"Targets: {counts}")
    names = targets["names"]
    if names:
        output.line("  ", ", ".join(names[:_MOST_NAMES]), ", …" if len(names) > _MOST_NAMES else "")


@labels.command("delete")
@click.argument("label")
@REASON
@asking
def delete_label(client: Client, output: Output, label: str, reason: str | None) -> None:
    """Delete a label. Its history stays.

    In a pipe, the line has: label, commit.
    """
    answer, commit = client.write("DELETE", "labels", label, reason=reason)
    if output.as_json:
        output.json(answer)
    elif output.is_terminal:
        output.line(Cell(label, "bold"), " was deleted by commit ", commit_id(commit))
    else:
        output.row(label, commit)
