"""Filters of the log: `author`, `since`, `until` and `path`."""

from urllib.parse import quote

import pytest
from flask import Flask

from tests.app.api.helpers import MESSAGES, PROMPTS, TARGETS, new_user
from tests.client import Client
from tests.payloads import target
from tests.timeline import ELEVEN, LOG, TEN, TWELVE, commits, demo_repository, pages, put_target, rev_list, set_clock


def test_author_matches_part_of_name_or_address_in_any_case(app: Flask, master: Client, alice: Client):
    body = {"user_id": "zoe", "user_alias": "Zoë Ångström", "user_email": "z.a@bakery.example"}
    zoe = Client(app, master.post("/v1/admin/users", body).json["api_key"])
    alice.put("/v1/repo/demo/grants/zoe", {"access": "write"})
    zoe.post(TARGETS, target("a", temperature=0.5), X_User_Id="alice")
    hers, others = rev_list(app)[:1], rev_list(app)[1:]
    for part in ("Zoë", "ZOË ång", "ångstr", "Z.A@", "bakery", "BAKERY.EXAMPLE"):
        assert commits(alice, f"author={quote(part)}") == hers
    assert commits(alice, "author=alice") == commits(alice, "author=EXAMPLE.ORG") == others
    for part in ("zo.", "z[.]a", "bakery|alice", "nobody", "^Alice", "Bakehouse"):
        assert commits(alice, f"author={quote(part)}") == []


def test_since_and_until_are_inclusive(app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch):
    made = []
    for number, moment in enumerate((TEN, ELEVEN, TWELVE)):
        set_clock(monkeypatch, moment)
        made.insert(0, put_target(alice, "a", max_tokens=number + 1))
    assert commits(alice, f"since={ELEVEN}") == made[:2]
    assert commits(alice, f"until={ELEVEN}") == rev_list(app)[1:]
    assert commits(alice, f"since={ELEVEN}&until={ELEVEN}") == [made[1]]
    assert commits(alice, "since=2090-01-01T11:00:00.5Z") == made[:1]
    assert commits(alice, "until=2090-01-01T10:59:59.999Z&since=2090-01-01T00:00:00Z") == made[2:]
    assert commits(alice, "since=2090-01-01T12:00:00%2B01:00") == made[:2]
    assert commits(alice, "since=2090-01-01T12:00:00+01:00") == made[:2]
    assert commits(alice, "since=2091-01-01T00:00:00Z") == []
    assert commits(alice, "until=2001-01-01T00:00:00Z") == []


def test_since_after_until_gives_an_empty_page(alice: Client):
    answer = alice.get(f"{LOG}?since={TWELVE}&until={TEN}")
    assert (answer.status_code, answer.json) == (200, {"commits": [], "next": None})
    assert commits(alice, "since=9999-12-31T23:59:59Z&until=0001-01-01T00:00:00Z") == []


def test_path_matches_a_file_or_a_folder(app: Flask, alice: Client):
    generator = {"type": "custom", "template_path": "ask.txt", "template_content": "Ask"}
    alice.post(TARGETS, target("a", generators=[generator]))
    alice.post(TARGETS, target("b", temperature=0.5))
    alice.put(f"{PROMPTS}/a", {"messages": MESSAGES})
    alice.delete(f"{TARGETS}/a")
    assert len(rev_list(app)) == 5
    for path, count in (
        ("targets", 3),
        ("targets/", 3),
        ("targets/a.yml", 2),
        ("prompts", 1),
        ("repo.yml", 1),
        ("templates/ask.txt", 2),
    ):
        assert commits(alice, f"path={path}") == rev_list(app, "main", "--", path)
        files = [entry["files"] for entry in alice.get(f"{LOG}?path={path}").json["commits"]]
        assert [[file["path"].startswith(path) for file in each] for each in files] == [[True]] * count


def test_path_matches_a_pattern_or_the_start_of_paths(app: Flask, alice: Client):
    names = ("night", "night_1", "night_2", "day", "targets")
    made = {name: put_target(alice, name, temperature=0.5) for name in names}
    prompt = alice.put(f"{PROMPTS}/night", {"messages": MESSAGES}).headers["Git-Commit"]
    nights = [made[name] for name in ("night_2", "night_1", "night")]
    for path, expected in (
        ("targets/night*", nights),
        ("targets/night", nights),
        ("targets/night.yml", nights[2:]),
        ("targets/night_?.yml", nights[:2]),
        ("targets/night_[!1].yml", nights[:1]),
        ("*/night.yml", [prompt, nights[2]]),
        ("**/night.yml", [prompt, nights[2]]),
        ("t*/day.yml", [made["day"]]),
        ("targ", [made[name] for name in reversed(names)]),
        ("targets*/", [made[name] for name in reversed(names)]),
    ):
        assert commits(alice, f"path={quote(path)}") == expected, path
        demo_repository(app).checkpoint()  # git answers now
        assert commits(alice, f"path={quote(path)}") == expected, path


def test_an_unknown_path_gives_an_empty_page(alice: Client):
    alice.post(TARGETS, target("a", temperature=0.5))
    for path in (
        "absent",
        "targets/b.yml",
        "targets/a/",
        "targets/b",
        "target/",
        "argets",
        "*.yaml",
        "targets/[b-c]*",
        ":(top)targets",
        "-p",
        "é",
    ):
        answer = alice.get(f"{LOG}?path={quote(path)}")
        assert (answer.status_code, answer.json) == (200, {"commits": [], "next": None})


def test_filters_are_combined_and_hold_on_every_page(master: Client, alice: Client, monkeypatch: pytest.MonkeyPatch):
    bob = new_user(master, "bob")
    alice.put("/v1/repo/demo/grants/bob", {"access": "write"})
    wanted = []
    for number, moment in enumerate((TEN, ELEVEN, TWELVE)):
        set_clock(monkeypatch, moment)
        wanted.insert(0, put_target(alice, "a", max_tokens=number + 1))
        put_target(alice, "b", max_tokens=number + 1)
        bob_writes = {"template": "default", "overrides": {"temperature": number / 10}}
        assert bob.put(f"{TARGETS}/a", bob_writes, X_User_Id="alice").status_code == 200
    query = f"author=alice&path=targets/a.yml&since={TEN}&until={TWELVE}"
    assert pages(alice, f"{query}&limit=1") == [[commit] for commit in wanted]
    assert commits(alice, f"author=alice&path=targets/a.yml&since={ELEVEN}&until={ELEVEN}") == wanted[1:2]
