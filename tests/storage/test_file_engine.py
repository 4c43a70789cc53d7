"""The journal's file: what was put there is read back, and nothing else."""

import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.journal import file_engine, frames
from storage.journal.file_engine import Journal
from storage.journal.frames import Record
from storage.journal.header import Mark
from storage.plumbing.packs import GitObject

FILES = st.dictionaries(
    st.text("abc/é.", min_size=1, max_size=8),
    st.none() | st.binary(max_size=300).map(lambda data: GitObject.of("blob", data)),
    max_size=4,
)
RECORDS = st.lists(
    st.builds(Record, st.binary(max_size=200).map(lambda data: GitObject.of("commit", data)), FILES),
    min_size=1,
    max_size=5,
)


def record(data: bytes, **files: bytes) -> Record:
    blobs = {path: GitObject.of("blob", content) for path, content in files.items()}
    return Record(GitObject.of("commit", data), blobs)


@pytest.fixture
def empty(tmp_path: Path) -> Journal:
    found = Journal("demo", tmp_path)
    found.create()
    return found


@given(flushes=st.lists(RECORDS, max_size=6), data=st.data())
def test_what_was_added_is_read_back_from_any_place(tmp_path_factory, flushes, data):
    written = Journal("demo", tmp_path_factory.mktemp("journal"))
    written.create()
    marks = [written.mark()]
    with written.exclusive() as held:
        for records in flushes:
            marks.append(held.append(marks[-1], records))
    first = data.draw(st.integers(0, len(flushes)))
    last = data.draw(st.integers(first, len(flushes)))
    found = written.opened().between(marks[first], marks[last])
    assert found == [item for records in flushes[first:last] for item in records]
    assert written.mark() == marks[-1]


def test_a_journal_is_made_once(empty: Journal, tmp_path: Path):
    with empty.exclusive() as held:
        mark = held.append(held.mark(), [record(b"1")])
    Journal("demo", tmp_path).create()
    assert Journal("demo", tmp_path).mark() == mark
    assert [path.name for path in tmp_path.iterdir()] == [file_engine.NAME]


def test_it_begins_again_from_the_front(empty: Journal):
    with empty.exclusive() as held:
        before = held.append(held.mark(), [record(b"1"), record(b"2")])
        emptied = held.empty(before)
        assert emptied.is_empty
        assert emptied.generation == before.generation + 1
        assert held.between(emptied, emptied) == []
        after = held.append(emptied, [record(b"3")])
        assert held.between(before.start, before) is None
        assert held.between(emptied, after) == [record(b"3")]
    assert empty.mark() == after


def test_the_rest_of_an_earlier_generation_is_there_until_it_is_written_over(empty: Journal):
    many = [record(b"%d" % number, a=bytes(100)) for number in range(5)]
    with empty.exclusive() as held:
        behind = held.append(held.mark(), many[:2])
        emptied = held.empty(held.append(behind, many[2:]))
        assert held.rest(behind) == many[2:]
        held.append(emptied, many[:3])
        assert held.rest(behind) == []


def test_it_grows_ahead_of_what_it_holds(empty: Journal, tmp_path: Path):
    sizes = set()
    with empty.exclusive() as held:
        mark = held.mark()
        for number in range(100):
            mark = held.append(mark, [record(b"%d" % number, a=bytes(1000))])
            assert mark.end <= mark.size == (tmp_path / file_engine.NAME).stat().st_size
            sizes.add(mark.size)
        assert len(sizes) < 8
        assert not mark.is_large
        mark = held.append(mark, [record(b"much", a=bytes(4 * 1024 * 1024))])
        assert mark.is_large


def test_it_keeps_room_for_some_times_what_it_held(empty: Journal, tmp_path: Path):
    with empty.exclusive() as held:
        mark, sizes = held.mark(), []
        for size in (8_000_000, 200_000, 200_000, 1000, 1000):
            mark = held.empty(held.append(mark, [record(b"1", a=bytes(size))]))
            assert mark.size == (tmp_path / file_engine.NAME).stat().st_size
            sizes.append(mark.size)
    most, some, again, little, and_again = sizes
    assert most == 1024 * 1024
    assert 800_000 < some == again < most
    assert 4096 < little == and_again < 30_000


