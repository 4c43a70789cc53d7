"""What every engine of journals promises: see `storage.journal.interface`. A new engine is a new row here."""

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import RepositoryNotFound, TipMoved
from storage.journal.file_engine import FileJournal
from storage.journal.interface import Engine, Journal, Position
from storage.journal.records import Record
from storage.location import Location
from storage.waits import Waits
from tests.storage.journal.records import RECORDS, record

ENGINES: dict[str, Engine] = {"file": lambda location: FileJournal(location, Waits())}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return ENGINES[request.param]


@pytest.fixture
def journal(engine: Engine, tmp_path: Path) -> Journal:
    return engine(Location("demo", tmp_path))


def append(journal: Journal, *records: Record) -> Position:
    with journal.lock() as locked:
        return locked.append(journal.head(), records)


def checkpoint(journal: Journal) -> Position:
    with journal.lock() as locked:
        return locked.checkpointed(journal.head())


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
@given(groups=st.lists(RECORDS, max_size=6), data=st.data())
def test_records_are_read_back_from_any_position(tmp_path_factory, engine: Engine, groups, data):
    journal = engine(Location("demo", tmp_path_factory.mktemp("journal")))
    positions = [journal.head(), *(append(journal, *records) for records in groups)]
    start = data.draw(st.integers(0, len(groups)))
    expected = [record for records in groups[start:] for record in records]
    assert journal.read(positions[start]) == (expected, positions[-1], False)
    everything = [record for records in groups for record in records]
    assert journal.read(None)[:2] == (everything, positions[-1])
    assert journal.head() == positions[-1]


def test_a_new_journal_is_empty_and_opens_again(engine: Engine, tmp_path: Path):
    first = engine(Location("demo", tmp_path))
    assert first.head().is_empty
    end = append(first, record(b"1"))
    assert not end.is_empty
    again = engine(Location("demo", tmp_path))
    assert again.head() == first.head() == end
    assert again.read(None).records == [record(b"1")]


def test_others_see_at_once_what_was_appended(engine: Engine, journal: Journal, tmp_path: Path):
    other = engine(Location("demo", tmp_path))
    seen = other.head()
    append(journal, record(b"1", a=b"one"), record(b"2"))
    assert other.head() != seen
    assert other.read(seen).records == [record(b"1", a=b"one"), record(b"2")]


def test_an_append_behind_another_position_is_refused_and_changes_nothing(journal: Journal):
    before = journal.head()
    end = append(journal, record(b"1"))
    with journal.lock() as locked, pytest.raises(TipMoved):
        locked.append(before, [record(b"2")])
    assert journal.read(None)[:2] == ([record(b"1")], end)


def test_a_checkpoint_empties_the_journal_for_all(engine: Engine, journal: Journal, tmp_path: Path):
    other = engine(Location("demo", tmp_path))
    start = other.head()
    middle = append(journal, record(b"1"))
    end = append(journal, record(b"2"))
    emptied = checkpoint(journal)
    assert emptied.is_empty
    assert emptied not in (start, middle, end)
    for position in (start, middle, end):
        assert other.read(position) == ([], emptied, True)
    append(other, record(b"3"))
    for position in (start, middle, end, None):
        assert journal.read(position)[::2] == ([record(b"3")], True)
    assert journal.read(emptied)[::2] == ([record(b"3")], False)


def test_a_journal_that_holds_much_asks_for_a_checkpoint(journal: Journal):
    assert not append(journal, record(b"little", a=bytes(1000))).is_full
    assert append(journal, record(b"much", a=bytes(4 * 1024 * 1024))).is_full
    assert not checkpoint(journal).is_full


def test_one_holds_the_journal_at_a_time(engine: Engine, journal: Journal, tmp_path: Path):
    other = engine(Location("demo", tmp_path))
    with journal.lock():
        with pytest.raises(TimeoutError), other.lock(0.05):
            pass
        assert other.head().is_empty  # to read waits for nobody
    with other.lock(0.05):
        pass


def test_shrinking_loses_nothing_and_waits_for_nobody(journal: Journal):
    end = append(journal, record(b"1", a=bytes(100_000)))
    journal.shrink()
    assert journal.read(None)[:2] == ([record(b"1", a=bytes(100_000))], end)
    checkpoint(journal)
    with journal.lock():
        journal.shrink()
    journal.shrink()
    append(journal, record(b"2"))
    assert journal.read(None).records == [record(b"2")]


def test_a_journal_that_was_replaced_is_gone(engine: Engine, tmp_path: Path):
    folder = tmp_path / "demo.git"
    folder.mkdir()
    journal = engine(Location("demo", folder))
    assert not journal.is_gone()
    shutil.rmtree(folder)
    assert journal.is_gone()
    folder.mkdir()
    engine(Location("demo", folder))
    assert journal.is_gone()
    with pytest.raises(RepositoryNotFound), journal.lock():
        pass


def in_threads(*tasks: Callable[[], None]) -> list[Exception]:
    """Run tasks at once until the first is done, and return the exceptions of all."""
    done, failures = threading.Event(), []

    def run(task: Callable[[], None], until: Callable[[], bool]) -> None:
        try:
            task()
            while not until():
                task()
        except Exception as error:
            failures.append(error)
        finally:
            done.set()

    threads = [
        threading.Thread(target=run, args=(task, done.is_set if number else lambda: True))
        for number, task in enumerate(tasks)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def test_readers_beside_a_writer_read_whole_groups(engine: Engine, tmp_path: Path):
    """The journal grows, and is emptied after each seventh group."""
    seen: list[Position] = []
    written, reader = engine(Location("demo", tmp_path)), engine(Location("demo", tmp_path))

    def write() -> None:
        for number in range(300):
            append(written, record(b"%d" % number, a=bytes(number)), record(b"second"))
            if number % 7 == 6:
                checkpoint(written)

    def read() -> None:
        records, end, _ = reader.read(None)
        assert len(records) in range(0, 16, 2)
        seen.append(end)

    assert in_threads(write, read, read) == []
    assert len(set(map(repr, seen))) > 3


def test_writers_that_compete_append_one_after_the_other(engine: Engine, tmp_path: Path):
    journals = [engine(Location("demo", tmp_path)) for _ in range(4)]

    def write(number: int) -> None:
        append(journals[number % 4], record(b"%d" % number))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(100)))
    found = journals[0].read(None).records
    assert sorted(item.commit.data for item in found) == sorted(b"%d" % number for number in range(100))
