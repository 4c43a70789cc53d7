"""`/v1/health`."""

import tempfile
from importlib.metadata import version
from pathlib import Path

from flask import Blueprint

from app.schemas.health import HealthSchema
from app.wire import context
from app.wire.contract import Answer, accepts, returns

blueprint = Blueprint("health", __name__, url_prefix="/v1/health")

API_NAME = "bakehouse"


@blueprint.get("")
@accepts(is_open=True)
@returns(HealthSchema, 200, 503)
def check_health() -> Answer:
    """Check whether the server works. No token is needed.

    503 if the data directory cannot be written, or the users' accounts cannot be read.
    """
    services = context.services()
    healthy = _can_write(services.settings.data_dir) and services.accounts.find_problem() is None
    status = "healthy" if healthy else "degraded"
    return {"status": status, "api": API_NAME, "version": version(API_NAME)}, 200 if healthy else 503, {}


def _can_write(folder: Path) -> bool:
    """Write a file: permission bits do not show a full or read-only disk."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"healthy")
            file.flush()
    except OSError:
        return False
    return True
