"""One faulty device, and the honest one behind it."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field
from typing import Any

from faults.shapes import SHAPES
from faults.spoil import Answer

PATIENCE = 1.5
"""Seconds for an honest answer; some questions have none."""
MOMENT = 0.03
"""Seconds in which more of it may come."""


@dataclass
class Faulty:
    """One device."""

    address: str
    protocol: str
    number: int
    kind: str
    after: int
    honest: str
    """Where the honest device is."""
    tcp: str
    """Who speaks TCP for it: the system, a program by hand, or nobody."""
    udp: bool
    """Whether it takes datagrams."""
    udp_is_honest: bool
    """Whether the fault is one of its connections alone."""
    texts: tuple[bytes, ...]
    answered: int = 0
    """How many answers it has given, or spoiled."""
    first: bytes = b""
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @classmethod
    def of(cls, described: dict[str, Any]) -> Faulty:
        texts = tuple(text.encode() for text in described.pop("texts"))
        return cls(**described, texts=texts)

    @property
    def port(self) -> int:
        return SHAPES[self.protocol].port

    @property
    def place(self) -> tuple[str, int]:
        return self.address, self.port

    @property
    def is_faulty(self) -> bool:
        """Whether the time of honest answers is over."""
        return self.answered >= self.after

    def answers(self, question: bytes, honest: bytes) -> Answer:
        """Notes an honest answer to `question` that is to be given or spoiled."""
        if honest:
            self.first = self.first or honest
            self.answered += 1
        nth = self.answered - self.after - 1
        return Answer(self.protocol, question, honest, self.kind, self.first, nth, self.texts)

    def start(self, work: Any) -> None:
        """Something that goes on by itself."""
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


class Honest:
    """A conversation with the honest device."""

    def __init__(self, device: Faulty) -> None:
        self._device = device
        self._stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._socket: socket.socket | None = None

    async def by_stream(self, question: bytes) -> bytes:
        device = self._device
        if self._stream is None:
            self._stream = await asyncio.open_connection(device.honest, device.port)
        reader, writer = self._stream
        writer.write(question)
        shape, answer = SHAPES[device.protocol], b""
        while True:
            patience = MOMENT if answer and shape.whole(answer) else PATIENCE
            try:
                piece = await asyncio.wait_for(reader.read(65536), patience)
            except TimeoutError:
                return answer
            answer += piece
            if not piece or (device.protocol != "dnp3" and shape.whole(answer)):
                return answer

    async def by_datagram(self, question: bytes) -> bytes:
        loop, device = asyncio.get_running_loop(), self._device
        if device.protocol == "dnp3":
            return await self.by_stream(question)  # the same frames
        if self._socket is None:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
            self._socket.connect((device.honest, device.port))
        await loop.sock_sendall(self._socket, question)
        try:
            return await asyncio.wait_for(loop.sock_recv(self._socket, 65536), PATIENCE)
        except TimeoutError:
            return b""

    def close(self) -> None:
        if self._stream:
            self._stream[1].close()
        if self._socket:
            self._socket.close()
