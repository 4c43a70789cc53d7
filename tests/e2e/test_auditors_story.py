"""An auditor's story: three users, two levels of templates, 37 targets, one mistake. Each question takes one call.

The first user owns the repo and asks. The second made a template hotter, for a reason, and rebased all that was made
from it; only one target has a temperature of its own. The third changed one target, and released all of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.e2e.conftest import Git, User, new_user
from tests.payloads import made, target
from tests.server import Server

REPO = "/v1/repo/demo"
KINDS, EACH = ("code", "math"), 17
OWN, SHORT = "nightly_math_03", "nightly_math_05"  # the target of its own temperature, and the one that got shorter
HOTTER, SHORTER = "Hotter samples for the demo — agreed with Una", "Short answers suffice here"
LEAVES = [f"nightly_{kind}_{number:02}" for kind in KINDS for number in range(EACH)]
ALL = sorted(["nightly_base", *(f"nightly_{kind}" for kind in KINDS), *LEAVES])
HOT = [name for name in ALL if name != OWN]


@dataclass(frozen=True)
class Story:
    """The owner of the repo, and two guests."""

    ann: User
    ben: User
    cleo: User

    def ask(self, path: str, /, **query: Any) -> Any:
        """Return the answer to one GET of the owner; the parameter `from_` is `from`."""
        given = urlencode({name.removesuffix("_"): value for name, value in query.items()})
        return self.ann.call("GET", f"{REPO}/{path}?{given}")

    def write(self, user: User, method: str, path: str, body: Any = None, *, why: str) -> Any:
        """Return the answer to a write in the owner's repo, with a reason."""
        address = f"{REPO}/{path}" if user is self.ann else f"{REPO}/{path}?user_id={self.ann.id}"
        return user.call(method, address, body, X_Change_Reason=quote(why))


@pytest.fixture
def story(server: Server) -> Story:
    """The story up to the day after the mistake."""
    ann, ben, cleo = (new_user(server) for _ in range(3))
    for guest in (ben, cleo):
        ann.call("PUT", f"{REPO}/grants/{guest.id}", {"access": "write"})
    ann.call("PUT", f"{REPO}/targets/nightly_base", made(temperature=0.7))
    for kind in KINDS:
        ann.call("PUT", f"{REPO}/prompts/{kind}", {"messages": [{"role": "system", "content": f"You like {kind}."}]})
        ann.call("PUT", f"{REPO}/targets/nightly_{kind}", made("nightly_base", teacher_prompt=kind))
    own = {OWN: {"temperature": 0.2}}
    targets = [target(name, name[:12], **{"max_tokens": 100, **own.get(name, {})}) for name in LEAVES]
    ann.call("POST", f"{REPO}/targets/batch", {"targets": targets})
    ann.call("POST", f"{REPO}/tags", {"name": "v1"})
    told = Story(ann, ben, cleo)
    told.write(ann, "PUT", "labels/production", {"ref": "v1"}, why="The first release")
    told.write(ben, "PUT", "targets/nightly_base", made("nightly_base", temperature=1.4), why=HOTTER)
    told.write(ben, "POST", "targets/nightly_base/rebase", {"descendants": True}, why=HOTTER)
    told.write(cleo, "PUT", f"targets/{SHORT}", made(SHORT, max_tokens=50), why=SHORTER)
    told.write(cleo, "PUT", "labels/production", {"ref": "HEAD"}, why="The release of Friday")
    return told


def who_and_why(commit: Mapping[str, Any]) -> tuple[str, str]:
    return commit["author"]["user"], commit["reason"]


