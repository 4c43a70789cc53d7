"""`GET …/targets/{target_name}/explain`: which commit set each value."""

from flask import Flask

from tests.app.api.helpers import DEFAULT, TARGETS, demo, explain, log, new_user, put
from tests.client import Client
from tests.payloads import made


def test_a_value_has_the_commit_that_first_set_it(app: Flask, alice: Client):
    put(alice, "a", temperature=0.5)
    since = put(alice, "a", temperature=0.7, max_tokens=1)
    last = put(alice, "a", temperature=0.7, max_tokens=2)
    alice.put(DEFAULT, {"config": {"temperature": 0.1, "max_tokens": 9}})
    again = put(alice, "a", temperature=0.7, max_tokens=2)
    explained = explain(alice, "a")
    assert explained["layers"][0]["commit"] == again
    assert explained["fields"]["/temperature"]["commit"] == since
    assert explained["fields"]["/max_tokens"]["commit"] == last
    author, email, time = log(app, "-1", "--format=%an%n%ae%n%(trailers:key=Time,valueonly)", since).split()
    assert explained["commits"].keys() == {since, last, again, explained["layers"][1]["commit"]}
    assert explained["commits"][since] == {
        "commit": since,
        "author": {"name": author, "email": email, "user": "alice", "token": "initial"},
        "time": time,
        "subject": "a: 2 fields",
        "reason": None,
    }


def test_an_explanation_tells_why_each_value_was_set(alice: Client):
    commit = alice.put(f"{TARGETS}/a", made(temperature=0.5), X_Change_Reason="Too wild").headers["Git-Commit"]
    explained = explain(alice, "a")
    assert explained["fields"]["/temperature"]["commit"] == commit
    assert explained["commits"][commit]["reason"] == "Too wild"
    assert alice.get(f"{TARGETS}/a/history").json["commits"][0]["reason"] == "Too wild"


def test_a_restored_value_has_the_commit_that_restored_it(alice: Client):
    put(alice, "a", temperature=0.5)
    alice.delete(f"{TARGETS}/a")
    back = put(alice, "a", temperature=0.5)
    assert explain(alice, "a")["fields"]["/temperature"]["commit"] == back
    put(alice, "a", temperature=0.6)
    back = put(alice, "a", temperature=0.5)
    assert explain(alice, "a")["fields"]["/temperature"]["commit"] == back


def test_each_field_names_the_author_who_changed_it(master: Client, alice: Client):
    bob = new_user(master, "bob")
    alice.put("/v1/repo/demo/grants/bob", {"access": "write"})
    put(alice, "base", temperature=0.5)
    put(alice, "a", "base", max_tokens=5)
    path, as_guest = f"{TARGETS}/a", {"X_User_Id": "alice"}
    assert bob.put(path, made("base", max_tokens=5, model_name="m"), **as_guest).status_code == 200
    explained = explain(alice, "a")
    commits = [explained["fields"][place]["commit"] for place in ("/temperature", "/max_tokens", "/model_name")]
    names = [explained["commits"][commit]["author"]["name"] for commit in commits]
    assert names == ["Alice", "Alice", "bob"]


def test_an_explanation_stays_the_same_after_templates_change_or_are_deleted(alice: Client):
    put(alice, "one", temperature=0.1)
    put(alice, "two", "one", max_tokens=2)
    put(alice, "three", "two", model_name="m")
    before = explain(alice, "three")
    put(alice, "one", temperature=0.9)
    put(alice, "two", max_tokens=9)
    alice.put(DEFAULT, {"config": {}})
    assert explain(alice, "three") == before
    for name in ("one", "two"):
        alice.delete(f"{TARGETS}/{name}")
    put(alice, "two", temperature=2)
    assert explain(alice, "three") == before


def test_a_restored_template_has_the_commit_that_was_resolved_from(alice: Client):
    commit = put(alice, "base", temperature=0.1)
    put(alice, "child", "base")
    put(alice, "base", temperature=0.2)
    put(alice, "base", temperature=0.1)
    explained = explain(alice, "child")
    assert explained["layers"][1]["commit"] == explained["fields"]["/temperature"]["commit"] == commit


def test_an_explanation_can_be_read_at_a_ref(alice: Client):
    first = put(alice, "a", temperature=0.5)
    before = explain(alice, "a")
    put(alice, "a", temperature=0.7)
    assert explain(alice, "a", first) == before
    assert explain(alice, "a")["fields"]["/temperature"]["value"] == 0.7
    alice.delete(f"{TARGETS}/a")
    assert explain(alice, "a", first) == before


def test_one_version_written_twice_has_the_commit_of_each_time(alice: Client):
    first = put(alice, "a", temperature=0.5)
    assert explain(alice, "a")["layers"][0]["commit"] == first
    put(alice, "a", temperature=0.7)
    again = put(alice, "a", temperature=0.5)
    assert explain(alice, "a")["layers"][0]["commit"] == again
    assert explain(alice, "a", first)["layers"][0]["commit"] == first


def test_equal_targets_of_two_users_are_explained_separately(master: Client, alice: Client):
    bob = new_user(master, "bob")
    bob.post("/v1/repo", {"repo_name": "demo"})
    etags, authors = set(), []
    for client in (alice, bob):
        put(client, "a", temperature=0.5)
        etags.add(client.get(f"{TARGETS}/a/explain").headers["ETag"])
        authors.append({commit["author"]["name"] for commit in explain(client, "a")["commits"].values()})
    assert len(etags) == 2
    assert authors == [{"Alice"}, {"bob"}]


def test_a_target_put_on_itself_has_its_earlier_versions_as_layers(app: Flask, alice: Client):
    commits = [put(alice, "a", max_tokens=5, temperature=0.1)]
    commits += [put(alice, "a", "a", temperature=0.2), put(alice, "a", "a", max_tokens=None)]
    explained = explain(alice, "a")
    assert [layer["name"] for layer in explained["layers"]] == ["a", "a", "a", "default"]
    assert [layer["commit"] for layer in explained["layers"][:3]] == commits[::-1]
    for layer in explained["layers"][:3]:
        written = demo(app, "rev-parse", f"{layer['commit']}:targets/a.yml").strip()
        assert layer["version"] == written
    temperature = explained["fields"]["/temperature"]
    assert (temperature["layer"], temperature["value"]) == ("template", 0.2)
    assert temperature["commit"] == commits[1]
    assert [beaten["value"] for beaten in temperature["beaten"]] == [0.1, 1.0]
    assert explained["removed"]["/max_tokens"]["beaten"][0]["value"] == 5


def test_fields_set_in_a_batch_have_the_commit_of_the_batch(alice: Client):
    body = {"targets": [{"target_name": "a", **made()}, {"target_name": "b", **made("a", max_tokens=1)}]}
    assert alice.post(f"{TARGETS}/batch", body).json["created"] == ["a", "b"]
    commits = [layer["commit"] for layer in explain(alice, "b")["layers"][:2]]
    assert commits == [alice.get(TARGETS).headers["Git-Commit"]] * 2
