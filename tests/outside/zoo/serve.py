"""A program: does one job of the zoo in the namespace where it is started.

The first line of standard input is the job, as JSON. READY is printed once it is under way. It
ends when standard input does, and prints what it saw as one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from zoo.door import Door, Front
from zoo.frames import Frames
from zoo.gateway import Gateway, Line
from zoo.master import Duty, Master


async def devices(fronts: Iterable[Any], lines: Iterable[Any]) -> dict[str, Any]:
    doors = [Door(Front(**front)) for front in fronts]
    gateways = [Gateway(Line(**{**line, "units": tuple(line["units"])})) for line in lines]
    for door in doors:
        await door.open()
    for gateway in gateways:
        await gateway.open()
    await told_to_end()
    for gateway in gateways:
        gateway.close()
    seen = {door.front.address: door.seen() for door in doors}
    return seen | {gateway.line.address: gateway.seen() for gateway in gateways}


async def masters(duties: Iterable[Any]) -> dict[str, Any]:
    """They begin one after the other: who connects first is the oldest."""
    all_of_them = [Master(Duty(**{**duty, "units": tuple(duty["units"])})) for duty in duties]
    working = []
    for master in all_of_them:
        working.append(asyncio.create_task(master.work()))
        await asyncio.sleep(0.005)
    await told_to_end()
    for task in working:
        task.cancel()
    return {master.duty.name: master.seen() for master in all_of_them}


async def told_to_end() -> None:
    print("READY", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main() -> None:
    job = json.loads(sys.stdin.readline())
    if job["job"] == "devices":
        seen = asyncio.run(devices(job["fronts"], job["lines"]))
    elif job["job"] == "masters":
        seen = asyncio.run(masters(job["duties"]))
    else:
        frames = Frames(job["addresses"], job["scanner"])
        print("READY", flush=True)
        seen = dict(frames.listen(sys.stdin.fileno()))
    print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    main()
