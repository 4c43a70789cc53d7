"""Clone and fetch with real git, from a real server."""

import gzip
import http.client
import threading
import urllib.error
import urllib.request
from base64 import b64encode
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.conftest import Git, User, call, new_user
from tests.payloads import target
from tests.server import MASTER_KEY, Server


def test_a_clone_has_files_and_history(user: User, git: Git, tmp_path: Path):
    user.call("POST", "/v1/repo/demo/targets", target("coding_target"))
    user.call("POST", "/v1/repo/demo/targets", target("bold", "coding_target", temperature=1.5))
    git("clone", user.clone_url(), "clone")
    assert (tmp_path / "clone/targets/coding_target.yml").read_text().startswith("template: default\n")
    log = git("-C", "clone", "log", "--format=%an|%cn|%s|%b", "--", "targets/bold.yml").stdout
    assert log.startswith(
        "Una|Bakehouse|Create bold from coding_target: temperature 1.0 → 1.5|temperature: 1.0 → 1.5\n"
    )
    assert "Template: coding_target" in log
    git("-C", "clone", "fsck", "--strict")

    user.call("PUT", "/v1/repo/demo/targets/bold", {"template": "default"})
    git("-C", "clone", "pull", "--ff-only")
    assert git("-C", "clone", "log", "-1", "--format=%s").stdout == "bold, now from default: 7 fields\n"


def test_a_label_is_a_branch_of_a_clone_right_after_each_move(user: User, git: Git, tmp_path: Path):
    """Forward, back and away: a fetch follows, and `main` stays what a clone checks out."""
    commits = []
    for temperature in (0.5, 0.75):
        user.call("PUT", "/v1/repo/demo/targets/a", {"template": "default", "overrides": {"temperature": temperature}})
        user.call("PUT", "/v1/repo/demo/labels/production", {"ref": "main"})
        listed = git("ls-remote", user.clone_url(), "refs/heads/production").stdout
        commits.append(listed.split()[0])
    git("clone", user.clone_url(), "clone")
    assert git("-C", "clone", "branch", "--show-current").stdout == "main\n"
    git("-C", "clone", "checkout", "production")
    assert "temperature: 0.75" in (tmp_path / "clone/targets/a.yml").read_text()
    user.call("PUT", "/v1/repo/demo/labels/production", {"ref": commits[0]})
    git("-C", "clone", "fetch", "--prune")
    assert git("-C", "clone", "rev-parse", "origin/production").stdout.strip() == commits[0]
    user.call("DELETE", "/v1/repo/demo/labels/production")
    git("-C", "clone", "fetch", "--prune")
    remote = git("-C", "clone", "for-each-ref", "--format=%(refname)", "refs/remotes/origin").stdout
    assert remote.split() == ["refs/remotes/origin/HEAD", "refs/remotes/origin/main"]


def test_tags_come_with_a_clone_and_a_fetch(user: User, git: Git):
    user.call("POST", "/v1/repo/demo/tags", {"name": "v1", "message": "The first"})
    git("clone", user.clone_url(), "clone")
    user.call("POST", "/v1/repo/demo/targets", target("coding_target"))
    user.call("POST", "/v1/repo/demo/tags", {"name": "v2"})
    git("-C", "clone", "fetch")
    told = git("-C", "clone", "for-each-ref", "refs/tags", "--format=%(refname:short) %(taggername) %(subject)")
    assert told.stdout == "v1 Una The first\nv2 Una v2\n"
    assert git("-C", "clone", "describe", "origin/main").stdout == "v2\n"


def new_token(user: User, **fields: object) -> str:
    path = f"/v1/admin/users/{user.id}/tokens"
    body = {"name": f"token-{len(fields)}", **fields}
    return call(user.server, MASTER_KEY, "POST", path, body)["api_key"]


def test_a_token_limited_to_repos_clones_only_these(user: User, git: Git):
    user.call("POST", "/v1/repo", {"repo_name": "other"})
    reader = new_token(user, access="read")
    limited = new_token(user, access="read", repos=["demo"])
    git("clone", user.clone_url(token=reader), "all")
    git("clone", user.clone_url("other", token=reader), "other")
    git("clone", user.clone_url(token=limited), "demo")
    for repo in ("other", "nowhere"):
        refused = git("clone", user.clone_url(repo, token=limited), "refused", fails=True).stderr
        assert f"is not for repo '{repo}'" in refused
    assert "403" in git("-C", "all", "push", "origin", "main", fails=True).stderr


