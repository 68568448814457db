"""What the masters ask, protocol by protocol, and where an answer ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Talk:
    """How a master of one protocol speaks."""

    port: int
    question: bytes
    whole: Callable[[bytes], int | None]
    """The length of the first message; None as long as that is not known."""
    hello: tuple[bytes, ...] = ()
    """What is said, and answered, before the first question."""
    datagrams: bool = False

    def ends(self, heard: bytes) -> bool:
        """Whether a whole message has been heard."""
        length = self.whole(heard)
        return length is not None and len(heard) >= length


def modbus(unit: int) -> bytes:
    """Read ten holding registers."""
    return bytes.fromhex("0001 0000 0006") + bytes([unit]) + bytes.fromhex("03 0000 000a")


def dnp3(header: bytes) -> bytes:
    """A link header with its check sum (IEEE 1815, 9.2.5)."""
    crc = 0
    for byte in header:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA6BC if crc & 1 else 0)
    return header + (crc ^ 0xFFFF).to_bytes(2, "little")


def counted(at: int, size: int, order: str, more: int) -> Callable[[bytes], int | None]:
    """A message whose length stands at `at` and does not count `more` of its bytes."""

    def whole(heard: bytes) -> int | None:
        if len(heard) < at + size:
            return None
        return int.from_bytes(heard[at : at + size], "big" if order == "big" else "little") + more

    return whole


def dnp3_whole(heard: bytes) -> int | None:
    if len(heard) < 3:
        return None
    data = max(0, heard[2] - 5)
    return 10 + data + 2 * ((data + 15) // 16)


TALKS = {
    "modbus": Talk(502, modbus(1), counted(4, 2, "big", 6)),
    # An operator's panel that asks for the operating mode.
    "s7": Talk(
        102,
        bytes.fromhex("0300002102f080320700000009000800080001120411440100ff09000404240000"),
        counted(2, 2, "big", 0),
        (
            bytes.fromhex("0300001611e00000000900c0010ac1020100c2020202"),
            bytes.fromhex("0300001902f08032010000000900080000f0000001000100f0"),
        ),
    ),
    # List Identity; the answer may be put off for half a second.
    "enip": Talk(
        44818,
        bytes([0x63]) + bytes(11) + bytes.fromhex("f401") + bytes(10),
        counted(2, 2, "little", 24),
    ),
    # The name of the device.
    "bacnet": Talk(
        47808,
        bytes.fromhex("810a0011 0104 0005010c 0c023fffff 194d"),
        counted(2, 2, "big", 0),
        datagrams=True,
    ),
    # Request Link Status.
    "dnp3": Talk(20000, dnp3(bytes.fromhex("0564 05c9 0a00 0100")), dnp3_whole),
}
