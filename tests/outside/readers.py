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
    unknown: tuple[str, ...] = ()
    """What tshark says of numbers that are newer than it is."""


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


def bacnet(seen: Seen, payload: bytes) -> bytes:
    """Context tags tell elements of a property from the property itself; which element it is tshark
    does not tell, so that an index of zero is looked for at the end."""
    selector = octets(seen, "bvlc.function")
    control = seen["bacnet.control"]
    if not control:
        return selector
    selector += bytes([number(control) & 0xA0]) + octets(seen, "bacnet.mesgtyp")
    if not seen["bacapp.type"]:
        return selector
    selector += bytes([number(seen["bacapp.type"]) << 4])
    selector += octets(seen, "bacapp.confirmed_service", "bacapp.unconfirmed_service")
    properties = [int(text, 0) for text in seen["bacapp.property_identifier"].split("\x1e") if text]
    if not properties:
        return selector
    tags = [int(text, 0) for text in seen["bacapp.context_tag_number"].split("\x1e")]
    if selector[-1] == 0x0C:
        elements = [(0x40 if payload[-1] == 0 else 0x80) if tags == [0, 1, 2] else 0]
    else:
        elements = []
        for tag in tags[2:-1]:  # between the number of the object and the end of the list
            if tag == 0:
                elements.append(0)
            else:
                elements[-1] = 0x80
    steps = [
        bytes([which >> 8 | element, which & 0xFF])
        for which, element in zip(properties, elements, strict=True)
    ]
    return selector + octets(seen, "bacapp.objectType") + once(steps)


def once(steps: list[bytes]) -> bytes:
    """However many elements of one property: they are one step."""
    found = b""
    for step in steps:
        if step[0] & 0x80 and found[-2:] == step:
            continue
        found += step
    return found


def bacnet_spelled(payload: bytes) -> bytes:
    """The function of the BVLC, what of the NPDU matters, and the read in it."""
    selector = payload[1:2]
    if selector not in (b"\x0a", b"\x0b"):
        return selector
    control, at = payload[5], 6
    if control & 0x20:
        at += 3 + payload[at + 2] + 1  # the network, the address there, and hops
    selector += bytes([control & 0xA0])
    if control & 0x80:
        return selector + payload[at : at + 1]
    kind = payload[at] & 0xF0
    if kind == 0x10:
        return selector + bytes([kind, payload[at + 1]])
    service, at = payload[at + 3], at + 4
    kind_of_object = int.from_bytes(payload[at + 1 : at + 5], "big") >> 22
    selector += bytes([kind, service, kind_of_object])
    at += 5 + (service == 0x0E)
    steps: list[bytes] = []
    first = 1 if service == 0x0C else 0
    while at < len(payload) and payload[at] != 0x1F:
        length, value = context(payload, at)
        if payload[at] >> 4 == first:
            steps.append(value.to_bytes(2, "big"))
        else:
            element = 0x40 if value == 0 else 0x80
            steps[-1] = bytes([steps[-1][0] | element, steps[-1][1]])
        at += 1 + length
    return selector + once(steps)


def context(payload: bytes, at: int) -> tuple[int, int]:
    """Length and value of a number under a context tag."""
    length = payload[at] & 0x07
    return length, int.from_bytes(payload[at + 1 : at + 1 + length], "big")


def dnp3(seen: Seen, _: bytes) -> bytes:
    """Functions of link and application, and each object with its qualifier."""

    def all_of(name: str) -> list[int]:
        return [int(text, 0) for text in seen[name].split("\x1e") if text]

    objects = zip(
        all_of("dnp3.al.obj"),
        all_of("dnp3.al.objq.prefix"),
        all_of("dnp3.al.objq.range"),
        strict=True,
    )
    path = (
        number.to_bytes(2, "big") + bytes([prefix << 4 | way]) for number, prefix, way in objects
    )
    return octets(seen, "dnp3.ctl.prifunc", "dnp3.al.func") + b"".join(path)


def dnp3_spelled(payload: bytes) -> bytes:
    """Behind the header of the link one block of data: transport, control, function, objects."""
    function, block = payload[3] & 0x0F, payload[10:-2]
    return bytes([function]) + (block[2:6] if function == 4 else b"")


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
    "bacnet": Reader(
        layers=("bvlc", "bacnet", "bacapp"),
        fields=(
            "bvlc.function",
            "bacnet.control",
            "bacnet.mesgtyp",
            "bacapp.type",
            "bacapp.confirmed_service",
            "bacapp.unconfirmed_service",
            "bacapp.objectType",
            "bacapp.property_identifier",
            "bacapp.context_tag_number",
        ),
        dissected=bacnet,
        spelled=bacnet_spelled,
        carriers=("udp",),
    ),
    "dnp3": Reader(
        layers=("dnp3",),
        fields=(
            "dnp3.ctl.prifunc",
            "dnp3.al.func",
            "dnp3.al.obj",
            "dnp3.al.objq.prefix",
            "dnp3.al.objq.range",
        ),
        dissected=dnp3,
        spelled=dnp3_spelled,
        unknown=("Unknown Group 0 Variation",),  # 244: who owns it
        carriers=("udp", "tcp"),
    ),
}
