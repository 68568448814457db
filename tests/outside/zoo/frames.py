"""When frames arrived for whom, by the clock of the system, on every interface of a namespace."""

from __future__ import annotations

import select
import socket
import struct
from collections import defaultdict
from collections.abc import Iterable

EVERYTHING = 0x0003
IPV4, ARP = b"\x08\x00", b"\x08\x06"
OUTGOING = 4
"""PACKET_OUTGOING: what this side sends."""
TIMESTAMPS = 35
"""SO_TIMESTAMPNS."""
BUFFER_FORCE = 33
"""SO_RCVBUFFORCE."""
ROOM = 64 * 1024 * 1024


class Frames:
    """A socket that sees what arrives."""

    def __init__(self, addresses: Iterable[str], scanner: str) -> None:
        self._scanner = socket.inet_aton(scanner)
        self._known = {socket.inet_aton(address): address for address in addresses}
        self._arrived: dict[str, list[tuple[float, bool]]] = defaultdict(list)
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERYTHING))
        self._socket.setsockopt(socket.SOL_SOCKET, BUFFER_FORCE, ROOM)
        self._socket.setsockopt(socket.SOL_SOCKET, TIMESTAMPS, 1)

    def listen(self, until: int) -> dict[str, list[tuple[float, bool]]]:
        """Until the file descriptor `until` can be read or ends; seconds since 1970, and whether
        it came from the scanner's side."""
        while True:
            ready = select.select([self._socket.fileno(), until], [], [])[0]
            if self._socket.fileno() in ready:
                self._take()
            elif until in ready:
                return self._arrived

    def _take(self) -> None:
        frame, more, _, where = self._socket.recvmsg(64, 64)
        if where[2] == OUTGOING:
            return
        whom = self._known.get(receiver(frame))
        if whom is not None:
            seconds, nanoseconds = struct.unpack("ll", more[0][2][:16])
            ours = sender(frame) == self._scanner
            self._arrived[whom].append((seconds + nanoseconds / 1e9, ours))


def receiver(frame: bytes) -> bytes:
    """Whom an Ethernet frame is for: the IPv4 address, also of the one who is looked for."""
    if frame[12:14] == IPV4:
        return frame[30:34]
    return frame[38:42] if frame[12:14] == ARP else b""


def sender(frame: bytes) -> bytes:
    return frame[26:30] if frame[12:14] == IPV4 else frame[28:32]
