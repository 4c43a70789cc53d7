"""The settings of a repo in the browser: grants, name, owner, end, and deleted repos."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.app.api.helpers import log, put
from tests.app.web.visitor import Visitor
from tests.client import Client

SignIn = Callable[[str], Visitor]

SETTINGS = "/alice/demo/settings"
DELETED = "/-/deleted/alice"


@pytest.fixture
def bob(master: Client) -> Client:
    return Client(master.app, master.post("/v1/admin/users", {"user_id": "bob"}).json["api_key"])


def limited(master: Client, sign_in: SignIn, **limits: object) -> Visitor:
    """Return alice, signed in with a token `ci` that has limits."""
    return sign_in(master.post("/v1/admin/users/alice/tokens", {"name": "ci", **limits}).json["api_key"])


def restore_address(page: str) -> str:
    [address] = re.findall(r'action="(/-/deleted/[^"]+)"', page)
    return str(address)


def test_a_repo_is_shared_changed_and_no_longer_shared(visitor: Visitor, alice: Client, bob: Client):
    page = visitor.get(SETTINGS).text
    assert "Nobody yet." in page
    assert "Qwen/Qwen3-32B" in page
    answer = visitor.post(f"{SETTINGS}/grants", grant_user_id="bob", grant_access="read", grant_reason="To look")
    assert (answer.status_code, answer.location) == (303, SETTINGS)
    assert "bob has read access now." in visitor.get(SETTINGS).text
    assert log(visitor.app, "-1", "--format=%an").strip() == "Alice"
    assert alice.get("/v1/repo/demo/log").json["commits"][0]["reason"] == "To look"
    assert bob.get("/v1/shared").json["repos"][0]["access"] == "read"
    [other] = re.findall(r'name="grant_access" value="(\w+)"', visitor.get(SETTINGS).text)
    visitor.post(f"{SETTINGS}/grants", grant_user_id="bob", grant_access=other)
    assert alice.get("/v1/repo/demo/grants").json["grants"] == [{"user_id": "bob", "access": "write"}]
    visitor.post(f"{SETTINGS}/grants/bob/stop")
    assert "no longer shared with bob" in visitor.get(SETTINGS).text
    assert bob.get("/v1/shared").json["repos"] == []


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        ({"grant_user_id": "nobody", "grant_access": "read"}, 404, "User &#39;nobody&#39;"),
        ({"grant_user_id": "", "grant_access": "read"}, 404, "User &#39;&#39;"),
        ({"grant_user_id": "alice", "grant_access": "read"}, 409, "owns this repo"),
        ({"grant_user_id": "bob", "grant_access": "all"}, 422, "This must be one of read, write"),
        ({"grant_user_id": "bob", "grant_access": "read", "grant_reason": "x" * 1001}, 422, "The reason"),
    ],
)
@pytest.mark.usefixtures("bob")
def test_sharing_that_is_refused_is_told_at_the_form(
    visitor: Visitor, alice: Client, fields: dict[str, str], status: int, sentence: str
):
    answer = visitor.post(f"{SETTINGS}/grants", **fields)
    assert answer.status_code == status
    assert sentence in answer.text
    assert f'value="{fields["grant_user_id"]}"' in answer.text
    assert alice.get("/v1/repo/demo/grants").json["grants"] == []


def test_a_repo_gets_another_name_and_the_old_one_leads_to_it(visitor: Visitor, alice: Client):
    put(alice, "a")
    answer = visitor.post(f"{SETTINGS}/rename", rename_name="cakes", rename_reason="It grew")
    assert (answer.status_code, answer.location) == (303, "/alice/cakes/settings")
    assert "demo is cakes now." in visitor.get("/alice/cakes/settings").text
    moved = visitor.get("/alice/demo/targets/a")
    assert moved.status_code in (301, 308)
    assert moved.location.endswith("/alice/cakes/targets/a")
    assert visitor.get("/alice/cakes/targets/a").status_code == 200


def test_a_name_that_is_taken_or_wrong_is_told_at_the_form(visitor: Visitor, alice: Client):
    alice.post("/v1/repo", {"repo_name": "other"})
    for name, status, sentence in (
        ("other", 409, "There is a repo &#39;alice/other&#39; already"),
        ("Other", 409, "only in case"),
        ("a b", 422, "This name must start with a letter or digit"),
        ("con", 422, "keeps this name for a device"),
    ):
        answer = visitor.post(f"{SETTINGS}/rename", rename_name=name)
        assert (answer.status_code, sentence in answer.text) == (status, True), answer.text
        assert f'value="{name}"' in answer.text
    assert alice.get("/v1/repo").json["repos"] == ["demo", "other"]


def test_a_repo_is_deleted_when_its_name_is_typed_and_restored(visitor: Visitor, alice: Client):
    put(alice, "a")
    wrong = visitor.post(f"{SETTINGS}/delete", delete_typed="Demo")
    assert wrong.status_code == 422
    assert "Type demo to confirm" in wrong.text
    assert alice.get("/v1/repo").json["repos"] == ["demo"]
    answer = visitor.post(f"{SETTINGS}/delete", delete_typed="demo", delete_reason="No longer <used>")
    assert (answer.status_code, answer.location) == (303, DELETED)
    page = visitor.get(DELETED).text
    assert "demo is deleted." in page
    assert "No longer &lt;used&gt;" in page
    assert alice.get("/v1/repo").json["repos"] == []
    alice.post("/v1/repo", {"repo_name": "demo"})
    address = restore_address(page)
    taken = visitor.post(address, **{f"{address.rpartition('/')[2]}_name": "demo"})
    assert taken.status_code == 409
    assert "There is a repo" in taken.text
    answer = visitor.post(address, **{f"{address.rpartition('/')[2]}_name": "demo2"})
    assert (answer.status_code, answer.location) == (303, "/alice/demo2/settings")
    assert alice.get("/v1/repo/demo2/targets/a").status_code == 200
    assert "There is none." in visitor.get(DELETED).text
    assert f'href="{DELETED}"' in visitor.get("/").text
    again = visitor.post(address)
    assert again.status_code == 404


def test_a_repo_is_given_away_with_the_master_key_alone(
    visitor: Visitor, operator: Visitor, alice: Client, bob: Client
):
    assert "Give to another user" not in visitor.get(SETTINGS).text
    refused = visitor.post(f"{SETTINGS}/transfer", transfer_user_id="bob")
    assert refused.status_code == 403
    assert "Only the master key may give a repo to another user." in refused.text
    assert "Give to another user" in operator.get(SETTINGS).text
    nobody = operator.post(f"{SETTINGS}/transfer", transfer_user_id="nobody", transfer_typed="demo")
    assert nobody.status_code == 404
    wrong = operator.post(f"{SETTINGS}/transfer", transfer_user_id="bob", transfer_typed="")
    assert (wrong.status_code, "Type demo to confirm" in wrong.text) == (422, True)
    assert alice.get("/v1/repo").json["repos"] == ["demo"]
    answer = operator.post(f"{SETTINGS}/transfer", transfer_user_id="bob", transfer_typed="demo")
    assert (answer.status_code, answer.location) == (303, "/bob/demo/settings")
    assert bob.get("/v1/repo").json["repos"] == ["demo"]
    assert alice.get("/v1/repo").json["repos"] == []


def test_the_bundle_is_the_repo_for_whoever_may_read_it(
    visitor: Visitor, sign_in: SignIn, alice: Client, bob: Client, tmp_path: Path
):
    put(alice, "a")
    answer = visitor.get("/alice/demo/bundle")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="alice-demo.bundle"'
    (tmp_path / "demo.bundle").write_bytes(answer.data)
    subprocess.run(["git", "clone", "--quiet", tmp_path / "demo.bundle", tmp_path / "clone"], check=True)
    assert (tmp_path / "clone/targets/a.yml").exists()
    guest = sign_in(bob.token)
    assert guest.get("/alice/demo/bundle").status_code == 403
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    assert guest.get("/alice/demo/bundle").data.startswith(b"# v2 git bundle")


def test_a_guest_is_offered_no_settings_and_refused_them(sign_in: SignIn, alice: Client, bob: Client):
    put(alice, "a")
    alice.put("/v1/repo/demo/grants/bob", {"access": "write"})
    guest = sign_in(bob.token)
    assert SETTINGS not in guest.get("/alice/demo/targets/a").text
    posts = {"grants": {}, "grants/bob/stop": {}, "rename": {}, "transfer": {}, "delete": {"delete_typed": "demo"}}
    answers = [guest.get(SETTINGS), guest.get(DELETED)]
    answers += [guest.post(f"{SETTINGS}/{path}", **fields) for path, fields in posts.items()]
    for answer in answers:
        assert answer.status_code == 403
        assert "Only &#39;alice&#39; and the master key may" in answer.text
    assert alice.get("/v1/repo").json["repos"] == ["demo"]


def test_a_read_only_token_sees_the_settings_and_changes_none(master: Client, sign_in: SignIn, alice: Client):
    put(alice, "a")
    master.post("/v1/admin/users", {"user_id": "bob"})
    alice.put("/v1/repo/demo/grants/bob", {"access": "write"})
    reader = limited(master, sign_in, access="read")
    assert f'href="{SETTINGS}"' in reader.get("/alice/demo/targets/a").text
    page = reader.get(SETTINGS).text
    assert "bob" in page
    assert page.count("The token &#39;ci&#39; is for reading only.") == 3
    assert f'action="{SETTINGS}' not in page
    for path in ("grants", "grants/bob/stop", "rename", "delete"):
        answer = reader.post(f"{SETTINGS}/{path}", delete_typed="demo", rename_name="x", grant_user_id="bob")
        assert answer.status_code == 403
        assert "is for reading only" in answer.text
    assert len(alice.get("/v1/repo/demo/grants").json["grants"]) == 1


def test_a_token_for_some_repos_may_delete_them_and_neither_share_nor_rename(
    master: Client, sign_in: SignIn, alice: Client
):
    alice.post("/v1/repo", {"repo_name": "other"})
    some = limited(master, sign_in, repos=["demo"])
    page = some.get(SETTINGS).text
    assert "is for some repos only, and may not share them." in page
    assert f'action="{SETTINGS}/rename"' not in page
    assert some.get("/alice/other/settings").status_code == 403
    answer = some.post(f"{SETTINGS}/grants", grant_user_id="bob", grant_access="read")
    assert (answer.status_code, "may not share them" in answer.text) == (403, True)
    answer = some.post(f"{SETTINGS}/rename", rename_name="x")
    assert (answer.status_code, "is not for repo &#39;x&#39;" in answer.text) == (403, True)
    alice.delete("/v1/repo/other")
    assert some.post(f"{SETTINGS}/delete", delete_typed="demo").status_code == 303
    page = some.get(DELETED).text
    assert "<h2>demo</h2>" in page
    assert "<h2>other</h2>" not in page
    address = restore_address(page)
    answer = some.post(address, **{f"{address.rpartition('/')[2]}_name": "x"})
    assert (answer.status_code, "is not for repo &#39;x&#39;" in answer.text) == (403, True)
    assert some.post(address).status_code == 303


def test_an_older_state_shows_whom_it_was_shared_with_and_offers_no_change(
    visitor: Visitor, alice: Client, bob: Client
):
    first = put(alice, "a")
    alice.put("/v1/repo/demo/grants/bob", {"access": "write"})
    assert bob.get("/v1/shared").json["repos"]
    page = visitor.get(f"{SETTINGS}?ref={first}").text
    assert "Nobody yet." in page
    assert "These are the settings of an older state." in page
    assert f'action="{SETTINGS}' not in page


def test_nothing_changes_without_the_token_of_a_form(visitor: Visitor, alice: Client):
    for path, fields in (("delete", {"delete_typed": "demo"}), ("rename", {"rename_name": "x"}), ("grants", {})):
        assert visitor.client.post(f"{SETTINGS}/{path}", data=fields).status_code == 400
    assert alice.get("/v1/repo").json["repos"] == ["demo"]
