"""The answer about the server's health."""

from app.schemas.base import StrictSchema
from app.schemas.fields import Choice, Text


class HealthSchema(StrictSchema):
    """The server's health."""

    status = Choice(
        ("healthy", "degraded"),
        required=True,
        metadata={"description": "`degraded`: the data directory cannot be written, or the users not be read."},
    )
    api = Text(required=True, metadata={"description": "Always `bakehouse`."})
    version = Text(required=True, metadata={"description": "The server's version."})
