"""Forms of pages, as a browser without scripts sends them."""

from html.parser import HTMLParser
from typing import Any


class _Reader(HTMLParser):
    """The fields of the form at an address, with the values that a browser would send."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self.buttons: list[tuple[str, str]] = []
        self._action = action
        self._is_inside = False
        self._text: list[str] | None = None
        self._area = ""
        self._select = ""
        self._options: list[tuple[str | None, bool]] = []
        self._is_option = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._is_inside = given.get("action") == self._action
        if not self._is_inside:
            return
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "input" and name:
            kind = given.get("type") or "text"
            if kind not in ("radio", "checkbox") or "checked" in given:
                self.fields.append((name, value))
        elif tag == "button" and name and "disabled" not in given:
            self.buttons.append((name, value))
        elif tag == "textarea":
            self._area, self._text = name, []
        elif tag == "select":
            self._select, self._options = name, []
        elif tag == "option":
            self._options.append((given.get("value"), "selected" in given))
            self._text = []

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
        if not self._is_inside:
            return
        if tag == "textarea":
            text = "".join(self._text or []).replace("\r\n", "\n").replace("\r", "\n")
            self.fields.append((self._area, text.removeprefix("\n").replace("\n", "\r\n")))
            self._text = None
        elif tag == "option":
            value, is_selected = self._options[-1]
            text = "".join(self._text or []).strip()
            self._options[-1] = (text if value is None else value, is_selected)
            self._text = None
        elif tag == "select":
            chosen = [value for value, is_selected in self._options if is_selected] or [self._options[0][0]]
            self.fields.append((self._select, chosen[-1] or ""))


def read(html: str, action: str) -> dict[str, Any]:
    """Return the fields of the form at an address; a name that is there several times has a list."""
    reader = _Reader(action)
    reader.feed(html)
    assert reader.fields, f"no form leads to {action}"
    found: dict[str, Any] = {}
    for name, value in reader.fields:
        if name in found:
            before = found[name]
            found[name] = [*(before if isinstance(before, list) else [before]), value]
        else:
            found[name] = value
    return found


def buttons(html: str, action: str) -> list[tuple[str, str]]:
    """Return the names and values of the buttons of a form that can be pressed."""
    reader = _Reader(action)
    reader.feed(html)
    return reader.buttons
