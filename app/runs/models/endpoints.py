"""The endpoints that an operator configured: which serves a model, and with what limits."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from app.domain.names import enumerated, quoted
from app.runs.models import endpoint_fields
from app.runs.models.endpoint_fields import EndpointsInvalid
from app.runs.models.verdicts import Refused, Verdict
from app.settings import Settings

FILE = "endpoints.yml"

_URL, _KEY = "OPENAI_BASE_URL", "OPENAI_API_KEY"
_HEADER = re.compile(r"[!-~]+")
_MOST_BYTES = 1024 * 1024
_PRICED = 1_000_000  # tokens


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server with the API of OpenAI, and the models it serves. Prices are those of a million tokens."""

    name: str
    base_url: str
    models: tuple[str, ...]
    api_key_env: str | None = None
    max_concurrency: int = 16  # requests at once, of all runs and workers
    requests_per_minute: int = 0  # 0: any number
    timeout: float = 120  # seconds a request
    input_price: float | None = None
    output_price: float | None = None
    takes_seed: bool = True

    def cost(self, tokens_in: int, tokens_out: int) -> float | None:
        """Return what tokens cost, in the money that prices are in; None where there are no prices."""
        if self.input_price is None and self.output_price is None:
            return None
        return round((tokens_in * (self.input_price or 0) + tokens_out * (self.output_price or 0)) / _PRICED, 6)

    def key(self, env: Mapping[str, str] = os.environ) -> str | None:
        """Return the key for requests, or None where the endpoint needs none; Refused if there is none to be had."""
        if self.api_key_env is None:
            return None
        key = env.get(self.api_key_env, "").strip()
        if _HEADER.fullmatch(key):
            return key
        wrong = "has a key with characters that no header may have" if key else "is not set where the worker runs"
        message = f"Endpoint '{self.name}' has no key: the environment variable {self.api_key_env} {wrong}."
        raise Refused(Verdict.RUN, "not_allowed", message)


class Endpoints:
    """The endpoints of a server. The file is read again once it has changed."""

    def __init__(self, path: Path, *, is_named: bool, env: Mapping[str, str] = os.environ) -> None:
        """Read endpoints from a file; without one that a setting names (`is_named`), from OpenAI's variables."""
        self._path = path
        self._is_named = is_named
        self._env = env
        self._read: tuple[object, tuple[Endpoint, ...]] | None = None

    @classmethod
    def of(cls, settings: Settings, env: Mapping[str, str] = os.environ) -> "Endpoints":
        """Return the endpoints of a server with these settings."""
        return cls(settings.endpoints or settings.data_dir / FILE, is_named=settings.endpoints is not None, env=env)

    def find(self, model: str) -> Endpoint | None:
        """Return the first endpoint that serves a model; EndpointsInvalid where the file cannot be used."""
        matches = (one for one in self.all() if any(fnmatchcase(model, pattern) for pattern in one.models))
        return next(matches, None)

    def named(self, name: str) -> Endpoint | None:
        """Return the endpoint of a name; EndpointsInvalid where the file cannot be used."""
        return next((one for one in self.all() if one.name == name), None)

    def missing(self, model: str | None) -> str:
        """Return a sentence for whoever names a model that no endpoint serves, or where there is no endpoint."""
        patterns = {pattern for endpoint in self.all() for pattern in endpoint.models}
        if patterns:
            return f"No endpoint serves the model {quoted(model or '')}. Endpoints serve {enumerated(patterns)}."
        none = f"No endpoint serves the model {quoted(model)}, since there is none" if model else "There is no endpoint"
        return (
            f"{none}. The operator may list endpoints in the file "
            f"{FILE} of the data directory, or set {_URL}, and {_KEY} if it needs a key."
        )

    def all(self) -> tuple[Endpoint, ...]:
        """Return all endpoints, in their order; EndpointsInvalid where the file cannot be used."""
        try:
            state = self._path.stat()
        except FileNotFoundError:
            if self._is_named:
                raise EndpointsInvalid(
                    f"BAKEHOUSE_ENDPOINTS names a file {self._path.name}, and there is none."
                ) from None
            return _from_variables(self._env)
        except OSError as error:
            raise self._unreadable(error) from error
        version = (state.st_mtime_ns, state.st_size, state.st_ino)
        if self._read is None or self._read[0] != version:
            self._read = version, self._parse()
        return self._read[1]

    def _parse(self) -> tuple[Endpoint, ...]:
        try:
            with self._path.open("rb") as file:
                data = file.read(_MOST_BYTES + 1)
        except OSError as error:
            raise self._unreadable(error) from error
        if len(data) > _MOST_BYTES:
            raise EndpointsInvalid(f"{self._path.name} is larger than {_MOST_BYTES} bytes.")
        try:
            return parse(data)
        except EndpointsInvalid as error:
            raise EndpointsInvalid(f"{self._path.name}: {error}") from None

    def _unreadable(self, error: OSError) -> EndpointsInvalid:
        return EndpointsInvalid(f"{self._path.name} cannot be read: {error.strerror}.")


def parse(data: bytes) -> tuple[Endpoint, ...]:
    """Return the endpoints of a file; EndpointsInvalid says which entry and which field is wrong."""
    try:
        entries = yaml.load(data, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise EndpointsInvalid(f"line {line} is not YAML: {error.problem}.") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise EndpointsInvalid("the file is not YAML.") from None
    if not isinstance(entries, list):
        raise EndpointsInvalid("the file must be a list, with an entry for each endpoint.")
    found: dict[str, Endpoint] = {}
    for number, entry in enumerate(entries, 1):
        endpoint = Endpoint(**endpoint_fields.checked(number, entry))
        if endpoint.name in found:
            raise EndpointsInvalid(
                f"entry {number}: there is an endpoint '{endpoint.name}' above. Choose another name."
            )
        found[endpoint.name] = endpoint
    return tuple(found.values())


def _from_variables(env: Mapping[str, str]) -> tuple[Endpoint, ...]:
    """Return one endpoint for every model, as the clients of OpenAI read the environment, or none."""
    url = env.get(_URL, "").strip()
    if not url:
        return ()
    fields: dict[str, Any] = {"name": "openai", "base_url": url, "models": ["*"]}
    if env.get(_KEY):
        fields["api_key_env"] = _KEY
    if problem := endpoint_fields.problem("base_url", url):
        raise EndpointsInvalid(f"{_URL} {problem}.")
    return (Endpoint(**endpoint_fields.checked(1, fields)),)
