"""`bakehouse runs export`: all rows of a run in a file, which is there whole or not at all."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import click

from app.cli.asking.client import Answer, Client
from app.cli.asking.errors import NoAnswer, Refused
from app.cli.asking.options import REF, asking
from app.cli.asking.output import Cell, Output
from app.cli.asking.visible import visible
from app.cli.runs import statuses
from app.cli.runs.statuses import COMPLETE
from app.domain.manifests import KINDS, Kind

_JSON_LINES = "application/x-ndjson"
_FORMATS = {  # the media type, and the API's word for the format
    "ndjson": (_JSON_LINES, "rows"),
    "csv": ("text/csv", "rows"),
    "parquet": ("application/vnd.apache.parquet", "rows"),
    "openai": (_JSON_LINES, "openai"),
    "batch": (_JSON_LINES, "batch"),
}
_SUFFIXES = {".csv": "csv", ".parquet": "parquet"}


@click.command()
@click.argument("target")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--kind", type=click.Choice(KINDS), default="rollout", help="The rows of which run (rollout).")
@click.option("--format", "wanted", type=click.Choice([*_FORMATS]), help="By the end of FILE, else ndjson.")
@REF
@asking
def export(
    client: Client, output: Output, target: str, file: Path, kind: Kind, wanted: str | None, ref: str | None
) -> None:
    """Write the rows of a run to FILE, in the place of what is there. Where anything fails, FILE stays as it was.

    Formats: ndjson (JSON Lines, which `bakehouse verify --rows` checks), csv, parquet, openai (lines for fine-tuning),
    batch (requests of the Batch API).

    In a pipe, the line has: file, target, kind, status, rows in the run, bytes, SHA-256 of the file.
    """
    statuses.ask_server(client)
    wanted = wanted or _SUFFIXES.get(file.suffix.lower(), "ndjson")
    status = statuses.get(client, target, kind, ref)
    media_type, called = _FORMATS[wanted]
    with client.download(media_type, "targets", target, kind, "rows", format=called, ref=ref) as (headers, pieces):
        written = _write(file, pieces, _digest_of(status, headers, wanted))
    told = {"file": str(file), "target": target, "kind": kind, "status": headers["Run-Status"], "format": wanted}
    rows = written["rows"] if media_type == _JSON_LINES else status["lines"]
    _tell(output, {**told, **written, "rows": rows})


def _digest_of(status: Answer, headers: Mapping[str, str], wanted: str) -> str | None:
    """Return the SHA-256 that the file must have, where the status tells it."""
    is_same = headers["Run-Key"] == status["key"]
    digest: str | None = status["rows_sha256"] if wanted == "ndjson" and is_same else None
    return digest


def _write(file: Path, pieces: Iterator[bytes], expected: str | None) -> Answer:
    """Write a file whole, and return what is in it; NoAnswer where its SHA-256 is not the expected one."""
    size, lines, hashed = 0, 0, sha256()
    with _new(file) as new:
        for piece in pieces:
            new.write(piece)
            hashed.update(piece)
            size += len(piece)
            lines += piece.count(b"\n")
        if expected not in (None, hashed.hexdigest()):
            raise NoAnswer("What came is not the rows of the run: their SHA-256 is another one. Try again.")
    return {"rows": lines, "bytes": size, "sha256": hashed.hexdigest()}


@contextmanager
def _new(file: Path) -> Iterator[BinaryIO]:
    """Yield a file that takes the place of another once it is whole, and is removed where it does not become so."""
    scratch: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name[:100]}.", suffix=".part", dir=file.parent)
        scratch = Path(name)
        with os.fdopen(descriptor, "wb") as new:
            yield new
            new.flush()
            os.fsync(new.fileno())
        scratch.chmod(0o666 & ~_umask())
        scratch.replace(file)
        scratch = None
    except OSError as error:
        raise Refused(f"{visible(str(file))} cannot be written: {error.strerror}.") from error
    finally:
        if scratch is not None:
            with suppress(OSError):
                scratch.unlink()


def _umask() -> int:
    """Return which permissions new files do not get. There is no way to read this without setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _tell(output: Output, told: Answer) -> None:
    if told["status"] != COMPLETE:
        click.echo(f"Warning: the run is {told['status']}, and has only {told['rows']} rows so far.", err=True)
    if output.as_json:
        output.json(told)
    elif output.is_terminal:
        output.line(
            Cell(told["file"], "bold"), f": {told['rows']} rows, {told['bytes']} bytes, SHA-256 {told['sha256']}"
        )
    else:
        names = ("file", "target", "kind", "status", "rows", "bytes", "sha256")
        output.row(*(str(told[name]) for name in names))
