"""Where things are in the answers of each protocol, written without a look at the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Order = Literal["big", "little"]


@dataclass(frozen=True)
class Field:
    """Some bytes of an answer that are a number."""

    at: int
    size: int
    order: Order = "big"

    def of(self, answer: bytes) -> int:
        return int.from_bytes(answer[self.at : self.at + self.size], self.order)

    def set(self, answer: bytes, value: int) -> bytes:
        """The answer with another number there; as it is if it ends before."""
        if len(answer) < self.at + self.size:
            return answer
        value &= (1 << 8 * self.size) - 1
        said = value.to_bytes(self.size, self.order)
        return answer[: self.at] + said + answer[self.at + self.size :]


@dataclass(frozen=True)
class Shape:
    """One protocol."""

    port: int
    length: Field
    beside: int
    """What the length field does not count."""

    def first(self, answer: bytes) -> int:
        """How long the first message is."""
        return self.beside + self.length.of(answer)

    def whole(self, answer: bytes) -> bool:
        return len(answer) > self.length.at + self.length.size and len(answer) >= self.first(answer)


@dataclass(frozen=True)
class Link:
    """A link frame of DNP3 (IEEE 1815, clause 9)."""

    control: int
    target: int
    source: int
    data: bytes

    def built(self, length: int | None = None) -> bytes:
        """The frame, with its checksums; with another length if one is given."""
        said = 5 + len(self.data) if length is None else length
        head = bytes([0x05, 0x64, said, self.control])
        head += self.target.to_bytes(2, "little") + self.source.to_bytes(2, "little")
        blocks = [self.data[at : at + 16] for at in range(0, len(self.data), 16)]
        return b"".join(block + crc(block) for block in [head, *blocks])


def crc(block: bytes) -> bytes:
    """The checksum of DNP3: x^16 + x^13 + x^12 + x^11 + x^10 + x^8 + x^6 + x^5 + x^2 + 1."""
    value = 0
    for byte in block:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA6BC if value & 1 else value >> 1
    return (~value & 0xFFFF).to_bytes(2, "little")


class Links(Shape):
    """DNP3, whose messages have checksums, and whose answers may have several frames."""

    def first(self, answer: bytes) -> int:
        data = max(answer[2] - 5, 0)
        return 10 + data + 2 * ((data + 15) // 16)

    def whole(self, answer: bytes) -> bool:
        frames = links(answer)
        last = frames[-1] if frames else None
        return last is not None and (not last.data or bool(last.data[0] & 0x80))


def links(answer: bytes) -> list[Link]:
    """The whole frames of an answer."""
    found = []
    shape = SHAPES["dnp3"]
    while len(answer) >= 10 and len(answer) >= shape.first(answer):
        end = shape.first(answer)
        blocks = [answer[at : min(at + 16, end - 2)] for at in range(10, end, 18)]
        target, source = (int.from_bytes(answer[at : at + 2], "little") for at in (4, 6))
        found.append(Link(answer[3], target, source, b"".join(blocks)))
        answer = answer[end:]
    return found


def each_link(answer: bytes, change: Callable[[Link], Link]) -> bytes:
    return b"".join(change(frame).built() for frame in links(answer))


SHAPES = {
    "modbus": Shape(502, Field(4, 2), 6),
    "enip": Shape(44818, Field(2, 2, "little"), 24),
    "s7": Shape(102, Field(2, 2), 0),
    "bacnet": Shape(47808, Field(2, 2), 0),
    "dnp3": Links(20000, Field(2, 1), 0),
}
