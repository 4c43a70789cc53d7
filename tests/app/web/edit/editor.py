"""The editor of a target, used as by a browser without scripts."""

from typing import Any

from tests.app.web import forms
from tests.app.web.visitor import Visitor

EDIT = "/alice/demo/targets/a/edit"


class Editor:
    """The form of an editor as a browser without scripts has it: `fields` are what it would send."""

    def __init__(self, visitor: Visitor, path: str = EDIT, query: str = "") -> None:
        self.visitor = visitor
        self.path = path
        page = visitor.get(path + query)
        assert page.status_code == 200, page.text
        self.text = page.text
        self.fields = forms.read(page.text, path)

    def type(self, **values: str | None) -> None:
        """Set fields here; None removes a field, and `template` leaves it to the template."""
        for name, value in values.items():
            self.fields[f"how.{name}"] = "none" if value is None else "own"
            self.fields[f"value.{name}"] = value or ""

    def press(self, button: str = "save", **others: str) -> Any:
        """Send the form by a button, and take the form of the page that answers, if there is one."""
        answer = self.visitor.post(self.path, **{**self.fields, **others, "do": button})
        self.text = answer.text
        if f'action="{self.path}"' in answer.text:
            self.fields = forms.read(answer.text, self.path)
        return answer
