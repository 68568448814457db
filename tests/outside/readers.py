"""How the questions of each protocol are read: once from what tshark dissects, once from the bytes.

Both must give the same selector, spelled as the manifest spells it. A protocol of the manifest
without a row here turns promise 4 red.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Seen = dict[str, str]


@dataclass(frozen=True)
class Reader:
    """One protocol."""

    layers: tuple[str, ...]
    """What tshark may call the last layer of a question."""
    fields: tuple[str, ...]
    dissected: Callable[[Seen, bytes], bytes]
    """The selector by the fields; empty if it is no question."""
    spelled: Callable[[bytes], bytes]
    """What the bytes say from the selector on, or the selector itself where it is scattered."""
    options: tuple[str, ...] = ()


def number(text: str) -> int:
    return int(text.split("\x1e")[0], 0)


def octets(seen: Seen, *names: str) -> bytes:
    """The values of fields of one byte, those left out that are not there."""
    return bytes(number(seen[name]) for name in names if seen[name])


def words(seen: Seen, *names: str) -> bytes:
    return b"".join(number(seen[name]).to_bytes(2, "big") for name in names if seen[name])


def modbus(seen: Seen, payload: bytes) -> bytes:
    selector = octets(seen, "modbus.func_code", "modbus.mei", "modbus.read_device_id")
    # What a vendor's function 90 (UMAS) means, tshark does not know: pairing key and function,
    # and for READ_PROJECT_INFO the record.
    if selector == b"\x5a":
        return payload[7 : 10 + (payload[9:10] == b"\x03")]
    return selector + words(seen, "modbus.reference_num", "modbus.word_cnt")


READERS = {
    "modbus": Reader(
        layers=("modbus",),
        fields=(
            "modbus.func_code",
            "modbus.mei",
            "modbus.read_device_id",
            "modbus.reference_num",
            "modbus.word_cnt",
        ),
        dissected=modbus,
        spelled=lambda payload: payload[7:],
        options=("mbtcp.tcp.port:502",),
    ),
}
