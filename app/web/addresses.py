"""The parts of addresses of pages."""

from werkzeug.routing import BaseConverter

RESERVED = ("docs", "git", "health", "openapi.json", "v1")  # the first parts of other addresses of this server


class UserId(BaseConverter):
    """The id of a user, as the first part of an address."""

    regex = rf"(?!(?:{'|'.join(RESERVED).replace('.', chr(92) + '.')})/?\Z)[A-Za-z0-9][A-Za-z0-9._@+-]{{0,127}}"
    part_isolating = True
