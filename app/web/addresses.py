"""The parts of addresses of pages."""

import re

from werkzeug.routing import BaseConverter

from app.domain.names import RESERVED


class UserId(BaseConverter):
    """The id of a user, as the first part of an address."""

    regex = rf"(?!(?:{'|'.join(map(re.escape, RESERVED))})/?\Z)[A-Za-z0-9][A-Za-z0-9._@+-]{{0,127}}"
    part_isolating = True
