"""Processes are killed in the middle of a conversation and started again, while others want the
same devices (promises 2, 3 and 6).

A killed process cannot tidy up: its system ends its connections and gives its locks back. Whoever
comes next has to leave the device the same rest as after any other connection. A store that was
being written keeps everything that was acknowledged.
"""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import judge
from capture import Packet, read
from languages import Order, Program
from netns import Field, Plant
from world import GENTLE, USUAL, Verdicts, World

PROMISED = 0.050
"""Seconds from the signal to the last SYN or payload."""
ENDED = 1.0
"""Seconds from the signal until the system has ended the connections."""
LIVES = 5
"""Of each program, the last of which ends by itself."""
DEVICES = 3
"""Of each protocol."""
FEW = 3
"""Acknowledgements until a writer is killed."""
PATIENCE = 300


@dataclass
class Killed:
    """The program that is killed, life after life."""

    program: Program
    journal: Path
    at: float = 0.0
    spoken: list[tuple[str, int]] = field(default_factory=list)
    """The device and our port of each of its connections."""


def run(world: World) -> Verdicts:
    verdicts = Verdicts()
    with ThreadPoolExecutor() as pool:
        parts = [pool.submit(survive, world, language) for language in world.languages]
        if not world.short:
            parts += [pool.submit(stored, world, language) for language in world.languages]
        for part in parts:
            verdicts.join(part.result())
    return verdicts


def survive(world: World, language: str) -> Verdicts:
    """One program is killed again and again; two others of the same host go on."""
    verdicts = Verdicts()
    dice = random.Random(7)
    lives, each = (2, 1) if world.short else (LIVES, DEVICES)
    with Field(f"kill{language[0]}") as ground:
        start = ("--first", "10.35.0.5", "--step", "256", "--count", str(each))
        plant = Plant(ground, world.program("otcore-plant"), "ordinary", *start)
        verdicts.know(plant.devices)
        devices = [str(one["target"]) for one in plant.devices]
        others = [
            Program(world, ground, other, [Order(USUAL, shuffled(dice, devices))])
            for other in beside(world, language)
        ]
        dead: list[Killed] = []
        for life in range(lives):
            journal = ground.folder / f"life-{life}.ndjson"
            # Nobody knows whom the others had asked; only the last goes on where one was killed.
            memory = ground.folder / f"memory-{min(life, lives - 2)}.ndjson"
            order = Order(USUAL, shuffled(dice, devices), memory=memory, journal=journal)
            dead.append(Killed(Program(world, ground, language, [order]), journal))
            if life < lives - 1:
                dead[-1].program.wait_for_question()
                time.sleep(dice.uniform(0.0, 1.5))
                dead[-1].at = time.time()
                dead[-1].program.process.kill()
                dead[-1].program.process.wait()
        last = dead.pop().program.answers(PATIENCE)[0]
        identified = [one.answers(PATIENCE)[0].identified for one in others]
        packets = read(ground.captured())
        for one in dead:
            one.spoken = ports(one.journal)
    look(world, verdicts, packets, dead, len(others) + lives)
    open_then = sum(is_open(packets, one) for one in dead)
    verdicts.need(identified == [len(devices)] * len(others), f"{identified} identified by others")
    verdicts.need(last.refused is None or "fresh" in last.refused, f"started again: {last.refused}")
    verdicts.need(world.short or open_then > 0, "nobody was killed in a conversation")
    verdicts.cover((2, 3, 6), language, judge.spoken(packets, world.manifest()))
    verdicts.figure(
        f"{language}: killed {len(dead)} times, {open_then} connections were open then; the system "
        f"ended all of them, and {len(others)} other programs found all {len(devices)} devices"
    )
    return verdicts


def beside(world: World, language: str) -> list[str]:
    """Two others, of other languages if there are any."""
    others = [other for other in world.languages if other != language] or [language] * 2
    return others[: 1 if world.short else 2]


def shuffled(dice: random.Random, devices: list[str]) -> list[str]:
    return dice.sample(devices, len(devices))


