"""One program of each language scans a whole plant and asks all it may (promises 2 to 5, 9, 10)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import judge
from capture import Packet, read
from languages import Order, Program
from netns import Field, Plant, lines
from readers import READERS
from servers import SERVERS
from world import GENTLE, Verdicts, World


def run(world: World) -> Verdicts:
    verdicts = Verdicts()
    with ThreadPoolExecutor() as pool:
        for one in pool.map(lambda language: scan(world, language), world.languages):
            verdicts.join(one)
    return verdicts


def scan(world: World, language: str) -> Verdicts:
    verdicts = Verdicts()
    with Field(f"plan{language[0]}") as field:
        targets = devices(world, field, language, verdicts)
        written = field.folder / "sent.ndjson"
        order = Order(world.everything(), targets, journal=written)
        report = Program(world, field, language, [order]).answers(300)[0].report
        packets = read(field.captured())
        look(world, verdicts, packets, report, language)
        verdicts.judge(9, redecoded(world, field, report))
        verdicts.judge(10, judge.journal(packets, list(lines(written.read_text()))))
    verdicts.cover((2, 3, 4, 5, 9, 10), language, judge.spoken(packets, world.manifest()))
    return verdicts


def devices(world: World, field: Field, language: str, verdicts: Verdicts) -> list[str]:
    """Eight devices in each subnet, then one of each kind, then those of other stacks."""
    whole = language == "rust" and not world.short
    count = 64 if whole else 4 if world.saboteur else 8
    start = ("--first", "10.20.0.5", "--step", "32", "--count", str(count))
    ordinary = Plant(field, world.program("otcore-plant"), "ordinary", *start)
    verdicts.know(ordinary.devices)
    if world.short:
        return ordinary.addresses()
    kinds = Plant(field, world.program("otcore-plant"), "demo", "--first", "10.21.0.11",
                  "--step", "256")  # fmt: skip
    return ordinary.addresses() + kinds.addresses() + (foreign(world, field) if whole else [])


def foreign(world: World, field: Field) -> list[str]:
    if world.python is None:
        return []
    found = []
    for number, server in enumerate(SERVERS):
        found.append(f"10.22.{number}.7")
        server.start(field, world.python, found[-1])
    return found


def look(
    world: World, verdicts: Verdicts, packets: list[Packet], report: dict[str, Any], language: str
) -> None:
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
        f"{language}: {len(report['outcomes'])} conversations, {identified} devices identified, "
        f"{questions} questions, {sent} packets of {counted} counted; the busiest second: "
        + ", ".join(f"{what} {count}" for what, count in sorted(most.items()))
    )
    seen = {packet.protocols.split(":")[-1] for packet in judge.to_devices(packets)}
    unheard = [name for name in known.ports.values() if not seen & {*READERS[name].layers}]
    verdicts.need(bool(identified) or bool(world.saboteur), "nothing was identified")
    verdicts.need(not unheard or bool(world.saboteur), f"nobody asked in {unheard}")


def redecoded(world: World, field: Field, report: dict[str, Any]) -> list[str]:
    """Promise 9: stored questions and answers say the same again, in a program of their own."""
    path = field.folder / "decoded.json"
    path.write_text(json.dumps(report))
    again = subprocess.run(
        [world.program("otcore-redecode"), path], capture_output=True, text=True, check=True
    )
    return list(differing(json.loads(again.stdout), report["assets"]))


def differing(again: list[Any], before: list[Any]) -> Iterator[str]:
    by_path = {asset["path"]: asset for asset in again}
    for asset in before:
        if by_path.pop(asset["path"], None) != asset:
            yield f"{asset['path']}: decoded again, it is another"
    for path in by_path:
        yield f"{path}: only there when decoded again"
