"""`GET /v1/repo/{repo_name}/targets` where more than names is asked for: pages, as JSON or as a CSV file."""

import json
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from json.encoder import encode_basestring
from operator import attrgetter
from typing import Any, NamedTuple
from urllib.parse import urlencode

from flask import request

from app.api import payloads
from app.domain import field_paths
from app.domain.resolution import CONFIG_FIELDS
from app.registry import revisions
from app.registry.configs import target_csv, target_lists, target_tables
from app.registry.configs.target_columns import Column, Group
from app.registry.configs.target_csv import TargetCsv
from app.registry.configs.target_lists import Matcher, NameFilter
from app.registry.configs.target_rows import Row, Rows
from app.schemas.base import InvalidRequest, Mistake
from app.wire import allowance, context, cursors, versions
from app.wire.contract import Answer, TextFormat
from storage.errors import RevisionNotFound
from storage.ids import CommitId
from storage.repository import Repository
from storage.snapshot import Snapshot

CSV = TextFormat("text/csv", "The same as a CSV file (RFC 4180): a column for each value, with a header row.")

_ASKED = ("include", "fields_", "q", "template", "descends_from", "where", "limit", "cursor", "full")
_LIMIT = 1000
_COMMIT_SIZE = 40  # bytes that a target takes for its commit at the least
_BETWEEN = b"},{"

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class _Page(NamedTuple):
    """The targets of a page, as they are shown; where the next page begins, and how many targets there are."""

    names: list[str]
    shown: list[bytes]
    end: int | None
    total: int | None
    everything: Sequence[str]  # the names on all pages


def is_asked(query: Mapping[str, Any]) -> bool:
    """Tell whether a request wants more than the names of all targets."""
    return any(query[name] for name in _ASKED) or _wants_csv()


def answer(repo_name: str, query: Mapping[str, Any]) -> Answer:
    """Answer a page of targets, with what the query asks for."""
    repository = context.repository(repo_name)
    snapshot, offset = _beginning(repository, query)
    version = versions.of_answer(snapshot, {**query, "csv": _wants_csv()})
    headers = versions.headers(version, snapshot.commit)
    if versions.is_known(version):
        return {}, 304, headers
    pages = _Pages(repository, snapshot, query, offset)
    if not _wants_csv():
        return pages.as_json, 200, headers
    text, following = pages.as_csv()
    return text, 200, {**headers, **_link(following)}


