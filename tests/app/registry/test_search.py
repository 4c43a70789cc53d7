"""The search finds what a look at every text of every file finds, and no more, whatever one answer may look at."""

import json
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import count
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.canonical_yaml import dump
from app.domain.errors import NotFound
from app.domain.text_search import Wanted
from app.registry.audit.search import MOST_LOGS, MOST_REPOS, Found, Limits, Place, Position, search
from app.registry.audit.searched import Kind, Scope
from app.registry.messages import Origin, message
from storage.errors import RevisionNotFound
from storage.repository import Repository
from storage.transaction import Transaction
from tests.app.registry.layers import FIRST, new_repository
from tests.seams import count_parses, count_processes
from tests.storage.repositories import ALICE, commit_files

MANY = Limits(1000, 10**9)
TARGET = {"template": "default", "template_version": "0" * 40, "overrides": {}}

TEXT = st.text("aAb:\n\"'- äÄ", min_size=1, max_size=6)
NAME = st.text("abAB", min_size=1, max_size=3)
QUESTIONS = st.lists(TEXT, max_size=2)
VALUE = st.recursive(
    TEXT | st.booleans() | st.none() | st.integers(0, 20) | st.just(0.5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
CONFIG = st.fixed_dictionaries(
    {},
    optional={
        "teacher_prompt": NAME,
        "model_name": TEXT,
        "generators": st.lists(
            st.fixed_dictionaries({"type": NAME}, optional={"questions": st.lists(TEXT)}), max_size=2
        ),
        "max_tokens": st.integers(1, 20),
        "extra_kwargs": st.dictionaries(TEXT, VALUE, max_size=2),
    },
)


def by_name(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Make some things by names that differ not only in case."""
    pairs = st.tuples(NAME, values)
    return st.lists(pairs, max_size=3, unique_by=lambda pair: pair[0].lower()).map(dict)


PROMPT = st.fixed_dictionaries(
    {"messages": st.lists(st.fixed_dictionaries({"role": NAME, "content": TEXT}), max_size=2)},
    optional={"tools": st.lists(st.dictionaries(NAME, VALUE, max_size=2), max_size=2)},
)
REPO = st.fixed_dictionaries(
    {
        "base_model": TEXT,
        "default": CONFIG,
        "targets": by_name(CONFIG),
        "prompts": by_name(PROMPT),
        "labels": by_name(st.none()),
        "tag": NAME,
        "message": TEXT,
        "reason": st.text("aAb äÄ", max_size=6).map(str.strip),
    }
)
CONTENT: dict[str, Any] = {
    "base_model": "x",
    "default": {},
    "targets": {},
    "prompts": {},
    "labels": {},
    "tag": "x",
    "message": "x",
    "reason": "",
}
NUMBERS = count()


@pytest.fixture(scope="module")
def repositories() -> Iterator[list[Repository]]:
    with ExitStack() as stack:
        yield [stack.enter_context(new_repository()) for _ in range(3)]


def places(repositories: Sequence[Repository]) -> list[Place]:
    """Return the repos as they are searched: all are called demo, and each has its owner."""

    def opened(repository: Repository) -> Scope:
        return Scope("alice", repository, repository.head())

    return [Place(f"user{at}", "demo", partial(opened, each)) for at, each in enumerate(repositories)]


def fill(repository: Repository, content: dict[str, Any]) -> None:
    """Replace all that a repo holds, in a commit with a reason, and put one more tag on it."""

    def change(transaction: Transaction) -> None:
        files = {"repo.yml": {"base_model": content["base_model"], "layout": 1}}
        files["defaults/target.yml"] = {"config": {**FIRST, **content["default"]}}
        files |= {f"targets/{name}.yml": {**TARGET, "config": config} for name, config in content["targets"].items()}
        files |= {f"prompts/{name}.yml": prompt for name, prompt in content["prompts"].items()}
        files |= {f"labels/{name}.yml": {"commit": transaction.tip} for name in content["labels"]}
        for path, document in files.items():
            transaction.write(path, dump(document))
        transaction.write("number", str(next(NUMBERS)).encode())
        transaction.commit(message(Origin("alice", reason=content["reason"] or None), "Fill"), ALICE)

    head = repository.head()
    old = [f"{folder}/{entry}" for folder in ("targets", "prompts", "labels") for entry in head.list(folder)]
    repository.transact(commit_files(dict.fromkeys(old)))
    repository.transact(change)
    tag = f"{content['tag']}{next(NUMBERS)}"
    repository.create_tag(tag, repository.head().commit, ALICE, f"{content['message']}\n", content["reason"] or None)


def has(query: str, *texts: object) -> bool:
    """Tell whether one of some texts has a query in it, in any case and form."""

    def folded(text: object) -> str:
        return unicodedata.normalize("NFC", str(text)).lower()

    return any(folded(query) in folded(text) for text in texts if text is not None)


def texts(value: Any, *, with_names: bool = False) -> Iterator[str]:
    """Yield every text in JSON data."""
    if isinstance(value, dict):
        yield from value if with_names else ()
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item, with_names=with_names)
    elif value is not None:
        yield value if isinstance(value, str) else json.dumps(value)


def in_config(config: dict[str, Any]) -> list[str]:
    free = config.get("extra_kwargs") or {}
    return [*texts({**config, "extra_kwargs": None}), *texts(free, with_names=True)]


def by_hand(repository: Repository, query: str) -> dict[Kind, list[str]]:
    """Return what stands in the files, tags and commits of a repo, read one by one."""
    head = repository.head()

    def read(path: str) -> Any:
        return yaml.safe_load(head.read(path).data)

    def folder(name: str) -> list[str]:
        return sorted(entry.removesuffix(".yml") for entry in head.list(name))

    targets = {name: read(f"targets/{name}.yml") for name in folder("targets")}
    prompts = {name: read(f"prompts/{name}.yml") for name in folder("prompts")}
    for prompt in prompts.values():
        prompt["messages"] = [{**each, "role": None} for each in prompt["messages"]]
    signed = [(each.commit, repository.signature(each.commit)) for each in repository.log(head.commit, limit=10**6)]
    default = has(query, "default", *in_config(read("defaults/target.yml")["config"]))
    return {
        Kind.REPOS: ["demo"] if has(query, "demo", read("repo.yml")["base_model"]) else [],
        Kind.TARGETS: [
            *(["default"] if default else []),
            *(name for name, each in targets.items() if has(query, name, each["template"], *in_config(each["config"]))),
        ],
        Kind.PROMPTS: [name for name, each in prompts.items() if has(query, name, *texts(each))],
        Kind.LABELS: [name for name in folder("labels") if has(query, name)],
        Kind.TAGS: [
            tag.name for tag in repository.tags() if has(query, tag.name, tag.signature.message, tag.signature.reason)
        ],
        Kind.REASONS: [commit for commit, signature in signed if has(query, signature.reason)],
    }


def named(found: Found, kind: Kind) -> list[tuple[str, str]]:
    return [(hit.owner, hit.name) for hit in found.groups[kind].hits]


def all_pages(all_places: list[Place], query: str, kind: Kind, limits: Limits) -> list[tuple[str, str]]:
    """Return what a search finds of a kind, page after page."""
    found, start = [], None
    while True:
        begin = 0 if start is None else [place.owner for place in all_places].index(start.owner)
        page = search(all_places[begin:], Wanted(query), [kind], limits, start)
        group = page.groups[kind]
        assert page.unread == []
        assert len(group.hits) <= limits.shown
        assert group.next != start or start is None
        found += named(page, kind)
        if group.next is None:
            return found
        start = group.next


@settings(max_examples=25)
@given(st.lists(REPO, min_size=3, max_size=3), st.text("aAb:\n\"'0. äÄ", min_size=1, max_size=3), st.integers(1, 3))
@example([{**CONTENT, "targets": {"a": {"model_name": "A"}, "B": {}}}] * 3, "a", 1)
@example([{**CONTENT, "reason": "a b"}] * 3, "A", 1)
def test_a_search_finds_what_stands_in_the_files(
    repositories: list[Repository], contents: list[dict[str, Any]], query: str, shown: int
):
    for repository, content in zip(repositories, contents, strict=True):
        fill(repository, content)
    repositories[0].checkpoint()  # git looks through the reasons of this one
    all_places = places(repositories)
    expected = [(place.owner, by_hand(each, query)) for place, each in zip(all_places, repositories, strict=True)]
    found = search(all_places, Wanted(query), list(Kind), MANY)
    for kind in Kind:
        wanted = [(owner, name) for owner, each in expected for name in each[kind]]
        if kind is not Kind.REASONS or "\n" not in query:  # a reason is one line
            assert named(found, kind) == wanted
            assert found.groups[kind].next is None
            assert all_pages(all_places, query, kind, Limits(shown, 300)) == wanted


@given(st.text("aAbé \n", max_size=300), st.text("aAbé", min_size=1, max_size=3))
def test_a_snippet_is_a_part_of_the_text_with_the_match_in_it(text: str, query: str):
    found = Wanted(query).find(text)
    assert (found is not None) == has(query, text)
    if found is not None:
        before, after = found.before.removeprefix("…"), found.after.removesuffix("…")
        assert found.match.lower() == query.lower()
        assert f"{before}{found.match}{after}" in text
        assert len(before) == 60 or found.before == before
        assert text.lower().index(query.lower()) == text.index(f"{before}{found.match}{after}") + len(before)


def put(repository: Repository, files: dict[str, Any]) -> None:
    repository.transact(commit_files({path: dump(document) for path, document in files.items()}))


def test_a_match_is_told_with_its_field_and_a_part_of_its_text():
    with new_repository() as repository:
        kwargs = {"top_k": 3, "a.b": {"<Seed>": [True, "x" * 100 + "SEED"]}}
        question = "Why\n" + "is it " * 50 + "a seed? " + "No. " * 50
        config = {"generators": [{"type": "custom", "questions": ["?", question]}], "extra_kwargs": kwargs}
        messages = [{"role": "seed", "content": "A seed"}]
        put(repository, {"targets/a.yml": {**TARGET, "config": config}, "prompts/p.yml": {"messages": messages}})
        found = search(places([repository]), Wanted("seed"), list(Kind), MANY)
        [hit] = found.groups[Kind.TARGETS].hits
        [first, second, third] = hit.matches.first
        assert first.field == "generators.0.questions.1"
        assert first.snippet.match == "seed"
        assert first.snippet.before == "…" + question[: question.index("seed")][-60:]
        assert first.snippet.after == question.partition("seed")[2][:60] + "…"
        assert (second.field, second.snippet) == ("/extra_kwargs/a.b/<Seed>", ("<", "Seed", ">"))
        assert (third.field, third.snippet.match) == ("/extra_kwargs/a.b/<Seed>/1", "SEED")
        assert hit.matches.more == 0
        [prompt] = found.groups[Kind.PROMPTS].hits
        assert [match.field for match in prompt.matches.first] == ["messages.0.content"]  # and not the role


def test_of_many_matches_in_a_thing_the_first_are_told_and_the_others_counted():
    with new_repository() as repository:
        config = {"generators": [{"type": "hardcoded", "questions": [f"same {n}" for n in range(1000)]}]}
        put(repository, {"targets/same.yml": {**TARGET, "config": {**config, "teacher_prompt": "same"}}})
        [hit] = search(places([repository]), Wanted("SAME"), [Kind.TARGETS], MANY).groups[Kind.TARGETS].hits
        fields = [match.field for match in hit.matches.first]
        assert fields == ["name", "teacher_prompt", "generators.0.questions.0"]
        assert hit.matches.more == 999


def test_many_targets_are_searched_with_few_parses_and_again_with_none(monkeypatch: pytest.MonkeyPatch):
    with new_repository() as repository:
        configs = ({**FIRST, "max_tokens": 1 + number % 7, "teacher_prompt": "tutor"} for number in range(10_000))
        put(repository, {f"targets/t{at:05}.yml": {**TARGET, "config": config} for at, config in enumerate(configs)})
        sizes, processes = count_parses(monkeypatch), count_processes(monkeypatch)
        limits = Limits(20, 4 * 1024 * 1024)
        nothing = search(places([repository]), Wanted("nowhere"), list(Kind), limits)
        assert not any(group.hits or group.next for group in nothing.groups.values())
        assert len(sizes) < 40
        del sizes[:]
        found = search(places([repository]), Wanted("TUTOR"), list(Kind), limits).groups[Kind.TARGETS]
        assert len(found.hits) == 20
        assert found.has_more
        assert found.next == Position("user0", "demo", "t00019")
        assert len(sizes) < 3
        assert len(processes) < 10
        last = search(places([repository]), Wanted("t09999"), [Kind.TARGETS], limits).groups[Kind.TARGETS]
        assert [hit.name for hit in last.hits] == ["t09999"]


def test_prompts_are_parsed_once_and_only_as_many_as_one_answer_may(monkeypatch: pytest.MonkeyPatch):
    with new_repository() as repository:
        prompts = {
            f"prompts/p{n:02}.yml": {"messages": [{"role": "system", "content": f"{n}" * 2000}]} for n in range(40)
        }
        put(repository, prompts)
        sizes = count_parses(monkeypatch)
        group = search(places([repository]), Wanted("123456"), [Kind.PROMPTS], Limits(5, 30_000)).groups[Kind.PROMPTS]
        assert sum(sizes) < 30_000
        assert (group.hits, group.has_more, group.next and group.next.after) == ([], False, f"p{len(sizes) - 1:02}")
        found = all_pages(places([repository]), "3939", Kind.PROMPTS, Limits(5, 30_000))
        assert found == [("user0", "p39")]
        read = len(sizes)
        assert read == 40
        assert all_pages(places([repository]), "3838", Kind.PROMPTS, Limits(5, 30_000)) == [("user0", "p38")]
        assert len(sizes) == read
        put(repository, {"prompts/new.yml": {"messages": [{"role": "x", "content": "Be calm."}]}})
        assert all_pages(places([repository]), "nowhere", Kind.PROMPTS, Limits(5, 30_000)) == []
        assert len(sizes) == read  # without a parse, the new one cannot have the text


def test_one_answer_opens_some_repos_and_looks_into_few_logs(monkeypatch: pytest.MonkeyPatch):
    with new_repository() as repository:
        repository.transact(lambda transaction: _commit_with_reason(transaction, "Because"))
        repository.checkpoint()
        every = [place._replace(owner=f"u{n:03}") for n in range(MOST_REPOS + 5) for place in places([repository])]
        processes = count_processes(monkeypatch)
        found = search(every, Wanted("because"), list(Kind), MANY)
        reasons, repos = found.groups[Kind.REASONS], found.groups[Kind.REPOS]
        assert len(reasons.hits) == MOST_LOGS
        assert reasons.next == Position(f"u{MOST_LOGS:03}", "demo")
        assert len(processes) <= 2 * MOST_LOGS + 5
        assert repos.next == Position(f"u{MOST_REPOS:03}", "demo")
        assert len(all_pages(every, "because", Kind.REASONS, MANY)) == len(every)
        assert len(all_pages(every, "demo", Kind.REPOS, Limits(30, 1))) == len(every)


def _commit_with_reason(transaction: Transaction, reason: str) -> None:
    transaction.write("x", b"x")
    transaction.commit(message(Origin("alice", reason=reason), "Change"), ALICE)


def test_a_damaged_repo_is_told_and_hides_no_other():
    with new_repository() as damaged, new_repository() as whole:
        damaged.transact(commit_files({"prompts/p.yml": b"[demo", "targets/demo.yml": dump({**TARGET, "config": {}})}))
        found = search(places([damaged, whole]), Wanted("demo"), list(Kind), MANY)
        [unread] = found.unread
        assert unread[:2] == ("user0", "demo")
        assert "prompts/p.yml" in unread.reason
        assert named(found, Kind.TARGETS) == [("user0", "demo")]
        assert named(found, Kind.REPOS) == [("user0", "demo"), ("user1", "demo")]


def test_a_repo_that_is_gone_meanwhile_is_passed_over():
    def gone() -> Scope:
        raise NotFound("Repo", "demo")

    with new_repository() as repository:
        found = search([Place("a", "demo", gone), *places([repository])], Wanted("demo"), [Kind.REPOS], MANY)
        assert (named(found, Kind.REPOS), found.unread) == ([("user0", "demo")], [])


def test_a_search_goes_on_behind_a_commit_of_the_repo_only():
    start = Position("user0", "demo", "0" * 40)
    with new_repository() as repository, pytest.raises(RevisionNotFound):
        search(places([repository]), Wanted("demo"), [Kind.REASONS], MANY, start)


def test_a_target_by_hand_with_the_name_of_the_default_does_not_begin_the_search_anew():
    with new_repository() as repository:
        put(repository, {f"targets/{name}.yml": {**TARGET, "config": {}} for name in ("a", "default", "e")})
        found = all_pages(places([repository]), "e", Kind.TARGETS, Limits(1, 10**6))
        assert found == [("user0", "default"), ("user0", "a"), ("user0", "e")]