def test_a_guest_clones_a_repo_while_it_is_shared(user: User, server: Server, git: Git):
    guest = new_user(server)
    url = guest.clone_url(owner=user.id)
    assert "not found" in git("clone", url, "before", fails=True).stderr
    user.call("PUT", f"/v1/repo/demo/grants/{guest.id}", {"access": "read"})
    git("clone", url, "shared")
    git("-C", "shared", "fetch")
    limited = new_token(guest, repos=["demo"])  # the guest's own repo of that name
    refused = git("clone", guest.clone_url(token=limited, owner=user.id), "refused", fails=True)
    assert f"not for repo 'demo' of '{user.id}'" in refused.stderr
    user.call("DELETE", f"/v1/repo/demo/grants/{guest.id}")
    assert "not found" in git("-C", "shared", "fetch", fails=True).stderr


@pytest.mark.parametrize("version", ["0", "1", "2"])
def test_clone_works_with_every_git_protocol(user: User, git: Git, version: str):
    user.call("POST", "/v1/repo/demo/targets", target())
    trace = git("-c", f"protocol.version={version}", "clone", user.clone_url(), "clone", GIT_TRACE_PACKET="1").stderr
    assert ("version 2" in trace) == (version == "2")
    assert ("version 1" in trace) == (version == "1")
    assert git("-C", "clone", "rev-list", "--count", "HEAD").stdout == "2\n"


@pytest.mark.parametrize("version", ["0", "2"])
def test_shallow_and_partial_clones_work(user: User, git: Git, tmp_path: Path, version: str):
    for name in ("a", "b", "c"):
        user.call("POST", "/v1/repo/demo/targets", target(name))
    protocol = ("-c", f"protocol.version={version}")
    git(*protocol, "clone", "--depth", "1", user.clone_url(), "shallow")
    assert git("-C", "shallow", "rev-list", "--count", "HEAD").stdout == "1\n"
    git("-C", "shallow", "fetch", "--unshallow")
    assert git("-C", "shallow", "rev-list", "--count", "HEAD").stdout == "4\n"
    git(*protocol, "clone", "--filter=blob:none", "--no-checkout", user.clone_url(), "partial")
    listed = git("-C", "partial", "rev-list", "--objects", "--all", "--missing=print").stdout.splitlines()
    # README, repo.yml, default, attributes, and what the targets hold
    assert sum(line.startswith("?") for line in listed) == 5
    git("-C", "partial", "checkout", "main")
    assert (tmp_path / "partial/targets/c.yml").exists()


def test_a_large_fetch_sends_a_gzipped_body(user: User, git: Git):
    """git packs a request of more than 1 kB: here it tells of many commits that the server lacks."""
    git("clone", user.clone_url(), "clone")
    for branch in range(40):
        tree = git("-C", "clone", "rev-parse", "HEAD^{tree}").stdout.strip()
        identity = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        commit = git("-C", "clone", "commit-tree", tree, "-m", str(branch), **identity).stdout.strip()
        git("-C", "clone", "update-ref", f"refs/heads/branch-{branch}", commit)
    user.call("POST", "/v1/repo/demo/targets", target())
    trace = git("-C", "clone", "-c", "protocol.version=2", "fetch", GIT_TRACE_CURL="1").stderr
    assert "content-encoding: gzip" in trace.lower()
    log = git("-C", "clone", "log", "-1", "--format=%s", "origin/main").stdout
    assert log.startswith("Create coding_target from default: ")


def test_clones_made_beside_writers_are_sound(user: User, git: Git):
    stop = threading.Event()
    written = []

    def write() -> None:
        while not stop.is_set():
            name = f"t{len(written)}"
            user.call("POST", "/v1/repo/demo/targets", target(name))
            written.append(name)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            before = len(written)
            git("clone", user.clone_url(), f"clone-{number}")
            git("-C", f"clone-{number}", "fsck", "--strict")
            targets = git("-C", f"clone-{number}", "ls-files", "targets").stdout.split()
            assert before <= len(targets) <= len(written) + 1
    finally:
        stop.set()
        writer.join()


