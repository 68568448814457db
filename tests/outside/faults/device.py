"""The faulty devices of one run, as a program on the devices' side of a field.

It reads one JSON line with the devices, says READY, and misbehaves until standard input closes. The
honest answers come from pretend devices of otcore at other addresses of the same side, which also
look at every question, whatever becomes of the answer.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from faults.byhand import Byhand
from faults.datagrams import listen
from faults.faulty import Faulty
from faults.streams import accept

KEEP_OUT = """
    table ip by_hand {{
        chain incoming {{
            type filter hook input priority 0;
            iifname != "lo" ip protocol tcp ip daddr {{ {addresses} }} drop
        }}
    }}
"""


async def main() -> None:
    loop = asyncio.get_running_loop()
    given = await loop.run_in_executor(None, sys.stdin.readline)
    devices = [Faulty.of(described) for described in json.loads(given)]
    held: list[Any] = []
    by_hand = [device for device in devices if device.tcp == "by hand"]
    if by_hand:
        # The system itself must not say a word for these.
        addresses = ", ".join(device.address for device in by_hand)
        rules = KEEP_OUT.format(addresses=addresses)
        subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
        held.append(Byhand(loop, by_hand))
    for device in devices:
        if device.tcp == "system":
            held.append(await accept(device))
        if device.udp:
            held.append(await listen(device))
    print("READY", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
