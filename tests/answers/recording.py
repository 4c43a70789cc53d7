"""Ask an application by the ids of operations, and keep the first answer of each kind."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

from app.domain.tokens import SECRET
from tests.client import Client

FILE = Path(__file__).parents[2] / "app/answers.json"

# What differs from one recording to the next, and what a comparison has in its place.
_VARYING = (
    (re.compile(r"\b[0-9a-f]{7}\.\.[0-9a-f]{7}\b"), "<id>..<id>"),
    # YAML has quotes around an id that starts with a digit
    (re.compile(r"'?\b(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32}|[0-9a-f]{16}|[0-9a-f]{10})\b'?"), "<id>"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?(Z|\+00:00)"), "<time>"),
)
# Of these no answer is kept: they are binary, or another each time.
NOT_KEPT = ("application/x-git-bundle", "application/vnd.apache.parquet", "read_metrics")


@dataclass
class Recording:
    """The answers of an application, as `app/answers.json` has them."""

    document: Mapping[str, Any]  # of OpenAPI
    answers: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)  # by operation, status, media type
    errors: dict[str, Any] = field(default_factory=dict)  # by status
    not_kept: dict[str, bytes] = field(default_factory=dict)  # by their names in NOT_KEPT

    def __post_init__(self) -> None:
        self._operations = {
            operation["operationId"]: (method.upper(), path, operation)
            for path, item in self.document["paths"].items()
            for method, operation in item.items()
        }

    def ask(
        self, client: Client, operation_id: str, query: str = "", body: Any = None, accept: str = "", **names: str
    ) -> TestResponse:
        """Send the request that the document's examples make, but for what is given, and keep its answer."""
        method, path, operation = self._operations[operation_id]
        for parameter in operation["parameters"]:
            if parameter["in"] == "path":
                name = parameter["name"]
                path = path.replace(f"{{{name}}}", names.pop(name, parameter["example"]))
        if body is None:
            content = operation.get("requestBody", {}).get("content", {})
            body = content.get("application/json", {}).get("example")
        headers = {"Accept": accept} if accept else {}
        response = client.request(method, path + query, body, **headers, **names)
        self.keep(operation_id, response)
        return response

    def keep(self, operation_id: str, response: TestResponse) -> None:
        """Keep an answer, unless there is one of its kind."""
        status, media_type = str(response.status_code), response.mimetype
        for name in {operation_id, media_type}.intersection(NOT_KEPT):
            self.not_kept[name] = response.data
            return
        text = SECRET.sub("bakehouse_…", response.get_data(as_text=True))
        answer = json.loads(text) if media_type == "application/json" else text
        if status in self._operations[operation_id][2]["responses"] and not _is_refusal(response):
            self.answers.setdefault(operation_id, {}).setdefault(status, {}).setdefault(media_type, answer)
        else:
            self.errors.setdefault(status, answer)

    def unasked(self) -> list[str]:
        """Return the operations that read, and of which there is no answer yet."""
        reading = [name for name, (method, _, _) in self._operations.items() if method == "GET"]
        return [name for name in reading if name not in self.answers]

    def text(self) -> str:
        """Return the file."""
        kept = {"answers": dict(sorted(self.answers.items())), "errors": dict(sorted(self.errors.items()))}
        return json.dumps(kept, ensure_ascii=False, indent=1) + "\n"


def _is_refusal(response: TestResponse) -> bool:
    return response.status_code >= 300 and (response.json or {}).keys() <= {"message", "code", "detail"}


def without_varying(text: str) -> str:
    """Return a text in which all ids and all times are the same."""
    for pattern, name in _VARYING:
        text = pattern.sub(name, text)
    return text
