"""Rows of targets, which are read line by line, hold what the files hold."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.canonical_yaml import dump
from app.domain.resolution import CONFIG_FIELDS
from app.registry.configs import target_files
from app.registry.configs.target_files import FOLDER
from app.registry.configs.target_rows import Row, Rows, value_of
from storage.errors import RepositoryDamaged
from storage.repository import Repository
from storage.snapshot import Snapshot
from tests.app.domain.documents import TEXT, VALUES, exact
from tests.app.registry.layers import new_repository
from tests.seams import count_parses
from tests.storage.repositories import commit_files

CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "teacher_prompt": TEXT,
        "generators": st.lists(
            st.fixed_dictionaries({"type": TEXT}, optional={"numq": st.integers(), "questions": st.lists(TEXT)}),
            max_size=3,
        ),
        "model_name": TEXT,
        "max_tokens": st.integers(),
        "temperature": st.floats(0, 2),
        "extra_kwargs": st.dictionaries(TEXT, VALUES, max_size=3),
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {"template": st.just("default"), "template_version": st.just("0" * 40), "overrides": CONFIGS},
    optional={"files": st.dictionaries(TEXT, TEXT, max_size=2)},
).flatmap(lambda document: CONFIGS.map(lambda config: {**document, "config": config}))
# What somebody may write into a file by hand.
BY_HAND = st.sampled_from(
    [
        *("'", '"', "\n", " ", "  ", "#", " # x\n", ": ", "- ", "&a ", "*a ", "!!str ", "|\n", "|2-\n", "? ", "{", "}"),
        *(
            "---\n",
            "...\n",
            "%YAML 1.1\n",
            "\r",
            "\r\n",
            "\t",
            "\x85",
            "\u2028",
            "\ufeff",
            "[",
            "]",
            ",",
            "<<: {a: 1}\n",
        ),
        *(
            "  temperature: 1\n",
            "config:\n",
            "  model_name: 'x\n",
            "overrides: {}\n",
            "template: b\n",
            "temperature: 1\n",
        ),
    ]
)
EDITS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 3), BY_HAND), max_size=3)
FIRST = {"template": "default", "template_version": "0" * 40, "overrides": {}}
SPLIT = {**FIRST, "config": {"model_name": "x", "temperature": 1}}


@pytest.fixture(scope="module")
def repository() -> Iterator[Repository]:
    with new_repository() as repository:
        yield repository


def edited(data: bytes, edits: list[tuple[int, int, str]]) -> bytes:
    for position, length, text in edits:
        data = data[:position] + text.encode() + data[position + length :]
    return data


def whole(snapshot: Snapshot, name: str) -> Any:
    """Return what the reader of whole files says of a target: its template, version and config, or damage."""
    version = FOLDER.expect(snapshot, name)
    try:
        target = target_files.read_version(snapshot, name, version)
    except RepositoryDamaged as error:
        return str(error)
    return target.template, version, exact({field: target.config.get(field, ...) for field in CONFIG_FIELDS})


def by_lines(repository: Repository, snapshot: Snapshot, name: str) -> Any:
    """Return the same of a row."""
    try:
        [(found, row)] = Rows(repository, snapshot).read([name])
    except RepositoryDamaged as error:
        return str(error)
    assert found == name
    values = (... if lines is None else value_of(lines) for lines in row.lines)
    return row.template, row.version, exact(dict(zip(CONFIG_FIELDS, values, strict=True)))


@given(DOCUMENTS, EDITS)
@example(SPLIT, [(0, 0, "\n")])
@example(SPLIT, [(0, 0, "  ")])
@example({**FIRST, "config": {"model_name": "x", "teacher_prompt": "y"}}, [(98, 0, '"'), (120, 0, '"')])
@example({**FIRST, "config": {"model_name": "a\n  temperature: 1\nb"}}, [])
def test_a_row_holds_what_the_whole_file_holds(repository: Repository, document: Any, edits: Any):
    repository.transact(commit_files({"targets/a.yml": edited(dump(document), edits)}))
    snapshot = repository.head()
    assert by_lines(repository, snapshot, "a") == whole(snapshot, "a")


def test_a_text_in_quotes_over_several_lines_is_one_field(repository: Repository):
    text = f"template: default\ntemplate_version: '{'0' * 40}'\noverrides: {{}}\nconfig:\n"
    for config in ('  model_name: "x\n  temperature: 1"\n', "  model_name: 'x\n\n  max_tokens: 5\n  '\n"):
        repository.transact(commit_files({"targets/a.yml": f"{text}{config}".encode()}))
        snapshot = repository.head()
        found = by_lines(repository, snapshot, "a")
        assert found == whole(snapshot, "a")
        assert isinstance(found, tuple)


@pytest.mark.parametrize(
    ("overrides", "config"),
    [
        ("{z: &x 2}", "{a: &x 1, b: *x}"),
        ("{}", "{a: &x 1, b: *x}"),
        ("{z: &x 1}", "{a: *x}"),
        ("{z: &x 1}", "{a: &x 1}"),
        ("{}", "{a: '&x 1', b: 'it is *x*'}"),
    ],
)
def test_an_anchor_in_one_field_counts_in_the_whole_file(repository: Repository, overrides: str, config: str):
    text = (
        f"template: default\ntemplate_version: '{'0' * 40}'\noverrides:\n  extra_kwargs: {overrides}\n"
        f"config:\n  model_name: x\n  extra_kwargs: {config}\n"
    )
    repository.transact(commit_files({"targets/a.yml": text.encode()}))
    snapshot = repository.head()
    assert by_lines(repository, snapshot, "a") == whole(snapshot, "a")


def rows(repository: Repository) -> dict[str, Row]:
    found = Rows(repository, repository.head())
    return dict(found.read(found.names))


def test_after_a_write_only_the_file_that_changed_is_read(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    files = {f"targets/t{number}.yml": dump({**FIRST, "config": {"max_tokens": number}}) for number in range(600)}
    repository.transact(commit_files(files))
    before = rows(repository)
    repository.transact(commit_files({"targets/t5.yml": dump({**FIRST, "config": {"model_name": "new and long"}})}))
    sizes = count_parses(monkeypatch)
    after = rows(repository)
    assert len(sizes) == 1
    assert {name for name in before if after[name] is not before[name]} == {"t5"}
    repository.transact(commit_files({"targets/t6.yml": None, "targets/t600.yml": files["targets/t1.yml"]}))
    assert rows(repository).keys() ^ after.keys() == {"t6", "t600"}
    assert len(sizes) == 1  # the new file has lines that are known


def test_each_commit_has_its_own_rows(repository: Repository):
    commits = []
    for number in range(3):
        files = {
            f"targets/u{other}.yml": dump({**FIRST, "config": {"max_tokens": number}}) for other in range(number + 1)
        }
        repository.transact(commit_files(files))
        commits.append(repository.head())
    for number in (0, 2, 1, 0):
        found = Rows(repository, commits[number])
        values = {
            name: value_of(row.lines[CONFIG_FIELDS.index("max_tokens")])
            for name, row in found.read(found.names)
            if name[0] == "u"
        }
        assert values == {f"u{other}": number for other in range(number + 1)}


def test_few_megabytes_of_rows_are_kept():
    with new_repository() as repository:
        configs = ({"extra_kwargs": {"x": f"{number}" * 500_000}} for number in range(10, 50))
        files = {f"targets/t{at}.yml": dump({**FIRST, "config": config}) for at, config in enumerate(configs)}
        assert sum(map(len, files.values())) > 38 * 1024 * 1024
        repository.transact(commit_files(files))
        before = rows(repository)
        again = rows(repository)
        kept = [name for name, row in before.items() if again[name] is row]
        assert sum(before[name].size for name in kept) <= 32 * 1024 * 1024  # fewer where other tests left rows
        assert before == again


def test_rows_are_read_when_they_are_asked_for(monkeypatch: pytest.MonkeyPatch):
    with new_repository() as repository:
        configs = ({"max_tokens": number} for number in range(400))
        files = {f"targets/t{at:03}.yml": dump({**FIRST, "config": config}) for at, config in enumerate(configs)}
        repository.transact(commit_files(files))
        sizes = count_parses(monkeypatch)
        found = Rows(repository, repository.head())
        read = found.read(found.names)
        next(read)
        first = len(sizes)
        next(read)
        assert len(sizes) == first + 1  # the other lines of the second target are known


def test_two_repositories_of_one_name_have_their_own_rows():
    with new_repository() as one, new_repository() as other:
        one.transact(commit_files({"targets/a.yml": dump({**FIRST, "config": {"max_tokens": 1}})}))
        other.transact(commit_files({"targets/a.yml": dump({**FIRST, "config": {"max_tokens": 2}})}))
        assert one.name == other.name
        for repository, number in ((one, 1), (other, 2), (one, 1)):
            assert value_of(rows(repository)["a"].lines[CONFIG_FIELDS.index("max_tokens")]) == number


def test_folders_and_links_in_the_folder_are_no_targets(repository: Repository):
    repository.transact(commit_files({"targets/x.yml/y.yml": b"a: 1\n"}))
    found = Rows(repository, repository.head())
    assert "x" in found.names
    assert list(found.read(["x"])) == []
