"""`bakehouse endpoints check`: ask each endpoint for one token, and say what it found."""

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

import click

from app.cli.asking.output import Cell, Output
from app.cli.operator import Utf8
from app.runs.models.client import ModelClient
from app.runs.models.endpoint_fields import EndpointsInvalid
from app.runs.models.endpoints import Endpoint, Endpoints
from app.runs.models.verdicts import Refused, Verdict
from app.settings import Settings

_LONGEST = 60.0  # seconds
_GLOB = frozenset("*?[")
_WORDS = {
    "not_allowed": "wrong key",
    "not_found": "not found",
    "connection": "not reachable",
    "certificate": "wrong certificate",
    "redirect": "redirect",
    "timeout": "no answer",
    "throttled": "throttled",
    "quota": "no quota",
}


@dataclass(frozen=True, slots=True)
class _Found:
    endpoint: str
    model: str
    result: str
    seconds: float
    message: str = ""

    @property
    def is_ok(self) -> bool:
        return self.result == "ok"


@click.group()
def endpoints() -> None:
    """Look at the endpoints that serve models to runs."""


@endpoints.command()
@click.option("--model", type=Utf8(), help="Ask only the endpoint that serves this model.")
def check(model: str | None) -> None:
    """Ask each endpoint for one token, and print what came of it; no key is printed.

    A pipe gets the endpoint, the model, the result, the seconds, and what the endpoint said. The model is the first one
    of the endpoint's without a `*`, or else the first that it lists. The exit status is 1 where an answer is missing.
    """
    known = Endpoints.of(Settings.from_env())
    if model is None:
        chosen: Sequence[Endpoint] = known.all()
    else:
        served = known.find(model)
        chosen = [] if served is None else [served]
    if not chosen:
        raise EndpointsInvalid(known.missing(model))
    found = asyncio.run(_check_all(chosen, model))
    Output(as_json=False).table(["endpoint", "model", "result", "seconds", "said"], [*map(_cells, found)])
    sys.exit(0 if all(one.is_ok for one in found) else 1)


def _cells(found: _Found) -> list[Cell]:
    style = "green" if found.is_ok else "red"
    cells = [Cell(found.endpoint), Cell(found.model), Cell(found.result, style), Cell(f"{found.seconds:.2f}")]
    return [*cells, Cell(found.message)]


async def _check_all(chosen: Sequence[Endpoint], model: str | None) -> list[_Found]:
    return await asyncio.gather(*(_check(endpoint, model) for endpoint in chosen))


async def _check(endpoint: Endpoint, model: str | None) -> _Found:
    began = time.monotonic()
    named = model or next((pattern for pattern in endpoint.models if not _GLOB & set(pattern)), "")
    try:
        key = endpoint.key()
        async with ModelClient(replace(endpoint, timeout=min(endpoint.timeout, _LONGEST)), key) as client:
            named = named or await _first_listed(client, endpoint)
            began = time.monotonic()
            body = {"model": named, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}
            await client.send(body, "bakehouse-endpoints-check")
    except Refused as error:
        return _Found(endpoint.name, named, _word(error), time.monotonic() - began, error.message)
    return _Found(endpoint.name, named, "ok", time.monotonic() - began)


async def _first_listed(client: ModelClient, endpoint: Endpoint) -> str:
    """Return the first model that an endpoint lists and serves to runs; Refused if there is none."""
    for model in await client.models():
        if any(fnmatchcase(model, pattern) for pattern in endpoint.models):
            return model
    message = f"Endpoint '{endpoint.name}' lists no model that it serves to runs: name one with --model."
    raise Refused(Verdict.SAMPLE, "not_found", message)


def _word(error: Refused) -> str:
    return _WORDS.get(error.type, "failed")
