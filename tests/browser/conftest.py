"""What tests in a browser share: one browser, pages that are watched, and their modes."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from werkzeug.routing import Rule

from app import create_app
from app.settings import Settings
from tests import page_routes
from tests.browser import rich_repo
from tests.browser.chromium import MODES, Faults, launched
from tests.browser.rich_repo import RichRepo, Texts
from tests.browser.visits import NewPage
from tests.faulty_proxy import FaultyProxy
from tests.server import MASTER_KEY, Server, running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test in this folder, so that `-m "not e2e"` leaves all of them out."""
    for item in items:  # pytest passes the items of all folders
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this folder, and not longer: while it runs, no test can use `asyncio.run`."""
    with launched() as browser:
        yield browser


@dataclass(frozen=True)
class Kitchen:
    """A server whose models a proxy answers for, with a repo that has everything."""

    server: Server
    proxy: FaultyProxy
    rich: RichRepo


@pytest.fixture(scope="package")
def kitchen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kitchen]:
    """One server with a rich repo for all tests of this folder that change nothing there."""
    data_dir = tmp_path_factory.mktemp("kitchen")
    with FaultyProxy() as proxy:
        (data_dir / "endpoints.yml").write_text(f"- name: proxy\n  base_url: {proxy.url}\n  models: ['*']\n")
        with running(data_dir, workers="1", run_workers="1") as server:
            yield Kitchen(server, proxy, rich_repo.make(server, "alice", Texts()))


@pytest.fixture(scope="package")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[Rule]:
    """The routes of all pages."""
    app = create_app(Settings(tmp_path_factory.mktemp("routes"), master_key=MASTER_KEY))
    return page_routes.rules(app, "GET")


@pytest.fixture
def faults() -> Iterator[Faults]:
    """What goes wrong in the pages of this test: it fails at the end, unless the test took each fault."""
    faults = Faults()
    yield faults
    assert faults == [], "\n" + "\n".join(faults)


@pytest.fixture
def new_page(browser: Browser, faults: Faults) -> Iterator[NewPage]:
    """Open a watched page in a mode ("light", "dark", "phone", "without script"), with no cookies of others."""
    with ExitStack() as contexts:

        def open_page(mode: str = "light", **options: object) -> Page:
            context = contexts.enter_context(browser.new_context(**MODES[mode], **options))
            faults.watch(context)
            return context.new_page()

        yield open_page


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """A watched page, in light colours and on a wide screen."""
    return new_page()
