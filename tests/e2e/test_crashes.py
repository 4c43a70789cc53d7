"""The short forms of kills and registers of `make torture`, and a check of the linearizability check."""

import pytest

from tests.torture import kills, registers
from tests.torture.linearizability import Operation, is_linearizable


@pytest.mark.slow
def test_kill_9_loses_nothing():
    line, _ = kills.run(rounds=4, seed=0)
    assert "4 kills" in line


@pytest.mark.slow
def test_clients_of_two_servers_see_linearizable_histories():
    (line,) = registers.run(clients=32, operations=25, repos=2, registers=3, seed=5)
    assert "linearizable" in line
    for kind in ("create 201", "create 409", "create 412", "read 200", "put 200", "put 412", "delete 200"):
        assert kind in line, line


def create(value: str, began: int, ended: int, status: int = 201) -> Operation:
    return Operation("create", status, began, ended, wrote=value)


def read(value: str | None, began: int, ended: int) -> Operation:
    return Operation("read", 404 if value is None else 200, began, ended, saw=value)


def put(saw: str, value: str, began: int, ended: int, status: int = 200) -> Operation:
    return Operation("put", status, began, ended, wrote=value, saw=saw)


POSSIBLE = {
    "nothing": [],
    "one after another": [create("a", 1, 2), read("a", 3, 4), put("a", "b", 5, 6), read("b", 7, 8)],
    "a read beside the write that it sees": [create("a", 1, 9), read("a", 2, 3)],
    "a read beside a write that it does not see": [create("a", 1, 9), read(None, 2, 3)],
    "two puts, one refused": [create("a", 1, 2), put("a", "b", 3, 9), put("a", "c", 4, 8, 412)],
    "a delete between": [
        create("a", 1, 2),
        Operation("delete", 200, 3, 6, saw="a"),
        create("b", 4, 9),
        read("b", 7, 8),
    ],
}
IMPOSSIBLE = {
    "a read of what was never written": [create("a", 1, 2), read("b", 3, 4)],
    "a stale read": [create("a", 1, 2), put("a", "b", 3, 4), read("a", 5, 6)],
    "a write that is lost": [create("a", 1, 2), read(None, 3, 4)],
    "two puts on one version": [create("a", 1, 2), put("a", "b", 3, 9), put("a", "c", 4, 8)],
    "two creates": [create("a", 1, 9), create("b", 2, 8)],
    "a create that is refused for nothing": [create("a", 1, 2, 409)],
    "a put that is refused for nothing": [create("a", 1, 2), put("a", "b", 3, 4, 412)],
    "reads that go back": [
        create("a", 1, 2),
        put("a", "b", 3, 20),
        read("b", 4, 5),
        read("a", 6, 7),
    ],
    "a status that there is not": [create("a", 1, 2, 503)],
}


@pytest.mark.parametrize("what", POSSIBLE)
def test_is_linearizable_accepts_possible_histories(what: str):
    assert is_linearizable(POSSIBLE[what])


@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_is_linearizable_rejects_impossible_histories(what: str):
    assert not is_linearizable(IMPOSSIBLE[what])
