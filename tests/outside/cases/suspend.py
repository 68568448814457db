"""Processes are stopped in the middle of a scan and go on later, as on a host that sleeps.

Nothing may be made up for (promise 3), nobody is asked twice (promise 2), and a device that
answered while we slept did not go dark (promise 7).
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time

import judge
from capture import read
from netns import Field, Plant
from scan import otscan, policy
from world import GENTLE, Verdicts, World

ASLEEP = 5.0
"""Seconds; longer than any answer is waited for."""


def run(world: World) -> Verdicts:
    verdicts = Verdicts()
    dice = random.Random(5)
    processes = 4
    with Field("suspend") as field:
        under = policy(field, world.everything())
        running, devices = [], 0
        for number in range(processes):
            start = ("--first", f"10.4{number}.0.5", "--step", "32", "--count", "10")
            plant = Plant(field, world.program("otcore-plant"), "ordinary", *start)
            devices += len(plant.addresses())
            memory = field.folder / f"slept-{number}.ndjson"
            command = otscan(world, field, plant.addresses(), under, memory=memory)
            process = field.beside_scanner(command, stdout=subprocess.PIPE, env=world.environment)
            running.append((number, process))
        for _ in range(2):
            for _, process in running:
                time.sleep(dice.uniform(0.2, 0.9))
                process.send_signal(signal.SIGSTOP)
            time.sleep(ASLEEP)
            for _, process in running:
                process.send_signal(signal.SIGCONT)
        reports = [json.loads(process.communicate(timeout=120)[0]) for _, process in running]
        packets = read(field.captured())
    for number, report in enumerate(reports):
        mine = [one for one in packets if f"10.4{number}." in (one.target[:5], one.source[:5])]
        verdicts.judge(2, judge.one_connection(mine))
        verdicts.judge(3, judge.rates(mine, GENTLE)[0])
        dark = report["counters"]["went_dark"]
        verdicts.judge(7, [f"{dark} devices that answered were called dark"] if dark else [])
    identified = sum(report["counters"]["identified"] for report in reports)
    verdicts.figure(
        f"{processes} processes suspended twice for {ASLEEP:.0f} s: {identified} of "
        f"{devices} devices identified, none called dark"
    )
    return verdicts
