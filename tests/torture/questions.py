"""Requests for everything that a server has, and the answers allowed once something is damaged."""

import base64
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.client import Client
from tests.payloads import asking, made
from tests.torture.everything import BEGAN, DEMO, OTHER, USERS, State

TARGETS = ("base", "child", "grandchild", "asks", "shared")
TAGS = ("v1", "v2", "light-1", "light-2")
PROMPTS = ("system_prompt_v1", "user_prompt_v1")
_GUESTS = ("/v1/repo?user_id=alice", f"{DEMO}/targets/shared?user_id=alice")
# Users are in `accounts`. A list of a user's repos needs `accounts`; the metadata comes from each repo.
_USERS, _DEMO, _OTHER = (
    frozenset({"accounts"}),
    frozenset({"accounts", "demo"}),
    frozenset({"accounts", "other"}),
)

_SHOWN = 120  # bytes of an answer

Truth = Mapping["Question", "Answer"]


@dataclass(frozen=True)
class Question:
    """A request that reads, with somebody's token; `of` are the repositories that it may fail with.

    `tells` is what an answer other than 503 has where it tells of damage.
    """

    who: str
    path: str
    of: frozenset[str]
    accept: str = "application/json"
    tells: str | None = None

    def ask(self, app: Flask, state: State) -> "Answer":
        """Return what is answered. Git shows a token as a password."""
        token = state.tokens[self.who]
        credentials = {"Accept": self.accept}
        if self.path.startswith("/git/"):
            basic = base64.b64encode(f"{self.who}:{token}".encode()).decode()
            credentials["Authorization"] = f"Basic {basic}"
        return Answer.of(Client(app, token).get(self.path, **credentials))

    def is_named(self, answer: "Answer", damaged: str) -> bool:
        """Tell whether an answer says that it could not be given as it should, and `damaged` is why."""
        told = answer.is_refusal or (self.tells is not None and self.tells.encode() in answer.body)
        return told and damaged in self.of

    def __str__(self) -> str:
        return f"GET {self.path} by {self.who}"


@dataclass(frozen=True)
class Answer:
    """What was answered; of the headers, those that tell of what was read."""

    status: int
    etag: str | None
    commit: str | None
    body: bytes
    is_refusal: bool  # as the contract has it

    @classmethod
    def of(cls, response: TestResponse) -> "Answer":
        """Take an answer down."""
        headers = response.headers
        is_refusal = (
            response.status_code == 503
            and "Retry-After" in headers
            and (response.json or {}).get("code") == "STORAGE_UNAVAILABLE"
        )
        return cls(response.status_code, headers.get("ETag"), headers.get("Git-Commit"), response.data, is_refusal)

    def names(self) -> set[str]:
        """Return the names in a list; none where there is no list."""
        found = next(iter(json.loads(self.body).values())) if self.status == 200 else []
        return {item if isinstance(item, str) else item["name"] for item in found}

    def __str__(self) -> str:
        return self.beside(self)

    def beside(self, other: "Answer") -> str:
        """Return what there is to see of this one, from where the other begins to be different."""
        pairs = enumerate(zip(self.body, other.body, strict=False))
        alike = next((at for at, (one, another) in pairs if one != another), 0)
        start = 0 if alike < _SHOWN else alike - _SHOWN // 4
        told = self.body[start : start + _SHOWN].decode(errors="replace")
        return f"{self.status} {'… ' if start else ''}{told!r} (ETag {self.etag}, Git-Commit {self.commit})"


@dataclass(frozen=True)
class Write:
    """A request that writes a file into the repository `place`: a list has a name then.

    It may fail with what the list may fail with.
    """

    who: str
    method: str
    path: str
    body: Any
    place: str
    file: str
    listed: Question
    name: str = "after"

    def send(self, app: Flask, state: State) -> Answer:
        """Return what is answered."""
        return Answer.of(Client(app, state.tokens[self.who]).request(self.method, self.path, self.body))

    def __str__(self) -> str:
        return f"{self.method} {self.path} by {self.who}"


LISTS = (
    Question("alice", f"{DEMO}/targets", _DEMO),
    Question("alice", f"{DEMO}/prompts", _DEMO),
    Question("master", f"{USERS}/dora/tokens", _USERS),
    Question("master", f"{USERS}/alice/tokens", _USERS),
    Question("alice", f"{DEMO}/tags", _DEMO),
    Question("alice", "/v1/repo", _DEMO),
    Question("carol", f"{OTHER}/targets", _OTHER),
)
AGAIN = "users/dora.yml"  # which was there before, and is written to


def _writes() -> Iterator[Write]:
    targets, prompts, tokens, *_ = LISTS
    body = made("child", generators=asking("After what?", "after.txt"))
    yield Write("alice", "PUT", f"{DEMO}/targets/after", body, "demo", "targets/after.yml", targets)
    yield Write("alice", "PUT", f"{DEMO}/prompts/after", {"messages": []}, "demo", "prompts/after.yml", prompts)
    yield Write("master", "POST", f"{USERS}/dora/tokens", {"name": "after"}, "accounts", AGAIN, tokens)
    first = Question("master", f"{USERS}/after/tokens", _USERS)
    yield Write("master", "POST", USERS, {"user_id": "after"}, "accounts", "users/after.yml", first, "initial")


