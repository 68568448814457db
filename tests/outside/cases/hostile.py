"""Devices with every misbehaviour there is (promise 8), within time and memory."""

from __future__ import annotations

import subprocess
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import judge
from capture import read
from languages import Order, Program
from netns import OWN, Field, Plant, pipe
from world import GENTLE, Verdicts, World

DEVICE_TIME = 20
"""Seconds for one device, by the policy of this case."""
SECONDS = DEVICE_TIME + 25
"""Until the scan has to end: connecting, resting and closing come on top."""
ACCEPTED = 64 * 1024
"""Bytes from one device, by the policy of this case."""
KERNEL = 192 * 1024
"""What the system may take on top: its buffer, what is drained, what is on its way."""
MEMORY = {"rust": 64 * 1024, "python": 128 * 1024, "c": 64 * 1024}
"""KiB of the whole process, an interpreter included."""
NAMES = {"rust": "otscan", "python": "python", "c": "embed-c"}
"""How the names of the processes begin."""


def run(world: World) -> Verdicts:
    verdicts = Verdicts()
    few = world.short and not world.saboteur
    for protocol in world.protocols()[:1] if few else world.protocols():
        with ThreadPoolExecutor() as pool:
            meetings = [
                pool.submit(meet, world, protocol, language) for language in world.languages
            ]
            for meeting in meetings:
                verdicts.join(meeting.result())
    return verdicts


def meet(world: World, protocol: str, language: str) -> Verdicts:
    """One scan for each protocol, or the third device that goes dark would end it for all."""
    verdicts = Verdicts()
    with Field(f"hosti{language[0]}", flat=False) as field:
        start = ("--first", "10.70.0.5", "--step", "256")
        plant = Plant(field, world.program("otcore-plant"), "hostile", *start)
        bounds = {"device_time_s": DEVICE_TIME, "device_bytes": ACCEPTED, "dark_per_run": 3}
        asked = world.everything()["protocols"]
        # The others would use up the time of the device before its own comes.
        alone = {name: asked[name] if name == protocol else {"enabled": False} for name in asked}
        verdicts.know(plant.devices)
        devices = [one["address"] for one in plant.devices if one["name"].startswith(protocol)]
        if world.short:
            devices = devices[-1:]
        order = Order({"protocols": alone, "limits": bounds}, devices)
        began = time.monotonic()
        program = Program(world, field, language, [order])
        scanning = program.process
        memory = most_memory(scanning, NAMES[language])
        took = time.monotonic() - began
        told = pipe(scanning.stderr).read()
        packets = read(field.captured())
        report = program.said()[0].report
    if scanning.returncode not in (0, 1, 4) or "panicked" in told:
        verdicts.judge(8, [f"it ended with {scanning.returncode}: {told[-300:]}"])
    if took > SECONDS:
        verdicts.judge(8, [f"it took {took:.0f} s, {SECONDS} s allowed"])
    if memory > MEMORY[language]:
        verdicts.judge(8, [f"it took {memory} KiB of memory, {MEMORY[language]} allowed"])
    received: dict[str, int] = defaultdict(int)
    for one in judge.connections(packets):
        received[one.device] += one.received
    heard: dict[str, int] = defaultdict(int)
    for packet in packets:
        if packet.kind == "udp" and packet.target in OWN:
            heard[packet.source] += len(packet.payload)
    most = max([*received.values(), *heard.values()])
    for device, count in received.items():
        if count > ACCEPTED + KERNEL:
            verdicts.judge(8, [f"{device}: {count} bytes were taken"])
    verdicts.judge(8, [])
    if not world.saboteur:
        verdicts.judge(2, judge.one_connection(packets))
        verdicts.judge(3, judge.rates(packets, GENTLE)[0] + judge.calls(packets, 0))
        verdicts.judge(4, judge.manifest(packets, world.manifest())[0])
    verdicts.cover((8,), language, judge.spoken(packets, world.manifest()))
    outcomes = {record["outcome"] for record in report.get("outcomes", [])}
    verdicts.figure(
        f"{language}: {len(devices)} hostile {protocol} devices in {took:.0f} s and "
        f"{memory // 1024} MiB; at most {most // 1024} KiB arrived from one; outcomes: "
        f"{', '.join(sorted(outcomes))}"
    )
    return verdicts


def most_memory(process: subprocess.Popen[str], called: str) -> int:
    """Wait for its end; KiB at its height. What the system tells after the end would include the
    memory of this program, from which it was forked."""
    most = 0
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            break
        found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
        name = status.splitlines()[0].split()[1]
        if found and name.startswith(called):
            most = max(most, int(found[0]))
        time.sleep(0.02)
    process.wait()
    return most