def ports(journal: Path) -> list[tuple[str, int]]:
    """Of what a program had opened; the last line of its journal may be half a line."""
    found = []
    for line in journal.read_text().split("\n")[:-1]:
        entry = json.loads(line)
        if entry["event"] in ("connected", "bound"):
            device = str(entry["device"]).rpartition(":")[0].strip("[]")
            found.append((device, int(str(entry["local"]).rpartition(":")[2])))
    return found


def look(
    world: World, verdicts: Verdicts, packets: list[Packet], dead: list[Killed], scans: int
) -> None:
    verdicts.judge(2, judge.one_connection(packets))
    together = dict(GENTLE)
    for each in ("connections_per_scan", "ports_per_device"):
        together[each] *= scans
    verdicts.judge(2, judge.gaps(packets, together))
    verdicts.judge(3, judge.calls(packets, 0))
    verdicts.judge(4, judge.manifest(packets, world.manifest())[0])
    for one in dead:
        mine = set(one.spoken)
        late = [
            packet
            for packet in judge.after(packets, one.at + PROMISED, lambda _: True)
            if (packet.target, packet.source_port) in mine and not packet.again
        ]
        verdicts.judge(6, [f"{packet.target}: asked after SIGKILL" for packet in late])
        for connection in judge.connections(packets):
            if (connection.device, connection.local_port) not in mine:
                continue
            ended = connection.reset or connection.ours_closed
            if ended is None or ended > max(one.at, connection.opened) + ENDED:
                verdicts.judge(2, [f"{connection.device}: its connection outlived its process"])


def is_open(packets: list[Packet], one: Killed) -> int:
    """How many of its connections the signal ended."""
    mine = set(one.spoken)
    found = 0
    for connection in judge.connections(packets):
        if (connection.device, connection.local_port) in mine and connection.opened < one.at:
            found += (connection.ours_closed or connection.reset or one.at) >= one.at
    return found


def stored(world: World, language: str) -> Verdicts:
    """A program that keeps what it found is killed while it writes."""
    verdicts = Verdicts()
    dice = random.Random(11)
    with Field(f"keep{language[0]}") as ground:
        start = ("--first", "10.36.0.5", "--step", "256", "--count", "1")
        plant = Plant(ground, world.program("otcore-plant"), "ordinary", *start)
        store = ground.folder / "plant.otcore"
        order = Order(USUAL, plant.addresses())
        writer = Program(world, ground, language, [order], store=str(store))
        until = time.time() + PATIENCE
        while not is_writing(writer, store) and time.time() < until:
            if writer.process.poll() is not None:
                break
            time.sleep(0.005)
        time.sleep(0.0 if language == "rust" else dice.uniform(0.0, 0.2))
        writer.process.kill()
        writer.process.wait()
        told = writer.kept()
        check = [str(world.program("otscan")), "store", "check", str(store)]
        done = subprocess.run(check, capture_output=True, text=True)
        kept, uneven = looks(store)
    if done.returncode != 0:
        verdicts.judge(8, [f"{language}: the store is damaged: {done.stderr.strip()}"])
    if kept < told or uneven:
        verdicts.judge(8, [f"{language}: {told} times kept, it was told, and {kept} are there"])
    verdicts.judge(8, [])
    verdicts.need(language == "rust" or told > 0, "nothing was kept before the signal")
    verdicts.figure(
        f"{language}: killed while it wrote, when {told} reports were acknowledged; the store is "
        f"whole and has {kept}"
    )
    return verdicts


def is_writing(writer: Program, store: Path) -> bool:
    """otscan keeps a report once, at its end, and says nothing of it."""
    if writer.language == "rust":
        log = store.with_name(f"{store.name}-wal")
        return log.exists() and log.stat().st_size > 0
    return writer.kept() >= FEW


def looks(store: Path) -> tuple[int, bool]:
    """How often everything is there, and whether some of it is there more often."""
    with sqlite3.connect(store) as reading:
        counts = [row[0] for row in reading.execute("SELECT count(*) FROM look GROUP BY place")]
    return min(counts, default=0), len(set(counts)) > 1
