"""Several processes, several scans in one of them, all after the same devices (promise 2)."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor

import judge
from capture import read
from netns import Field, Plant
from scan import drive, otscan, policy
from world import GENTLE, OFF, Verdicts, World

PROCESSES = 3
SCANS = 3


def run(world: World) -> Verdicts:
    verdicts = Verdicts()
    processes, scans = (1, 1) if world.short else (PROCESSES, SCANS)
    with Field("crowd") as field:
        start = ("--first", "10.50.0.5", "--step", "256", "--count", "3")
        plant = Plant(field, world.program("otcore-plant"), "ordinary", *start)
        under = policy(field, {})
        devices = [one["address"] for one in plant.devices if not one["name"].startswith(OFF)]
        running = []
        for number in range(processes):
            memory = field.folder / f"crowd-{number}.ndjson"
            command = otscan(world, field, devices, under, memory=memory)
            running.append(
                field.beside_scanner(command, stdout=subprocess.DEVNULL, env=world.environment)
            )
        orders = [
            {"id": str(number), "policy": {}, "targets": " ".join(devices)}
            for number in range(scans)
        ]
        with ThreadPoolExecutor() as pool:
            driven = pool.submit(drive, world, field, orders, 200)
            ends = [process.wait(200) for process in running]
            answers = driven.result()
        packets = read(field.captured())
    found = [one.opened for one in judge.connections(packets)]
    verdicts.judge(2, judge.one_connection(packets))
    # Every scan may have its connections, and the rest between two holds for all of them together.
    together = dict(GENTLE)
    for each in ("connections_per_scan", "ports_per_device"):
        together[each] *= processes + scans
    verdicts.judge(2, judge.gaps(packets, together))
    verdicts.judge(3, judge.calls(packets, 0))
    identified = sum(answer["counters"]["identified"] for answer in answers.values())
    wanted = len(devices) * scans
    if not world.saboteur:
        verdicts.need(ends == [0] * processes and identified == wanted, f"{ends}, {identified}")
    verdicts.figure(
        f"{processes} processes and {scans} scans in a further one after the same "
        f"{len(devices)} devices: "
        f"{len(found)} connections, never two at once to one device"
    )
    return verdicts
