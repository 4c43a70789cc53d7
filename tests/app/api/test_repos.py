"""`/v1/repo`: create, read, list."""

from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from app.registry.messages import Origin
from app.settings import Settings
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import target
from tests.server import MASTER_KEY
from tests.storage.repositories import git, settle

BASE_MODEL = "Qwen/Qwen3-32B"


def repository(app: Flask, name: str, owner: str = "alice") -> Path:
    return app.extensions["bakehouse"].settings.data_dir / f"repos/{owner}/{name}.git"


def test_creating_a_repo_again_is_200(alice: Client):
    body = {"repo_name": "new"}
    answer = alice.post("/v1/repo", body)
    expected = {
        "repo_name": "new",
        "base_model": BASE_MODEL,
        "clone_url": "http://localhost/git/alice/new.git",
    }
    assert (answer.status_code, answer.json) == (201, expected)
    for again in (body, {**body, "base_model": None}, {**body, "base_model": BASE_MODEL}):
        answer = alice.post("/v1/repo", again)
        assert (answer.status_code, answer.json) == (200, expected)
    other = alice.post("/v1/repo", {**body, "base_model": "other"})
    assert_error(other, 409, "RESOURCE_CONFLICT", "'new'", BASE_MODEL)
    assert alice.get("/v1/repo/new").json == expected


def test_a_new_repo_has_readme_default_and_repo_file(app: Flask, alice: Client):
    alice.post("/v1/repo", {"repo_name": "new", "base_model": "my/model"})
    path = repository(app, "new")
    assert git(path, "ls-tree", "-r", "--name-only", "main").split() == [
        ".gitattributes",
        "README.md",
        "defaults/target.yml",
        "repo.yml",
    ]
    assert git(path, "show", "main:repo.yml") == "base_model: my/model\nlayout: 1\n"
    assert git(path, "show", "main:defaults/target.yml") == (
        "config:\n  generators: []\n  model_name: my/model\n  num_traj_per_stimulus: 1\n"
        "  max_concurrency: 10\n  temperature: 1.0\n  extra_kwargs: {}\n"
    )
    assert git(path, "log", "--format=%an %s") == "Alice Create repo new\n"


def test_put_creates_a_repo_as_post_does(alice: Client):
    for _ in range(2):
        answer = alice.put("/v1/repo", {"repo_name": "new", "base_model": "m"})
        assert (answer.status_code, answer.json["base_model"]) == (200, "m")
    assert_error(alice.put("/v1/repo", {"repo_name": "new", "base_model": "n"}), 409, "RESOURCE_CONFLICT")


def test_a_tree_has_no_bakes(alice: Client):
    alice.post("/v1/repo", {"repo_name": "new", "base_model": "my/model"})
    answer = alice.get("/v1/repo/new/tree")
    assert (answer.status_code, answer.json) == (200, {"base_model": "my/model", "bakes": {}, "edges": []})
    assert_error(alice.get("/v1/repo/nope/tree"), 404, "RESOURCE_NOT_FOUND", "'nope'")
    assert_mistakes(alice.get("/v1/repo/-x/tree"), (["path", "repo_name"], "string_pattern_mismatch"))


def test_repos_are_listed_with_pages_and_metadata(alice: Client):
    for name in ("c", "a", "b"):
        alice.post("/v1/repo", {"repo_name": name, "base_model": f"model-{name}"})
    assert alice.get("/v1/repo").json == {"repos": ["a", "b", "c", "demo"]}
    page = alice.get("/v1/repo?include_metadata=true&offset=1&limit=2").json
    assert page == {
        "repos": [
            {"repo_name": "b", "base_model": "model-b"},
            {"repo_name": "c", "base_model": "model-c"},
        ],
        "offset": 1,
        "limit": 2,
        "has_more": True,
        "total": 4,
    }
    last = alice.get("/v1/repo?include_metadata=true&offset=3").json
    assert (last["limit"], last["has_more"], len(last["repos"])) == (50, False, 1)
    assert alice.get("/v1/repo?include_metadata=true&offset=9").json["repos"] == []
    assert alice.get("/v1/repo?include_metadata=true&offset=3&limit=&user_id=").json == last


@pytest.mark.parametrize(
    ("query", "name", "kind"),
    [
        ("include_metadata=maybe", "include_metadata", "bool_parsing"),
        ("limit=0", "limit", "greater_than_equal"),
        ("limit=1001", "limit", "less_than_equal"),
        ("limit=x", "limit", "int_parsing"),
        ("offset=-1", "offset", "greater_than_equal"),
        ("offset=1000000001", "offset", "less_than_equal"),
        ("offset=1.5", "offset", "int_parsing"),
        ("offset=" + "9" * 5000, "offset", "int_parsing"),
    ],
)
def test_bad_page_parameters_are_refused(alice: Client, query: str, name: str, kind: str):
    assert_mistakes(alice.get(f"/v1/repo?{query}"), (["query", name], kind))


