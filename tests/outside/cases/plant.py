"""One program scans a whole plant and asks all it may (promises 2 to 5, 9 and 10)."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import judge
from capture import Packet, read
from netns import Field, Plant, lines
from readers import READERS
from scan import otscan, policy
from servers import SERVERS
from world import GENTLE, Verdicts, World


def run(world: World) -> Verdicts:
    verdicts = Verdicts()
    with Field("plant") as field:
        targets = devices(world, field)
        out = field.folder / "out.json"
        written = field.folder / "sent.ndjson"
        command = otscan(world, field, targets, policy(field, world.everything()), written)
        with out.open("w") as report_file:
            scanning = field.beside_scanner(
                command, stdout=report_file, stderr=subprocess.PIPE, env=world.environment
            )
            told = scanning.communicate(timeout=300)[1]
        verdicts.need(scanning.returncode in (0, 1, 4), f"otscan said {told}")
        packets = read(field.captured())
        report = json.loads(out.read_text())
        look(world, verdicts, packets, report)
        verdicts.judge(9, redecoded(world, field, report))
        verdicts.judge(10, judge.journal(packets, list(lines(written.read_text()))))
    return verdicts


def devices(world: World, field: Field) -> list[str]:
    """Eight devices in each subnet, then one of each kind, then those of other stacks."""
    count = 8 if world.short else 64
    start = ("--first", "10.20.0.5", "--step", "32", "--count", str(count))
    ordinary = Plant(field, world.program("otcore-plant"), "ordinary", *start)
    if world.short:
        return ordinary.addresses()
    kinds = Plant(field, world.program("otcore-plant"), "demo", "--first", "10.21.0.11",
                  "--step", "256")  # fmt: skip
    return ordinary.addresses() + kinds.addresses() + foreign(world, field)


def foreign(world: World, field: Field) -> list[str]:
    if world.python is None:
        return []
    found = []
    for number, server in enumerate(SERVERS):
        found.append(f"10.22.{number}.7")
        server.start(field, world.python, found[-1])
    return found


def look(world: World, verdicts: Verdicts, packets: list[Packet], report: dict[str, Any]) -> None:
    known = world.manifest()
    verdicts.judge(2, judge.one_connection(packets))
    late, most = judge.rates(packets, GENTLE)
    verdicts.judge(3, late + judge.calls(packets, 0))
    unlisted, questions = judge.manifest(packets, known)
    verdicts.judge(4, unlisted)
    verdicts.judge(5, judge.conversations(packets, known) + judge.resets(packets))
    counted = report["counters"]["packets"]
    sent = len(judge.to_devices(packets))
    verdicts.judge(3, [] if sent <= counted else [f"{sent} packets left, {counted} were counted"])
    identified = report["counters"]["identified"]
    verdicts.figure(
        f"{len(report['outcomes'])} conversations, {identified} devices identified, "
        f"{questions} questions, {sent} packets of {counted} counted; the busiest second: "
        + ", ".join(f"{what} {count}" for what, count in sorted(most.items()))
    )
    seen = {packet.protocols.split(":")[-1] for packet in judge.to_devices(packets)}
    unheard = [name for name in known.ports.values() if not seen & {*READERS[name].layers}]
    verdicts.need(bool(identified) or bool(world.saboteur), "nothing was identified")
    verdicts.need(not unheard or bool(world.saboteur), f"nobody asked in {unheard}")


def redecoded(world: World, field: Field, report: dict[str, Any]) -> list[str]:
    """Promise 9: stored questions and answers say the same again, in a program of their own."""
    path = field.folder / "out.json"
    again = subprocess.run(
        [world.program("otcore-redecode"), path], capture_output=True, text=True, check=True
    )
    return [] if json.loads(again.stdout) == report["assets"] else ["decoded again, assets differ"]