WRITES = tuple(_writes())


def questions(state: State) -> list[Question]:
    """Return all that is asked of a state."""
    return [
        Question("alice", "/v1/health", _USERS, tells='"status":"degraded"'),
        *LISTS,
        *(Question("alice", f"{DEMO}{path}", _DEMO) for path in _of_demo(state)),
        Question("alice", f"{DEMO}/targets/child/diff?from=v1", _DEMO, "text/x-diff"),
        Question("alice", f"{DEMO}/diff?from=v1", _DEMO, "text/x-diff"),
        Question("alice", f"{DEMO}/targets?include=config,changed", _DEMO, "text/csv"),
        Question("alice", "/git/alice/demo.git/info/refs?service=git-upload-pack", _DEMO),
        Question("alice", "/v1/repo?include_metadata=true", _DEMO, tells='"base_model":null'),
        *(Question(who, DEMO, _DEMO) for who in ("nightly", "ci")),
        *(Question("bob", path, _DEMO, tells="FORBIDDEN") for path in _GUESTS),  # shared with nobody, then
        *(Question(who, "/v1/repo", _USERS) for who in state.tokens if who not in ("alice", "carol", "nightly")),
        Question("master", USERS, _USERS, tells='"tokens":null'),
        Question("master", f"{USERS}/dora", _USERS),
        *(Question("carol", path, _USERS) for path in ("/v1/me", "/v1/tokens")),
        Question("bob", "/v1/shared", _DEMO, tells='"repos":[]'),
        *(Question("master", f"{USERS}/{user}/tokens", _USERS) for user in ("bob", "carol", "dave", "nobody")),
        *(Question("carol", f"{OTHER}{path}", _OTHER) for path in ("", "/targets/kept", "/log", "/tags")),
        Question("carol", "/v1/repo?include_metadata=true", _OTHER, tells='"base_model":null'),
        Question("carol", "/git/carol/other.git/info/refs?service=git-upload-pack", _OTHER),
    ]


def _of_demo(state: State) -> Iterator[str]:
    first, then, last = state.commits[0], state.commits[10], state.commits[-1]
    moments = [datetime.fromtimestamp(BEGAN + 60 * minutes, UTC) for minutes in (17, 24)]
    since, until = (moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in moments)
    yield from ("", "/tree", "/defaults/target", "/grants", "/targets/doomed", "/targets/missing", "/tags/v3")
    yield from (f"/{folder}/late" for folder in ("targets", "prompts"))
    for target in TARGETS:
        yield f"/targets/{target}"
    for prompt in PROMPTS:
        yield from (f"/prompts/{prompt}", f"/prompts/{prompt}/history")
    for tag in TAGS:
        yield f"/tags/{tag}"
    yield from (f"/log?{query}" for query in ("limit=100", "limit=3", "path=targets/child.yml", "path=templates"))
    yield from (f"/log?{query}" for query in ("author=bob", f"since={since}&until={until}", f"before={then}"))
    yield from (f"/log?{query}" for query in ("author=example.org", "path=targets/c*", "path=targets/gr"))
    yield from (f"/targets/{target}/history" for target in ("child", "asks", "doomed"))
    yield from (f"/targets/{target}/explain" for target in ("grandchild", "asks"))
    yield from ("/targets/grandchild/explain?offset=2&full=true", "/targets/child/history?full=true")
    yield from (f"/targets/{target}/drift" for target in ("base", "grandchild"))
    yield from ("/targets/base/descendants", "/defaults/target?ref=v1", "/grants?ref=light-1")
    yield from ("/targets/child/diff?from=v1", "/targets/child/diff?against=asks")
    yield f"/targets/child/diff?from={then[:9]}&to={last}"
    yield from ("/prompts/user_prompt_v1/diff?against=system_prompt_v1", "/defaults/target/history")
    yield f"/defaults/target/diff?from={first}"
    yield from (f"/log?field={field}" for field in ("temperature", "generators.0", "nothing&limit=1"))
    yield from (f"/diff?{query}" for query in ("from=v1", f"from={last}&to={first}&limit=2", "from=v1&path=targets/"))
    yield from ("/targets/base/uses", "/prompts/system_prompt_v1/uses", "/question-templates")
    yield from (f"/targets?include={what}" for what in ("config,version,template", "changed"))
    yield from (
        f"/targets?{query}" for query in ("where=temperature>0&ref=v1", "descends_from=base&fields=temperature")
    )
    for ref in (
        "v1",
        "v2",
        "light-1",
        "light-2",
        first,
        then,
        last,
        then[:9],
        last[:9],
        until,
        f"{until[:-1]}.5Z",
        "main",
    ):
        yield from (f"/targets?ref={ref}", f"/targets/child?ref={ref}")
    yield from (
        "/targets/doomed?ref=v1",
        "/prompts?ref=v1",
        "/prompts/system_prompt_v1?ref=v1",
        "/tree?ref=v1",
    )


def find_truth(app: Flask, state: State) -> Truth:
    """Return what a server with nothing damaged answers."""
    return {question: question.ask(app, state) for question in questions(state)}


def shuffled(truth: Truth, chance: random.Random) -> list[Question]:
    """Return the questions in random order, since earlier ones may fill caches or lead to a checkpoint."""
    return chance.sample(list(truth), len(truth))
