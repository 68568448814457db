"""otcore and the usual scanners at the same devices, each with a master, in one run.

Every device has room for two connections, one of them the master's, and drops the oldest for a
third. Behind the door is a server of somebody else's stack where there is one, so that each
scanner gets the answers that it expects.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import judge
from capture import read
from scan import otscan
from servers import SERVERS
from world import World

from zoo.controller import SLOW, SMALL, bearable
from zoo.door import Front
from zoo.master import Duty
from zoo.matrix import Lived, policy
from zoo.pen import Pen
from zoo.table import Overflow
from zoo.talk import TALKS

PATIENCE = 60
"""Seconds for one scan; what takes longer is ended, and counted until then."""
SETTLE = 2.0
SERVERS_BEHIND = ("modbus-pymodbus", "s7-snap7", "enip-cpppo", "bacnet-bacpypes3")

NMAP = ("nmap", "-n", "-Pn")
SCRIPTS = {"modbus": "modbus-discover", "s7": "s7-info", "enip": "enip-info",
           "bacnet": "bacnet-info"}  # fmt: skip


@dataclass(frozen=True)
class Scanner:
    """Who scans, and how it is started at a device; None if it has nothing for the protocol."""

    name: str

    def command(self, world: World, pen: Pen, protocol: str, at: str) -> Sequence[str] | None:
        port = ("-sU",) if TALKS[protocol].datagrams else ()
        port = (*port, "-p", str(TALKS[protocol].port))
        script = SCRIPTS.get(protocol)
        match self.name:
            case "nobody":
                return ("sleep", "5")
            case "otcore":
                under = pen.field.folder / f"{protocol}.json"
                under.write_text(json.dumps(policy(protocol)))
                kept = pen.field.folder / f"{at}.ndjson"
                return otscan(world, pen.field, [f"{protocol}://{at}"], under, memory=kept)
            case "nmap, its script":
                return (*NMAP, *port, "--script", script, at) if script else None
            case "nmap, its script, aggressive" if script == "modbus-discover":
                more = ("--script-args", "modbus-discover.aggressive=true")
                return (*NMAP, *port, "--script", script, *more, at)
            case "nmap, its script, aggressive":
                return None
            case "nmap -sV, this port":
                return (*NMAP, *port, "-sV", at)
            case "nmap -sV, its usual ports":
                return None if TALKS[protocol].datagrams else (*NMAP, "-sV", at)
        raise ValueError(self.name)


SCANNERS = tuple(
    map(Scanner, ("nobody", "otcore", "nmap, its script", "nmap, its script, aggressive",
                  "nmap -sV, this port", "nmap -sV, its usual ports"))
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One scanner at one device."""

    protocol: str
    scanner: str
    packets: int
    connections: int
    at_once: int
    """The most connections at a time."""
    lived: Lived
    missed: int
    """Cycles of a small controller."""
    missed_slow: int
    """The same with a fifth of the clock."""
    bearable: float
    """What a frame may take before the first cycle is missed, in seconds."""
    seconds: float


@dataclass
class Turn:
    """One scan while it runs."""

    protocol: str
    scanner: Scanner
    at: str
    process: subprocess.Popen[str]
    began: float
    ended: float = 0.0


def compare(world: World) -> list[Row]:
    """One scanner after the other, each at all protocols at once."""
    with Pen(world, "beside", headers=True) as pen:
        foreign(world, pen)
        places = dict(places_for(world, pen))
        fronts = [
            Front(at, TALKS[protocol].port, pen.honest[protocol], 2, Overflow.EVICT_OLDEST.value,
                  stream=not TALKS[protocol].datagrams,
                  datagrams=TALKS[protocol].datagrams)
            for at, (protocol, _) in places.items()
        ]  # fmt: skip
        pen.open(fronts)
        pen.watch([Duty(at, at, protocol) for at, (protocol, _) in places.items()])
        time.sleep(SETTLE)
        turns = []
        for scanner in SCANNERS:
            turns += at_all(world, pen, scanner, places)
        seen = pen.seen()
        packets = read(pen.field.captured())
    rows = [row(turn, seen, [p for p in packets if turn.at in (p.source, p.target)])
            for turn in turns]  # fmt: skip
    return sorted(rows, key=lambda one: list(TALKS).index(one.protocol))


def places_for(world: World, pen: Pen) -> Iterator[tuple[str, tuple[str, Scanner]]]:
    for n, protocol in enumerate(TALKS):
        for m, scanner in enumerate(SCANNERS):
            if scanner.command(world, pen, protocol, "10.0.0.1"):
                yield f"10.92.{n * 16 + m}.7", (protocol, scanner)


def foreign(world: World, pen: Pen) -> None:
    if world.python is None:
        return
    for n, server in enumerate(server for server in SERVERS if server.name in SERVERS_BEHIND):
        pen.honest[server.protocol] = f"10.98.{n}.7"
        server.start(pen.field, world.python, pen.honest[server.protocol])


def at_all(
    world: World, pen: Pen, scanner: Scanner, places: dict[str, tuple[str, Scanner]]
) -> list[Turn]:
    running = []
    for at, (protocol, whose) in places.items():
        command = scanner.command(world, pen, protocol, at) if whose == scanner else None
        if command:
            process = pen.field.beside_scanner(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            running.append(Turn(protocol, scanner, at, process, time.time()))
    until = time.time() + PATIENCE
    while any(not turn.ended for turn in running):
        time.sleep(0.1)
        for turn in running:
            if not turn.ended and (turn.process.poll() is not None or time.time() > until):
                turn.process.kill()
                turn.ended = time.time()
    time.sleep(SETTLE)
    return running


def row(turn: Turn, seen: dict[str, dict[str, Any]], packets: list[Any]) -> Row:
    begin, end = turn.began, turn.ended + SETTLE
    arrivals = [at for at, _ in seen["frames"].get(turn.at, [])]
    made = [one for one in judge.connections(packets) if one.established]
    return Row(
        turn.protocol,
        turn.scanner.name,
        len(judge.to_devices(packets)),
        len(made),
        max((sum(o.opened <= one.opened < o.ended for o in made) for one in made), default=0),
        Lived.of(seen["masters"][turn.at], begin, end),
        SMALL.worst(arrivals, begin, end),
        SLOW.worst(arrivals, begin, end),
        bearable(arrivals, begin, end),
        turn.ended - turn.began,
    )


def complaints(rows: list[Row]) -> list[str]:
    """What otcore must not do to any of them."""
    return [
        f"{one.protocol}: with otcore the master lost {one.lived.lost} connections, and "
        f"{one.missed} cycles were missed, {one.missed_slow} on a slow controller"
        for one in rows
        if one.scanner == "otcore" and (one.lived.lost or one.missed or one.missed_slow)
    ]
