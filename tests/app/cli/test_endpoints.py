"""`bakehouse endpoints check`: each endpoint is asked for one token, and what it found is said without a key."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from app.cli import main
from tests import replies
from tests.faulty_proxy import FaultyProxy, certificate, needs_openssl
from tests.models import MODEL
from tests.replies import Reply

KEY = "sk-secret-of-tests"


def check(folder: Path, *arguments: str, **env: str | None) -> Result:
    settings = {"BAKEHOUSE_DATA_DIR": str(folder), "OPENAI_BASE_URL": None, "OPENAI_API_KEY": None, "FAST_KEY": KEY}
    result = CliRunner().invoke(main, ["endpoints", "check", *arguments], env=settings | env)
    assert KEY not in result.output
    return result


def columns(result: Result) -> list[list[str]]:
    """Return the records without the seconds."""
    records = [line.split("\t") for line in result.stdout.splitlines()]
    assert all(float(record[3]) >= 0 for record in records)
    return [[*record[:3], *record[4:]] for record in records]


def configure(folder: Path, proxy: FaultyProxy, *entries: dict[str, Any]) -> None:
    given = [{"name": f"e{n}", "base_url": proxy.url, "models": ["small"]} | more for n, more in enumerate(entries)]
    (folder / "endpoints.yml").write_text(yaml.safe_dump(given))


def test_each_endpoint_is_asked_for_one_token(proxy: FaultyProxy, tmp_path: Path):
    configure(tmp_path, proxy, {"models": ["Qwen/*", "large", "small"]}, {"api_key_env": "FAST_KEY"})
    result = check(tmp_path)
    assert (result.exit_code, columns(result)) == (0, [["e0", "large", "ok", ""], ["e1", "small", "ok", ""]])
    assert sorted(body["model"] for body in proxy.bodies()) == ["large", "small"]
    assert all(body["max_tokens"] == 1 for body in proxy.bodies())
    assert [seen.headers.get("authorization") for seen in proxy.seen if seen.body["model"] == "small"] == [
        f"Bearer {KEY}"
    ]


def test_where_there_are_patterns_alone_the_first_model_that_is_listed_is_asked(proxy: FaultyProxy, tmp_path: Path):
    configure(tmp_path, proxy, {"models": ["other/*", "f*"]})
    assert columns(check(tmp_path)) == [["e0", "fake", "ok", ""]]
    configure(tmp_path, proxy, {"models": ["other/*"]})
    result = check(tmp_path)
    said = "Endpoint 'e0' lists no model that it serves to runs: name one with --model."
    assert (result.exit_code, columns(result)) == (1, [["e0", "", "not found", said]])


def test_a_model_that_is_named_is_asked_where_it_is_served(proxy: FaultyProxy, tmp_path: Path):
    configure(tmp_path, proxy, {"models": ["small"]}, {"models": ["other/*"]})
    assert columns(check(tmp_path, "--model", "other/one")) == [["e1", "other/one", "ok", ""]]
    assert len(proxy.seen) == 1
    result = check(tmp_path, "--model", "third")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: No endpoint serves the model 'third'. Endpoints serve 'other/*', 'small'.\n"


@pytest.mark.parametrize(
    ("fault", "word", "said"),
    [
        (replies.failure(401, f"No such key: {KEY}"), "wrong key", "answered 401: No such key: [key]."),
        (replies.FORBIDDEN, "wrong key", "answered 403: You may not use this model."),
        (replies.NOT_FOUND, "not found", "answered 404: The model does not exist."),
        (replies.redirect("http://127.0.0.1:1/"), "redirect", "answered 307, and no redirect is followed: base_url"),
        (replies.throttled("9"), "throttled", "answered 429: Rate limit reached."),
        (replies.STALL, "no answer", "gave no answer within 0.5 seconds."),
        (replies.HANG_UP, "not reachable", "broke off its answer"),
        (replies.BROKEN, "failed", "answered 500: Out of memory."),
        (replies.INVALID_JSON, "failed", "answered 200 with a body that is not JSON in UTF-8."),
        (Reply(200, b"{}"), "failed", "answered 200 with a body that has no choices[0].message."),
    ],
)
def test_what_is_wrong_is_said_and_the_others_are_asked_all_the_same(
    proxy: FaultyProxy, tmp_path: Path, fault: Reply, word: str, said: str
):
    proxy.rule = lambda seen: fault if seen.body["model"] == "small" else None
    wrong = {"api_key_env": "FAST_KEY", "timeout": 0.5 if fault is replies.STALL else 60}
    configure(tmp_path, proxy, wrong, {"models": ["large"]})
    result = check(tmp_path)
    assert result.exit_code == 1
    first, second = columns(result)
    assert first[:3] == ["e0", "small", word]
    assert first[3].startswith(f"Endpoint 'e0' {said}")
    assert second == ["e1", "large", "ok", ""]
    assert len(proxy.seen) == 2


@needs_openssl
def test_a_wrong_certificate(tmp_path: Path):
    with FaultyProxy(tls=certificate(tmp_path)) as proxy:
        configure(tmp_path, proxy, {})
        ((*_, word, said),) = columns(check(tmp_path))
    assert (word, said) == ("wrong certificate", "Endpoint 'e0' has a wrong certificate: self-signed certificate.")


def test_nobody_at_the_address_and_no_key(proxy: FaultyProxy, tmp_path: Path):
    configure(tmp_path, proxy, {"base_url": "http://127.0.0.1:1/v1"}, {"api_key_env": "OTHER_KEY"})
    result = check(tmp_path)
    (_, _, first, nobody), (_, _, second, no_key) = columns(result)
    assert (result.exit_code, first, second) == (1, "not reachable", "wrong key")
    assert "cannot be reached" in nobody
    assert "OTHER_KEY is not set" in no_key
    assert proxy.seen == []


def test_the_variables_of_openai(proxy: FaultyProxy, tmp_path: Path):
    assert columns(check(tmp_path, OPENAI_BASE_URL=proxy.url, OPENAI_API_KEY=KEY)) == [["openai", "fake", "ok", ""]]
    result = check(tmp_path)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: There is no endpoint. The operator may list endpoints in the file")


def test_a_file_that_is_wrong(tmp_path: Path):
    (tmp_path / "endpoints.yml").write_text("- {name: fast}\n")
    result = check(tmp_path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: endpoints.yml: entry 1 ('fast'): 'base_url', 'models' is missing.\n"


@pytest.mark.slow
def test_a_real_model(model_proxy: FaultyProxy, tmp_path: Path):
    configure(tmp_path, model_proxy, {"models": [MODEL]}, {"models": ["*"]})
    result = check(tmp_path)
    assert result.exit_code == 0
    assert [record[2] for record in columns(result)] == ["ok", "ok"]
