"""Scans are aborted at random moments, by their handles and by Ctrl-C, and processes are killed
(promise 6)."""

from __future__ import annotations

import math
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import judge
from capture import Packet, read, subnet
from languages import Order, Program
from netns import Field, Plant
from scan import drive
from world import Verdicts, World

SUBNETS = 150
"""Each with a scan of its own, all at once."""
DEVICES = 4
"""In each subnet."""
LONGEST = 4.0
"""Seconds into a scan at which it is aborted at the latest."""
ROUND = 8.0
"""Seconds from one scan of a subnet to the next: until all connections are closed."""
PROMISED = 0.050
"""Seconds from the end of the call, or the signal, to the last SYN or payload."""
TURN = 0.150
"""The same for a program that has to have its turn first: after Ctrl-C, which a binding looks for
ten times a second, and where nobody says when the call had returned."""
ENDED = {"handle": 30, "Ctrl-C": 10, "SIGKILL": 10}
"""How many scans of each binding end in these ways."""


def run(world: World) -> Verdicts:
    verdicts = Verdicts()
    if world.has_rust:
        verdicts.join(in_rust(world))
    if world.embedding or not world.short:
        verdicts.join(in_every_language(world))
    return verdicts


def in_rust(world: World) -> Verdicts:
    """Hundreds of scans in one process."""
    verdicts = Verdicts()
    subnets, rounds = (10, 1) if world.short else (SUBNETS, world.moments // SUBNETS + 1)
    each = subnets // len(world.protocols())
    with Field("abort", flat=False) as field:
        start = ("--first", "10.30.0.5", "--step", str(256 // DEVICES))
        count = ("--count", str(each * DEVICES))
        plant = Plant(field, world.program("otcore-plant"), "ordinary", *start, *count)
        verdicts.know(plant.devices)
        places = by_subnet(plant.devices)
        aborted = abort(world, field, places, rounds)
        quiet = time.time()
        packets = read(field.captured())
    known = world.manifest()
    if not world.saboteur:
        verdicts.judge(4, judge.manifest(packets, known)[0])
        verdicts.judge(2, judge.one_connection(packets))
    aborted = [(place, at, min(until, quiet)) for place, at, until in aborted]
    judge_moments(verdicts, packets, aborted, "abort", "it had returned")
    verdicts.cover((6,), "rust", judge.spoken(packets, known))
    return verdicts


Moment = tuple[str, float, float]
"""A subnet, when its scan was ended, and until when nothing else happens there."""


def by_subnet(devices: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Each to be asked in its own protocol, or most scans would end before they come to it."""
    found: dict[str, list[str]] = {}
    for device in devices:
        found.setdefault(subnet(device["address"]), []).append(device["target"])
    return found


def abort(world: World, field: Field, places: dict[str, list[str]], rounds: int) -> list[Moment]:
    dice = random.Random(6)
    asking = world.everything()
    orders: list[dict[str, Any]] = []
    for turn in range(rounds):
        for place, devices in places.items():
            orders.append({
                "id": f"{place} {turn}",
                "policy": asking,
                "targets": " ".join(devices),
                "own_wire": True,
                "begin_after_ms": int(turn * ROUND * 1000),
                "abort_after_ms": int(dice.uniform(0, LONGEST) * 1000),
            })  # fmt: skip
    answers = drive(world, field, orders, rounds * ROUND + 90)
    found = []
    for place in places:
        here = [answers[f"{place} {turn}"] for turn in range(rounds)]
        for answer, following in zip_longest(here, here[1:]):
            if answer["abort"]:
                until = following["began"] if following else math.inf
                found.append((place, answer["abort"][1], until))
    return found


def judge_moments(
    verdicts: Verdicts,
    packets: list[Packet],
    moments: list[Moment],
    what: str,
    since: str,
    promised: float = PROMISED,
) -> None:
    last: list[float] = []
    sending = judge.to_devices(packets)
    by_subnet: dict[str, list[Packet]] = {}
    for packet in sending:
        by_subnet.setdefault(subnet(packet.target), []).append(packet)
    busy = 0
    for place, at, until in moments:
        near = [packet for packet in by_subnet.get(place, []) if packet.at < until]
        late = [packet.at - at for packet in judge.after(near, at, lambda _: True)]
        busy += any(at - 1.0 < packet.at <= at for packet in near)
        last.append(max(late, default=0.0))
        if late and max(late) > promised:
            count = sum(delay > promised for delay in late)
            device = next(one.target for one in near if one.at > at)
            verdicts.judge(6, [f"{device}: {count} after {what}, the last {max(late):.3f} s later"])
    verdicts.judge(6, [])
    few = f"{busy} of {len(moments)} scans were under way at their {what}"
    verdicts.need(busy > len(moments) // 3, few)
    verdicts.figure(
        f"{len(moments)} times {what}, {busy} of them within a second of a packet: the last SYN or "
        f"payload left {max(last) * 1000:.1f} ms after {since}"
    )


@dataclass
class Ending:
    """One scan in a subnet of its own, and what ends it."""

    place: str
    targets: list[str]
    after: float
    """Seconds."""
    moment: float = 0.0


def in_every_language(world: World) -> Verdicts:
    """Python and C end their scans by handles, and all of them by Ctrl-C and SIGKILL."""
    verdicts = Verdicts()
    dice = random.Random(60)
    wanted = {
        (language, way): max(len(world.protocols()), number // 3 if world.short else number)
        for language in world.languages
        for way, number in ENDED.items()
        if not (language == "rust" and way == "handle") and not (world.short and way != "handle")
    }
    with Field("abort", flat=False) as field:
        start = ("--first", "10.32.0.5", "--step", str(256 // DEVICES))
        each = -(-sum(wanted.values()) // len(world.protocols()))
        count = ("--count", str(each * DEVICES))
        plant = Plant(field, world.program("otcore-plant"), "ordinary", *start, *count)
        verdicts.know(plant.devices)
        places = list(by_subnet(plant.devices).items())
        # One protocol after the other in each way, and not all of a kind in a row.
        mixed = [place for n in range(each) for place in places[n::each]]
        endings: dict[tuple[str, str], list[Ending]] = {}
        for kind, number in wanted.items():
            mine, mixed = mixed[:number], mixed[number:]
            endings[kind] = [Ending(*place, dice.uniform(0.0, LONGEST)) for place in mine]
        carry_out(world, field, endings)
        packets = read(field.captured())
    known = world.manifest()
    for (language, way), all_of_them in endings.items():
        moments = [(one.place, one.moment, math.inf) for one in all_of_them if one.moment]
        is_exact = way == "SIGKILL" or (way, language) == ("handle", "c")
        promised = PROMISED if is_exact else TURN
        judge_moments(verdicts, packets, moments, f"{way} in {language}", "it", promised)
        where = {one.place for one in all_of_them}
        here = [packet for packet in packets if subnet(packet.target) in where]
        verdicts.cover((6,), language, judge.spoken(here, known))
    if not world.saboteur:
        verdicts.judge(2, judge.one_connection(packets))
        verdicts.judge(4, judge.manifest(packets, known)[0])
    return verdicts


def carry_out(world: World, field: Field, endings: dict[tuple[str, str], list[Ending]]) -> None:
    """By handles, all scans of a language in one process; else each in a process of its own."""
    asking = world.everything()
    by_handle: list[tuple[Program, list[Ending]]] = []
    by_signal: list[tuple[Program, int, Ending]] = []
    for (language, way), all_of_them in endings.items():
        if way == "handle":
            orders = [
                Order(asking, one.targets, abort_after_ms=int(one.after * 1000))
                for one in all_of_them
            ]
            by_handle.append((Program(world, field, language, orders), all_of_them))
            continue
        number: int = signal.SIGINT if way == "Ctrl-C" else signal.SIGKILL
        for one in all_of_them:
            order = Order(asking, one.targets, journal=field.folder / f"{one.place[:-3]}.ndjson")
            by_signal.append((Program(world, field, language, [order]), number, one))
    with ThreadPoolExecutor(len(by_signal) or 1) as pool:
        list(pool.map(lambda given: end(*given), by_signal))
    for program, all_of_them in by_handle:
        for one, answer in zip(all_of_them, program.answers(120), strict=True):
            one.moment = answer.abort[-1] if answer.abort else 0.0
    time.sleep(3)


def end(program: Program, number: int, ending: Ending) -> None:
    """When its first question has left, and some time has passed."""
    program.wait_for_question()
    time.sleep(ending.after / 2)
    if program.process.poll() is None:
        ending.moment = time.time()
        program.process.send_signal(number)
