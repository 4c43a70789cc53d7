"""Times within a second: `ref`, `since` and `until`, and the times of answers."""

from urllib.parse import quote

import pytest

from tests.app.api.helpers import TARGETS
from tests.client import Client
from tests.timeline import LOG, commits, put_target, set_clock

NOON = "2090-01-01T12:00:00"


@pytest.fixture
def made(alice: Client, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Commits at 0.25, 0.5 and 0.75 seconds after noon, and one at the next second."""
    found = []
    for number, fraction in enumerate((".25", ".5", ".75", ".999999")):
        set_clock(monkeypatch, f"{NOON}{fraction}+00:00")
        found.append(put_target(alice, "a", max_tokens=number + 1))
    set_clock(monkeypatch, "2090-01-01T12:00:01+00:00")
    return [*found, put_target(alice, "a", max_tokens=5)]


def at(client: Client, time: str) -> str:
    return client.get(f"{TARGETS}/a?ref={quote(time)}").headers["Git-Commit"]


def test_a_time_within_a_second_shows_what_was_in_force_then(alice: Client, made: list[str]):
    for fraction, number in ((".25", 0), (".250001", 0), (".499999", 0), (".5", 1), (".5001", 1), (".750", 2)):
        assert at(alice, f"{NOON}{fraction}Z") == made[number]
        assert at(alice, f"2090-01-01T14:00:00{fraction}+02:00") == made[number]
    assert alice.get(f"{TARGETS}/a?ref={NOON}.249999Z").status_code == 404
    assert alice.get(f"{TARGETS}/a?ref={NOON}.0Z").status_code == 404


def test_a_time_without_a_fraction_is_the_whole_second(alice: Client, made: list[str]):
    assert at(alice, f"{NOON}Z") == made[3]
    assert commits(alice, f"since={NOON}Z&until={NOON}Z") == made[3::-1]
    assert commits(alice, "since=2090-01-01T12:00:01Z") == made[4:]
    assert at(alice, "2090-01-01T12:00:01Z") == made[4]


def test_since_and_until_are_exact(alice: Client, made: list[str]):
    assert commits(alice, f"since={NOON}.5Z&until={NOON}.75Z") == made[2:0:-1]
    assert commits(alice, f"since={NOON}.500001Z&until={NOON}.749999Z") == []
    assert commits(alice, f"until={NOON}.5Z&limit=2") == made[1::-1]


def test_the_time_of_an_answer_shows_that_commit(alice: Client, made: list[str]):
    for entry in alice.get(LOG).json["commits"][:-1]:
        if entry["files"][0]["path"] == "targets/a.yml":
            assert at(alice, entry["time"]) == entry["commit"]
            assert commits(alice, f"since={entry['time']}&until={entry['time']}") == [entry["commit"]]
    for commit in made:
        explained = alice.get(f"{TARGETS}/a/explain?ref={commit}").json
        told = explained["commits"][explained["layers"][0]["commit"]]
        assert at(alice, told["time"]) == told["commit"] == commit
