"""What an operator can set, read once from the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from app.domain.names import enumerated

Network = IPv4Network | IPv6Network

_PUBLIC_URL = re.compile(r"https?://[^\s/?#]+(?:/[^\s?#]*)?")
_DATABASES = ("postgresql", "sqlite")
_VISIBLE_ASCII = re.compile(r"[!-~]+")


class SettingsError(Exception):
    """The server cannot run with a setting; the message names it and the reason."""


@dataclass(frozen=True)
class Settings:
    """The settings of one server. Sizes are in bytes; requests beyond a `max_` are refused."""

    data_dir: Path
    master_key: str | None = None  # None: in the file `master.key` of the data directory
    host: str = "127.0.0.1"
    port: int = 8080  # 0: any free port
    workers: int = 2
    threads: int = 8  # of each worker
    public_url: str | None = None  # where clients find this server; None: the address of the request
    max_body: int = 8 * 1024 * 1024  # after decompression
    max_depth: int = 100  # levels of nesting; parsers of YAML in clones run out of stack beyond
    max_items: int = 100_000  # of a list or object
    max_values: int = 500_000  # of a body: each text, number, list, object, … in it
    max_document: int = 1024 * 1024  # of one file in a repo, as YAML
    max_write: int = 32 * 1024 * 1024  # of all files that one request writes
    max_name: int = 100  # characters of a new name
    rate_limit: int = 0  # requests a minute of each token; 0: any number
    maintenance: bool = True  # in the background; False: the operator runs `bakehouse maintain`
    lock_timeout: int = 10  # seconds that a request waits for a repo that another program locks
    max_page: int = 1024 * 1024  # bytes of JSON after which an answer about the past goes on in another page
    max_parsed: int = 8 * 1024 * 1024  # bytes of documents that one answer about the past parses
    log_format: str = "text"  # or "json"
    access_log: bool = True  # a line for each request
    keep_alive: int = 75  # seconds that a connection stays open without a request
    min_rate: int = 16 * 1024  # bytes a second of a client whose thread another request waits for
    trusted_proxies: tuple[Network, ...] = (
        ip_network("127.0.0.0/8"),
        ip_network("::1"),
    )  # that tell who the client is
    max_import: int = 64 * 1024 * 1024  # of a bundle that becomes a repo
    keep_deleted: int = 30  # days that a deleted repo can be restored; 0: it is removed at once
    shared_locks: bool = False  # whether processes on other machines see the locks in the data directory
    database_url: str | None = None  # of the ledger of runs; None: SQLite in the data directory
    queue_url: str | None = None  # what wakes workers; None: PostgreSQL if `database_url` is, else SQLite
    endpoints: Path | None = None  # the file that lists endpoints; None: `endpoints.yml` in the data directory
    run_workers: int = 1  # processes that carry out runs, which `bakehouse serve` starts
    runs_at_once: int = 4  # of each of these processes
    run_budget: int = 0  # tokens a run; 0: any number
    run_lease: int = 15  # seconds after which another worker takes a run whose worker does not answer

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        """Read the `BAKEHOUSE_*` variables; SettingsError for a value that is not allowed."""
        return cls(
            data_dir=Path(env.get("BAKEHOUSE_DATA_DIR") or "instance").absolute(),
            master_key=_master_key(env),
            host=env.get("BAKEHOUSE_HOST") or cls.host,
            port=_integer(env, "BAKEHOUSE_PORT", cls.port, 0, 65535),
            workers=_integer(env, "BAKEHOUSE_WORKERS", cls.workers, 1, 64),
            threads=_integer(env, "BAKEHOUSE_THREADS", cls.threads, 1, 256),
            public_url=_public_url(env),
            max_body=_integer(env, "BAKEHOUSE_MAX_BODY", cls.max_body, 1024, 1024**3),
            max_depth=_integer(env, "BAKEHOUSE_MAX_DEPTH", cls.max_depth, 10, cls.max_depth),
            max_items=_integer(env, "BAKEHOUSE_MAX_ITEMS", cls.max_items, 1, 10_000_000),
            max_values=_integer(env, "BAKEHOUSE_MAX_VALUES", cls.max_values, 10, 10_000_000),
            max_document=_integer(env, "BAKEHOUSE_MAX_DOCUMENT", cls.max_document, 1024, 64 * 1024**2),
            max_write=_integer(env, "BAKEHOUSE_MAX_WRITE", cls.max_write, 1024, 512 * 1024**2),
            max_name=_integer(env, "BAKEHOUSE_MAX_NAME", cls.max_name, 1, cls.max_name),
            rate_limit=_integer(env, "BAKEHOUSE_RATE_LIMIT", cls.rate_limit, 0, 1_000_000),
            maintenance=_switch(env, "BAKEHOUSE_MAINTENANCE", cls.maintenance),
            lock_timeout=_integer(env, "BAKEHOUSE_LOCK_TIMEOUT", cls.lock_timeout, 1, 3600),
            max_page=_integer(env, "BAKEHOUSE_MAX_PAGE", cls.max_page, 1024, 1024**3),
            max_parsed=_integer(env, "BAKEHOUSE_MAX_PARSED", cls.max_parsed, 1024, 1024**3),
            log_format=_choice(env, "BAKEHOUSE_LOG_FORMAT", ("text", "json")),
            access_log=_switch(env, "BAKEHOUSE_ACCESS_LOG", cls.access_log),
            keep_alive=_integer(env, "BAKEHOUSE_KEEP_ALIVE", cls.keep_alive, 1, 3600),
            min_rate=_integer(env, "BAKEHOUSE_MIN_RATE", cls.min_rate, 1, 1024**3),
            trusted_proxies=_networks(env, "BAKEHOUSE_TRUSTED_PROXIES", cls.trusted_proxies),
            max_import=_integer(env, "BAKEHOUSE_MAX_IMPORT", cls.max_import, 1024, 64 * 1024**3),
            keep_deleted=_integer(env, "BAKEHOUSE_KEEP_DELETED", cls.keep_deleted, 0, 36_500),
            shared_locks=_switch(env, "BAKEHOUSE_SHARED_LOCKS", cls.shared_locks),
            database_url=_url(env, "BAKEHOUSE_DATABASE_URL", _DATABASES),
            queue_url=_url(env, "BAKEHOUSE_QUEUE_URL", (*_DATABASES, "redis", "rediss")),
            endpoints=Path(env["BAKEHOUSE_ENDPOINTS"]).absolute() if env.get("BAKEHOUSE_ENDPOINTS") else None,
            run_workers=_integer(env, "BAKEHOUSE_RUN_WORKERS", cls.run_workers, 0, 64),
            runs_at_once=_integer(env, "BAKEHOUSE_RUNS_AT_ONCE", cls.runs_at_once, 1, 64),
            run_budget=_integer(env, "BAKEHOUSE_RUN_BUDGET", cls.run_budget, 0, 10**12 - 1),
            run_lease=_integer(env, "BAKEHOUSE_RUN_LEASE", cls.run_lease, 1, 3600),
        )

    @property
    def url(self) -> str:
        """Return the address that the server listens on."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def prefix(self) -> str:
        """Return the path of the public URL, which a proxy takes away: empty, or `/bakehouse`."""
        return urlsplit(self.public_url or "").path

    def make_data_dir(self) -> Path:
        """Create the data directory if it is missing, and return it; SettingsError if that fails."""
        try:
            (self.data_dir / "repos").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"The data directory {self.data_dir} cannot be used: {error.strerror}.") from error
        return self.data_dir


