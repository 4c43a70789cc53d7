"""Clients that write without pause, and remember their requests and the answers."""

import contextlib
import http.client
import json
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.payloads import made, target
from tests.server import MASTER_KEY

_BATCH = 3
_SHARED = 4  # targets that all clients put, each on top of the version that it saw
_KINDS = {"create": 6, "put": 5, "delete": 2, "batch": 2, "prompt": 2, "shared": 4, "tag": 1, "label": 1}

Place = tuple[str, str]  # a repo, and a path in it
Answer = tuple[int, http.client.HTTPMessage]


@dataclass
class Write:
    """A write that was sent: what it makes of which files, and what it was answered."""

    id: str  # of the request
    repo: str
    changes: dict[str, str | None]  # by path: a word that is then in the file; None: it goes
    insists_on: str | None = None  # the version that was there
    status: int | None = None  # None: the connection broke
    commit: str | None = None
    version: str | None = None


@dataclass
class Tag:
    """A tag that was asked for."""

    repo: str
    name: str
    commit: str
    answered: bool = False


@dataclass
class Writer:
    """One client: most of its files are its own, so it knows what must be there."""

    number: int
    chance: random.Random
    repos: Sequence[str] = ()
    writes: list[Write] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)
    versions: dict[Place, str | None] = field(default_factory=dict)  # of its own files; None: deleted
    sent: int = 0

    def write_on(self, port: int, stop: threading.Event) -> None:
        """Write until the server is gone, or until told to stop."""
        while not stop.is_set():
            with contextlib.closing(connect(port)) as connection:
                try:
                    while not stop.is_set():
                        kind = self.chance.choices(list(_KINDS), list(_KINDS.values()))[0]
                        self.write(connection, kind, self.chance.choice(self.repos))
                except ConnectionRefusedError:
                    return
                except (OSError, http.client.HTTPException):
                    continue  # it broke: another worker may be there

    def write(self, connection: http.client.HTTPConnection, kind: str, repo: str) -> None:
        """Send one write of a kind; OSError or HTTPException if it is not answered."""
        self.sent += 1
        url, name, word = f"/v1/repo/{repo}/targets", f"w{self.number}-{self.sent}", self._word()
        if kind in ("put", "delete"):
            self._change(connection, kind, repo, url)
        elif kind == "tag":
            self._tag(connection, repo, name)
        elif kind == "label":
            self._move_label(connection, repo, url)
        elif kind == "shared":
            self._put_shared(connection, repo, url)
        elif kind == "batch":
            names = [f"{name}-{item}" for item in range(_BATCH)]
            items = [target(item, max_tokens=int(word)) for item in names]
            write = self._note(repo, {_path(item): word for item in names})
            self._send(connection, write, "POST", f"{url}/batch", {"targets": items})
        elif kind == "prompt":
            write = self._note(repo, {f"prompts/{name}.yml": word})
            body = {"messages": [{"role": "user", "content": word}]}
            self._send(connection, write, "PUT", f"/v1/repo/{repo}/prompts/{name}", body)
        else:
            write = self._note(repo, {_path(name): word})
            self._send(connection, write, "POST", url, target(name, max_tokens=int(word)))

    def _change(self, connection: http.client.HTTPConnection, kind: str, repo: str, url: str) -> None:
        """Replace or delete a target of its own."""
        own = [place for place, version in self.versions.items() if place[0] == repo and version]
        own = [place for place in own if place[1].startswith("targets/")]
        if not own:
            return self.write(connection, "create", repo)
        place = self.chance.choice(own)
        url = f"{url}/{place[1].removeprefix('targets/').removesuffix('.yml')}"
        word = None if kind == "delete" else self._word()
        write = self._note(repo, {place[1]: word}, insists_on=self.versions[place])
        method, body = ("DELETE", None) if word is None else ("PUT", made(max_tokens=int(word)))
        return self._send(connection, write, method, url, body, If_Match=f'"{write.insists_on}"')

    def _put_shared(self, connection: http.client.HTTPConnection, repo: str, url: str) -> None:
        """Replace a target that others replace too, unless it changed since it was read."""
        name, word = f"shared-{self.chance.randrange(_SHARED)}", self._word()
        _, headers = ask(connection, "GET", f"{url}/{name}")
        seen = headers["ETag"]
        write = self._note(repo, {_path(name): word}, insists_on=seen and seen.strip('"'))
        condition = {"If_Match": seen} if seen else {"If_None_Match": "*"}
        self._send(connection, write, "PUT", f"{url}/{name}", made(max_tokens=int(word)), **condition)

    def _tag(self, connection: http.client.HTTPConnection, repo: str, name: str) -> None:
        commits = [write.commit for write in self.writes if write.repo == repo and write.commit]
        if not commits:
            return self.write(connection, "create", repo)
        tag = Tag(repo, name, self.chance.choice(commits))
        self.tags.append(tag)
        body = {"name": name, "ref": tag.commit}
        status, _ = ask(connection, "POST", f"/v1/repo/{repo}/tags", body)
        assert status == 201, (tag, status)
        tag.answered = True
        return None

    def _move_label(self, connection: http.client.HTTPConnection, repo: str, url: str) -> None:
        """Make a target, and put a label of its own on the commit; or delete the label, if it knows of one."""
        name = f"label-{self.number}"
        place = (repo, f"labels/{name}.yml")
        label_url = f"{url.removesuffix('targets')}labels/{name}"
        if self.versions.get(place) and self.chance.random() < 0.3:
            write = self._note(repo, {place[1]: None}, insists_on=self.versions[place])
            return self._send(connection, write, "DELETE", label_url, None)
        self.write(connection, "create", repo)
        commit = self.writes[-1].commit
        return self._send(connection, self._note(repo, {place[1]: commit}), "PUT", label_url, {"ref": commit})

    def _note(self, repo: str, changes: dict[str, str | None], insists_on: str | None = None) -> Write:
        write = Write(f"{self.number}-{len(self.writes)}", repo, changes, insists_on)
        self.writes.append(write)
        return write

    def _send(
        self,
        connection: http.client.HTTPConnection,
        write: Write,
        method: str,
        url: str,
        body: Any,
        **headers: str,
    ) -> None:
        is_own = "/targets/shared-" not in url
        places = [(write.repo, path) for path in write.changes]
        for place in places:  # whether it is there is not known before the answer
            self.versions.pop(place, None)
        write.status, answered = ask(connection, method, url, body, X_Request_Id=write.id, **headers)
        assert write.status in ((200, 201) if is_own else (200, 412)), (write, write.status)
        write.commit, version = answered["Git-Commit"], answered["ETag"]
        write.version = version and version.strip('"')
        if is_own and len(places) == 1:
            self.versions[places[0]] = write.version

    def _word(self) -> str:
        """Return digits that are in no other file."""
        return f"{self.number + 1}{self.sent:07}{len(self.writes):07}"


def connect(port: int) -> http.client.HTTPConnection:
    """Return a connection to a server, which is made when it is used."""
    return http.client.HTTPConnection("127.0.0.1", port, timeout=60)


def ask(connection: http.client.HTTPConnection, method: str, url: str, body: Any = None, **headers: str) -> Answer:
    """Return the status and headers that a request is answered with; `If_Match` is `If-Match`."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    sent |= {"Authorization": f"Bearer {MASTER_KEY}", "Content-Type": "application/json"}
    connection.request(method, url, None if body is None else json.dumps(body), sent)
    answer = connection.getresponse()
    said = answer.read()
    assert answer.status < 500, f"{method} {url}: {answer.status} {said.decode()}"
    return answer.status, answer.headers


def _path(name: str) -> str:
    return f"targets/{name}.yml"