def test_bad_repo_names_are_refused(alice: Client):
    for name in ("batch", "a..b", "a/b", "x.git", "-x", ""):
        response = alice.post("/v1/repo", {"repo_name": name})
        assert_mistakes(response, (["body", "repo_name"], "string_pattern_mismatch"))
    assert_mistakes(
        alice.post("/v1/repo", {"repo_name": "a", "base_model": ""}),
        (["body", "base_model"], "string_too_short"),
    )
    assert_error(alice.post("/v1/repo", {"repo_name": "DEMO"}), 409, "RESOURCE_CONFLICT", "DEMO", "demo")
    assert alice.get("/v1/repo").json == {"repos": ["demo"]}


@pytest.mark.parametrize("path", ["..", "%2e%2e", "a%00b", "a%0Ab", "-x", ".hidden", "x.git", "a%20b", "%F0%9F"])
def test_path_traversal_in_names_is_refused(alice: Client, path: str):
    for suffix in ("", "/targets", "/targets/a"):
        response = alice.get(f"/v1/repo/{path}{suffix}")
        assert_mistakes(response, (["path", "repo_name"], "string_pattern_mismatch"))
    response = alice.get(f"/v1/repo/demo/targets/{path}")
    assert_mistakes(response, (["path", "target_name"], "string_pattern_mismatch"))


def test_extra_slashes_in_an_address_are_answered_404(alice: Client):
    assert_error(alice.post("/v1/repo/demo/targets/", target("a")), 404, "RESOURCE_NOT_FOUND")
    for path in ("/v1/repo/..%2f..%2fetc", "/v1//repo", "/v1/repo/a/b/c", "/v1/repo/%2e%2e/%2e%2e/x"):
        assert_error(alice.get(path), 404, "RESOURCE_NOT_FOUND")


def test_folders_that_are_not_repos_are_not_listed(app: Flask, alice: Client):
    for name in (".git", "my repo.git", "a..b.git", ".new-x.git", "plain"):
        (repository(app, "demo").parent / name).mkdir()
    assert alice.get("/v1/repo").json == {"repos": ["demo"]}
    assert alice.get("/v1/repo?include_metadata=true").json["total"] == 1


@pytest.mark.parametrize("host", ["{evil}", "a b", "x/y", ""])
def test_a_malformed_host_header_is_not_used_in_the_clone_url(alice: Client, host: str):
    url = alice.get("/v1/repo/demo", Host=host).json["clone_url"]
    assert url == "http://127.0.0.1:8080/git/alice/demo.git"


def test_clone_url_follows_the_setting(tmp_path: Path):
    app = create_app(Settings(tmp_path, master_key=MASTER_KEY, public_url="https://bake.example.org/b"))
    answer = Client(app, MASTER_KEY).post("/v1/repo", {"repo_name": "demo"})
    assert answer.json["clone_url"] == "https://bake.example.org/b/git/admin/demo.git"


