"""How commands that ask end where there is no answer to print."""

from click import ClickException


class Refused(ClickException):
    """The server, or the clone, refused the request, or has nothing of that name."""

    exit_code = 1


class NoAnswer(ClickException):
    """There is no server, it is in trouble, or what answers is not Bakehouse. To try again may help."""

    exit_code = 3
