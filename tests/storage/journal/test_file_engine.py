"""The journal's file: how it grows and shrinks, and what a power loss may leave of it."""

import random
from pathlib import Path

import pytest

from storage.journal import frames
from storage.journal.file_engine import FileJournal
from storage.journal.journal_file import NAME
from storage.location import Location
from storage.waits import Waits
from tests.storage.journal.records import record


@pytest.fixture
def empty(tmp_path: Path) -> FileJournal:
    return FileJournal(Location("demo", tmp_path), Waits())


def test_opening_a_journal_keeps_its_records(empty: FileJournal, tmp_path: Path):
    with empty.lock() as held:
        header = held.append(held.header(), [record(b"1")])
    assert FileJournal(Location("demo", tmp_path), Waits()).head() == header
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_the_next_generation_begins_at_the_front(empty: FileJournal):
    with empty.lock() as held:
        before = held.append(held.header(), [record(b"1"), record(b"2")])
        emptied = held.checkpointed(before)
        assert emptied.is_empty
        assert emptied.generation == before.generation + 1
        assert emptied.end < before.end
        after = held.append(emptied, [record(b"3")])
        assert held.between(before.start, before) is None
        assert held.between(emptied, after) == [record(b"3")]
    assert empty.head() == after


def test_the_file_grows_ahead_of_its_records(empty: FileJournal, tmp_path: Path):
    sizes = set()
    with empty.lock() as held:
        header = held.header()
        for number in range(100):
            header = held.append(header, [record(b"%d" % number, a=bytes(1000))])
            assert header.end <= header.size == (tmp_path / NAME).stat().st_size
            sizes.add(header.size)
        assert len(sizes) < 8
        assert not header.is_full
        header = held.append(header, [record(b"much", a=bytes(4 * 1024 * 1024))])
        assert header.is_full


def test_the_file_keeps_room_for_some_times_what_it_held(empty: FileJournal, tmp_path: Path):
    with empty.lock() as held:
        header, sizes = held.header(), []
        for size in (8_000_000, 200_000, 200_000, 1000, 1000):
            header = held.checkpointed(held.append(header, [record(b"1", a=bytes(size))]))
            assert header.size == (tmp_path / NAME).stat().st_size
            sizes.append(header.size)
    most, some, again, little, and_again = sizes
    assert most == 1024 * 1024
    assert 800_000 < some == again < most
    assert 4096 < little == and_again < 30_000


def after_power_loss(path: Path, boot: bytes = b"another machine!") -> FileJournal:
    """Return the journal of a machine that has started anew: its header is that of an empty one."""
    with FileJournal(Location("demo", path), Waits()).lock() as held:
        held._write_header(held.header()._replace(boot=boot, end=4096, checksum=0))
    return FileJournal(Location("demo", path), Waits())


def test_a_frame_counts_whole_or_not_at_all(empty: FileJournal, tmp_path: Path):
    """Whichever sector a power loss takes: all came in one write."""
    file = tmp_path / NAME
    with empty.lock() as held:
        first = held.append(held.header(), [record(b"0")])
        last = held.append(first, [record(b"%d" % n, a=random.Random(n).randbytes(1500)) for n in range(3)])
    content = file.read_bytes()
    sectors = range(first.end // 512, -(-last.end // 512))
    assert len(sectors) > 8
    for sector in sectors:
        start = max(first.end, sector * 512)
        end = sector * 512 + 512
        file.write_bytes(content[:start] + bytes(end - start) + content[end:])
        assert after_power_loss(tmp_path).head().end == first.end
    file.write_bytes(content)
    assert after_power_loss(tmp_path).head() == last


def test_the_remains_of_a_killed_append_do_not_count_behind_another_frame(empty: FileJournal, tmp_path: Path):
    """Even if it has a file that looks like a frame, and that lies where the next frame would."""
    with empty.lock() as held:
        header = held.header()
        forged, _ = frames.pack([record(b"forged")], header.generation, header.checksum)
        short, _ = frames.pack([record(b"short", b=bytes(99))], header.generation, header.checksum)
        around = frames.pack([record(b"killed", a=b"")], header.generation, header.checksum)[0]
        padding = bytes(len(short) - around.index(b"killed") - len(b"killed") - len(b"a"))
        held.append(header, [record(b"killed", a=padding + forged)])
        content = (tmp_path / NAME).read_bytes()
        assert content.index(forged) == header.end + len(short)
        held._write_header(header._replace(size=held.header().size))
        last = held.append(held.header(), [record(b"short", b=bytes(99))])
    assert after_power_loss(tmp_path).head().end == last.end == header.end + len(short)


def test_an_empty_file_shrinks_to_its_header(empty: FileJournal, tmp_path: Path):
    with empty.lock() as held:
        header = held.append(held.header(), [record(b"1", a=bytes(100_000))])
    empty.shrink()
    assert empty.head() == header
    with empty.lock() as held:
        emptied = held.checkpointed(header)
    empty.shrink()
    assert empty.head() == emptied._replace(size=4096)
    assert (tmp_path / NAME).stat().st_size == 4096
