"""How to read a target elsewhere: with curl, with Python, and with git."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from app.registry.configs.target_files import FOLDER
from app.web.admission import Place
from app.wire import addresses, context


@dataclass(frozen=True, slots=True)
class Copy:
    """A piece of text to copy: a short id, what it is for, and the language that colours it."""

    id: str
    title: str
    language: str
    text: str


def of_target(place: Place, name: str) -> Sequence[Copy]:
    """Return what reads a target as the page shows it. The token is in the variable TOKEN."""
    base, ref = addresses.base(), place.ref
    query = f"?ref={quote(ref, safe='')}" if ref else ""
    is_other = place.owner != context.principal().user.id
    header = f" \\\n  -H 'X-User-Id: {place.owner}'" if is_other else ""
    curl = f"curl -sS '{base}/v1/repo/{place.repo_name}/targets/{name}{query}' \\\n"
    curl += f'  -H "Authorization: Bearer $TOKEN"{header}'
    commit = place.snapshot.commit
    git = f"git clone {addresses.clone_url(place.owner, place.repo_name)}\n"
    git += f"git -C {place.repo_name} show {commit}:{FOLDER.path(name)}"
    return [
        Copy("curl", "curl", "bash", curl),
        Copy("python", "Python", "python", _python(place, name)),
        Copy("git", "git show", "bash", git),
    ]


def _python(place: Place, name: str) -> str:
    query = {"user_id": place.owner} if place.owner != context.principal().user.id else {}
    client = [f"base_url={addresses.base()!r}", 'api_key=os.environ["TOKEN"]']
    client += [f"default_query={query!r}"] if query else []
    arguments = [repr(name), f"repo_name={place.repo_name!r}"]
    arguments += [f'extra_query={{"ref": {place.ref!r}}}'] if place.ref else []
    return (
        "import os\n\nfrom aibread import Bread\n\n"
        f"bread = Bread({', '.join(client)})\nprint(bread.targets.get({', '.join(arguments)}).config)"
    )
