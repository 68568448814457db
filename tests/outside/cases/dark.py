"""Devices die at their k-th question or their n-th packet; nobody is asked again (promise 7).

First devices whose program hangs while their system still acknowledges, then devices that are
gone altogether: from one packet on, their side drops everything, in both directions. Afterwards
other processes with the same memory want to scan them again.
"""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from typing import Any

import judge
from capture import Packet, read
from languages import Order, Program
from netns import Field, Plant
from scan import drive
from world import Verdicts, World

HANGING = 6
GONE = range(2, 16)
"""After how many of our packets, handshake included."""


EMBEDDING = 3
"""The devices of each protocol that hang, for the bindings."""


def run(world: World) -> Verdicts:
    verdicts = Verdicts()
    with ThreadPoolExecutor() as pool:
        parts = [pool.submit(embedding, world, language) for language in world.embedding]
        if world.has_rust:
            verdicts.join(in_rust(world))
        for part in parts:
            verdicts.join(part.result())
    return verdicts


def embedding(world: World, language: str) -> Verdicts:
    """Devices that hang, scanned in one process, and again in another."""
    verdicts = Verdicts()
    with Field(f"dark{language[0]}") as field:
        start = ("--first", "10.62.0.5", "--step", "256", "--count", str(EMBEDDING))
        plant = Plant(field, world.program("otcore-plant"), "dying", *start)
        verdicts.know(plant.devices)
        devices = plant.addresses()
        # A scan of its own for each, as below.
        orders = [
            Order(world.everything(), [device], memory=field.folder / f"{device}.ndjson")
            for device in devices
        ]
        first, again = (Program(world, field, language, orders).answers(180) for _ in range(2))
        packets = read(field.captured())
    dark = [device for device, one in zip(devices, first, strict=True) if one.counters["went_dark"]]
    for device in dark:
        verdicts.judge(7, asked_again(packets, device))
    for device, answer in zip(devices, again, strict=True):
        why = answer.refused or "it was scanned"
        held = device not in dark or "quarantined" in why
        verdicts.judge(7, [] if held else [f"{device}: in a second run {why}"])
    known = world.manifest()
    there = [one for one in packets if one.target in dark]
    verdicts.cover((7,), language, judge.spoken(there, known))
    verdicts.need(len(dark) >= len(devices) // 2, f"only {dark} went dark")
    verdicts.figure(
        f"{language}: {len(dark)} devices hung, none got another question, and a second process "
        f"found all of them quarantined"
    )
    return verdicts


def in_rust(world: World) -> Verdicts:
    verdicts = Verdicts()
    with Field("dark") as field:
        start = ("--first", "10.60.0.5", "--step", "256", "--count", str(HANGING))
        plant = Plant(field, world.program("otcore-plant"), "dying", *start)
        verdicts.know(plant.devices)
        hanging = plant.addresses()
        gone = [] if world.short else vanishing(world, field)
        devices = hanging + gone
        first = scans(world, field, devices)
        again = scans(world, field, devices)
        packets = read(field.captured())
    dark = {name for name, answer in first.items() if answer["counters"]["went_dark"]}
    for device in devices:
        verdicts.judge(7, asked_again(packets, device) if device in dark else [])
    repeats = [packet for packet in judge.to_devices(packets) if packet.again and packet.payload]
    for device in dark:
        why = again[device].get("refused", "it was scanned")
        verdicts.judge(7, [] if "quarantined" in why else [f"{device}: in a second run {why}"])
    there = [one for one in packets if one.target in dark]
    verdicts.cover((7,), "rust", judge.spoken(there, world.manifest()))
    verdicts.need(len(dark & set(hanging)) >= HANGING // 2, f"only {dark} went dark")
    verdicts.need(not gone or len(dark & set(gone)) >= 3, f"only {dark} went dark")
    verdicts.figure(
        f"{len(dark & set(hanging))} devices hung, {len(dark & set(gone))} vanished after an "
        f"answer: none got another question; the system repeated {len(repeats)} unacknowledged "
        f"segments; a second process found all of them quarantined"
    )
    return verdicts


def vanishing(world: World, field: Field) -> list[str]:
    """Ordinary devices, each of which is cut off after a number of our packets."""
    start = ("--first", "10.61.0.5", "--step", "256", "--count", str(len(GONE)))
    devices = Plant(field, world.program("otcore-plant"), "ordinary", *start).addresses()
    cut = "\n".join(
        f"ip daddr {device} ct original packets > {count} add @gone {{ ip daddr }} drop"
        for device, count in zip(devices, cycle(GONE), strict=False)
    )
    rules = f"""
        table ip dying {{
            set gone {{ type ipv4_addr; size 1024; flags dynamic; }}
            chain incoming {{
                type filter hook input priority 0;
                ip daddr @gone drop
                {cut}
            }}
            chain outgoing {{
                type filter hook output priority 0;
                ip saddr @gone drop
            }}
        }}
    """
    loading = field.beside_devices(["nft", "-f", "-"], stdin=subprocess.PIPE)
    loading.communicate(rules)
    if loading.returncode != 0:
        raise RuntimeError("nft cannot make devices vanish here")
    return devices


def scans(world: World, field: Field, devices: list[str]) -> dict[str, dict[str, Any]]:
    """A scan of its own for each device, or the third that dies would end it for all."""
    asking = world.everything()
    orders = []
    for device in devices:
        memory = str(field.folder / f"{device}.ndjson")
        orders.append({"id": device, "policy": asking, "targets": device,
                       "own_wire": True, "memory": memory})  # fmt: skip
    return drive(world, field, orders, 120)


def asked_again(packets: list[Packet], device: str) -> list[str]:
    """How often something was said after the last word of the device; the first is what it
    fell silent at. That it lets us in is a word too: after an answer by datagram it may be the
    last."""
    words = (one for one in packets if one.source == device and (one.payload or one.lets_in))
    last = max(one.at for one in words)
    later = [
        one
        for one in judge.to_devices(packets)
        if one.target == device and one.at > last and one.says and not one.again
    ]
    return [f"{device}: {len(later)} after its last answer"] if len(later) > 1 else []
