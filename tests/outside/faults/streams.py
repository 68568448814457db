"""Faults of connections that a program with ordinary sockets can have."""

from __future__ import annotations

import asyncio
import socket
import struct
from asyncio import StreamReader, StreamWriter

from faults.faulty import Faulty, Honest
from faults.spoil import BANNERS, Answer, spoiled

LATE = 30.0
"""Seconds until an answer comes that nobody waits for any more. In Modbus a silent unit may be one
that a gateway looks for, so the connection rests for nearly half a minute before the next."""
RUBBISH = b"\x5a" * 65536


async def accept(device: Faulty) -> asyncio.Server:
    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        honest = Honest(device)
        try:
            await converse(device, honest, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the visitor has left
        finally:
            honest.close()
            writer.close()

    return await asyncio.start_server(serve, device.address, device.port, limit=65536)


async def converse(
    device: Faulty, honest: Honest, reader: StreamReader, writer: StreamWriter
) -> None:
    if device.number == 14 and device.is_faulty:
        writer.write(BANNERS["ssh"])
    while question := await reader.read(4096):
        was_faulty = device.is_faulty
        answer = device.answers(question, await honest.by_stream(question))
        if not answer.honest:
            continue
        if was_faulty:
            await misbehave(device, answer, writer)
        else:
            writer.write(answer.honest)
        if writer.is_closing():
            break
        await writer.drain()


async def misbehave(device: Faulty, answer: Answer, writer: StreamWriter) -> None:
    honest = answer.honest
    match device.number:
        case 1:
            writer.transport.abort()
        case 5:
            writer.write(honest[: len(honest) // 2])
            await asyncio.sleep(0.05)
            break_off(writer)
        case 6:
            writer.write(honest[: len(honest) // 2])
            writer.close()
        case 7:
            pass
        case 8:
            for byte in honest:
                if writer.is_closing():
                    break
                writer.write(bytes([byte]))
                await asyncio.sleep(1)
        case 9:
            writer.write(honest[:1])
        case 10:
            while not writer.is_closing():
                writer.write(RUBBISH)
                await writer.drain()
        case 11:
            while not writer.is_closing():
                writer.write(honest * (65536 // len(honest)))
                await writer.drain()
        case 14:
            writer.write(honest)
            await asyncio.sleep(0.1)
            writer.write(BANNERS["ssh"])
        case 15:
            writer.write(honest)
            writer.write_eof()
        case 16:
            await asyncio.sleep(LATE)
            writer.write(honest)
        case _:
            for message in spoiled(device.number, answer):
                writer.write(message)


def break_off(writer: StreamWriter) -> None:
    """With a reset."""
    at_once = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    writer.transport.abort()