def test_clone_needs_valid_credentials(user: User, git: Git, server: Server):
    git("clone", user.clone_url(token=MASTER_KEY), "by-master")
    assert "Authentication failed" in git("clone", user.clone_url(token="wrong"), "x", fails=True).stderr
    without = git("clone", f"{server.url}/git/{user.id}/demo.git", "x", fails=True).stderr
    assert "could not read Username" in without  # git asked, as it does only after a 401
    others = user.clone_url().replace(f"/git/{user.id}/", "/git/somebody/")
    assert "not found" in git("clone", others, "x", fails=True).stderr
    assert "not found" in git("clone", user.clone_url("nope"), "x", fails=True).stderr


@pytest.mark.parametrize("name", ["x-access-token", "oauth2", "somebody", ""])
def test_a_token_clones_with_any_user_name(user: User, git: Git, name: str):
    git("clone", user.clone_url().replace(f"//{user.id}:", f"//{name}:"), "clone")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_a_token_clones_as_a_bearer(user: User, git: Git, server: Server, scheme: str):
    url = f"{server.url}/git/{user.id}/demo.git"
    header = f"http.extraHeader=Authorization: {scheme}"
    git("-c", f"{header} {user.token}", "clone", url, "clone")
    assert "could not read Username" in git("-c", f"{header} wrong", "clone", url, "x", fails=True).stderr


def test_a_user_name_beside_a_token_gives_no_access(user: User, server: Server, git: Git):
    """The token decides, also where the user name is that of the repo's owner or of the master key's user."""
    stranger = new_user(server)
    for name in (user.id, "admin"):
        url = stranger.clone_url(owner=user.id).replace(f"//{stranger.id}:", f"//{name}:")
        assert "not found" in git("clone", url, "x", fails=True).stderr


def test_a_url_without_git_at_its_end_is_cloned(user: User, git: Git):
    git("clone", user.clone_url().removesuffix(".git"), "clone")
    git("-C", "clone", "fetch")
    assert "not found" in git("clone", f"{user.clone_url()}.git", "x", fails=True).stderr


def test_a_push_is_refused_with_a_sentence(user: User, git: Git):
    git("clone", user.clone_url(), "clone")
    push = git("-C", "clone", "push", "origin", "HEAD:refs/heads/other", fails=True).stderr
    assert "Bakehouse does not take pushes" in push
    assert "403" in push


def request(user: User, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    """Send a request as git would, by hand."""
    credentials = b64encode(f"{user.id}:{user.token}".encode()).decode()
    sent = {"Authorization": f"Basic {credentials}"} | {k.replace("_", "-"): v for k, v in headers.items()}
    connection = http.client.HTTPConnection("127.0.0.1", user.server.port, timeout=60)
    with closing(connection):
        connection.request(method, f"/git/{user.id}/demo.git{path}", body, sent)
        response = connection.getresponse()
        return response.status, response.read()


@pytest.mark.parametrize("service", ["git-receive-pack", "git-upload-archive", "git-shell", "--help", ""])
def test_other_git_services_are_refused(user: User, service: str):
    status, body = request(user, "GET", f"/info/refs?service={service}")
    assert status == 403
    assert b'"code":"FORBIDDEN"' in body
    assert request(user, "POST", "/git-receive-pack")[0] == 403
    assert request(user, "GET", "/info/refs")[0] == 403
    assert request(user, "GET", "/HEAD")[0] == 404
    assert request(user, "GET", "/objects/info/packs")[0] == 404


def test_malformed_bodies_of_git_requests_are_refused(user: User):
    assert request(user, "POST", "/git-upload-pack", b"no gzip", Content_Encoding="gzip")[0] == 400
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    assert request(user, "POST", "/git-upload-pack", bomb, Content_Encoding="gzip")[0] == 413
    assert request(user, "POST", "/git-upload-pack", b"not a packet line")[0] == 200
    advertised = "/info/refs?service=git-upload-pack"
    assert request(user, "GET", advertised, Git_Protocol="version=2:" + "x" * 5000)[0] == 200


@pytest.mark.parametrize("path", ["../x.git", "a/../../x.git", "%2e%2e/%2e%2e.git", "a%2fb/c.git"])
def test_path_traversal_in_git_addresses_is_refused(server: Server, path: str):
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{server.url}/git/{path}/info/refs?service=git-upload-pack")
    assert caught.value.code in (401, 404)
    caught.value.close()
