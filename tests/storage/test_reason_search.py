"""The log of the commits whose reasons have a text: exact, also where other lines have the text."""

import random
import unicodedata
from collections.abc import Callable

import pytest

from app.registry.messages import Origin, message
from storage import reason_search
from storage.git_log import LoggedCommit
from storage.log_filter import LogFilter
from storage.repository import Repository
from storage.signatures import Person
from storage.transaction import Transaction
from tests.seams import count_processes
from tests.storage.repositories import BOB, commit_files

REASONS = [None, "Budget freeze", "the BUDGET is back", "Höhepunkt erreicht", "Reason-Length: 3", "50% [a-z]+ (x|y)"]
LINES = ["budget: 1 → 2", "höhepunkt: (unset) → 1", "a: [a-z]+", "reason: budget"]


def write(path: str, number: int, reason: str | None, line: str, user: str = "alice") -> Callable[[Transaction], str]:
    """Return a change whose message has a reason and a line about fields."""
    origin = Origin(user, reason=reason)

    def change(transaction: Transaction) -> str:
        transaction.write(path, b"%d" % number)
        return transaction.commit(message(origin, "Change", [line]), origin.author)

    return change


def found(repository: Repository, before: str | None = None, limit: int = 100, **filters) -> list[LoggedCommit]:
    return repository.log(repository.head().commit, LogFilter(**filters), before=before, limit=limit)


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have git asked for few commits at once, so that tests see how it goes on."""
    monkeypatch.setattr(reason_search, "_MOST", 3)


@pytest.mark.usefixtures("few_at_once")
@pytest.mark.parametrize("seed", range(3))
def test_exactly_the_commits_whose_reasons_have_the_text_are_found(repository: Repository, seed: int):
    """Some of them in git's files, the others in the journal only."""
    chance = random.Random(seed)
    made: list[tuple[str, str, str | None]] = []
    for number in range(60):
        path, reason, user = (chance.choice(each) for each in (["a", "b"], REASONS, ["alice", "bob"]))
        made.insert(0, (repository.transact(write(path, number, reason, chance.choice(LINES), user)), path, reason))
        if number == 40:
            repository.checkpoint()
    everything = {logged.commit: logged for logged in found(repository)}
    for text in (
        "budget",
        "BUDGET",
        "höhe",
        unicodedata.normalize("NFD", "HÖHE"),
        "[a-z]+",
        "(x|y)",
        "3",
        "length",
        "%",
    ):
        wanted = unicodedata.normalize("NFC", text).lower()
        expected = [commit for commit, _, reason in made if reason and wanted in reason.lower()]
        assert found(repository, reason=text) == [everything[commit] for commit in expected], text
        for limit in (1, 2, 5):
            assert found(repository, reason=text, limit=limit) == [everything[each] for each in expected[:limit]]
        assert found(repository, reason=text, before=made[10][0]) == [
            everything[commit] for commit in expected if commit not in {each for each, *_ in made[:11]}
        ]
        in_a = [commit for commit, path, _ in made if commit in expected and path == "a"]
        assert [logged.commit for logged in found(repository, reason=text, path="a")] == in_a
    alice = Person("alice", "alice@bakehouse.invalid", "alice")
    assert found(repository, reason="budget", author=alice) == [
        logged for logged in found(repository, reason="budget") if repository.signature(logged.commit).user == "alice"
    ]


def test_a_message_by_hand_tells_no_reason(repository: Repository):
    repository.transact(commit_files({"a": b"1"}, BOB))
    repository.transact(write("a", 2, None, "budget: 1 → 2"))
    repository.checkpoint()
    assert found(repository, reason="budget") == []


def test_a_page_stays_full_though_many_other_commits_have_the_text(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
):
    """Two processes of git for each step, whatever the number of commits that only mention the text."""

    def many(transaction: Transaction) -> list[str]:
        return [
            write("a", number, "Budget" if number % 100 == 0 else "Other", "budget: 1 → 2")(transaction)
            for number in range(1500)
        ]

    made = repository.transact(many)
    repository.checkpoint()
    found(repository, limit=1)
    processes = count_processes(monkeypatch)
    assert [logged.commit for logged in found(repository, reason="budget", limit=3)] == [
        made[1400],
        made[1300],
        made[1200],
    ]
    assert len(processes) <= 4
    assert len(found(repository, reason="budget")) == 15
