"""One writer at a time, many writers a flush: threads and processes, with real repositories."""

import multiprocessing
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path

import pytest

from storage.errors import StorageUnavailable
from storage.repository import Repository
from storage.store import Store
from storage.transaction import Transaction
from tests.seams import append_sizes, fill_disk
from tests.storage.repositories import git, increment, increment_many, put, run_together


def test_threads_lose_no_update(repository: Repository):
    values = run_together(16, lambda _: [repository.transact(increment) for _ in range(20)])
    assert sorted(chain.from_iterable(values)) == list(range(1, 321))
    assert repository.head().read("counter").data == b"320\n"
    assert git(repository.path, "rev-list", "--count", "--first-parent", "main").strip() == "321"
    assert git(repository.path, "fsck", "--strict") == ""


def test_processes_lose_no_update(repository: Repository, tmp_path: Path):
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        results = pool.starmap(increment_many, [(str(tmp_path), 25)] * 4)
    assert sorted(chain.from_iterable(results)) == list(range(1, 101))
    assert repository.transact(increment) == 101
    assert git(repository.path, "fsck", "--strict") == ""
    assert not list(repository.path.rglob("*.lock"))


def test_waiting_writers_share_one_flush(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    """While one flush is held up, seven more writers arrive; one more flush serves all seven."""
    flushes, answers = append_sizes(
        repository, monkeypatch, [partial(repository.transact, put(f"later-{n}", b"1")) for n in range(7)]
    )
    assert flushes == [1, 7]
    history = git(repository.path, "rev-list", "main").split()
    assert set(answers) <= set(history)
    assert len(set(answers)) == 8


def test_waiting_writers_share_no_more_bytes_than_a_reader_has_memory_for(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
):
    """Of seven writers of 400 kB, three share one append, three the next, and one has the last."""
    changes = [partial(repository.transact, put(f"later-{n}", bytes([n]) * 400_000)) for n in range(7)]
    flushes, answers = append_sizes(repository, monkeypatch, changes)
    assert flushes == [1, 3, 3, 1]
    repository.checkpoint()
    assert set(answers) == set(git(repository.path, "rev-list", "-8", "main").split())


def test_a_failing_change_fails_only_its_own_caller(repository: Repository):
    def task(number: int) -> object:
        def change(transaction):
            commit = put(f"file-{number}", b"1")(transaction)
            if number % 3 == 0:
                raise LookupError(number)
            return commit

        try:
            return repository.transact(change)
        except LookupError as error:
            return error

    answers = run_together(12, task)
    assert [isinstance(answer, LookupError) for answer in answers] == [n % 3 == 0 for n in range(12)]
    names = {".gitattributes", "README.md"} | {f"file-{number}" for number in range(12) if number % 3}
    assert set(git(repository.path, "ls-tree", "--name-only", "main").split()) == names


def test_a_failed_flush_keeps_the_earlier_state(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    tip = repository.head().commit
    with monkeypatch.context() as patch:
        fill_disk(patch)
        with pytest.raises(StorageUnavailable, match="No space left"):
            repository.transact(put("a", b"1"))
    assert repository.head().commit == tip
    assert repository.head().read("a") is None
    repository.transact(put("b", b"1"))
    assert repository.head().read("a") is None
    assert git(repository.path, "fsck", "--strict") == ""


def test_readers_do_not_wait_for_a_writer(repository: Repository):
    inside, go_on = threading.Event(), threading.Event()

    def change(transaction):
        inside.set()
        go_on.wait()
        return put("a", b"1")(transaction)

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(repository.transact, change)
        inside.wait()
        assert repository.head().read("README.md").data == b"# demo\n"
        assert Store(repository.path.parents[1]).open("alice/demo").head().read("a") is None
        go_on.set()
        answer.result()
    assert repository.head().read("a").data == b"1"


class LateLock:
    """A lock that one thread is late to leave: it goes on once `go_on` is set."""

    def __init__(self, late: str) -> None:
        self._lock, self._late = threading.Lock(), late
        self.is_late, self.go_on = threading.Event(), threading.Event()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
        if threading.current_thread().name == self._late and not self.is_late.is_set():
            self.is_late.set()
            assert self.go_on.wait(60)


def test_a_writer_that_is_to_lead_before_it_waits_answers_all_that_follow_it(repository: Repository):
    writer = repository._writer
    lock = writer._lock = LateLock("late")
    answers: list[int] = []

    def submit(answer: int) -> None:
        answers.append(writer.submit(lambda _: answer))

    late = threading.Thread(target=submit, args=(1,), name="late", daemon=True)
    others = [threading.Thread(target=submit, args=(2,), daemon=True) for _ in range(2)]

    def lead(_: Transaction) -> int:
        late.start()
        assert lock.is_late.wait(60)  # it is in the queue now, and does not wait yet
        for other in others:
            other.start()
        while len(writer._queue) < 3:
            time.sleep(0.001)
        return 0

    assert writer.submit(lead) == 0
    lock.go_on.set()
    for thread in (late, *others):
        thread.join(30)
    assert sorted(answers) == [1, 2, 2]
