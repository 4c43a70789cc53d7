"""How answers are printed: JSON, or a table and colours on a terminal, or a line a record elsewhere."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import click
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from app.cli.asking.visible import as_json, shown, visible

_SHORT_ID = 7  # digits


class Cell(NamedTuple):
    """A part of a record. A terminal shows `short` instead of the whole text where there is one, in a style."""

    text: str
    style: str = ""
    short: str | None = None


class Output:
    """Prints answers. What comes from a server is printed as text: it has no markup, and steers no terminal.

    Colours are off where NO_COLOR is set, and FORCE_COLOR has a pipe treated as a terminal.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.console = Console(markup=False, highlight=False, emoji=False)
        self.is_terminal = self.console.is_terminal
        self._errors = Console(stderr=True)
        self.tells_progress = self._errors.is_terminal
        self._progress = ""  # what is shown

    def json(self, answer: Mapping[str, Any]) -> None:
        """Print an answer of the API as JSON."""
        click.echo(as_json(answer, indent=2 if self.is_terminal else None))

    def json_line(self, answer: Mapping[str, Any]) -> None:
        """Print an answer of the API as one line of JSON."""
        click.echo(as_json(answer))

    def table(self, heads: Sequence[str | None], records: Iterable[Sequence[Cell]]) -> None:
        """Print records: as a table, or tab-separated. A column without a head is not for terminals.

        Where the table would be wider than the terminal, each record is two lines, the first with two cells.
        """
        if not self.is_terminal:
            for record in records:
                self.row(*(cell.text for cell in record))
            return
        columns = [list(column) for column in zip(*records, strict=True)]
        kept = [
            (head, [*map(_text, column)])
            for head, column in zip(heads, columns or [[]] * len(heads), strict=True)
            if head is not None and (any(map(_text, column)) or not columns)
        ]
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
        for head, _ in kept:
            table.add_column(head, no_wrap=True)
        texts = list(zip(*(column for _, column in kept), strict=True))
        for row in texts:
            table.add_row(*row)
        unlimited = self.console.options.update_width(1_000_000)
        if Measurement.get(self.console, unlimited, table).maximum <= self.console.width:
            self.console.print(table)
            return
        for first, second, *more in texts:
            self._print(Text("  ").join([first, second]))
            self._print(Text("    ") + Text("  ").join(filter(None, more)))

    def row(self, *texts: str | None) -> None:
        """Print one record for programs: a line, with tabs between the fields."""
        click.echo("\t".join(visible(text or "") for text in texts))

    def line(self, *cells: Cell | str) -> None:
        """Print a line on a terminal."""
        texts = [_text(cell if isinstance(cell, Cell) else Cell(cell)) for cell in cells]
        self._print(Text.assemble(*texts))

    def _print(self, text: Text) -> None:
        self.console.print(text, soft_wrap=True)

    def progress(self, text: str = "") -> None:
        """Show on a terminal how far the work is, beside the output, in the place of what was shown there before."""
        if self.tells_progress and (text or self._progress):
            self._errors.file.write(f"\r\x1b[K{visible(text)}")
            self._errors.file.flush()
            self._progress = text

    def warn(self, answer: Mapping[str, Any]) -> None:
        """Tell what the answer to a write warns of."""
        for warning in answer.get("warnings", ()):
            click.echo(f"Warning: {visible(warning)}", err=True)


def _text(cell: Cell) -> Text:
    return Text(visible(cell.text if cell.short is None else cell.short), cell.style)


def value(part: Mapping[str, Any], name: str, style: str = "") -> Cell:
    """Return the cell of a value in an answer."""
    return Cell(shown(part, name), style)


def commit_id(commit: str | None) -> Cell:
    """Return the cell of a commit."""
    return Cell(commit or "", "yellow", (commit or "")[:_SHORT_ID])


def time(moment: str | None) -> Cell:
    """Return the cell of a moment, in UTC; a terminal shows it to the second."""
    return Cell(moment or "", "", (moment or "")[:19].replace("T", " "))


def who(author: Mapping[str, str | None] | None) -> Cell:
    """Return the cell of an author: the user's id where the commit names one, or else the address."""
    if author is None:
        return Cell("")
    return Cell(author["user"] or author["email"] or "", "", author["name"])
