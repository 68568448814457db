"""Processes are stopped in the middle of a scan and go on later, as on a host that sleeps.

Nothing may be made up for (promise 3), nobody is asked twice (promise 2), and a device that
answered while we slept did not go dark (promise 7).
"""

from __future__ import annotations

import random
import signal
import time
from typing import Any

import judge
from capture import read
from languages import Order, Program
from netns import Field, Plant
from world import GENTLE, Verdicts, World

ASLEEP = 5.0
"""Seconds; longer than any answer is waited for."""
DEVICES = 10
"""Of each protocol, for each process."""


SLOW, TAKES = 2, 200
"""As many that take so many milliseconds for an answer."""


def run(world: World) -> Verdicts:
    verdicts = Verdicts()
    dice = random.Random(5)
    processes = 4 if len(world.languages) == 1 else 2 * len(world.languages)
    with Field("suspend") as field:
        running: list[Program] = []
        devices = 0
        for number in range(processes):
            there = quick(world, field, number) + slow(world, field, number)
            verdicts.know(there)
            devices += len(there)
            language = world.languages[number % len(world.languages)]
            order = Order(world.everything(), [one["address"] for one in there])
            running.append(Program(world, field, language, [order]))
        for _ in range(2):
            for one in running:
                time.sleep(dice.uniform(0.2, 0.9))
                one.process.send_signal(signal.SIGSTOP)
            time.sleep(ASLEEP)
            for one in running:
                one.process.send_signal(signal.SIGCONT)
        reports = [one.answers(120)[0] for one in running]
        packets = read(field.captured())
    known = world.manifest()
    for number, (program, report) in enumerate(zip(running, reports, strict=True)):
        here = f"10.4{number}."
        mine = [
            one for one in packets if here in (one.target[: len(here)], one.source[: len(here)])
        ]
        verdicts.need(bool(mine), "nothing of a process was captured")
        verdicts.judge(2, judge.one_connection(mine))
        verdicts.judge(3, judge.rates(mine, GENTLE)[0])
        dark = [one for one in report.report["outcomes"] if one["outcome"] == "went_dark"]
        verdicts.judge(7, [f"{one['address']} was called dark: {one['detail']}" for one in dark])
        verdicts.cover((2, 3, 7), program.language, judge.spoken(mine, known))
    identified = sum(report.identified for report in reports)
    verdicts.need(identified > devices // 2, f"only {identified} of {devices} were identified")
    verdicts.figure(
        f"{processes} processes ({', '.join(world.languages)}) suspended twice for {ASLEEP:.0f} s: "
        f"{identified} of {devices} devices identified, none called dark"
    )
    return verdicts


def quick(world: World, field: Field, number: int) -> list[dict[str, Any]]:
    """They are asked most of the time, and stops come between their conversations."""
    start = ("--first", f"10.4{number}.0.5", "--step", "32", "--count", str(DEVICES))
    return Plant(field, world.program("otcore-plant"), "ordinary", *start).devices


def slow(world: World, field: Field, number: int) -> list[dict[str, Any]]:
    """Somebody is always waiting for their answers, which then come while he sleeps."""
    start = ("--first", f"10.4{number}.64.5", "--step", "64", "--count", str(SLOW))
    late = ("--answer-after", str(TAKES))
    return Plant(field, world.program("otcore-plant"), "ordinary", *start, *late).devices
