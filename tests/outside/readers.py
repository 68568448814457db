"""How the questions of each protocol are read from what tshark dissects.

A protocol of the manifest without a row here turns promise 4 red.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Seen = dict[str, str]


@dataclass(frozen=True)
class Reader:
    """One protocol."""

    layer: str
    """What tshark calls it."""
    fields: tuple[str, ...]
    selector: Callable[[Seen, bytes], bytes]
    """What a question asks for, as the manifest spells it; empty if it is none."""
    header: int
    """Bytes of the payload before the selector. The bytes there must be the selector too."""
    options: tuple[str, ...] = ()


def number(text: str) -> int:
    return int(text.split("\x1e")[0], 0)


def modbus(seen: Seen, payload: bytes) -> bytes:
    if not seen["modbus.func_code"]:
        return b""
    selector = bytes([number(seen["modbus.func_code"])])
    if seen["modbus.mei"]:
        code = number(seen["modbus.read_device_id"])
        return selector + bytes([number(seen["modbus.mei"]), code])
    if seen["modbus.reference_num"]:
        named = [seen[name] for name in ("modbus.reference_num", "modbus.word_cnt")]
        return selector + b"".join(number(text).to_bytes(2, "big") for text in named if text)
    # What a vendor's function 90 (UMAS) means, tshark does not know: pairing key and function,
    # and for READ_PROJECT_INFO the record.
    if selector == b"\x5a":
        return payload[7 : 10 + (payload[9:10] == b"\x03")]
    return selector


READERS = {
    "modbus": Reader(
        layer="modbus",
        fields=(
            "modbus.func_code",
            "modbus.mei",
            "modbus.read_device_id",
            "modbus.reference_num",
            "modbus.word_cnt",
        ),
        selector=modbus,
        header=7,
        options=("mbtcp.tcp.port:502",),
    ),
}
