"""Every connection table there is, with a master at each, scanned under the default policy."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import judge
from capture import Packet, read
from scan import drive
from world import World

from zoo.controller import SLOW, SMALL, Controller
from zoo.door import Front
from zoo.master import Duty, shifted
from zoo.pen import Pen
from zoo.table import Overflow
from zoo.talk import TALKS

SIZES = (1, 2, 4, 8)
TALKING = ("modbus", "s7", "enip", "enip without datagrams", "dnp3")
BEFORE = 3.0
"""Seconds in which the masters work before anybody scans."""
AFTER = 3.0
OTHERS_EVERY = 2.0
"""Seconds from poll to poll of a master that is not the one that operates the device."""


@dataclass(frozen=True)
class Cell:
    """One device: its table, and how many entries masters hold before the scan."""

    what: str
    """The protocol, and how it is spoken."""
    size: int
    taken: int
    overflow: Overflow

    @property
    def protocol(self) -> str:
        return self.what.split()[0]

    @property
    def has_room(self) -> bool:
        return self.taken < self.size

    @property
    def is_quiet(self) -> bool:
        """Whether a single master asks, and nothing throws it out."""
        return self.has_room and self.taken == 1

    def front(self, address: str, behind: str) -> Front:
        return Front(address, TALKS[self.protocol].port, behind, self.size, self.overflow.value,
                     datagrams=self.what == "enip")  # fmt: skip

    def duties(self, address: str) -> list[Duty]:
        """Who operates the device connects first, so it is the oldest; others follow."""
        master = Duty(address, address, self.protocol)
        others = (
            shifted(master, f"{address} {n}", OTHERS_EVERY, n * OTHERS_EVERY / 8)
            for n in range(1, self.taken)
        )
        return [master, *others]

    def __str__(self) -> str:
        return f"{self.what}, {self.taken} of {self.size} entries taken, {self.overflow.value}"


@dataclass(frozen=True)
class Lived:
    """What a master saw of a scan."""

    lost: int
    """How often its connection ended."""
    turned_away: int
    """How often it could not connect again."""
    gap: float
    """The longest time from answer to answer, in seconds."""
    others_lost: int = 0

    @classmethod
    def of(cls, seen: dict[str, Any], begin: float, end: float, others: int = 0) -> Lived:
        answers = [at for at, _ in seen["answered"] if begin - 1 <= at <= end]
        gaps = [later - earlier for earlier, later in pairwise([*answers, end])]
        lost, turned_away = (
            sum(begin <= at <= end for at in seen[what]) for what in ("lost", "turned_away")
        )
        return cls(lost, turned_away, max(gaps, default=end - begin), others)


@dataclass(frozen=True)
class Result:
    """One cell after its scan."""

    cell: Cell
    lived: Lived
    outcome: str
    """How the conversation in the protocol of the device ended."""
    connections: int
    packets: int
    held: float
    """The longest that a connection of the scan stood, in seconds."""
    missed: int
    """Cycles that a small controller missed, and would not have missed without the scan."""
    missed_slow: int
    """The same with a fifth of the clock."""


@dataclass
class Matrix:
    """All cells of one run."""

    results: list[Result] = field(default_factory=list)
    seconds: float = 0.0

    def complaints(self) -> list[str]:
        """Where there was room, and a master lost its connection all the same; where there was
        none, and we came back to take it away once more."""
        with_room = [
            f"{result.cell}: {result.lived.lost + result.lived.others_lost} masters lost it"
            for result in self.results
            if result.cell.has_room and (result.lived.lost or result.lived.others_lost)
        ]
        return with_room + [
            f"{result.cell}: {result.connections} connections, each at the cost of a master"
            for result in self.results
            if not result.cell.has_room and result.connections > 1
        ]

    def missed(self) -> list[str]:
        """Where a cycle was not done in time because of us. Of a slow controller that is judged
        with one master: with seven, or one who connects again, it is chance who comes together."""
        return [
            f"{result.cell}: {result.missed} cycles missed by a small controller, "
            f"{result.missed_slow} by a slow one"
            for result in self.results
            if result.missed or (result.cell.is_quiet and result.missed_slow)
        ]


def cells(short: bool) -> Iterator[Cell]:
    """Tables with one entry, and tables with one entry left; also full ones with more."""
    for what in ("modbus", "s7") if short else TALKING:
        for overflow in Overflow:
            for size in (1, 2) if short else SIZES:
                yield Cell(what, size, max(1, size - 1), overflow)
            if not short:
                yield Cell(what, 4, 4, overflow)


def policy(protocol: str) -> dict[str, Any]:
    """The default. DNP3 is off in it, so there it is allowed to connect."""
    if protocol != "dnp3":
        return {}
    return {"protocols": {"dnp3": {"enabled": True, "allow": ["connect"]}}}


def measure(world: World, wanted: Sequence[Cell]) -> Matrix:
    """One scan of its own for each cell, all at once."""
    with Pen(world, "tables") as pen:
        places = {f"10.90.{n}.7": cell for n, cell in enumerate(wanted)}
        pen.open([cell.front(at, pen.honest[cell.protocol]) for at, cell in places.items()])
        pen.watch([duty for at, cell in places.items() for duty in cell.duties(at)])
        time.sleep(BEFORE)
        begin = time.time()
        orders = []
        for at, cell in places.items():
            folder = pen.field.folder
            orders.append({"id": at, "policy": policy(cell.protocol), "targets": at,
                           "own_wire": True, "memory": str(folder / f"{at}.ndjson"),
                           "report": str(folder / f"{at}.json")})  # fmt: skip
        drive(world, pen.field, orders, 180)
        time.sleep(AFTER)
        end = time.time()
        seen = pen.seen()
        packets = read(pen.field.captured())
        reports = {at: json.loads((folder / f"{at}.json").read_text()) for at in places}
    matrix = Matrix(seconds=end - begin)
    for at, cell in places.items():
        others = sum(
            Lived.of(seen["masters"][duty.name], begin, end).lost for duty in cell.duties(at)[1:]
        )
        lived = Lived.of(seen["masters"][at], begin, end, others)
        arrivals = seen["frames"].get(at, [])
        missed = [because_of_us(model, arrivals, begin, end) for model in (SMALL, SLOW)]
        matrix.results.append(result(cell, lived, missed, reports[at], packets, at))
    return matrix


def because_of_us(
    controller: Controller, arrivals: Sequence[tuple[float, bool]], begin: float, end: float
) -> int:
    """Cycles that would not have been missed had the masters been alone."""
    missed = controller.worst([at for at, _ in arrivals], begin, end)
    alone = controller.worst([at for at, ours in arrivals if not ours], begin, end)
    return max(0, missed - alone)


def result(
    cell: Cell,
    lived: Lived,
    missed: Sequence[int],
    report: dict[str, Any],
    packets: list[Packet],
    at: str,
) -> Result:
    mine = [packet for packet in packets if at in (packet.source, packet.target)]
    made = [one for one in judge.connections(mine) if one.established]
    outcomes = [
        str(record["outcome"])
        for record in report["outcomes"]
        if record["protocol"] == cell.protocol
    ]
    return Result(
        cell,
        lived,
        outcomes[0] if outcomes else "not asked",
        len(made),
        len(judge.to_devices(mine)),
        max((one.ended - one.opened for one in made), default=0.0),
        *missed,
    )
