"""`bakehouse explain`: for each field of a target, who set it, when and why."""

from collections.abc import Iterator
from difflib import get_close_matches

import click

from app.cli.asking.client import Answer, Client
from app.cli.asking.errors import Refused
from app.cli.asking.options import FULL, REF, asking
from app.cli.asking.output import Cell, Output, value
from app.cli.asking.visible import visible
from app.cli.audit import commits
from app.cli.audit.field_names import name_of, pointer_of

_HEADS = ("field", None, "value", "set by", "of", "since (UTC)", "who", "why", "commit")


@click.command()
@click.argument("target")
@click.argument("field", required=False)
@REF
@FULL
@click.option("-v", "--verbose", is_flag=True, help="Also the values that were replaced.")
@asking
def explain(
    client: Client, output: Output, target: str, field: str | None, ref: str | None, full: bool, verbose: bool
) -> None:
    """Tell for each field of a target, or for one FIELD, which layer set it, since when, by whom and why.

    FIELD is a name such as 'temperature' or 'generators.0.numq', or a JSON Pointer.

    In a pipe, a line has: field, state (set, removed or beaten), value, layer, name, time, user, reason, commit.
    """
    answer = _read(client, target, ref, full=full)
    if field is not None:
        answer = _only(answer, target, field)
    if output.as_json:
        output.json(answer)
        return
    output.table(_HEADS, _records(answer, verbose=verbose))


def _read(client: Client, target: str, ref: str | None, *, full: bool) -> Answer:
    """Return an explanation. The fields of later pages, which explain templates, are those not told before."""
    answer = page = client.get("targets", target, "explain", ref=ref, full=full)
    is_template = False
    while page["next"] is not None:
        following = page["next"]
        place = ("targets", following["target_name"], "explain")
        page = client.get(*place, ref=following["ref"], offset=following["offset"], full=full)
        is_template = is_template or following["offset"] == 0
        if is_template:
            _call_templates(page)
        answer["layers"] += page["layers"] if page["layers"][0] not in answer["layers"] else []
        told = {each["field"] for each in (*answer["fields"], *answer["removed"])}
        for part in ("fields", "removed"):
            answer[part] += [each for each in page[part] if each["field"] not in told]
        answer["commits"] |= page["commits"]
        answer["next"] = page["next"]
    return answer


def _call_templates(page: Answer) -> None:
    """Call the overrides of a page about a template what they are to the target: values of a template."""
    fields = [*page["fields"], *page["removed"]]
    for part in (*page["layers"], *fields, *(beaten for field in fields for beaten in field["beaten"])):
        if part["layer"] == "overrides":
            part["layer"] = "template"


def _only(answer: Answer, target: str, name: str) -> Answer:
    """Return the explanation of one field and of those within it; Refused if there is none."""
    pointer = pointer_of(name)
    kept = {
        part: [each for each in answer[part] if each["field"] == pointer or each["field"].startswith(f"{pointer}/")]
        for part in ("fields", "removed")
    }
    if not any(kept.values()):
        names = [name_of(each["field"]) for part in ("fields", "removed") for each in answer[part]]
        near = get_close_matches(name, names, n=1)
        meant = f"; did you mean '{near[0]}'?" if near else "."
        raise Refused(visible(f"Target '{target}' has no field '{name}'{meant}"))
    named = {each["commit"] for each in (*answer["layers"], *kept["fields"], *kept["removed"])}
    told = {commit: block for commit, block in answer["commits"].items() if commit in named}
    return answer | kept | {"commits": told}


def _records(answer: Answer, *, verbose: bool) -> Iterator[tuple[Cell, ...]]:
    for part, state, style in (("fields", "set", "bold"), ("removed", "removed", "red")):
        for field in answer[part]:
            commit = answer["commits"].get(field["commit"], {})
            is_cut = "value_cut" in field
            said = value(field, "value", style)
            if state == "removed" and not is_cut:
                said = Cell(said.text, style, "(removed)")
            name = name_of(field["field"])
            yield (Cell(name), Cell(state), said, *_layer(field), *commits.line(commit))
            for beaten in field["beaten"] if verbose else ():
                empty = (Cell(""),) * 4
                yield (
                    Cell(name, "", ""),
                    Cell("beaten"),
                    value(beaten, "value", "dim"),
                    *_layer(beaten, "dim"),
                    *empty,
                )


def _layer(part: Answer, style: str = "") -> tuple[Cell, Cell]:
    return Cell(part["layer"], style), Cell(part["name"], style)
