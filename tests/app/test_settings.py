"""Settings from the environment, and the sentence for each wrong value."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from app import create_app
from app.settings import Settings, SettingsError


def test_settings_have_defaults():
    assert Settings.from_env({}) == Settings(data_dir=Path("instance").absolute())
    assert Settings.from_env({"BAKEHOUSE_PORT": "", "BAKEHOUSE_PUBLIC_URL": ""}) == Settings.from_env({})


def test_every_setting_is_read_from_the_environment():
    settings = Settings.from_env(
        {
            "BAKEHOUSE_DATA_DIR": "/data",
            "BAKEHOUSE_MASTER_KEY": "key",
            "BAKEHOUSE_HOST": "::1",
            "BAKEHOUSE_PORT": "0",
            "BAKEHOUSE_WORKERS": "3",
            "BAKEHOUSE_THREADS": "4",
            "BAKEHOUSE_PUBLIC_URL": "https://bake.example.org/",
            "BAKEHOUSE_MAX_BODY": "2048",
            "BAKEHOUSE_MAX_DEPTH": "20",
            "BAKEHOUSE_MAX_ITEMS": "500",
            "BAKEHOUSE_MAX_VALUES": "700",
            "BAKEHOUSE_MAX_DOCUMENT": "4096",
            "BAKEHOUSE_MAX_WRITE": "8192",
            "BAKEHOUSE_MAX_NAME": "40",
            "BAKEHOUSE_RATE_LIMIT": "600",
            "BAKEHOUSE_MAINTENANCE": "off",
            "BAKEHOUSE_LOCK_TIMEOUT": "3",
            "BAKEHOUSE_MAX_PAGE": "5000",
            "BAKEHOUSE_MAX_PARSED": "6000",
            "BAKEHOUSE_LOG_FORMAT": "json",
            "BAKEHOUSE_ACCESS_LOG": "off",
            "BAKEHOUSE_KEEP_ALIVE": "5",
            "BAKEHOUSE_MIN_RATE": "1024",
            "BAKEHOUSE_KEEP_DELETED": "7",
            "BAKEHOUSE_MAX_IMPORT": "9999",
            "BAKEHOUSE_SHARED_LOCKS": "on",
            "BAKEHOUSE_DATABASE_URL": "postgresql://bake@db/runs",
            "BAKEHOUSE_QUEUE_URL": "redis://queue:6379/0",
            "BAKEHOUSE_ENDPOINTS": "/etc/endpoints.yml",
            "BAKEHOUSE_RUN_WORKERS": "0",
            "BAKEHOUSE_RUNS_AT_ONCE": "8",
            "BAKEHOUSE_RUN_BUDGET": "1000000",
            "BAKEHOUSE_RUN_LEASE": "2",
            "BAKEHOUSE_TRUSTED_PROXIES": "10.0.0.7, fd00::/8",
        }
    )
    listening = {"host": "::1", "port": 0, "workers": 3, "threads": 4, "public_url": "https://bake.example.org"}
    of_bodies = {"max_body": 2048, "max_depth": 20, "max_items": 500, "max_values": 700}
    of_files = {"max_document": 4096, "max_write": 8192, "max_name": 40, "maintenance": False}
    of_connections = {"rate_limit": 600, "keep_alive": 5, "min_rate": 1024}
    of_connections["trusted_proxies"] = (ip_network("10.0.0.7"), ip_network("fd00::/8"))
    others = {"lock_timeout": 3, "shared_locks": True, "log_format": "json", "access_log": False}
    others |= {"max_page": 5000, "max_parsed": 6000, "keep_deleted": 7, "max_import": 9999}
    of_runs = {"database_url": "postgresql://bake@db/runs", "queue_url": "redis://queue:6379/0", "run_budget": 1000000}
    of_runs |= {"endpoints": Path("/etc/endpoints.yml"), "run_workers": 0, "runs_at_once": 8, "run_lease": 2}
    rest = of_connections | others | of_runs
    assert settings == Settings(Path("/data"), "key", **listening, **of_bodies, **of_files, **rest)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BAKEHOUSE_PORT", "http"),
        ("BAKEHOUSE_PORT", "65536"),
        ("BAKEHOUSE_PORT", "-1"),
        ("BAKEHOUSE_PORT", "9" * 5000),
        ("BAKEHOUSE_PORT", "٣"),
        ("BAKEHOUSE_WORKERS", "0"),
        ("BAKEHOUSE_THREADS", "1.5"),
        ("BAKEHOUSE_MAX_BODY", "8MiB"),
        ("BAKEHOUSE_MAX_BODY", "10"),
        ("BAKEHOUSE_MAX_DEPTH", "101"),
        ("BAKEHOUSE_MAX_ITEMS", "0"),
        ("BAKEHOUSE_MAX_VALUES", "9"),
        ("BAKEHOUSE_MAX_DOCUMENT", "1 MiB"),
        ("BAKEHOUSE_MAX_WRITE", "1023"),
        ("BAKEHOUSE_MAX_NAME", "101"),
        ("BAKEHOUSE_RATE_LIMIT", "10/s"),
        ("BAKEHOUSE_MAINTENANCE", "yes"),
        ("BAKEHOUSE_LOCK_TIMEOUT", "0"),
        ("BAKEHOUSE_MAX_PAGE", "1000"),
        ("BAKEHOUSE_MAX_PARSED", "16M"),
        ("BAKEHOUSE_LOG_FORMAT", "xml"),
        ("BAKEHOUSE_ACCESS_LOG", "yes"),
        ("BAKEHOUSE_KEEP_ALIVE", "0"),
        ("BAKEHOUSE_MIN_RATE", "0"),
        ("BAKEHOUSE_TRUSTED_PROXIES", "10.0.0.7/8"),
        ("BAKEHOUSE_TRUSTED_PROXIES", "nginx"),
        ("BAKEHOUSE_PUBLIC_URL", "bake.example.org"),
        ("BAKEHOUSE_PUBLIC_URL", "https://"),
        ("BAKEHOUSE_DATABASE_URL", "mysql://bake:pass@db/runs"),
        ("BAKEHOUSE_DATABASE_URL", "redis://queue"),
        ("BAKEHOUSE_DATABASE_URL", "sqlite://"),
        ("BAKEHOUSE_DATABASE_URL", "sqlite:///:memory:"),
        ("BAKEHOUSE_DATABASE_URL", "sqlite://runs.sqlite"),
        ("BAKEHOUSE_DATABASE_URL", "postgresql://bake:pa/ss@db/runs"),
        ("BAKEHOUSE_QUEUE_URL", "queue:6379"),
        ("BAKEHOUSE_RUN_WORKERS", "65"),
        ("BAKEHOUSE_RUNS_AT_ONCE", "0"),
        ("BAKEHOUSE_RUN_BUDGET", "-1"),
        ("BAKEHOUSE_RUN_LEASE", "0"),
        ("BAKEHOUSE_MASTER_KEY", "two words"),
        ("BAKEHOUSE_MASTER_KEY", "ключ"),
    ],
)
def test_a_wrong_value_is_refused_with_one_sentence(name: str, value: str):
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({name: value})
    sentence = str(caught.value)
    assert sentence.startswith(f"{name} must be")
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_an_unusable_data_directory_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("")
    for settings in (Settings(tmp_path / "file"), Settings(tmp_path / "file/below", master_key="k")):
        with pytest.raises(SettingsError, match=str(tmp_path)):
            create_app(settings)


def test_an_empty_master_key_file_is_refused(tmp_path: Path):
    (tmp_path / "master.key").write_text("\n")
    with pytest.raises(SettingsError, match="empty"):
        create_app(Settings(tmp_path))
