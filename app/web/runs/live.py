"""Progress while it happens: server-sent events, for as long as a thread can be spared."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from flask import Response

from app.auth import Forbidden, Unauthorized
from app.runs.ledger.database import LedgerUnavailable
from app.runs.ledger.runs import Run
from app.runs.services import Runs
from app.web import admission
from app.web.runs import progress
from app.wire import context
from app.wire.sending import Pieces
from app.wire.turns import TooBusy
from storage.errors import StorageError

_LONGEST = 20.0  # seconds of a stream; the browser asks for the next one by itself
_LOOK = 0.5  # seconds between looks at the run
_BEAT = 2.0  # seconds without news, after which a word shows whether the browser is still there
_RETRY = 1000  # milliseconds

# The events: `progress` has how far the run is, `over` says that this was all, `busy` that the page should rather look
# by itself, and `refused`, with a sentence, that the viewer may not see the run any more.
_PROGRESS, _OVER, _BUSY, _REFUSED = "progress", "over", "busy", "refused"


def stream(run: Run) -> Response:
    """Return the events of a run, or at once that no thread can be spared for them."""
    found = context.services()
    try:
        end = found.turns.watch(context.principal().user.id)
    except TooBusy:
        return _response([_event(_BUSY)])
    return _response(Pieces(_events(found.runs, run.id, admission.standing(), found.turns.may_watch_on), end))


def _response(events: Any) -> Response:
    response = Response(events, content_type="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"  # nginx would hold events back
    return response


def _events(runs: Runs, run_id: int, check: Callable[[], None], may_go_on: Callable[[], bool]) -> Iterator[bytes]:
    yield f"retry: {_RETRY}\n\n".encode()
    try:
        yield from _follow(runs, run_id, check, may_go_on)
    except (Unauthorized, Forbidden) as error:
        yield _event(_REFUSED, str(error))
    except (LedgerUnavailable, StorageError):
        yield _event(_BUSY)


def _follow(runs: Runs, run_id: int, check: Callable[[], None], may_go_on: Callable[[], bool]) -> Iterator[bytes]:
    """Yield changes until the run, or the time of this stream, is over."""
    started = sent = time.monotonic()
    last = None
    while time.monotonic() - started < _LONGEST:
        run = runs.table.get(run_id)
        told = None if run is None else progress.told(runs, run)
        if told is not None and told != last:
            yield _event(_PROGRESS, told)
            last, sent = told, time.monotonic()
        if told is None or told["is_over"]:
            yield _event(_OVER)
            return
        if time.monotonic() - sent >= _BEAT:
            yield b": still here\n\n"
            sent = time.monotonic()
        time.sleep(_LOOK)
        check()
        if not may_go_on():
            yield _event(_BUSY)
            return


def _event(name: str, data: Any = None) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
