"""Faults of datagrams."""

from __future__ import annotations

import asyncio
from typing import Any

from faults.faulty import Faulty, Honest
from faults.packets import (
    ADMIN_PROHIBITED,
    FRAGMENTATION_NEEDED,
    HOST_UNREACHABLE,
    PORT_UNREACHABLE,
    UDP,
    Wire,
    ip,
    udp,
)
from faults.spoil import Answer, somebody_else, spoiled
from faults.streams import LATE

STRANGER = "10.99.99.99"
"""Another address of the devices' side."""
UNREACHABLE = {"port": PORT_UNREACHABLE, "host": HOST_UNREACHABLE, "admin": ADMIN_PROHIBITED}

Place = tuple[str, int]


async def listen(device: Faulty) -> Any:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: Listener(device), local_addr=device.place
    )
    return transport


class Listener(asyncio.DatagramProtocol):
    """Takes the questions, one after the other."""

    def __init__(self, device: Faulty) -> None:
        self._device = device
        self._honest = Honest(device)
        self._turn = asyncio.Lock()
        self._wire = Wire()
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Place) -> None:
        self._device.start(self._answer(data, addr))

    async def _answer(self, question: bytes, asker: Place) -> None:
        device = self._device
        async with self._turn:
            if device.udp_is_honest:
                self._transport.sendto(await self._honest.by_datagram(question), asker)
                return
            was_faulty = device.is_faulty
            answer = device.answers(question, await self._honest.by_datagram(question))
        if not answer.honest:
            return
        if was_faulty:
            await self._misbehave(answer, asker)
        else:
            self._transport.sendto(answer.honest, asker)

    async def _misbehave(self, answer: Answer, asker: Place) -> None:
        device, wire, honest = self._device, self._wire, answer.honest
        here = device.place
        asked = ip(asker[0], here[0], UDP, udp(asker[1], here[1], answer.question))
        match device.number:
            case 2 | 7 | 48:
                pass
            case 11:
                for _ in range(5000):
                    self._transport.sendto(honest, asker)
                    await asyncio.sleep(0)
            case 16:
                await asyncio.sleep(LATE)
                self._transport.sendto(honest, asker)
            case 18:
                wire.unreachable(UNREACHABLE[device.kind], asked)
            case 19:
                wire.unreachable(FRAGMENTATION_NEEDED, asked)
                await asyncio.sleep(0.02)
                self._transport.sendto(honest, asker)
            case 21:
                wire.datagram((STRANGER, here[1]), asker, honest)
            case 22:
                wire.datagram((here[0], 40_000), asker, honest)
            case 26:
                [forged] = somebody_else(Answer(**{**vars(answer), "nth": 1}))
                wire.datagram(here, asker, forged)
                self._transport.sendto(honest, asker)
            case 28:
                wire.fragments(here, asker, honest)
            case number:
                for message in spoiled(number, answer):
                    self._transport.sendto(message, asker)
