"""Packets written by hand, for what no socket of the system can be made to send."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

FIN, SYN, RST, PUSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
PORT_UNREACHABLE, HOST_UNREACHABLE, ADMIN_PROHIBITED, FRAGMENTATION_NEEDED = 3, 1, 13, 4
ICMP, TCP, UDP = 1, 6, 17
MORE_FRAGMENTS = 0x2000


def checksum(data: bytes) -> int:
    """RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip(
    source: str, target: str, protocol: int, payload: bytes, number: int = 0, fragment: int = 0
) -> bytes:
    """The system fills in the checksum, and the number if it is 0."""
    ends = socket.inet_aton(source) + socket.inet_aton(target)
    length = 20 + len(payload)
    return (
        struct.pack("!BBHHHBBH", 0x45, 0, length, number, fragment, 64, protocol, 0)
        + ends
        + payload
    )


def udp(source_port: int, target_port: int, payload: bytes) -> bytes:
    """Without a checksum, as IPv4 allows."""
    return struct.pack("!HHHH", source_port, target_port, 8 + len(payload), 0) + payload


@dataclass(frozen=True)
class Segment:
    """What of a TCP segment matters here."""

    source: str
    source_port: int
    target: str
    target_port: int
    sequence: int
    acknowledged: int
    flags: int
    window: int = 8192
    payload: bytes = b""
    mss: int = 0

    def packet(self) -> bytes:
        options = struct.pack("!BBH", 2, 4, self.mss) if self.mss else b""
        offset = (20 + len(options)) << 2
        head = struct.pack("!HHIIBBHHH", self.source_port, self.target_port, self.sequence,
                           self.acknowledged, offset, self.flags, self.window, 0, 0)  # fmt: skip
        whole = head + options + self.payload
        ends = socket.inet_aton(self.source) + socket.inet_aton(self.target)
        summed = checksum(ends + struct.pack("!BBH", 0, TCP, len(whole)) + whole)
        whole = whole[:16] + struct.pack("!H", summed) + whole[18:]
        return ip(self.source, self.target, TCP, whole)

    @classmethod
    def read(cls, packet: bytes) -> Segment | None:
        """From an IPv4 packet; None if it is none, or another protocol."""
        start = (packet[0] & 0x0F) * 4 if packet else 0
        if len(packet) < start + 20 or packet[0] >> 4 != 4 or packet[9] != TCP:
            return None
        end = struct.unpack_from("!H", packet, 2)[0]
        here, there, sequence, acknowledged, offset, flags, window = struct.unpack_from(
            "!HHIIBBH", packet, start
        )
        source, target = (socket.inet_ntoa(packet[at : at + 4]) for at in (12, 16))
        said = packet[start + (offset >> 4) * 4 : end]
        return cls(source, here, target, there, sequence, acknowledged, flags, window, said)


def unreachable(code: int, quoted: bytes, mtu: int = 0) -> bytes:
    """That a packet did not get there: ICMP type 3, quoting its beginning."""
    rest = struct.pack("!HH", 0, mtu) + quoted[:28]
    summed = checksum(struct.pack("!BBH", 3, code, 0) + rest)
    return struct.pack("!BBH", 3, code, summed) + rest


class Wire:
    """Sends whole packets, whoever they say they are from."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def send(self, packet: bytes) -> None:
        self._socket.sendto(packet, (socket.inet_ntoa(packet[16:20]), 0))

    def datagram(self, source: tuple[str, int], target: tuple[str, int], payload: bytes) -> None:
        """A datagram of anybody's."""
        self.send(ip(source[0], target[0], UDP, udp(source[1], target[1], payload)))

    def fragments(self, source: tuple[str, int], target: tuple[str, int], payload: bytes) -> None:
        """The beginnings of many datagrams, and pieces from their middles; never an end."""
        for number in range(1, 201):
            first = udp(source[1], target[1], payload.ljust(640, b"\0"))[:648]
            self.send(ip(source[0], target[0], UDP, first, number, MORE_FRAGMENTS))
            overlap = MORE_FRAGMENTS | (40 if number % 2 else 8000)
            self.send(ip(source[0], target[0], UDP, b"Z" * 640, number, overlap))

    def unreachable(self, code: int, quoted: bytes, mtu: int = 0) -> None:
        """Said by the one that the packet was for."""
        source, target = socket.inet_ntoa(quoted[16:20]), socket.inet_ntoa(quoted[12:16])
        self.send(ip(source, target, ICMP, unreachable(code, quoted, mtu)))
