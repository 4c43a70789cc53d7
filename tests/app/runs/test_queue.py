"""The queue over SQLite, PostgreSQL and Redis: each task is taken once, and a queue that is gone stops nobody."""

import os
import pickle
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from huey.api import Task

from app.runs import queue
from app.settings import Settings, SettingsError
from tests.databases import PostgreSQL, Redis
from tests.seams import wait_until

KINDS = ("sqlite", "postgresql", "redis")
PROCESSES, TASKS = 4, 25

WORK = """
import sys
from pathlib import Path
from app.runs import queue
from app.settings import Settings

tasks = queue.make(Settings(Path("data"), queue_url=sys.argv[1]))
start, stop = map(int, sys.argv[2:])
for number in range(start, stop):
    task = tasks.wake.s()
    task.id = str(number)
    tasks.enqueue(task)
while task := tasks.dequeue():
    print(task.id)
"""


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty queue of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/queue.sqlite"
    address: str = request.getfixturevalue(request.param).make_database()
    return address


Make = Callable[[str | None], tuple[queue.Queue, Callable[[int], None], list[int]]]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """A function that returns a queue, what puts a task with a number into it, and the list of numbers taken."""
    queues: list[queue.Queue] = []

    def make(url: str | None) -> tuple[queue.Queue, Callable[[int], None], list[int]]:
        tasks = queue.make(Settings(tmp_path, queue_url=url))
        queues.append(tasks)
        taken: list[int] = []

        @tasks.pre_execute()
        def note(task: Task) -> None:
            if task.id.isdecimal():
                taken.append(int(task.id))

        def carry_out(number: int) -> None:
            task = tasks.wake.s()
            task.id = str(number)
            tasks.enqueue(task)

        return tasks, carry_out, taken

    yield make
    for each in queues:
        each.storage.close()


def take(tasks: queue.Queue) -> bool:
    """Carry out the next task, if there is one."""
    task = tasks.dequeue()
    if task is not None:
        tasks.execute(task)
    return task is not None


def test_tasks_are_taken_in_their_order(make: Make, url: str):
    tasks, carry_out, taken = make(url)
    other, _, taken_by_other = make(url)
    for number in (3, 2**62, 1):
        carry_out(number)
    assert [take(tasks), take(other), take(tasks)] == [True] * 3
    assert (taken, taken_by_other) == ([3, 1], [2**62])
    assert not take(tasks)


@pytest.mark.slow
def test_each_task_is_taken_once_by_processes_that_start_together(url: str):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WORK, url, str(start * TASKS), str((start + 1) * TASKS)], stdout=subprocess.PIPE
        )
        for start in range(PROCESSES)
    ]
    answers = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * PROCESSES
    assert sorted(map(int, b"".join(answers).split())) == list(range(PROCESSES * TASKS))


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize(
    "data",
    [
        *(b"\xff", b"{}", b'["a"]', b'["a", "other"]', b'["a", "app.runs.queue.wake", 1]', b"[" * 100_000, b"9" * 5000),
        *(5, 2**40, 3.5, "text", '["a", "app.runs.queue.wake"]'),
    ],
    ids=lambda data: str(data)[:30],
)
def test_what_is_no_task_is_dropped_and_told(make: Make, caplog: pytest.LogCaptureFixture, data: object):
    tasks, carry_out, taken = make(None)
    carry_out(0)
    tasks.storage.sql("update task set data = ?", (data,), commit=True)
    carry_out(1)
    assert not take(tasks)
    assert take(tasks)
    assert taken == [1]
    assert "something that is not Bakehouse's" in caplog.text


def test_a_pickle_in_the_queue_does_not_run(tmp_path: Path, make: Make, url: str):
    tasks, _, taken = make(url)
    tasks.storage.enqueue(pickle.dumps(Bomb(tmp_path / "ran")))
    assert not take(tasks)
    assert not (tmp_path / "ran").exists()
    assert taken == []


