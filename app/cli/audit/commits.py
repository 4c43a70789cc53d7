"""How commits are printed: as `git log` does on a terminal, elsewhere a line for each field that changed."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app.cli.asking.client import Answer
from app.cli.asking.output import Cell, Output, commit_id, time, value, who
from app.cli.asking.visible import shown
from app.cli.audit.field_names import name_of

STYLES = {"created": "green", "updated": "cyan", "deleted": "red"}


def show(output: Output, commits: Iterable[Answer]) -> None:
    """Print commits, each with what it did to files."""
    for commit in commits:
        if output.is_terminal:
            _show(output, commit)
        else:
            for record in _records(commit):
                output.row(*record)


def changes(output: Output, part: Mapping[str, Any], indent: str = "    ") -> None:
    """Print the fields that changed, on a terminal."""
    for change in part["changes"] or ():
        output.line(
            f"{indent}{name_of(change['field'])}: ",
            _side(change, "old", "red"),
            " → ",
            _side(change, "new", "green"),
        )
    if "more" in part:
        output.line(Cell(f"{indent}and {part['more']} more fields", "dim"))
    if "note" in part:
        output.line(Cell(f"{indent}{part['note']}", "dim"))


def _side(change: Mapping[str, Any], name: str, style: str) -> Cell:
    is_set = name in change or f"{name}_cut" in change
    return value(change, name, style) if is_set else Cell("(unset)", "dim")


def rows(part: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield field, old and new value of each change; empty texts where no fields are told."""
    for change in part["changes"] or [{"field": ""}]:
        yield name_of(change["field"]), shown(change, "old"), shown(change, "new")


def _show(output: Output, commit: Answer) -> None:
    author = commit["author"]
    by = [f"{name} {author[name]}" for name in ("user", "token") if author[name]]
    output.line(Cell(f"commit {commit['commit']}", "yellow"))
    output.line(f"Author: {author['name']} <{author['email']}>", f" ({', '.join(by)})" if by else "")
    output.line("Date:   ", time(commit["time"]), " UTC")
    output.line("")
    output.line("    ", commit["subject"])
    if commit.get("reason"):
        output.line("    ", Cell(commit["reason"], "italic"))
    for file in _files(commit):
        output.line("")
        output.line("  ", _name(file), Cell(file["action"], STYLES[file["action"]]))
        changes(output, file)
    if "more_files" in commit:
        output.line(Cell(f"  and {commit['more_files']} more files", "dim"))
    output.line("")


def _name(file: Answer) -> Cell:
    return Cell(f"{file['path']} " if "path" in file else "")


def _files(commit: Answer) -> list[Answer]:
    """Return what a commit did to files; in the history of one file, the commit itself tells it."""
    files: list[Answer] = commit.get("files", [commit])
    return files


def _records(commit: Answer) -> Iterator[tuple[str, ...]]:
    """Yield commit, time, user, reason, path, action, field, old and new value, for each field that changed."""
    start = (commit["commit"], commit["time"], who(commit["author"]).text, commit.get("reason") or "")
    for file in _files(commit) or [{"path": "", "action": "", "changes": None}]:
        for field, old, new in rows(file):
            yield (*start, file.get("path", ""), file["action"], field, old, new)


def line(commit: Answer) -> tuple[Cell, ...]:
    """Return the cells that tell of a commit in a table: since when, by whom, why, and its id."""
    return (
        time(commit.get("time")),
        who(commit.get("author")),
        Cell(commit.get("reason") or "", "italic"),
        commit_id(commit.get("commit")),
    )
