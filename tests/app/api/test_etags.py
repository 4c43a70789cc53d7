"""A version stands for one answer: equal ETags of one address mean equal bodies."""

import gzip
from collections import defaultdict

from flask import Flask

from tests.app.api.helpers import DEFAULT, MESSAGES, NAMES, PROMPTS, TARGETS, new_user
from tests.client import Client
from tests.payloads import asking, target
from tests.timeline import put_target

FORMATS = ["*/*", "application/json", "text/x-diff", "text/plain", "application/yaml", "text/csv"]


def change_twice_and_back(alice: Client) -> list[str]:
    """Give the repo some history in which the same files come back; return the commits."""
    commits = []
    for temperature in (0.5, 0.75, 0.5):
        for path in (f"{TARGETS}/a", f"{PROMPTS}/p"):
            alice.delete(path)
        alice.put(DEFAULT, {"config": {"temperature": temperature}})
        alice.put(f"{PROMPTS}/p", {"messages": MESSAGES})
        alice.put(f"/v1/repo/demo/grants/{'bob' if temperature == 0.5 else 'carol'}", {"access": "read"})
        commits.append(put_target(alice, "a", temperature=temperature, generators=asking(str(temperature))))
        for ref in (commits[0], commits[-1], commits[0]):
            alice.put("/v1/repo/demo/labels/production", {"ref": ref})
    alice.post("/v1/repo/demo/tags", {"name": "v1"})
    return commits


def test_equal_etags_of_one_address_mean_equal_bodies(app: Flask, master: Client, alice: Client):
    new_user(master, "bob")
    new_user(master, "carol")
    commits = change_twice_and_back(alice)
    bodies: dict[tuple[str, str], set[bytes]] = defaultdict(set)
    queries = ["", *(f"ref={commit}" for commit in commits), "limit=1", "limit=2", f"from={commits[0]}"]
    queries += ["include_metadata=true", "include_metadata=true&limit=1", "full=true", "offset=1"]
    paths = {
        rule.build({name: NAMES[name] for name in rule.arguments})[1]
        for rule in app.url_map.iter_rules()
        if "GET" in rule.methods and rule.rule.startswith("/v1/")
    }
    assert len(paths) > 15
    for path in sorted(paths):
        for query in queries:
            for accept in FORMATS:
                for encoding in ("identity", "gzip"):
                    client = master if "/admin/" in path else alice
                    answer = client.get(f"{path}?{query}", Accept=accept, Accept_Encoding=encoding)
                    is_packed = answer.headers.get("Content-Encoding") == "gzip"
                    if answer.status_code == 200 and "ETag" in answer.headers:
                        body = gzip.decompress(answer.data) if is_packed else answer.data
                        bodies[path, answer.headers["ETag"]].add(body)
    assert len({path for path, _ in bodies}) >= 8
    assert not [key for key, found in bodies.items() if len(found) > 1]


def test_an_explanation_is_no_longer_known_when_the_same_target_is_made_again(alice: Client):
    alice.post(TARGETS, target("a", temperature=0.5))
    first, explained = alice.get(f"{TARGETS}/a"), alice.get(f"{TARGETS}/a/explain")
    known = alice.get(f"{TARGETS}/a/explain", If_None_Match=explained.headers["ETag"])
    assert (known.status_code, known.data) == (304, b"")
    assert known.headers["Git-Commit"] == explained.headers["Git-Commit"]
    alice.delete(f"{TARGETS}/a")
    assert alice.get(f"{TARGETS}/a/explain", If_None_Match="*").status_code == 404
    alice.post(TARGETS, target("a", temperature=0.5))
    again = alice.get(f"{TARGETS}/a/explain", If_None_Match=explained.headers["ETag"])
    assert again.status_code == 200
    assert again.json != explained.json
    assert alice.get(f"{TARGETS}/a").headers["ETag"] == first.headers["ETag"] != again.headers["ETag"]


def test_an_answer_that_has_two_formats_says_so(alice: Client):
    alice.post(TARGETS, target("a"))
    alice.post(TARGETS, target("b"))
    for accept in FORMATS:
        answer = alice.get(f"{TARGETS}/a/diff?against=b", Accept=accept)
        assert (answer.status_code, answer.headers["Vary"]) == (200, "Accept")
