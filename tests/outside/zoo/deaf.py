"""A listening socket that answers no SYN for a while, as a device with a full table does."""

from __future__ import annotations

import ctypes
import socket
import struct

ATTACH, DETACH = 26, 27
"""SO_ATTACH_FILTER and SO_DETACH_FILTER of Linux."""
DROP_EVERYTHING = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
"""One instruction of the classic packet filter: return 0."""


def plug_ears(listener: socket.socket) -> None:
    """What arrives for the listener is dropped unread; connections it has made are not touched."""
    program = struct.pack("HL", 1, ctypes.addressof(DROP_EVERYTHING))
    listener.setsockopt(socket.SOL_SOCKET, ATTACH, program)


def open_ears(listener: socket.socket) -> None:
    listener.setsockopt(socket.SOL_SOCKET, DETACH, 0)