def _integer(env: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = env.get(name)
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,12}", text) or not least <= int(text) <= most:
        raise SettingsError(f"{name} must be a whole number from {least} to {most}, not {text!r}.")
    return int(text)


def _url(env: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> str | None:
    """Return a URL, which may hold a password: the error does not repeat it."""
    url = env.get(name)
    if not url:
        return None
    if url.partition("://")[0] not in schemes or not url.partition("://")[2]:
        raise SettingsError(f"{name} must be a URL that begins with {enumerated([f'{s}://' for s in schemes])}.")
    if url.startswith("sqlite:") and (url.removeprefix("sqlite:///") in ("", ":memory:", url)):
        raise SettingsError(f"{name} must be the URL of a file, such as sqlite:////var/lib/bakehouse/file.sqlite.")
    try:
        _ = urlsplit(url).port
    except ValueError:  # whose text may repeat a part of a password
        raise SettingsError(
            f"{name} must be a URL, in which signs such as @ and / of the password are written %40 and %2F."
        ) from None
    return url


def _networks(env: Mapping[str, str], name: str, default: tuple[Network, ...]) -> tuple[Network, ...]:
    text = env.get(name)
    if not text:
        return default
    try:
        return tuple(ip_network(part.strip()) for part in text.split(","))
    except ValueError as error:
        raise SettingsError(
            f"{name} must be addresses or networks with commas between them, such as 10.0.0.7,172.18.0.0/16: {error}."
        ) from error


def _switch(env: Mapping[str, str], name: str, default: bool) -> bool:
    return _choice(env, name, ("on", "off") if default else ("off", "on")) == "on"


def _choice(env: Mapping[str, str], name: str, words: tuple[str, str]) -> str:
    """Return the word that a variable names, or else the first."""
    text = env.get(name) or words[0]
    if text not in words:
        first, second = words
        raise SettingsError(f"{name} must be {first!r} or {second!r}, not {text!r}.")
    return text


def _master_key(env: Mapping[str, str]) -> str | None:
    key = env.get("BAKEHOUSE_MASTER_KEY")
    if not key:
        return None
    if not _VISIBLE_ASCII.fullmatch(key):
        raise SettingsError("BAKEHOUSE_MASTER_KEY must be printable ASCII without spaces.")
    return key


def _public_url(env: Mapping[str, str]) -> str | None:
    url = env.get("BAKEHOUSE_PUBLIC_URL")
    if not url:
        return None
    if not _PUBLIC_URL.fullmatch(url):
        raise SettingsError(f"BAKEHOUSE_PUBLIC_URL must be a URL such as https://bakehouse.example.org, not {url!r}.")
    return url.rstrip("/")
