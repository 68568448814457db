"""Scans are aborted at random moments, and processes are killed (promise 6)."""

from __future__ import annotations

import math
import random
import subprocess
import time
from itertools import zip_longest
from pathlib import Path
from typing import Any

import judge
from capture import Packet, read, subnet
from netns import Field, Plant
from scan import drive, otscan, policy
from world import Verdicts, World

SUBNETS = 150
"""Each with a scan of its own, all at once."""
DEVICES = 4
"""In each subnet."""
LONGEST = 4.0
"""Seconds into a scan at which it is aborted at the latest."""
KILLED = 12
"""Processes, each with a subnet of its own."""
ROUND = 8.0
"""Seconds from one scan of a subnet to the next: until all connections are closed."""
PROMISED = 0.050
"""Seconds from the call to the last SYN or payload."""


def run(world: World) -> Verdicts:
    verdicts = Verdicts()
    subnets, rounds = (10, 1) if world.short else (SUBNETS, world.moments // SUBNETS + 1)
    each = subnets // len(world.protocols())
    with Field("abort", flat=False) as field:
        start = ("--first", "10.30.0.5", "--step", str(256 // DEVICES))
        count = ("--count", str(each * DEVICES))
        plant = Plant(field, world.program("otcore-plant"), "ordinary", *start, *count)
        places = by_subnet(plant.addresses())
        aborted = abort(world, field, places, rounds)
        quiet = time.time()
        killed = [] if world.short else kill(world, field, places)
        packets = read(field.captured())
    known = world.manifest()
    if not world.saboteur:
        verdicts.judge(4, judge.manifest(packets, known)[0])
        verdicts.judge(2, judge.one_connection(packets))
    aborted = [(place, at, min(until, quiet)) for place, at, until in aborted]
    judge_moments(verdicts, packets, aborted, "abort", "the call")
    if killed:
        judge_moments(verdicts, packets, killed, "SIGKILL", "the signal")
    return verdicts


Moment = tuple[str, float, float]
"""A subnet, when its scan was ended, and until when nothing else happens there."""


def by_subnet(addresses: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for address in addresses:
        found.setdefault(subnet(address), []).append(address)
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
                found.append((place, answer["abort"][0], until))
    return found


def kill(world: World, field: Field, places: dict[str, list[str]]) -> list[Moment]:
    """A dozen processes, each with a subnet of its own, end as processes do."""
    dice = random.Random(9)
    under = policy(field, world.everything())
    step = max(1, len(places) // KILLED)
    running: list[tuple[float, str, subprocess.Popen[str]]] = []
    time.sleep(ROUND)
    for number, place in enumerate(list(places)[::step][:KILLED]):
        mine = places[place]
        memory = Path(field.folder / f"killed-{number}.ndjson")
        command = otscan(world, field, mine, under, memory=memory)
        process = field.beside_scanner(command, stdout=subprocess.DEVNULL, env=world.environment)
        running.append((time.time() + dice.uniform(0.1, 3.0), place, process))
    found = []
    for when, place, process in sorted(running, key=lambda one: one[0]):
        time.sleep(max(0.0, when - time.time()))
        at = time.time()
        process.kill()
        found.append((place, at, math.inf))
    time.sleep(3)
    return found


def judge_moments(
    verdicts: Verdicts, packets: list[Packet], moments: list[Moment], what: str, since: str
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
        if late and max(late) > PROMISED:
            count = sum(delay > PROMISED for delay in late)
            verdicts.judge(6, [f"{place}: {count} after {what}, the last {max(late):.3f} s later"])
    verdicts.judge(6, [])
    verdicts.need(busy > len(moments) // 3, "few scans were under way when they were ended")
    verdicts.figure(
        f"{len(moments)} times {what}, {busy} of them within a second of a packet: the last SYN or "
        f"payload left {max(last) * 1000:.1f} ms after {since}"
    )
