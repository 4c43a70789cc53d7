"""`/<owner>/<repo_name>/prompts`, `…/prompts/<prompt_name>` and `…/new-prompt`."""

from flask import Response

from app.registry.configs import prompts
from app.web import admission
from app.web.parts import numbered
from app.web.parts.writable import place_to_write
from app.web.prompts import deleting, editing, reading
from app.web.prompts.editing import Answer, Editing
from app.web.rendering import page

blueprint = admission.pages("prompts")

_REPO = "/<user:owner>/<repo_name>"
_PROMPT = f"{_REPO}/prompts/<item:prompt_name>"


@blueprint.get(f"{_REPO}/prompts")
def show_all(owner: str, repo_name: str) -> Response:
    """Show the names of the prompts."""
    number = numbered.asked()
    names, count, pages = reading.names(admission.place(), number)
    return page("prompts/prompts.html", names=names, count=count, number=min(number, pages), pages=pages)


@blueprint.get(_PROMPT)
def show(owner: str, repo_name: str, prompt_name: str) -> Response:
    """Show a prompt as messages with roles, its tools, and who uses it."""
    place = admission.place()
    found = reading.read(place, prompt_name, numbered.number("offset"))
    is_long = editing.is_too_long(found.prompt, found.size)
    return page("prompts/prompt.html", reading=found, used=reading.used(place, found.prompt), is_long=is_long)


@blueprint.get(f"{_PROMPT}/edit")
def edit(owner: str, repo_name: str, prompt_name: str) -> Response:
    """Show the editor of a prompt."""
    place = place_to_write()
    prompt = prompts.get(place.snapshot, prompt_name)
    if editing.is_too_long(prompt, len(place.snapshot.blob(prompt.version))):
        return page("prompts/long.html", prompt=prompt)
    return Editing.begin(place, prompt_name).show()


@blueprint.post(f"{_PROMPT}/edit")
def save(owner: str, repo_name: str, prompt_name: str) -> Answer:
    """Save a prompt, or do what a button of its editor says."""
    return Editing.of_request(admission.place(), prompt_name).act()


@blueprint.post(f"{_PROMPT}/merge")
def merge(owner: str, repo_name: str, prompt_name: str) -> Answer:
    """Save both changes together, after a conflict."""
    return editing.merge(admission.place(), prompt_name)


@blueprint.get(f"{_REPO}/new-prompt")
def new(owner: str, repo_name: str) -> Response:
    """Show the editor of a new prompt."""
    return Editing.begin_new(place_to_write()).show()


@blueprint.post(f"{_REPO}/new-prompt")
def create(owner: str, repo_name: str) -> Answer:
    """Create a prompt, or do what a button of its editor says."""
    return Editing.of_request(admission.place(), None).act()


@blueprint.get(f"{_PROMPT}/delete")
def ask_to_delete(owner: str, repo_name: str, prompt_name: str) -> Response:
    """Ask whether a prompt should be deleted, and show who uses it."""
    return deleting.ask(place_to_write(), prompt_name)


@blueprint.post(f"{_PROMPT}/delete")
def delete(owner: str, repo_name: str, prompt_name: str) -> Answer:
    """Delete a prompt."""
    return deleting.delete(admission.place(), prompt_name)
