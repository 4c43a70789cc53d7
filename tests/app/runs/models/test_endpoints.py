"""The endpoints that an operator configures, in a file or by variables."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from app.runs.models import endpoints
from app.runs.models.endpoint_fields import EndpointsInvalid
from app.runs.models.endpoints import Endpoint, Endpoints
from app.runs.models.verdicts import Refused, Verdict
from app.settings import Settings

FAST = {"name": "fast", "base_url": "https://fast.example.org/v1/", "models": ["Qwen/*", "small"]}
OTHER = {"name": "other", "base_url": "http://127.0.0.1:8000/v1", "models": ["*"]}


def file(folder: Path, *entries: Any) -> Endpoints:
    (folder / "endpoints.yml").write_text(yaml.safe_dump(list(entries)))
    return Endpoints.of(Settings(folder), {})


def test_the_first_endpoint_whose_pattern_matches_serves(tmp_path: Path):
    found = file(tmp_path, FAST, OTHER)
    assert found.find("Qwen/Qwen3-32B") == Endpoint(
        "fast",
        "https://fast.example.org/v1",
        ("Qwen/*", "small"),
        api_key_env=None,
        max_concurrency=16,
        requests_per_minute=0,
        timeout=120,
    )
    names = {model: found.find(model).name for model in ("small", "Small", "qwen/x", "smaller")}
    assert names == {"small": "fast", "Small": "other", "qwen/x": "other", "smaller": "other"}


def test_an_endpoint_has_all_that_its_entry_says(tmp_path: Path):
    more = {
        "api_key_env": "FAST_KEY",
        "max_concurrency": 3,
        "requests_per_minute": 60,
        "timeout": 2.5,
        "prices": {"input": 0.1, "output": 2},
        "takes_seed": False,
    }
    (endpoint,) = file(tmp_path, FAST | more).all()
    assert endpoint == Endpoint(
        "fast", "https://fast.example.org/v1", ("Qwen/*", "small"), "FAST_KEY", 3, 60, 2.5, 0.1, 2, takes_seed=False
    )
    assert endpoint.key({"FAST_KEY": " sk-secret \n"}) == "sk-secret"


@pytest.mark.parametrize("env", [{}, {"FAST_KEY": ""}, {"FAST_KEY": "sk-se\ncret"}, {"FAST_KEY": "sk-sécret"}])
def test_an_endpoint_without_its_key_ends_a_run(env: dict[str, str]):
    with pytest.raises(Refused, match=r"Endpoint 'a' has no key: the environment variable FAST_KEY") as refused:
        Endpoint("a", "http://a.example.org", ("*",), "FAST_KEY").key(env)
    assert refused.value.verdict is Verdict.RUN
    assert "cret" not in str(refused.value)


def test_an_endpoint_that_names_no_variable_needs_no_key():
    assert Endpoint("a", "http://a.example.org", ("*",)).key({"OPENAI_API_KEY": "sk-secret"}) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "a b"}, "entry 1: name must be 1 to 100 letters, digits, '.', '_' and '-'"),
        ({"name": 1}, "entry 1: name must be"),
        ({"base_url": "fast.example.org"}, "entry 1 ('fast'): base_url must be an address such as"),
        ({"base_url": "ftp://fast.example.org"}, "base_url must be"),
        ({"base_url": "https://"}, "base_url must be"),
        ({"base_url": "https://a:70000/v1"}, "base_url must be"),
        ({"base_url": "https://bob:s3cret@a.example.org"}, "without user, password"),
        ({"base_url": "https://a.example.org/v1?key=s3cret"}, "base_url must be"),
        ({"base_url": "https://a.example.org/#s3cret"}, "base_url must be"),
        ({"base_url": "https://a.example.org/ s3cret"}, "base_url must be"),
        ({"base_url": ["https://a.example.org"]}, "base_url must be"),
        ({"models": "Qwen/*"}, "models must be a list of names"),
        ({"models": []}, "models must be a list of names"),
        ({"models": [1]}, "models must be a list of names"),
        ({"api_key_env": "sk-s3cret"}, "api_key_env must be the name of the environment variable"),
        ({"api_key": "sk-s3cret"}, "there is no field 'api_key'. A key is never in the file"),
        ({"max_concurency": 3}, "entry 1 ('fast'): there is no field 'max_concurency'"),
        ({"max_concurrency": 0}, "max_concurrency must be a whole number from 1 to 10000"),
        ({"max_concurrency": True}, "max_concurrency must be"),
        ({"max_concurrency": "3"}, "max_concurrency must be"),
        ({"requests_per_minute": -1}, "requests_per_minute must be a whole number from 0"),
        ({"requests_per_minute": 1.5}, "requests_per_minute must be"),
        ({"timeout": 0}, "timeout must be a number of seconds up to 3600"),
        ({"timeout": float("nan")}, "timeout must be"),
        ({"timeout": True}, "timeout must be"),
        ({"timeout": 10**400}, "timeout must be"),
        ({"max_concurrency": 10**400}, "max_concurrency must be"),
        ({"prices": {"input": 10**400}}, "prices must be"),
        ({"prices": {"output": float("inf")}}, "prices must be"),
        ({10**400: 1}, "there is no field"),
        ({"prices": 3}, "prices must be the prices of a million tokens, as 'input' and 'output'"),
        ({"prices": {"in": 3}}, "prices must be"),
        ({"prices": {"input": -3}}, "prices must be"),
        ({"takes_seed": "no"}, "takes_seed must be true or false"),
    ],
)
def test_a_wrong_entry_is_told_by_its_place_and_field(tmp_path: Path, change: dict[str, Any], said: str):
    with pytest.raises(EndpointsInvalid) as error:
        file(tmp_path, FAST | change, OTHER).find("small")
    assert str(error.value).startswith("endpoints.yml: entry 1")
    assert said in str(error.value)
    assert "s3cret" not in str(error.value)
    assert str(tmp_path) not in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\n", "the file must be a list, with an entry for each endpoint."),
        ("", "the file must be a list"),
        ("- a\n- b\n", "entry 1 must have fields, such as name, base_url and models."),
        ("- name: a\n", "entry 1 ('a'): 'base_url', 'models' is missing."),
        ("- name: a\n  models: [\n", "line 3 is not YAML"),
        ("- !!python/object:os.system a\n", "line 1 is not YAML"),
        ("- \x00\n", "the file is not YAML."),
        ("[" * 10_000, "line 1 is not YAML"),
        *(
            (f"- name: {value}\n", "the file is not YAML.")
            for value in ("!!timestamp x", "!!bool x", "!!int ''", "!!float '-'", "9" * 5000)
        ),
        ("- " + "1:" * 400 + "1.5", "the file is not YAML."),
        ("- ? !!int '" + "1:" * 3000 + "1'\n  : 1", "entry 1: there is no field"),
        (f"{yaml.safe_dump([OTHER, OTHER])}", "entry 2: there is an endpoint 'other' above."),
        ("#" * 1024 * 1024 + "#", "is larger than 1048576 bytes."),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, text: str, said: str):
    (tmp_path / "endpoints.yml").write_text(text)
    with pytest.raises(EndpointsInvalid) as error:
        Endpoints.of(Settings(tmp_path), {}).all()
    assert str(error.value).startswith("endpoints.yml")
    assert said in str(error.value)


def test_the_file_is_read_anew_once_it_changed(tmp_path: Path):
    found = file(tmp_path, OTHER)
    assert found.find("small").name == "other"
    assert found.all() is found.all()
    (tmp_path / "endpoints.yml").write_text(yaml.safe_dump([FAST]))
    assert found.find("small").name == "fast"
    assert found.find("large") is None
    (tmp_path / "endpoints.yml").unlink()
    assert found.find("small") is None


def test_a_file_that_cannot_be_read(tmp_path: Path):
    (tmp_path / "endpoints.yml").mkdir()
    with pytest.raises(EndpointsInvalid, match=r"^endpoints.yml cannot be read: Is a directory.$"):
        Endpoints.of(Settings(tmp_path), {}).all()


def test_a_setting_names_another_file(tmp_path: Path):
    file(tmp_path, OTHER)
    (tmp_path / "endpoints.yml").rename(tmp_path / "models.yml")
    found = Endpoints.of(Settings(tmp_path, endpoints=tmp_path / "models.yml"), {"OPENAI_BASE_URL": "http://a/v1"})
    assert found.find("small").name == "other"
    (tmp_path / "models.yml").unlink()
    with pytest.raises(EndpointsInvalid, match=r"BAKEHOUSE_ENDPOINTS names a file models\.yml, and there is none\."):
        found.find("small")


def test_without_a_file_the_variables_of_openai_are_one_endpoint(tmp_path: Path):
    env = {"OPENAI_BASE_URL": "http://127.0.0.1:8000/v1/", "OPENAI_API_KEY": "sk-secret"}
    endpoint = Endpoints.of(Settings(tmp_path), env).find("any/model")
    assert endpoint == Endpoint("openai", "http://127.0.0.1:8000/v1", ("*",), "OPENAI_API_KEY")
    assert endpoint.key(env) == "sk-secret"
    without = {"OPENAI_BASE_URL": "http://127.0.0.1:8000/v1/"}
    assert Endpoints.of(Settings(tmp_path), without).find("any/model").key(without) is None


def test_a_key_alone_sends_nothing_to_anybody(tmp_path: Path):
    found = Endpoints.of(Settings(tmp_path), {"OPENAI_API_KEY": "sk-secret"})
    assert found.find("gpt-5") is None


def test_a_wrong_variable_is_told_without_its_value(tmp_path: Path):
    found = Endpoints.of(Settings(tmp_path), {"OPENAI_BASE_URL": "https://bob:s3cret@a.example.org/v1"})
    with pytest.raises(EndpointsInvalid, match=r"^OPENAI_BASE_URL must be an address") as error:
        found.find("gpt-5")
    assert "s3cret" not in str(error.value)


def test_what_to_do_where_no_endpoint_serves_a_model(tmp_path: Path):
    found = Endpoints.of(Settings(tmp_path), {})
    assert found.missing("large") == (
        "No endpoint serves the model 'large', since there is none. The operator may list endpoints in the file "
        "endpoints.yml of the data directory, or set OPENAI_BASE_URL, and OPENAI_API_KEY if it needs a key."
    )
    found = file(tmp_path, FAST)
    assert found.missing("large") == ("No endpoint serves the model 'large'. Endpoints serve 'Qwen/*', 'small'.")


def test_an_empty_list_is_no_endpoint_and_no_mistake(tmp_path: Path):
    assert endpoints.parse(b"[]") == ()
    assert file(tmp_path).find("small") is None
