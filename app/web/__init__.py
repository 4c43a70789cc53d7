"""Pages for the browser."""

from app.web import docs

BLUEPRINTS = (docs.blueprint,)
