"""Debian's Chromium, driven by Playwright, and what goes wrong in its pages."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Request, sync_playwright

# How people look at pages: the options of a context.
MODES: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True},
    "without script": {"java_script_enabled": False},
}


@contextmanager
def launched() -> Iterator[Browser]:
    """Start a browser that finds no host but 127.0.0.1; skip the test where there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        offline = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
        with playwright.chromium.launch(executable_path=program, args=[offline]) as browser:
            yield browser


class Faults(list[str]):
    """What went wrong in pages: errors of scripts and on the console, requests that failed or left the server.

    The browser tells violations of the Content-Security-Policy on the console.
    """

    def watch(self, context: BrowserContext) -> None:
        """Collect the faults of all pages of a context."""
        hosts: set[str] = set()

        def note_request(request: Request) -> None:
            host = urlsplit(request.url).netloc
            if host and hosts and host not in hosts:
                self.append(f"request to another host: {request.url}")
            elif host:
                hosts.add(host)

        context.on("request", note_request)
        context.on("requestfailed", self._note_failure)
        context.on("console", self._note_message)
        context.on("weberror", lambda error: self.append(f"error of a script: {error.error}"))

    def take(self, text: str) -> None:
        """Remove the faults that mention a text, which a test provoked; fail if there are none."""
        others = [fault for fault in self if text not in fault]
        assert len(others) < len(self), f"nothing of {text!r} among {self}"
        self[:] = others

    def _note_failure(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page itself went on, or closed a stream of events
            self.append(f"failed request: {request.url}: {request.failure}")

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            place = message.location["url"] or (message.page.url if message.page else "")
            self.append(f"console: {message.text} ({place})")
