"""Whoever runs the plant: one connection that lasts, and a question ten times a second."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from itertools import cycle

from zoo.talk import TALKS, Talk, modbus

PATIENCE = 2.5
"""Seconds until a question counts as unanswered."""
REST = 1.0
"""Seconds before it connects again."""


@dataclass(frozen=True)
class Duty:
    """One master."""

    name: str
    address: str
    protocol: str
    every: float = 0.1
    """Seconds from question to question; 0 is the next as soon as there is an answer."""
    later: float = 0.0
    """Seconds until it begins."""
    units: tuple[int, ...] = ()
    """Behind a gateway: whom to ask in turn."""

    def as_order(self) -> dict[str, object]:
        return asdict(self)


@dataclass
class Master:
    """Asks until it is ended, and writes down what came of it."""

    duty: Duty
    answered: list[tuple[float, float]] = field(default_factory=list)
    """When there was an answer, and how long it took, in seconds."""
    lost: list[float] = field(default_factory=list)
    """When a connection that stood ended, or fell silent."""
    turned_away: list[float] = field(default_factory=list)
    """When no connection could be made."""

    def seen(self) -> dict[str, object]:
        return {"answered": self.answered, "lost": self.lost, "turned_away": self.turned_away}

    async def work(self) -> None:
        talk = TALKS[self.duty.protocol]
        questions = cycle(self._questions(talk))
        await asyncio.sleep(self.duty.later)
        while True:
            way: Stream | Datagrams | None = None
            try:
                way = await self._connect(talk)
                while True:
                    began = time.time()
                    await asyncio.wait_for(way.ask(next(questions)), PATIENCE)
                    self.answered.append((time.time(), time.time() - began))
                    await asyncio.sleep(max(0.0, began + self.duty.every - time.time()))
            except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
                (self.lost if way else self.turned_away).append(time.time())
            finally:
                if way:
                    way.close()
            await asyncio.sleep(REST)

    async def _connect(self, talk: Talk) -> Stream | Datagrams:
        address = self.duty.address
        if talk.datagrams:
            return Datagrams(address, talk)
        opening = asyncio.open_connection(address, talk.port)
        way = Stream(*await asyncio.wait_for(opening, PATIENCE), talk)
        for hello in talk.hello:
            await asyncio.wait_for(way.ask(hello), PATIENCE)
        return way

    def _questions(self, talk: Talk) -> Iterator[bytes]:
        if not self.duty.units:
            yield talk.question
        for unit in self.duty.units:
            yield modbus(unit)


@dataclass
class Stream:
    """A connection."""

    heard: asyncio.StreamReader
    said: asyncio.StreamWriter
    talk: Talk

    async def ask(self, question: bytes) -> None:
        self.said.write(question)
        answer = b""
        while not self.talk.ends(answer):
            piece = await self.heard.read(4096)
            if not piece:
                raise ConnectionResetError("the device ended the connection")
            answer += piece

    def close(self) -> None:
        self.said.close()


class Datagrams:
    """Where there are no connections."""

    def __init__(self, address: str, talk: Talk) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.connect((address, talk.port))

    async def ask(self, question: bytes) -> None:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(self._socket, question)
        await loop.sock_recv(self._socket, 4096)

    def close(self) -> None:
        self._socket.close()


def shifted(duty: Duty, name: str, every: float, later: float) -> Duty:
    """Another client of the same device."""
    return replace(duty, name=name, every=every, later=later)