def test_each_question_takes_one_call(story: Story):
    by_ben, by_cleo = (story.ben.id, HOTTER), (story.cleo.id, SHORTER)

    # Where does this value come from, who set it, and why?
    explained = story.ask("targets/nightly_code_07/explain")
    [field] = [field for field in explained["fields"] if field["field"] == "/temperature"]
    assert (field["value"], field["layer"], field["name"]) == (1.4, "template", "nightly_base")
    assert [beaten["value"] for beaten in field["beaten"]] == [0.7, 1.0]
    assert who_and_why(explained["commits"][field["commit"]]) == by_ben

    # Which targets have it now?
    listed = story.ask("targets", where="temperature>1", fields="temperature", limit=100)
    assert [(found["target_name"], found["fields"]) for found in listed["targets"]] == [
        (name, {"temperature": 1.4}) for name in HOT
    ]

    # Who changed this field anywhere, from what to what?
    log = story.ask("log", field="temperature", path="targets/", limit=2)["commits"]
    assert [who_and_why(commit) for commit in log] == [by_ben, by_ben]
    assert {file["path"] for commit in log for file in commit["files"]} == {f"targets/{name}.yml" for name in HOT}
    changes = [change for commit in log for file in commit["files"] for change in file["changes"]]
    assert all(change == {"field": "/temperature", "old": 0.7, "new": 1.4} for change in changes)

    # What else was changed since the release?
    since = story.ask("diff", from_="v1", path="targets/", limit=100)
    assert since["counts"] == {"created": 0, "updated": len(ALL), "deleted": 0}
    [short] = [file for file in since["files"] if file["name"] == SHORT]
    assert {"field": "/max_tokens", "old": 100, "new": 50} in short["changes"]
    assert who_and_why(short["changed"]) == by_cleo

    # Who said so?
    assert [who_and_why(commit) for commit in story.ask("log", reason="agreed with una")["commits"]] == [by_ben, by_ben]

    # Who uses this template, and this prompt?
    uses = story.ask("targets/nightly_base/uses")
    assert sorted(user["target_name"] for user in uses["targets"]) == sorted({*ALL} - {"nightly_base"})
    assert {user["state"] for user in uses["targets"]} == {"current"}
    assert [(label["name"], label["same"]) for label in uses["labels"]] == [("production", True)]
    assert [(tag["name"], tag["same"]) for tag in uses["tags"]] == [("v1", False)]
    named = story.ask("prompts/math/uses")["targets"]
    assert [user["target_name"] for user in named] == [name for name in ALL if "math" in name]
    assert {tuple(user["fields"]) for user in named} == {("teacher_prompt",)}

    # What was in force, from when to when, and who put it there?
    now, first = story.ask("targets/nightly_code_07/timeline", label="production")["periods"]
    assert who_and_why(now["moved_by"]) == (story.cleo.id, "The release of Friday")
    assert who_and_why(first["moved_by"]) == (story.ann.id, "The first release")
    assert (now["to"], first["to"]) == (None, now["from"])
    assert story.ask("targets/nightly_code_07", ref=first["commit"])["config"]["temperature"] == 0.7

    # What would going back change?
    asked = {"ref": "v1", "dry_run": True}
    assert story.ann.call("PUT", f"{REPO}/labels/production", asked)["targets"]["updated"] == len(ALL)


def test_the_mistake_is_put_right_and_nothing_else_changed(story: Story, git: Git):
    before = story.ask("log", limit=1)["commits"][0]["commit"]
    story.write(story.ann, "PUT", "labels/production", {"ref": "v1"}, why="Too hot")
    assert story.ask("targets/nightly_code_07", ref="production")["config"]["temperature"] == 0.7
    story.write(story.ann, "POST", "targets/nightly_base/revert", {"to": "v1"}, why="Too hot")
    story.write(story.ann, "POST", "targets/nightly_base/rebase", {"descendants": True}, why="Too hot")

    [left] = story.ask("diff", from_="v1", path="targets/")["files"]  # one call shows that nothing else differs
    assert (left["name"], left["action"]) == (SHORT, "updated")
    put_right = story.ask("diff", from_=before, path="targets/", limit=1)
    assert put_right["counts"] == {"created": 0, "updated": len(HOT) + 1, "deleted": 0}
    assert story.ask("targets", where="temperature>1", fields="temperature")["targets"] == []

    git("clone", "--quiet", story.ann.clone_url(), "clone")
    release = story.ask("tags/v1")["commit"][:10]
    rebased, reverted, moved = git("-C", "clone", "log", "--format=%s", "-3").stdout.splitlines()
    assert rebased == "Rebase nightly_code and 35 more: temperature 1.4 → 0.7"
    assert reverted == f"Revert nightly_base to {release}: temperature 1.4 → 0.7"
    assert moved.startswith("label production: ")
    assert git("-C", "clone", "log", "-1", "--format=%b").stdout.startswith("Too hot\n")
    git("-C", "clone", "checkout", "--quiet", "production")
    live, released = git("-C", "clone", "rev-parse", "HEAD", "v1^{commit}").stdout.split()
    assert live == released
