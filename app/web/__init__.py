"""Pages for the browser."""

from flask import Blueprint, Flask

from app.web import docs, rendering, session
from app.web.addresses import UserId
from app.web.admission import csrf
from app.web.home import views as home
from app.web.labels import views as labels
from app.web.search import views as search
from app.web.target import views as target
from app.web.tree import views as tree

_WINGS = (
    home,
    labels,
    search,
    target,
    tree,
)
# What each page of a repo leads to, in this order: the endpoint and its name.
TABS: tuple[tuple[str, str], ...] = (
    ("web.tree.show", "Family tree"),
    ("web.labels.show_all", "Labels"),
)

web = Blueprint("web", __name__, template_folder="templates", static_folder="static", static_url_path="/-/static")
web.after_request(rendering.protect)
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
