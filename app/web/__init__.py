"""Pages for people."""

from app.web import docs

BLUEPRINTS = (docs.blueprint,)
