"""What each fault makes of an honest answer: other bytes, in one message or more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from faults.shapes import SHAPES, Field, Link, Order, each_link, links

HOSTILE = "\0\x1b[2J\u202e=cmd|' /C calc'!A0<script>../../\n".encode() + b"\xff\xfe"
"""NUL, a command to terminals, right to left, a formula, a script, a path, no UTF-8."""
BANNERS = {
    "ssh": b"SSH-2.0-pretend_1.0\r\n",
    "http": b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    "tls": bytes.fromhex("160303002a0200002603030000000000000000000000000000000000000000000000"
                         "000000000000000000 00130100"),
}  # fmt: skip
TLS_ALERT = bytes.fromhex("15030100020246")
MORE = 40
"""By how much a length field is too large: enough to wait for, not enough to be nonsense."""


@dataclass
class Answer:
    """An honest answer, and what is known beside it."""

    protocol: str
    question: bytes
    honest: bytes
    kind: str = ""
    first: bytes = b""
    """The first answer of this device."""
    nth: int = 0
    """How many answers there were since the fault began."""
    texts: tuple[bytes, ...] = field(default=())
    """What the device says of itself."""


Spoiler = Callable[[Answer], list[bytes]]


def spoiled(number: int, answer: Answer) -> list[bytes]:
    """The messages that come instead of the honest answer."""
    return SPOILERS[number](answer)


def field_set(answer: bytes, protocol: str, change: Callable[[int], int]) -> bytes:
    """The length field of the first message, changed."""
    if protocol == "dnp3":
        frame = links(answer)[0]
        return frame.built(min(change(5 + len(frame.data)), 0xFF))
    length = SHAPES[protocol].length
    return length.set(answer, change(length.of(answer)))


def too_long(answer: Answer) -> list[bytes]:
    return [field_set(answer.honest, answer.protocol, lambda length: length + MORE)]


def no_length(answer: Answer) -> list[bytes]:
    return [field_set(answer.honest, answer.protocol, lambda _: 0)]


def all_ones(answer: Answer) -> list[bytes]:
    return [field_set(answer.honest, answer.protocol, lambda _: 0xFFFF)]


def other_transaction(answer: Answer) -> list[bytes]:
    """Of a message that carries a number, that number; of a link frame, who sent it."""
    honest = answer.honest
    match answer.protocol:
        case "modbus":
            return [flipped(honest, Field(0, 2))]
        case "enip":
            return [flipped(honest, Field(12, 8))]
        case "s7":
            return [flipped(honest, Field(6, 2) if is_connect(honest) else Field(11, 2))]
        case "bacnet":
            return [flipped(honest, Field(7, 1)) if is_acknowledgement(honest) else b""]
        case _:
            return [each_link(honest, next_sequence)]


def flipped(answer: bytes, place: Field) -> bytes:
    return place.set(answer, ~place.of(answer))


def is_connect(answer: bytes) -> bool:
    """Whether it is the COTP answer to a connection request."""
    return answer[5:6] == b"\xd0"


def is_acknowledgement(answer: bytes) -> bool:
    """Whether it is a BACnet answer with a number, from no router."""
    return answer[1:2] == b"\x0a" and answer[4:7] == b"\x01\x00\x30"


def next_sequence(frame: Link) -> Link:
    """Another number of the application layer, or another sender of a bare link frame."""
    if len(frame.data) < 2:
        return replace(frame, source=frame.source ^ 0x55)
    control = frame.data[1] & 0xF0 | (frame.data[1] + 7) & 0x0F
    return replace(frame, data=frame.data[:1] + bytes([control]) + frame.data[2:])


def more_follows(answer: Answer) -> list[bytes]:
    honest = answer.honest
    match answer.protocol:
        case "modbus" if honest[7:9] == b"\x2b\x0e":
            return [honest[:11] + b"\xff\0" + honest[13:]]
        case "s7" if is_connect(honest) or honest[8:9] == b"\x03":
            return [honest]
        case "s7":
            # The same part again, whatever is asked.
            whole = answer.first if answer.first[8:9] == b"\x07" else honest
            return [whole[:11] + answer.question[11:13] + whole[13:25] + b"\1\1" + whole[27:]]
        case "enip" if honest[:1] == b"\x6f":
            return [Field(42, 1).set(honest, 6)]
        case "enip":
            return [Field(24, 2, "little").set(honest, Field(24, 2, "little").of(honest) + 1)]
        case "bacnet" if is_acknowledgement(honest):
            return [segment(honest, number) for number in range(40)]
        case "dnp3" if links(honest)[-1].data[2:3] == b"\x81":
            frame = links(honest)[0]
            return [fragment(frame, number) for number in range(40)]
        case _:
            return [honest]


def segment(honest: bytes, number: int) -> bytes:
    """A piece of a BACnet answer of which there are more to come."""
    apdu = b"\x3c" + honest[7:8] + bytes([number, 1]) + honest[8:]
    return b"\x81\x0a" + (6 + len(apdu)).to_bytes(2, "big") + honest[4:6] + apdu


def fragment(frame: Link, number: int) -> bytes:
    """A piece of a DNP3 response; only the first says that it is, and none that it is the last."""
    control = (0x80 if number == 0 else 0) | (frame.data[1] + number) & 0x0F
    return replace(frame, data=bytes([0xC0, control]) + frame.data[2:]).built()


def one_piece(answer: Answer) -> list[bytes]:
    if answer.protocol == "s7":
        is_data = not is_connect(answer.honest)
        return [Field(6, 1).set(answer.honest, 0) if is_data else answer.honest]
    return more_follows(answer)[:1]


def nested(answer: Answer) -> list[bytes]:
    """Opening tags in a BACnet answer, hundreds deep."""
    honest = answer.honest
    opened = [at for at in (honest.find(b"\x3e", 8), honest.find(b"\x4e", 8)) if at > 0]
    if not opened:
        return [honest]
    begins = min(opened)
    deep = honest[:begins] + b"\x3e" * 700 + b"\x3f" * 700
    return [Field(2, 2).set(deep, len(deep))]


def many_items(answer: Answer) -> list[bytes]:
    """Counts that claim as many items as they can, and as many as fit."""
    honest = answer.honest
    match answer.protocol:
        case "modbus" if honest[7:9] == b"\x2b\x0e":
            pdu = honest[7:13] + b"\xff" + b"".join(bytes([one, 0]) for one in range(120))
            return [honest[:4] + (1 + len(pdu)).to_bytes(2, "big") + honest[6:7] + pdu]
        case "enip":
            at = 30 if honest[:1] == b"\x6f" else 24
            return [Field(at, 2, "little").set(honest, 0xFFFF)]
        case "s7" if honest[8:9] == b"\x07":
            return [Field(39, 2).set(honest, 0xFFFF)]
        case "bacnet" if is_acknowledgement(honest) and honest[8] == 0x0E:
            many = honest[:14] + b"\x29\x4d\x4e\x75\x01\x00\x4f" * 190 + b"\x1f"
            return [Field(2, 2).set(many, len(many))]
        case "bacnet" if is_acknowledgement(honest):
            many = honest[:16] + b"\x3e" + b"\xc4\x02\x00\x12\x67" * 280 + b"\x3f"
            return [Field(2, 2).set(many, len(many))]
        case "dnp3":
            return [each_link(honest, counts_more)]
        case _:
            return [honest]


def counts_more(frame: Link) -> Link:
    """Objects counted in two bytes, as many as those can say."""
    data = frame.data
    if data[2:3] != b"\x81" or len(data) < 12:
        return frame
    return replace(frame, data=data[:7] + b"\x08\xff\xff" + data[10:])


def hostile(answer: Answer) -> list[bytes]:
    def other(text: bytes) -> bytes:
        return (HOSTILE * (1 + len(text) // len(HOSTILE)))[: len(text)]

    return [said_otherwise(answer, other)]


def somebody_else(answer: Answer) -> list[bytes]:
    def other(text: bytes) -> bytes:
        return bytes(one ^ 0x02 if chr(one).isalnum() else one for one in text)

    is_the_first = answer.nth == 0 and answer.first == answer.honest
    return [answer.honest if is_the_first else said_otherwise(answer, other)]


def said_otherwise(answer: Answer, other: Callable[[bytes], bytes]) -> bytes:
    """The same answer with other words in it."""

    def change(said: bytes) -> bytes:
        for text in sorted(answer.texts, key=len, reverse=True):
            said = said.replace(text, other(text))
        return said

    if answer.protocol == "dnp3":
        return each_link(answer.honest, lambda frame: replace(frame, data=change(frame.data)))
    return change(answer.honest)


def refusal(answer: Answer) -> list[bytes]:
    """Error number `kind` of those that matter: unknown, busy, absent, and one that nobody has."""
    which = ("unknown", "busy", "absent", "odd").index(answer.kind)
    honest = answer.honest
    match answer.protocol:
        case "modbus":
            code = (1, 6, 11, 0x7F)[which]
            return [honest[:4] + b"\0\3" + honest[6:7] + bytes([answer.question[7] | 0x80, code])]
        case "enip" if honest[:1] == b"\x6f":
            return [Field(42, 1).set(honest, (0x08, 0x02, 0x05, 0xFE)[which])]
        case "enip":
            status = (0x01, 0x02, 0x64, 0xFFFF)[which].to_bytes(4, "little")
            return [honest[:2] + b"\0\0" + honest[4:8] + status + honest[12:24]]
        case "s7" if is_connect(honest):
            reason = (0x80, 0x83, 0x03, 0x7F)[which]
            return [bytes.fromhex("0300000b0680") + honest[6:10] + bytes([reason])]
        case "s7" if honest[8:9] == b"\x03":
            return [Field(17, 2).set(honest, (0x8104, 0x8303, 0x8402, 0x7F7F)[which])]
        case "s7":
            body = bytes.fromhex("0a000000")
            failed = Field(27, 2).set(honest[:29], (0xD401, 0x8302, 0xD402, 0x7F7F)[which]) + body
            return [Field(15, 2).set(Field(2, 2).set(failed, len(failed)), len(body))]
        case "bacnet" if is_acknowledgement(honest):
            number, service = honest[7:8], honest[8:9]
            apdu = (b"\x50" + number + service + b"\x91\x02\x91\x20", b"\x71" + number + b"\x09",
                    b"\x60" + number + b"\x09", b"\x50" + number + service + b"\x91\x7f\x91\x7f",
                    )[which]  # fmt: skip
            return [b"\x81\x0a" + (6 + len(apdu)).to_bytes(2, "big") + b"\1\0" + apdu]
        case "dnp3":
            return [link_refusal(links(honest)[0], which).built()]
        case _:
            return [honest]


def link_refusal(frame: Link, which: int) -> Link:
    """Internal indications without objects; of a bare link frame, that it has no such function."""
    if len(frame.data) < 5:
        return replace(frame, control=frame.control & 0xF0 | 0x0F)
    transport = bytes([frame.data[0] | 0xC0])
    indications = bytes([frame.data[3], (0x01, 0x08, 0x02, 0x3F)[which]])
    return replace(frame, data=transport + frame.data[1:3] + indications)


def in_between(answer: Answer) -> list[bytes]:
    """A valid message that answers nothing, then the answer."""
    honest = answer.honest
    match answer.protocol:
        case "s7" if is_connect(honest):
            return [honest]
        case "bacnet":
            i_am = bytes.fromhex("810a0014 0100 1000 c402001234 2205c4 9100 22ea61")
            return [Field(2, 2).set(i_am, len(i_am)), honest]
        case "dnp3":
            unsolicited = replace(links(honest)[0], control=0x44, data=bytes.fromhex("c0f0820000"))
            return [unsolicited.built() + honest]
        case "modbus" | "enip" | "s7":
            return [*other_transaction(answer), honest]
        case _:
            return [honest]


def unasked(answer: Answer) -> list[bytes]:
    """What answers another question, and nothing else."""
    match answer.protocol:
        case "enip":
            return [b"\x04" + answer.honest[1:]]
        case "dnp3":
            return [in_between(answer)[0][:17]]
        case _:
            return in_between(answer)[:1]


def other_version(answer: Answer) -> list[bytes]:
    honest = answer.honest
    little: Order = "little"
    match answer.protocol:
        case "modbus":
            return [Field(2, 2).set(honest, 1)]
        case "s7":
            return [Field(0, 1).set(honest, 2)]
        case "bacnet":
            return [Field(4, 1).set(honest, 0)] if honest[1:2] != b"\0" else [honest]
        case "enip" if honest[:1] == b"\x65":
            return [Field(24, 2, little).set(honest, 0)]
        case "enip" if honest[:1] == b"\x63":
            return [Field(30, 2, little).set(honest, 0)]
        case _:
            return [honest]


def oversized(answer: Answer) -> list[bytes]:
    return [answer.honest.ljust(65_507, b"\xaa")]


SPOILERS: dict[int, Spoiler] = {
    23: lambda answer: [answer.honest] * 2,
    24: lambda answer: [answer.first, answer.honest],
    25: lambda answer: [answer.honest] * 1000,
    27: oversized,
    29: unasked,
    30: too_long,
    31: no_length,
    32: all_ones,
    33: other_transaction,
    34: lambda answer: [answer.first],
    35: lambda answer: [answer.question],
    36: lambda answer: [BANNERS[answer.kind]],
    37: lambda answer: [TLS_ALERT],
    39: more_follows,
    40: nested,
    41: many_items,
    42: hostile,
    43: refusal,
    44: one_piece,
    45: in_between,
    46: other_version,
    47: somebody_else,
}
"""The faults that are a matter of what is said."""
