"""The socket that the server listens on: how it begins, and how it ends without resets."""

import ctypes
import socket
import struct
import sys
from contextlib import suppress
from typing import Any

from app.settings import Settings, SettingsError

_WAITING_CONNECTIONS = 2048  # gunicorn's default
_SO_ATTACH_FILTER = 26  # Linux's <asm/socket.h>
_DROP = struct.pack("HBBI", 0x06, 0, 0, 0)  # one instruction of Linux's packet filters: return 0 bytes of each packet


def listen(settings: Settings) -> socket.socket:
    """Listen, or raise SettingsError. gunicorn would retry for seconds, and log a stack trace."""
    try:
        family, *_, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=_WAITING_CONNECTIONS)
    except OSError as error:
        raise SettingsError(
            f"BAKEHOUSE_HOST and BAKEHOUSE_PORT: cannot listen on {settings.url}: {error.strerror}."
        ) from error


def let_nobody_in(listener: Any) -> None:
    """Have the system accept no connection any more, where it can, without closing the socket."""
    if sys.platform != "linux":
        return
    program = ctypes.create_string_buffer(_DROP, len(_DROP))
    with suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(program)))
