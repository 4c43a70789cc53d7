"""Pages for the browser."""

from flask import Blueprint, Flask, Response

from app.web import docs, rendering, session
from app.web.addresses import UserId
from app.web.admission import csrf
from app.web.edit import views as edit
from app.web.history import views as history
from app.web.home import views as home
from app.web.labels import views as labels
from app.web.prompts import views as prompts
from app.web.repo import views as repo
from app.web.runs import views as runs
from app.web.search import views as search
from app.web.settings import users
from app.web.settings import views as settings
from app.web.sharing import export
from app.web.sharing import views as sharing
from app.web.target import views as target
from app.web.tree import views as tree

_WINGS = (
    edit,
    export,
    history,
    home,
    labels,
    prompts,
    repo,
    runs,
    search,
    settings,
    sharing,
    target,
    tree,
    users,
)
# What each page of a repo leads to, in this order: the endpoint and its name.
TABS: tuple[tuple[str, str], ...] = (
    ("web.repo.show", "Targets"),
    ("web.prompts.show_all", "Prompts"),
    ("web.labels.show_all", "Labels"),
    ("web.tree.show", "Family tree"),
    ("web.history.of_repo", "History"),
    ("web.runs.of_repo", "Runs"),
    ("web.sharing.show", "Settings"),
)

web = Blueprint("web", __name__, template_folder="templates", static_folder="static", static_url_path="/-/static")


@web.after_request
def protect(response: Response) -> Response:
    """Add to each page what keeps other sites and scripts out of it; the API answers as it does elsewhere."""
    return response if session.is_of_api() else rendering.protect(response)


for _wing in _WINGS:
    web.register_blueprint(_wing.blueprint)

BLUEPRINTS = (web, docs.blueprint)
CONVERTERS = {"user": UserId}


def install(app: Flask) -> None:
    """Prepare an application for pages: templates, sessions, and forms."""
    app.config |= {"WTF_CSRF_CHECK_DEFAULT": False, "WTF_CSRF_TIME_LIMIT": None, "WTF_CSRF_SSL_STRICT": True}
    session.install(app)
    rendering.install(app)
    csrf.init_app(app)
    app.jinja_env.globals["tabs"] = TABS