def forget_mark(path: Path, boot: bytes = b"another machine!") -> Journal:
    """Return the journal as after a power loss: how far it goes is not known."""
    found = Journal("demo", path)
    with found.exclusive() as held:
        held.tell(held.mark()._replace(boot=boot, end=4096, checksum=0))
        held.find_end()
        assert held.mark().begun is not held.mark().is_empty  # somebody may have begun to publish
    return found


def test_what_is_added_at_once_is_there_whole_or_not_at_all(empty: Journal, tmp_path: Path):
    """Whichever sector a power loss takes: all came in one write."""
    file = tmp_path / file_engine.NAME
    with empty.exclusive() as held:
        first = held.append(held.mark(), [record(b"0")])
        last = held.append(first, [record(b"%d" % n, a=random.Random(n).randbytes(1500)) for n in range(3)])
    content = file.read_bytes()
    sectors = range(first.end // 512, -(-last.end // 512))
    assert len(sectors) > 8
    for sector in sectors:
        start = max(first.end, sector * 512)
        end = sector * 512 + 512
        file.write_bytes(content[:start] + bytes(end - start) + content[end:])
        assert forget_mark(tmp_path).mark().end == first.end
    file.write_bytes(content)
    assert forget_mark(tmp_path).mark() == last._replace(begun=True)


def test_what_a_killed_process_left_does_not_count_behind_another(empty: Journal, tmp_path: Path):
    """Even if it has a file that looks like a frame, and that lies where the next frame would."""
    with empty.exclusive() as held:
        mark = held.mark()
        forged, _ = frames.pack([record(b"forged")], mark.generation, mark.checksum)
        short, _ = frames.pack([record(b"short", b=bytes(99))], mark.generation, mark.checksum)
        around = frames.pack([record(b"killed", a=b"")], mark.generation, mark.checksum)[0]
        padding = bytes(len(short) - around.index(b"killed") - len(b"killed") - len(b"a"))
        held.append(mark, [record(b"killed", a=padding + forged)])
        content = (tmp_path / file_engine.NAME).read_bytes()
        assert content.index(forged) == mark.end + len(short)
        held.tell(mark._replace(size=held.mark().size))
        last = held.append(held.mark(), [record(b"short", b=bytes(99))])
    assert forget_mark(tmp_path).mark().end == last.end == mark.end + len(short)


def test_it_can_be_cut_where_it_is_empty(empty: Journal, tmp_path: Path):
    with empty.exclusive() as held:
        mark = held.append(held.mark(), [record(b"1", a=bytes(100_000))])
    empty.cut()
    assert empty.mark() == mark
    with empty.exclusive() as held:
        emptied = held.empty(mark)
    empty.cut()
    assert empty.mark() == emptied._replace(size=4096)
    assert (tmp_path / file_engine.NAME).stat().st_size == 4096


def in_threads(*tasks: Callable[[], None]) -> list[Exception]:
    """Run tasks at once until the first has done, and return what went wrong in any."""
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


def test_who_reads_while_it_is_written_reads_what_was_there(empty: Journal):
    """Records of a growing journal, which is emptied now and then; a mark is whole, or read again."""
    seen: list[Mark] = []

    def write() -> None:
        for number in range(300):
            with empty.exclusive() as held:
                mark = held.append(held.mark(), [record(b"%d" % number, a=bytes(number))])
                if number % 7 == 6:
                    held.empty(mark)

    def read() -> None:
        opened = empty.opened()
        mark = opened.mark()
        found = opened.between(mark.start, mark)
        assert found is not None or opened.mark() != mark
        assert len(found or []) <= 7
        seen.append(mark)

    assert in_threads(write, read, read) == []
    assert len({(mark.generation, mark.end) for mark in seen}) > 3
