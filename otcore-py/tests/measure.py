"""Measures what takes long: measure.py scale [DEVICES], leak [SCANS], import.

- `scale` makes an inventory of so many devices and converts it in every way: time and memory.
- `leak` scans pretend devices so often, and says how much memory, files and threads that left.
- `import` says how long `import otcore` takes, in a new process.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from ipaddress import ip_address
from pathlib import Path
from typing import Callable, TypeVar

import otcore
import otcore.sim

T = TypeVar("T")
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def resident() -> float:
    """Memory of this process, in MiB (Linux)."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE / 2**20


def assets(count: int) -> str:
    """An array of so many devices, each as a Modbus device is found."""
    with otcore.sim.plant() as plant:
        (asset,) = otcore.scan(plant.device("compact-plc").target)
    first = int(ip_address("10.0.0.0"))
    template = json.dumps(asset.json, separators=(",", ":"))
    known = str(asset.address)
    return (
        f"[{','.join(template.replace(known, str(ip_address(first + n))) for n in range(count))}]"
    )


def scale(count: int = 100_000) -> None:
    """Convert a large inventory."""
    text = assets(count)
    print(
        f"{count} devices, {len(text) / 2**20:.0f} MiB of JSON; at the start {resident():.0f} MiB"
    )
    inventory = took("read", lambda: otcore.Inventory.from_json(text))
    took("iterate over all assets", lambda: sum(asset.vendor is not None for asset in inventory))
    took("look one up by path", lambda: inventory[inventory.paths[count // 2]])
    took("filter half of them", lambda: inventory.filter(lambda asset: int(asset.address) % 2))
    took("to_json", inventory.to_json)
    took("to_csv", inventory.to_csv)
    took("to_dicts", inventory.to_dicts)
    for name in ("pandas", "polars"):
        try:
            __import__(name)
        except ImportError:
            continue
        took(f"to_{name}", getattr(inventory, f"to_{name}"))
    took("notebook", inventory._repr_html_)


def took(what: str, work: Callable[[], T]) -> T:
    """Say how long something takes, and what memory it leaves while its result lives."""
    began, worked, before = time.perf_counter(), time.process_time(), resident()
    result = work()
    took, worked = time.perf_counter() - began, time.process_time() - worked
    print(f"{what:<24} {took:6.2f} s, {worked:5.2f} s of work  {resident() - before:+6.0f} MiB")
    return result


def leak(count: int = 1000) -> None:
    """Scan again and again."""
    with otcore.sim.plant() as plant:
        # In turn, since each of them is left in peace for two seconds: one datagram each way.
        datagrams = ("enip://", "bacnet://")
        targets = [target for target in plant.targets if target.startswith(datagrams)]
        seen = []
        for n in range(count + 1):
            inventory = otcore.scan(targets[n % len(targets)], level="detect", progress=False)
            assert inventory.outcomes
            if n % max(1, count // 10) == 0:
                seen.append((n, resident(), files(), threading.active_count()))
                print("after {:5} scans {:6.1f} MiB {:3} files {:2} threads".format(*seen[-1]))
    (_, first, had, _), (_, last, has, _) = seen[len(seen) // 2], seen[-1]
    print(f"in the second half {last - first:+.1f} MiB, {has - had:+} files")
    sys.exit(last - first > 2 or has > had)


def files() -> int:
    """Files that are open (Linux)."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def import_time() -> None:
    """Import in new processes."""
    code = "import time; a = time.perf_counter(); import otcore; print(time.perf_counter() - a)"
    times = [float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(11)]
    print(f"import otcore: {statistics.median(times) * 1000:.0f} ms, the median of {len(times)}")


if __name__ == "__main__":
    command, *number = sys.argv[1:]
    functions: dict[str, Callable[..., None]] = {
        "scale": scale,
        "leak": leak,
        "import": import_time,
    }
    functions[command](*map(int, number))
