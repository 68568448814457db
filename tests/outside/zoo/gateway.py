"""A Modbus gateway: everybody's questions wait in a row for one serial line."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass, field

from zoo.bus import Bus, transaction, unanswered

HEADER = 7
NOT_THERE = 0x0B
UNKNOWN = 0x01
OBJECTS = (b"Tarnwick Automation", b"TW-M12", b"V1.0.%d")
"""What unit n says about itself; the answer has 47 bytes."""


@dataclass(frozen=True)
class Line:
    """One gateway."""

    address: str
    units: tuple[int, ...]
    """Who is there."""
    timeout: float = 1.0
    """Seconds until the gateway gives a unit up."""
    own: int = 0
    """The unit that is the gateway itself, and takes no line; 0 is none."""
    quiet: bool = False
    """Whether it says nothing of a unit that it gave up."""
    port: int = 502

    def as_order(self) -> dict[str, object]:
        return asdict(self)


@dataclass
class Gateway:
    """Answers over TCP what its units answer over the line, when they do."""

    line: Line
    bus: Bus = field(default_factory=Bus)
    _talks: set[asyncio.Task[None]] = field(default_factory=set)
    _servers: list[asyncio.Server] = field(default_factory=list)

    async def open(self) -> None:
        line = self.line
        self._servers.append(await asyncio.start_server(self._begin, line.address, line.port))

    def close(self) -> None:
        for server in self._servers:
            server.close()
        for task in self._talks:
            task.cancel()

    def seen(self) -> dict[str, object]:
        return {"bus": self.bus.log}

    def _begin(self, heard: asyncio.StreamReader, said: asyncio.StreamWriter) -> None:
        talk = asyncio.get_running_loop().create_task(self._serve(heard, said))
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)

    async def _serve(self, heard: asyncio.StreamReader, said: asyncio.StreamWriter) -> None:
        host, port = said.get_extra_info("peername")[:2]
        try:
            while True:
                header = await heard.readexactly(HEADER)
                pdu = await heard.readexactly(int.from_bytes(header[4:6], "big") - 1)
                answer, seconds = self._ask(header[6], pdu)
                if seconds:
                    done = self.bus.occupy(f"{host}:{port}", seconds, time.time())
                    await asyncio.sleep(max(0.0, done - time.time()))
                if answer:
                    length = (len(answer) + 1).to_bytes(2, "big")
                    said.write(header[:4] + length + header[6:] + answer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            said.close()

    def _ask(self, unit: int, pdu: bytes) -> tuple[bytes, float]:
        if unit == self.line.own:
            return says(unit, pdu), 0.0
        if unit not in self.line.units:
            answer = b"" if self.line.quiet else exception(pdu, NOT_THERE)
            return answer, unanswered(len(pdu), self.line.timeout)
        answer = says(unit, pdu)
        return answer, transaction(len(pdu), len(answer))


def says(unit: int, pdu: bytes) -> bytes:
    """What a unit answers. It has registers and an identity."""
    if pdu[:1] == b"\x03" and len(pdu) == 5:
        size = 2 * int.from_bytes(pdu[3:5], "big")
        return bytes([3, size]) + bytes(size)
    if pdu[:2] == b"\x2b\x0e" and len(pdu) == 4:
        objects = [*OBJECTS[:2], OBJECTS[2] % unit]
        listed = b"".join(bytes([n, len(o)]) + o for n, o in enumerate(objects))
        return bytes([0x2B, 0x0E, pdu[2], 0x01, 0, 0, len(objects)]) + listed
    return exception(pdu, UNKNOWN)


def exception(pdu: bytes, code: int) -> bytes:
    return bytes([pdu[0] | 0x80, code])
