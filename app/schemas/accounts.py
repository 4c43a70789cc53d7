"""Users, as requests ask for them and answers show them."""

from app.registry.names import user_id_problem
from app.schemas.base import StrictSchema
from app.schemas.fields import Name, Text


class UserCreateSchema(StrictSchema):
    """A new user."""

    user_id = Name(user_id_problem, required=True, metadata={"description": "The user's id."})
    user_alias = Text(allow_none=True, metadata={"description": "The name that commits show."})
    user_email = Text(allow_none=True, metadata={"description": "The address that commits show."})
    password = Text(allow_none=True, metadata={"description": "Accepted and ignored: tokens let users in."})


class UserCreatedSchema(StrictSchema):
    """A user who was just made."""

    user_id = Text(required=True, metadata={"description": "The user's id."})
    api_key = Text(required=True, metadata={"description": "The user's token. It is shown only now."})
