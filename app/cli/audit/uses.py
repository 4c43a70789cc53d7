"""`bakehouse uses`: who uses a prompt, a target or a question template."""

from collections.abc import Iterator

import click

from app.cli.asking import pages
from app.cli.asking.client import Answer, Client
from app.cli.asking.options import PROMPT, REF, asking
from app.cli.asking.output import Cell, Output, commit_id
from app.cli.audit.things import place_of

_STYLES = {"drifted": "yellow", "template_gone": "red", "other": "dim"}


@click.command()
@click.argument("target", required=False)
@PROMPT
@click.option("--file", metavar="FILE", help="This question template, and no target.")
@REF
@asking
def uses(
    client: Client, output: Output, target: str | None, prompt: str | None, file: str | None, ref: str | None
) -> None:
    """List the targets that use a target, a prompt or a question template, and the tags and labels that hold it.

    In a pipe, a line has: kind (target, tag or label), name, by which fields or template, state, commit. The state of
    a target is current, drifted or template_gone. That of a tag is same, where it holds this version, or other.
    """
    found = pages.every(client, *place_of(target, prompt, file), "uses", follow=dict, ref=ref)
    answer = pages.join(found, "targets", "tags", "labels")
    if output.as_json:
        output.json(answer)
        return
    output.table(("kind", "name", "by", "state", "commit"), _records(answer))


def _records(answer: Answer) -> Iterator[tuple[Cell, ...]]:
    for user in answer["targets"]:
        by = user.get("template") or ", ".join(user.get("fields", ()))
        state = user.get("state", "")
        yield Cell("target"), Cell(user["target_name"], "bold"), Cell(by), Cell(state, _STYLES.get(state, "")), Cell("")
    for kind in ("tag", "label"):
        for holder in answer.get(f"{kind}s", ()):
            state = "same" if holder["same"] else "other"
            by, style = Cell(""), _STYLES.get(state, "")
            yield Cell(kind), Cell(holder["name"], "bold"), by, Cell(state, style), commit_id(holder["commit"])