class _Pages:
    """The pages of one query at one commit."""

    def __init__(self, repository: Repository, snapshot: Snapshot, query: Mapping[str, Any], offset: int) -> None:
        self._repository = repository
        self._snapshot = snapshot
        self._query = query
        self._offset = offset
        column = partial(Column, full=query["full"] or _wants_csv())
        self._config = [column(field_paths.read(name)) for name in CONFIG_FIELDS] if self._has("config") else []
        self._fields = [column(path) for path in query["fields_"]]
        self._plain = [name for name in ("template", "version") if self._has(name)]
        groups = {"config": self._config, "fields": self._fields}
        self._shown: list[Callable[[Row], bytes]] = [
            *(partial(_member, name, attrgetter(name)) for name in self._plain),
            *(Group(name, columns).members for name, columns in groups.items() if columns),
        ]

    def as_json(self) -> bytes:
        """Return the page as JSON. It is put together here, since a schema would take ten times as long."""
        page = self._choose(self._members)
        commits: Mapping[CommitId, bytes] = {}
        if self._has("changed"):
            page, commits = self._with_commits(page, self._commit_member, _changed, is_told_once=True)
        rest = {"next": self._next(page), "commit": self._snapshot.commit, "total": page.total}
        targets = _BETWEEN.join(page.shown)
        return b'{"targets":[%b],%b%b\n' % (
            b"{%b}" % targets if page.shown else b"",
            b'"commits":{%b},' % b",".join(commits.values()) if self._has("changed") else b"",
            _encode(rest)[1:].encode(),
        )

    def as_csv(self) -> tuple[str, str | None]:
        """Return the page as a CSV file, and the cursor of the next page."""
        table = TargetCsv(self._plain, [*self._config, *self._fields], has_commits=self._has("changed"))
        page = self._choose(table.cells)
        if self._has("changed"):
            page, _ = self._with_commits(page, self._commit_cells, table.with_commit, is_told_once=False)
        return b"\r\n".join([table.head(), *page.shown, b""]).decode(), self._next(page)

    def _with_commits(
        self,
        page: _Page,
        tell: Callable[[CommitId], bytes],
        join: Callable[[bytes, CommitId | None, bytes], bytes],
        *,
        is_told_once: bool,
    ) -> tuple[_Page, Mapping[CommitId, bytes]]:
        """Return a page with the commits of its targets, and what is told of each commit.

        The page ends where these take more room than there is.
        """
        commits, space = self._last_changes(page.names), allowance.room()
        told: dict[CommitId, bytes] = {}
        shown: list[bytes] = []
        for name, one in zip(page.names, page.shown, strict=True):
            commit = commits.get(name)
            new = tell(commit) if commit is not None and commit not in told else b""
            joined = join(one, commit, new or (told[commit] if commit is not None else b""))
            if not space.take(len(joined) + len(_BETWEEN) + (len(new) if is_told_once else 0)):
                end = bisect_right(page.everything, page.names[len(shown) - 1])
                return page._replace(names=page.names[: len(shown)], shown=shown, end=end), told
            shown.append(joined)
            if commit is not None and new:
                told[commit] = new
        return page._replace(shown=shown), told

    def _commit(self, commit: CommitId) -> dict[str, Any]:
        return payloads.commit(commit, self._repository.signature(commit))

    def _commit_member(self, commit: CommitId) -> bytes:
        return f'"{commit}":{_encode(self._commit(commit))}'.encode()

    def _commit_cells(self, commit: CommitId) -> bytes:
        return target_csv.commit_cells(commit, self._repository.signature(commit))

    def _choose(self, show: Callable[[str, Row | None], bytes]) -> _Page:
        """Go through the targets until the page is full, or until enough was read for one answer."""
        query = self._query
        rows = Rows(self._repository, self._snapshot)
        wanted = NameFilter(query["q"], query["template"], query["descends_from"])
        needs_rows = bool(self._shown or query["where"])
        all_names = wanted.choose(rows, allowance.work(), have_rows=needs_rows)
        matcher, work, space = Matcher(query["where"]), allowance.work(), allowance.room()
        limit, extra = query["limit"] or _LIMIT, len(_BETWEEN) + (_COMMIT_SIZE if self._has("changed") else 0)
        page = _Page([], [], None, None if query["where"] else len(all_names), all_names)
        after = None
        names = all_names[self._offset :]
        for name, row, is_wanted in target_lists.examine(rows, names, matcher, work, have_rows=needs_rows):
            if is_wanted:
                one = show(name, row)
                if len(page.names) == limit or not space.take(len(one) + extra):
                    return page._replace(end=bisect_right(all_names, after or ""))
                page.names.append(name)
                page.shown.append(one)
            after = name
        return page._replace(end=bisect_right(all_names, after or "") if work.is_spent else None)

    def _members(self, name: str, row: Row | None) -> bytes:
        """Return what is shown of a target, as the members of a JSON object."""
        found = f'"target_name":{encode_basestring(name)}'.encode()
        return found if row is None else b",".join([found, *[show(row) for show in self._shown]])

    def _has(self, name: str) -> bool:
        return name in self._query["include"]

    def _last_changes(self, names: Sequence[str]) -> Mapping[str, CommitId]:
        """Return the last commit that changed each target of a page, by name, where that was asked for."""
        return target_tables.last_changes(self._repository, self._snapshot, names) if self._has("changed") else {}

    def _next(self, page: _Page) -> str | None:
        return None if page.end is None else cursors.make(self._query, [self._snapshot.commit], page.end)


def _member(name: str, get: Callable[[Row], str], row: Row) -> bytes:
    return f'"{name}":{encode_basestring(get(row))}'.encode()


def _beginning(repository: Repository, query: Mapping[str, Any]) -> tuple[Snapshot, int]:
    """Return the content that a page shows, and how many targets to skip; a cursor has both."""
    if query["cursor"] is None:
        return revisions.at(repository, query["ref"]), 0
    [commit], offset = cursors.read(query, 1)
    try:
        return repository.at(CommitId(commit)), offset
    except RevisionNotFound as error:
        problem = f"This cursor is of commit {commit}, which the repo does not have: begin again without it"
        raise InvalidRequest([(("query", "cursor"), Mistake("value_error", problem))]) from error


def _wants_csv() -> bool:
    return request.accept_mimetypes.best_match(["application/json", CSV.media_type]) == CSV.media_type


def _link(following: str | None) -> dict[str, str]:
    """Return the header that tells where the next page is."""
    if following is None:
        return {}
    query = urlencode({**request.args.to_dict(), "cursor": following})
    return {"Link": f'<{versions.path()}?{query}>; rel="next"'}


def _changed(shown: bytes, commit: CommitId | None, _: bytes) -> bytes:
    return shown if commit is None else b'%b,"changed":"%b"' % (shown, commit.encode())