@pytest.mark.parametrize("kind", ["postgresql", "redis"])
def test_a_server_that_is_gone_stops_nobody_and_is_found_again(
    make: Make, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture, kind: str
):
    server: PostgreSQL | Redis = request.getfixturevalue(kind)
    tasks, carry_out, taken = make(server.make_database())
    carry_out(1)
    assert take(tasks)
    server.stop()
    carry_out(2)
    carry_out(3)
    woken: list[bool] = []
    tasks.on_wake = lambda: woken.append(True)
    assert take(tasks)
    assert woken == [True]  # to look into the ledger
    assert caplog.text.count("The queue of runs does not answer") == 1
    server.start()
    carry_out(4)  # over a connection that broke with the server
    wait_until(lambda: take(tasks) and 4 in taken)
    assert taken == [1, 4]
    server.restart()
    carry_out(5)
    wait_until(lambda: take(tasks) and 5 in taken)
    assert taken == [1, 4, 5]


@pytest.mark.slow
def test_a_file_that_another_process_locks_stops_nobody(tmp_path: Path, make: Make, caplog: pytest.LogCaptureFixture):
    tasks, carry_out, taken = make(None)
    carry_out(1)
    with sqlite3.connect(tmp_path / "queue.sqlite", isolation_level=None) as other:
        other.execute("begin exclusive")
        carry_out(2)
        assert take(tasks)
        other.rollback()
    other.close()
    assert caplog.text.count("The queue of runs does not answer") == 1
    carry_out(3)
    assert [take(tasks), take(tasks)] == [True] * 2
    assert taken == [1, 3]


def test_a_consumer_takes_tasks_until_it_is_stopped(make: Make, url: str):
    tasks, carry_out, taken = make(url)
    consumer = tasks.create_consumer(workers=2, periodic=False)
    tasks.on_shutdown("close")(tasks.storage.close)  # of each thread
    consumer._set_signal_handlers = lambda: None  # these belong to pytest
    consumer.start()
    for number in range(20):
        carry_out(number)
    wait_until(lambda: len(taken) == 20)
    consumer.stop(graceful=True)
    assert sorted(taken) == list(range(20))


def test_the_queue_is_where_the_ledger_is(tmp_path: Path, make: Make, postgresql: PostgreSQL):
    database = postgresql.make_database()
    tasks = queue.make(Settings(tmp_path, database_url=database))
    tasks.wake()
    tasks.storage.close()
    assert take(make(database)[0])
    assert not (tmp_path / "queue.sqlite").exists()
    make(None)
    assert (tmp_path / "queue.sqlite").exists()


@pytest.mark.parametrize(("module", "url"), [("redis", "redis://h"), ("psycopg", "postgresql://h/d")])
def test_a_driver_that_is_not_installed_is_named(make: Make, monkeypatch: pytest.MonkeyPatch, module: str, url: str):
    monkeypatch.setitem(sys.modules, module, None)
    extra = "redis" if module == "redis" else "postgres"
    with pytest.raises(SettingsError, match=rf"BAKEHOUSE_QUEUE_URL needs .*: pip install 'bakehouse\[{extra}\]'"):
        make(url)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:secret@127.0.0.1:1/0",
        "postgresql://bakehouse:secret@127.0.0.1:1/runs",
        "redis://:sec/ret@127.0.0.1:1",
        "postgresql://bakehouse:secret@127.0.0.1:secret/runs",
        "redis://127.0.0.1:secret",
        "sqlite:////proc/no/queue.sqlite",
    ],
)
def test_a_queue_that_is_not_there_is_told_without_its_password(make: Make, url: str):
    with pytest.raises(SettingsError) as raised:
        make(url)
    for part in ("secret", "sec/", "\n"):
        assert part not in str(raised.value)


def test_a_file_that_is_damaged_is_told_with_what_to_do(tmp_path: Path, make: Make):
    (tmp_path / "queue.sqlite").write_bytes(b"damaged " * 1000)
    with pytest.raises(SettingsError, match=r"queue\.sqlite, is damaged: remove it"):
        make(None)
    (tmp_path / "queue.sqlite").unlink()
    assert not take(make(None)[0])
