"""The rows of a run as files, in the formats of the API."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from flask import Response

from app.domain.errors import NotFound
from app.runs import exports
from app.runs.exports import BATCH, CSV, LINES, OPENAI, PARQUET, ROWS, Form
from app.runs.ledger.runs import Run
from app.runs.plans import ROLLOUT, STIM
from app.runs.recipe import parquet
from app.web.admission import Place
from app.wire import context
from app.wire.sending import streamed

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class File:
    """A file that can be had of a run: its name in the address, what it is, and how it is written."""

    name: str
    title: str
    form: Form


_FILES = (
    File("rows.jsonl", "JSON Lines, the rows as they are", Form(ROWS, LINES)),
    File("rows.csv", "CSV, for spreadsheets", Form(ROWS, CSV)),
    File("rows.parquet", "Parquet, for data frames", Form(ROWS, PARQUET)),
    File("openai.jsonl", "chat lines for fine-tuning", Form(OPENAI, LINES)),
    File("batch.jsonl", "requests for the Batch API", Form(BATCH, LINES)),
)


def offered(run: Run) -> Sequence[File]:
    """Return the files that this server can make of a run."""
    return [
        file
        for file in _FILES
        if (file.form.content != OPENAI or run.kind == ROLLOUT)
        and (file.form.media_type != PARQUET or parquet.is_installed())
    ]


def send(place: Place, run: Run, name: str) -> Response:
    """Send a file of a run; NotFound where there is no such file."""
    file = next((each for each in offered(run) if each.name == name), None)
    if file is None:
        raise NotFound("File", name)
    form = file.form
    if form.content == BATCH and run.kind == STIM:
        form = Form(BATCH, LINES, config=exports.config_of_requests(place.snapshot, run.target, run))
    make = partial(exports.pieces, context.services().runs, run, form)
    response = Response(streamed(make, form.media_type), content_type=form.media_type)
    named = f"{_UNSAFE.sub('_', run.target)}-{run.kind}-{run.key[:8]}-{name}"
    response.headers.set("Content-Disposition", "attachment", filename=named)
    return response