def test_a_damaged_repo_is_named_and_others_are_answered(app: Flask, alice: Client):
    alice.post("/v1/repo", {"repo_name": "bad"})
    alice.post("/v1/repo/bad/targets", target("a"))
    alice.post("/v1/repo/demo/targets", target("a"))
    settle(repository(app, "bad"))
    (repository(app, "bad") / "refs/heads/main").write_text("nonsense")
    for response in (
        alice.get("/v1/repo/bad"),
        alice.get("/v1/repo/bad/targets"),
        alice.get("/v1/repo/bad/targets/a"),
        alice.post("/v1/repo/bad/targets", target("b")),
        alice.put("/v1/repo/bad/targets/a", {"template": "default"}),
        alice.post("/v1/repo", {"repo_name": "bad"}),
    ):
        assert_error(response, 503, "STORAGE_UNAVAILABLE", "'bad'", "damaged")
        assert int(response.headers["Retry-After"]) > 0
        assert str(app.extensions["bakehouse"].settings.data_dir) not in response.text
    assert alice.get("/v1/repo/demo/targets/a").status_code == 200
    assert alice.post("/v1/repo/demo/targets", target("b")).status_code == 201
    assert alice.get("/v1/repo").json == {"repos": ["bad", "demo"]}
    page = alice.get("/v1/repo?include_metadata=true").json["repos"]
    assert [(repo["repo_name"], repo["base_model"]) for repo in page] == [("bad", None), ("demo", BASE_MODEL)]


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "a: [",
        "config: 5\n",
        "config: {}\n",
        "template: a\ntemplate_version: b\noverrides: {}\nconfig: {generators: 5}\n",
        "template: a\ntemplate_version: b\noverrides: {}\nconfig: {extra_kwargs: {1: a}}\n",
        "template: a\ntemplate_version: b\noverrides: {}\nconfig: {when: 2024-01-01}\n",
    ],
)
def test_a_malformed_document_pushed_from_a_clone_is_damage(app: Flask, alice: Client, tmp_path: Path, content: str):
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(repository(app, "demo")), str(clone))
    (clone / "targets").mkdir()
    (clone / "targets/a.yml").write_text(content)
    git(clone, "add", ".")
    git(clone, "-c", "user.name=x", "-c", "user.email=x@y", "commit", "--quiet", "-m", "Tamper")
    git(clone, "push", "--quiet", "origin", "main")
    response = alice.get("/v1/repo/demo/targets/a")
    assert_error(response, 503, "STORAGE_UNAVAILABLE", "'demo'", "targets/a.yml")
    assert alice.get("/v1/repo/demo/targets").json == {"targets": ["a"]}


def test_names_may_end_in_a_dot(alice: Client):
    assert alice.post("/v1/repo", {"repo_name": "demo."}).status_code == 201
    assert alice.post("/v1/repo/demo./targets", target("a.")).status_code == 201
    assert alice.get("/v1/repo/demo./targets/a.").status_code == 200
    assert alice.get("/v1/repo").json == {"repos": ["demo", "demo."]}
    assert_error(alice.get("/v1/repo/x./targets"), 404, "RESOURCE_NOT_FOUND", "'x.'")


@pytest.mark.parametrize(
    ("path", "content", "address"),
    [
        ("defaults/target.yml", "config:\n  temperature: hot\n", "/v1/repo/demo/defaults/target"),
        ("defaults/target.yml", "config:\n  generators:\n  - numq: few\n", "/v1/repo/demo/defaults/target"),
        ("prompts/p.yml", "messages:\n- 5\n", "/v1/repo/demo/prompts/p"),
        ("prompts/p.yml", "messages: []\ntools:\n- a\n", "/v1/repo/demo/prompts/p"),
        ("targets/t.yml", "template: default\n", "/v1/repo/demo/targets/t"),
    ],
)
def test_a_malformed_document_written_by_hand_is_damage(app: Flask, alice: Client, path, content, address):
    repository = app.extensions["bakehouse"].store.open("alice/demo")

    def spoil(transaction):
        transaction.write(path, content.encode())
        transaction.commit("By hand", Origin("operator").author)

    repository.transact(spoil)
    assert_error(alice.get(address), 503, "STORAGE_UNAVAILABLE", "'demo'", path)
    assert alice.get("/v1/repo").status_code == 200


def test_list_of_repos_with_a_known_etag_is_answered_304(alice: Client):
    version = alice.get("/v1/repo").headers["ETag"]
    known = alice.get("/v1/repo", if_none_match=version)
    assert (known.status_code, known.data, known.headers["ETag"]) == (304, b"", version)
    alice.post("/v1/repo", {"repo_name": "second"})
    fresh = alice.get("/v1/repo", if_none_match=version)
    assert (fresh.status_code, fresh.json) == (200, {"repos": ["demo", "second"]})
    page = alice.get("/v1/repo?include_metadata=true", if_none_match=fresh.headers["ETag"])
    assert (page.status_code, "ETag" in page.headers) == (200, False)


def test_answers_about_a_repo_have_its_commit(app: Flask, alice: Client):
    made = alice.post("/v1/repo", {"repo_name": "new"})
    settle(app.extensions["bakehouse"].settings.data_dir)
    first = git(repository(app, "new"), "rev-parse", "main").strip()
    again = alice.post("/v1/repo", {"repo_name": "new"})
    old = alice.put("/v1/repo", {"repo_name": "new"})
    for answer in (made, again, old, alice.get("/v1/repo/new"), alice.get("/v1/repo/new/tree")):
        assert answer.headers["Git-Commit"] == first
    alice.post("/v1/repo/new/targets", target("a"))
    assert alice.get("/v1/repo/new").headers["Git-Commit"] != first
    assert alice.get(f"/v1/repo/new?ref={first}").headers["Git-Commit"] == first
