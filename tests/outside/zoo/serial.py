"""Gateways to a serial line on which a master polls, scanned as the policy says."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from threading import Timer
from typing import Any

from netns import SCANNER
from scan import drive
from world import World

from zoo.gateway import Line
from zoo.master import Duty
from zoo.pen import Pen

UNITS = tuple(range(1, 9))
BEFORE = 4.0
"""Seconds in which the master polls alone."""
MOST = 0.05
"""By how much its cycle may grow."""
REST = 20
"""What a question took of the line, and its rest: so many times as long, for the last one too."""
PATIENCE = 30
"""Seconds for a scanner that is not otcore; then it is ended."""


@dataclass(frozen=True)
class Way:
    """A gateway, and a policy for it, or what scans it instead of otcore."""

    name: str
    policy: dict[str, Any]
    own: int = 0
    units: tuple[int, ...] = UNITS
    instead: tuple[str, ...] = ()
    quiet: bool = False
    """The gateway keeps silent about units that are missing."""

    @property
    def is_judged(self) -> bool:
        return not self.instead


def named(units: Sequence[int]) -> dict[str, Any]:
    """A policy that names the units that there are."""
    then = {"level": "structure", "units": list(units)}
    return {"rule": [{"name": "line", "when": {"protocol": "modbus"}, "then": then}]}


SWEEP = {"protocols": {"modbus": {"level": "structure", "allow": ["sweep"]}}}
SHORT = (Way("units 1 to 3 named", named(UNITS[:3]), own=255),)
WAYS = (
    Way("default policy, unit 255 is the gateway itself", {}, own=255),
    Way("default policy, unit 255 is nobody", {}),
    Way("default policy, unit 255 is nobody and the gateway silent about it", {}, quiet=True),
    Way("units 1 to 8 named", named(UNITS), own=255),
    Way("all ids swept, units 1 to 4 there", SWEEP, own=255, units=UNITS[:4]),
)
NMAP = ("nmap", "-n", "-Pn", "-p", "502", "--script", "modbus-discover")
OTHERS = (
    Way("nmap, its script", {}, own=255, instead=NMAP),
    Way("nmap, its script, aggressive", {}, own=255,
        instead=(*NMAP, "--script-args", "modbus-discover.aggressive=true")),
)  # fmt: skip


@dataclass(frozen=True)
class Polling:
    """What became of a master's polling."""

    way: str
    alone: float
    """Seconds of a cycle before the scan, waiting for the line included."""
    beside: float
    """The same, on average, from the first question of the scan to the end of the rest after its
    last."""
    questions: int
    """How many of the scan went over the line."""
    duty: float
    """The share of the line's time that they took."""
    growth: float
    """By how much that makes the cycle of a master grow that never lets the line rest."""
    longest: float
    """The longest wait for an answer, in seconds."""
    lost: int
    seconds: float
    by_us: bool = True
    is_judged: bool = True

    def complaints(self) -> list[str]:
        found: list[str] = []
        if not self.is_judged:
            return found
        if self.growth > MOST:
            found.append(f"{self.way}: the cycle of the master grew by {self.growth:.2%}")
        if self.lost:
            found.append(f"{self.way}: the master lost its connection")
        return found


def measure(world: World, ways: Sequence[Way]) -> list[Polling]:
    with Pen(world, "serial") as pen:
        places = {f"10.91.{n}.7": way for n, way in enumerate(ways)}
        pen.open(
            lines=[Line(at, way.units, own=way.own, quiet=way.quiet) for at, way in places.items()]
        )
        pen.watch([Duty(at, at, "modbus", 0.0, units=way.units) for at, way in places.items()])
        time.sleep(BEFORE)
        begin = time.time()
        orders = [
            {"id": at, "policy": way.policy, "targets": f"modbus://{at}", "own_wire": True,
             "memory": str(pen.field.folder / f"{at}.ndjson")}
            for at, way in places.items()
            if not way.instead
        ]  # fmt: skip
        others = [
            pen.field.beside_scanner(
                [*way.instead, at], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            for at, way in places.items()
            if way.instead
        ]
        end_later(others)
        drive(world, pen.field, orders, 180)
        time.sleep(REST * 0.2)
        seen = pen.seen()
    return [
        polling(way, begin, seen["masters"][at], seen["devices"][at]["bus"])
        for at, way in places.items()
    ]


def end_later(processes: Sequence[subprocess.Popen[str]]) -> None:
    for process in processes:
        timer = Timer(PATIENCE, process.kill)
        timer.daemon = True
        timer.start()


def polling(way: Way, begin: float, master: dict[str, Any], bus: list[Any]) -> Polling:
    ours = [entry for entry in bus if entry[3].startswith(f"{SCANNER}:")]
    theirs = [entry for entry in bus if not entry[3].startswith(f"{SCANNER}:")]
    first = ours[0][1] if ours else begin
    end = max((at + REST * took for _, at, took, _ in ours), default=begin + 1)
    taken = sum(took for _, _, took, _ in ours)
    return Polling(
        way.name,
        pace([entry for entry in theirs if entry[0] < begin]) * len(way.units),
        pace([entry for entry in theirs if first <= entry[0] <= end]) * len(way.units),
        len(ours),
        taken / (end - first),
        taken / (end - first - taken),
        max((took for at, took in master["answered"] if first <= at <= end), default=0.0),
        len(master["lost"]),
        end - first,
        not way.instead,
        way.is_judged,
    )


def pace(transactions: Sequence[Any]) -> float:
    """Seconds from asking for the line to its end, on average. By the line's own clock: how late
    the programs of this computer are does not count."""
    return fmean(at + took - asked for asked, at, took, _ in transactions)
