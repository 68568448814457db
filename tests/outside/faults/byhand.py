"""TCP by hand: what a device's system can do wrong."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import replace

from faults.datagrams import UNREACHABLE
from faults.faulty import Faulty, Honest
from faults.packets import ACK, FIN, FRAGMENTATION_NEEDED, PUSH, RST, SYN, Segment, Wire

IPV4 = 0x0800
OUTGOING = 4
START = 1000
"""Our first sequence number."""
WHOLE = 1 << 32
TARPIT = 3
"""Bytes that a tarpit lets in."""
MSS = 1400


class Byhand:
    """All devices whose TCP is written by hand."""

    def __init__(self, loop: asyncio.AbstractEventLoop, devices: Sequence[Faulty]) -> None:
        self._devices = {device.place: device for device in devices}
        self._lines: dict[tuple[str, int, str, int], Line] = {}
        self._wire = Wire()
        self._tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(IPV4))
        cable = next(name for _, name in socket.if_nameindex() if name != "lo")
        self._tap.bind((cable, IPV4))
        self._tap.setblocking(False)
        loop.add_reader(self._tap, self._hear)

    def _hear(self) -> None:
        packet, origin = self._tap.recvfrom(65536)
        heard = Segment.read(packet) if origin[2] != OUTGOING else None
        device = self._devices.get((heard.target, heard.target_port)) if heard else None
        if not heard or not device:
            return
        key = (heard.source, heard.source_port, heard.target, heard.target_port)
        if heard.flags & SYN and not heard.flags & ACK:
            self._lines.setdefault(key, Line(device, self._wire, heard))
        line = self._lines.get(key)
        if line:
            line.hear(heard, packet)


class Line:
    """The device's end of one connection."""

    def __init__(self, device: Faulty, wire: Wire, syn: Segment) -> None:
        self._device = device
        self._wire = wire
        self._honest = Honest(device)
        self._peer = syn
        self._next = START
        self._expected = (syn.sequence + 1) % WHOLE
        self._acknowledged = self._expected
        self._window = 8192
        self._dead = False
        self._turn = asyncio.Lock()

    def hear(self, heard: Segment, packet: bytes) -> None:
        number, faulty = self._device.number, self._device.is_faulty
        if self._dead or (number == 2 and faulty):
            return
        if heard.flags & RST:
            self._dead = True
        elif heard.flags & SYN:
            self._greet(heard, packet)
        elif number == 3 and faulty:
            pass
        elif number == 4 and faulty:
            self._say(RST | ACK)
            self._dead = True
        elif heard.payload:
            self._take(heard, packet)
        elif heard.flags & FIN and heard.sequence == self._expected:
            self._move(1)
            self._say(FIN | ACK)
            self._next += 1

    def _greet(self, heard: Segment, packet: bytes) -> None:
        number, faulty = self._device.number, self._device.is_faulty
        if heard.flags & ACK:  # after a SYN of our own
            return self._say(ACK)
        if number == 18 and faulty:
            return self._wire.unreachable(UNREACHABLE[self._device.kind], packet)
        if number == 12 and faulty:
            self._window = 0
        if number == 38 and faulty:
            self._window = TARPIT
        mss = 1 if number == 13 and faulty else MSS
        both = number == 17 and self._device.kind == "both"
        self._next = START
        self._say(SYN if both else SYN | ACK, mss=mss)
        if number == 17 and self._device.kind == "twice":
            self._say(SYN | ACK, mss=mss)
        self._next = START + 1

    def _take(self, heard: Segment, packet: bytes) -> None:
        """Something was said."""
        device = self._device
        if heard.sequence != self._expected:
            if device.number != 20:
                self._say(ACK)  # it was taken before
            return
        if device.is_faulty:
            if device.number in (18, 48):
                if device.number == 18:
                    self._wire.unreachable(UNREACHABLE[device.kind], packet)
                self._dead = device.number == 48
                return
            if device.number in (12, 38):
                taken = min(len(heard.payload), self._window)
                self._window = 0
                self._move(taken)
                return self._say(ACK)
            if device.number == 19:
                self._wire.unreachable(FRAGMENTATION_NEEDED, packet)
        self._move(len(heard.payload))
        device.start(self._answer(heard.payload))

    def _move(self, count: int) -> None:
        self._expected = (self._expected + count) % WHOLE
        if not (self._device.number == 20 and self._device.is_faulty):
            self._acknowledged = self._expected

    async def _answer(self, question: bytes) -> None:
        device = self._device
        async with self._turn:
            was_faulty = device.is_faulty
            answer = device.answers(question, await self._honest.by_stream(question)).honest
            if self._dead:
                return
            size = 1 if device.number == 13 and was_faulty else MSS
            if not answer:
                self._say(ACK)
            for at in range(0, len(answer), size):
                self._say(ACK | PUSH, answer[at : at + size])
            if device.number in (12, 38) and device.is_faulty:
                self._window = 0
                self._say(ACK)
            if device.number == 20 and was_faulty:
                await asyncio.sleep(40)
                self._acknowledged = self._expected
                self._say(ACK)

    def _say(self, flags: int, payload: bytes = b"", mss: int = 0) -> None:
        acknowledged = self._acknowledged if flags & ACK else 0
        said = replace(
            self._peer, source=self._peer.target, source_port=self._peer.target_port,
            target=self._peer.source, target_port=self._peer.source_port, sequence=self._next,
            acknowledged=acknowledged, flags=flags, window=self._window, payload=payload, mss=mss,
        )  # fmt: skip
        self._wire.send(said.packet())
        self._next += len(payload)
