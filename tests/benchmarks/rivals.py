"""What a user would use instead, with the same bodies, one client; each only where it is installed."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from app.registry import documents
from tests.benchmarks.load import Client
from tests.benchmarks.rates import new_repo, own_target
from tests.benchmarks.table import compare

CREATES = 40
GOAL = "goal 5"
_ALICE = "Basic YWxpY2U6c2VjcmV0"

_names = (f"rival-{number}" for number in count())

Body = dict[str, Any]
Create = Callable[[Body], None]


def rows(client: Client, data_dir: Path) -> Iterator[str]:
    """Yield a row for each rival, in creates a second of one client; one that is not installed says so."""
    for what, start in (
        ("git commit + git push to git http-backend", _pushing),
        ("MLflow's model registry, PostgreSQL", _mlflow),
        ("Kinto with history, PostgreSQL", _kinto),
    ):
        missing = _MISSING[start]()
        if missing:
            yield f"{what:44}  not measured: {missing}\n"
            continue
        repo = new_repo(client)
        with start(client, data_dir) as create:
            yield compare(
                "create, 1 client",
                lambda repo=repo: _posts(client, repo),
                f"  {what}",
                lambda create=create: _rate(create),
                GOAL,
            )


def _rate(create: Create) -> float:
    bodies = [own_target(next(_names)) for _ in range(CREATES)]
    start = time.perf_counter()
    for body in bodies:
        create(body)
    return CREATES / (time.perf_counter() - start)


def _posts(client: Client, repo: str) -> float:
    """Return our own rate, over one connection as the others have."""
    path, authorization = f"/v1/repo/{repo}/targets", f"Bearer {client.token}"
    with closing(http.client.HTTPConnection("127.0.0.1", client.port)) as connection:
        return _rate(lambda body: _send(connection, "POST", path, body, authorization))


@contextmanager
def _pushing(client: Client, data_dir: Path) -> Iterator[Create]:
    """Write the file, commit it and push it, as a user of a plain git server would."""
    bare, work = data_dir / "pushed.git", data_dir / "pushing"
    _run("git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    _run("git", "-C", str(bare), "config", "http.receivepack", "true")
    url = f"http://127.0.0.1:{client.port}/yardstick/backend/pushed.git"
    _run("git", "init", "--quiet", "--initial-branch=main", str(work))
    _run("git", "-C", str(work), "remote", "add", "origin", url)
    for name, value in (("user.name", "Alice"), ("user.email", "alice@example.org"), ("gc.auto", "0")):
        _run("git", "-C", str(work), "config", name, value)
    (work / "targets").mkdir()

    def create(body: Body) -> None:
        path = work / "targets" / f"{body['target_name']}.yml"
        path.write_bytes(documents.dump(body))
        for command in (
            ("add", str(path)),
            ("commit", "-qm", f"Create {path.stem}"),
            ("push", "-q", "origin", "main"),
        ):
            _run("git", "-C", str(work), *command)

    yield create


@contextmanager
def _mlflow(_: Client, data_dir: Path) -> Iterator[Create]:
    """Register a model for each target, with its configuration as tags."""
    with _postgresql(data_dir / "mlflow") as url:
        port = _free_port()
        command = ["mlflow", "server", "--backend-store-uri", url, "--port", str(port), "--workers", "2"]
        with _service(command, port, data_dir):
            connection = http.client.HTTPConnection("127.0.0.1", port)

            def create(body: Body) -> None:
                tags = [{"key": name, "value": json.dumps(value)} for name, value in body["overrides"].items()]
                path = "/api/2.0/mlflow/registered-models/create"
                _send(connection, "POST", path, {"name": body["target_name"], "tags": tags})

            yield create


@contextmanager
def _kinto(_: Client, data_dir: Path) -> Iterator[Create]:
    """Put a record for each target, with the plugin that keeps its history."""
    with _postgresql(data_dir / "kinto") as url:
        port = _free_port()
        ini = data_dir / "kinto.ini"
        backends = "".join(
            f"kinto.{kind}_backend = kinto.core.{kind}.postgresql\nkinto.{kind}_url = {url}\n"
            for kind in ("storage", "cache", "permission")
        )
        ini.write_text(
            f"[app:main]\nuse = egg:kinto\n{backends}kinto.userid_hmac_secret = secret\n"
            "kinto.includes = kinto.plugins.history\nmultiauth.policies = basicauth\n"
            "multiauth.policy.basicauth.use = kinto.core.authentication.BasicAuthAuthenticationPolicy\n"
            "kinto.bucket_create_principals = system.Authenticated\n"
            f"[server:main]\nuse = egg:waitress#main\nhost = 127.0.0.1\nport = {port}\nthreads = 8\n"
        )
        _run("kinto", "migrate", "--ini", str(ini))
        with _service(["kinto", "start", "--ini", str(ini), "--port", str(port)], port, data_dir):
            connection = http.client.HTTPConnection("127.0.0.1", port)
            _send(connection, "PUT", "/v1/buckets/demo", {})
            _send(connection, "PUT", "/v1/buckets/demo/collections/targets", {})

            def create(body: Body) -> None:
                path = f"/v1/buckets/demo/collections/targets/records/{body['target_name']}"
                _send(connection, "PUT", path, {"data": body})

            yield create


def _send(
    connection: http.client.HTTPConnection, method: str, path: str, body: Body, authorization: str = _ALICE
) -> None:
    headers = {"Content-Type": "application/json", "Authorization": authorization}
    connection.request(method, path, json.dumps(body), headers)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status >= 300:
        raise RuntimeError(content[:600].decode())


@contextmanager
def _postgresql(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL cluster of its own, as the user `postgres`, durable as it is by default."""
    with ExitStack() as stack:
        # the user `postgres` could not enter the folder of the benchmark
        home = Path(stack.enter_context(_scratch(f"bakehouse-{folder.name}-")))
        port = _free_port()
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        _run(str(programs / "initdb"), "-D", str(home / "data"), "-A", "trust", user="postgres")
        command = [str(programs / "postgres"), "-D", str(home / "data"), "-p", str(port), "-k", str(home)]
        stack.enter_context(_service(command, port, folder.parent, user="postgres"))
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"


@contextmanager
def _scratch(prefix: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix=prefix) as folder:
        shutil.chown(folder, "postgres", "postgres")
        yield folder


@contextmanager
def _service(command: list[str], port: int, folder: Path, user: str | None = None) -> Iterator[None]:
    """Run a server until the end, once it listens."""
    with (folder / f"{Path(command[0]).name}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, user=user, start_new_session=True)
    try:
        while process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        else:
            raise RuntimeError(f"{command[0]} did not start; see {log.name}")
        time.sleep(1)
        yield
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _run(*command: str, user: str | None = None) -> None:
    subprocess.run(command, check=True, capture_output=True, user=user)


def _without(*programs: str) -> str | None:
    missing = [program for program in programs if shutil.which(program) is None]
    if "postgres" in missing and list(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        missing.remove("postgres")
    return f"{' and '.join(missing)} not installed" if missing else None


_MISSING = {
    _pushing: lambda: _without("git"),
    _mlflow: lambda: _without("mlflow", "postgres"),
    _kinto: lambda: _without("kinto", "postgres"),
}
