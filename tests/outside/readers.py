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
    carriers: tuple[str, ...] = ("tcp",)
    """What may carry it; datagrams of others are no conversation."""


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


def s7(seen: Seen, _: bytes) -> bytes:
    called = bytes.fromhex(seen["cotp.dst-tsap-bytes"].split("\x1e")[0].replace(":", ""))
    if called:
        return bytes([0xE0, called[0]])
    group = octets(seen, "s7comm.param.userdata.type", "s7comm.param.userdata.funcgroup")
    return (
        octets(seen, "s7comm.header.rosctr", "s7comm.param.func", "s7comm.param.userdata.reqres1")
        + (bytes([group[0] << 4 | group[1]]) if len(group) == 2 else b"")
        + octets(seen, "s7comm.param.userdata.subfunc")
        + words(seen, "s7comm.data.userdata.szl_id", "s7comm.data.userdata.szl_index")
    )


def s7_spelled(payload: bytes) -> bytes:
    """TPKT, then a COTP connection request, or COTP data with an S7 job or user data in it."""
    if payload[5] == 0xE0:
        called = payload.index(b"\xc2\x02")
        return bytes([0xE0, payload[called + 2]])
    kind, length = payload[8], int.from_bytes(payload[13:15], "big")
    parameters, data = payload[17 : 17 + length], payload[17 + length :]
    if kind == 1:
        return bytes([kind, parameters[0]])
    listed = data[4:8] if data[:2] == b"\xff\x09" else b""
    return bytes([kind, *parameters[4:7]]) + listed


def enip(seen: Seen, _: bytes) -> bytes:
    """Of an Unconnected Send tshark names the service, and those of the request inside."""

    def all_of(name: str) -> bytes:
        return bytes(int(text, 0) for text in seen[name].split("\x1e") if text)

    selector = octets(seen, "enip.command")
    paths = zip(all_of("cip.sc"), all_of("cip.class"), all_of("cip.instance"), strict=True)
    return selector + b"".join(map(bytes, paths)) + all_of("cip.attribute")


def enip_spelled(payload: bytes) -> bytes:
    """The command; of SendRRData the request in its last item, and the one inside that."""
    command, data = payload[:1], payload[24:]
    return command + (cip(data[16:]) if command == b"\x6f" else b"")


def cip(request: bytes) -> bytes:
    """Service and path, a segment of one byte each, and what they are asked for."""
    service, length = request[0], 2 * request[1]
    path, data = request[2 : 2 + length], request[2 + length :]
    selector = bytes([service]) + path[1::2]
    if service == 0x52:
        inside = int.from_bytes(data[2:4], "little")
        return selector + cip(data[4 : 4 + inside])
    if service == 0x03:
        return selector + data[2::2]
    return selector


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
    "s7": Reader(
        layers=("s7comm", "cotp"),
        fields=(
            "cotp.dst-tsap-bytes",
            "s7comm.header.rosctr",
            "s7comm.param.func",
            "s7comm.param.userdata.reqres1",
            "s7comm.param.userdata.type",
            "s7comm.param.userdata.funcgroup",
            "s7comm.param.userdata.subfunc",
            "s7comm.data.userdata.szl_id",
            "s7comm.data.userdata.szl_index",
        ),
        dissected=s7,
        spelled=s7_spelled,
    ),
    "enip": Reader(
        layers=("enip", "cip", "cipcm", "cipcls"),
        fields=("enip.command", "cip.sc", "cip.class", "cip.instance", "cip.attribute"),
        dissected=enip,
        spelled=enip_spelled,
        carriers=("udp", "tcp"),
    ),
}
