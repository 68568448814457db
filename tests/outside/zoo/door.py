"""A connection table on a real socket, in front of an honest device."""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import asdict, dataclass, field
from typing import cast

from zoo.deaf import open_ears, plug_ears
from zoo.table import Overflow, Table

PIECE = 65536


@dataclass(frozen=True)
class Front:
    """One device as the network sees it."""

    address: str
    port: int
    behind: str
    """The address of the honest device, at the same port."""
    size: int
    overflow: str
    stream: bool = True
    datagrams: bool = False

    def as_order(self) -> dict[str, object]:
        return asdict(self)


@dataclass
class Door:
    """Lets in whom the table lets in, and passes on what they say."""

    front: Front
    table: Table = field(init=False)
    let_in: int = 0
    evicted: list[float] = field(default_factory=list)
    """When somebody had to go."""
    _listener: socket.socket | None = None
    _deaf: bool = False
    _visitors: dict[object, asyncio.StreamWriter] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.table = Table(self.front.size, Overflow(self.front.overflow))

    async def open(self) -> None:
        if self.front.stream:
            self._adjust()
        if self.front.datagrams:
            here = (self.front.address, self.front.port)
            behind = (self.front.behind, self.front.port)
            loop = asyncio.get_running_loop()
            await loop.create_datagram_endpoint(lambda: Post(behind), local_addr=here)

    def close(self) -> None:
        self._close()
        for task in self._tasks:
            task.cancel()

    def seen(self) -> dict[str, object]:
        return {"let_in": self.let_in, "evicted": self.evicted}

    def _adjust(self) -> None:
        """Listen as the table is now: a full one closes the port, or says nothing."""
        shut = self.table.keeps_out
        if self.table.overflow is Overflow.REFUSE and shut:
            self._close()
            return
        if self._listener is None:
            self._listener = self._listen()
        if self.table.overflow is Overflow.SILENT and shut != self._deaf:
            (plug_ears if shut else open_ears)(self._listener)
            self._deaf = shut

    def _listen(self) -> socket.socket:
        listener = socket.create_server((self.front.address, self.front.port), backlog=8)
        listener.setblocking(False)
        asyncio.get_running_loop().add_reader(listener, self._accept, listener)
        return listener

    def _close(self) -> None:
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None

    def _accept(self, listener: socket.socket) -> None:
        while listener is self._listener:
            try:
                visitor, who = listener.accept()
            except BlockingIOError:
                return
            visitor.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.let_in += 1
            victim = self.table.enter(who, time.time())
            if victim is not None:
                self.evicted.append(time.time())
                gone = self._visitors.pop(victim, None)
                if gone is not None:
                    gone.close()
            self._adjust()
            task = asyncio.get_running_loop().create_task(self._serve(visitor, who))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, visitor: socket.socket, who: object) -> None:
        heard, said = await asyncio.open_connection(sock=visitor)
        self._visitors[who] = said
        try:
            reads, writes = await asyncio.open_connection(self.front.behind, self.front.port)
            answers = asyncio.create_task(pump(reads, said))
            try:
                while piece := await heard.read(PIECE):
                    self.table.hear(who, time.time())
                    writes.write(piece)
            finally:
                writes.close()
                answers.cancel()
        except OSError:
            pass
        finally:
            said.close()
            if self._visitors.get(who) is said:
                del self._visitors[who]
            self.table.leave(who)
            self._adjust()


async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Passes on what the device says, its goodbye included."""
    try:
        while piece := await source.read(PIECE):
            sink.write(piece)
    except OSError:
        pass
    sink.close()


class Post(asyncio.DatagramProtocol):
    """Passes datagrams on to the honest device, and its answers back."""

    def __init__(self, behind: tuple[str, int]) -> None:
        self._behind = behind
        self._ways: dict[object, socket.socket] = {}
        self._out: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._out = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        way = self._ways.get(addr)
        if way is None:
            way = self._ways[addr] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            way.setblocking(False)
            way.connect(self._behind)
            asyncio.get_running_loop().add_reader(way, self._answer, way, addr)
        way.send(data)

    def _answer(self, way: socket.socket, addr: tuple[str, int]) -> None:
        try:
            data = way.recv(PIECE)
        except OSError:
            return
        assert self._out
        self._out.sendto(data, addr)
