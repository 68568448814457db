#!/usr/bin/env python3
"""Writes docs/sweep.md from what was measured. No figure is written by hand."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from zoo.document import table

from sweep.network import SAME_PACKETS

HERE = Path(__file__).parent
MEASURED = HERE / "measured.json"
PAGE = HERE.parents[2] / "docs" / "sweep.md"

PROTOCOLS = {
    "modbus": "Modbus, pymodbus",
    "s7": "S7, Snap7",
    "enip": "EtherNet/IP, cpppo",
    "bacnet": "BACnet, bacpypes3",
}
NOTES = {
    "enip": "In EtherNet/IP the server has one socket for all addresses, so that its answer to a "
    "datagram comes from an address that nobody asked; otcore waits for the right one in vain, and "
    "asks again by connection.",
    "bacnet": "In BACnet, which has no connections, nmap's script asks bacpypes3 a question that "
    "it does not answer.",
}
"""What has to be known of a server."""
MOST_MEMORY = 16
"""MiB that a sweep may take."""
FACTOR = 1.3
"""What a sweep may cost, in bare loops."""
CHART = 40
"""Characters of the longest bar."""
Row = dict[str, Any]


def page(run: dict[str, Any]) -> str:
    sweeps: list[Row] = run["sweeps"]
    looks: list[Row] = run["looks"]
    ours, floor, paced = (the(sweeps, who) for who in ("otcore", "connect loop", SAME_PACKETS))
    return (
        (HERE / "page.md")
        .read_text()
        .format(
            network_run=told(run["network_run"]),
            plant_run=told(run["plant_run"]),
            network=ours["network"],
            addresses=f"{ours['addresses']:,}",
            sweeps=table(swept(sweeps)),
            sweep_chart=chart((one["who"], microseconds(one), "us") for one in sweeps),
            memory_verdict=verdict(ours["memory"], MOST_MEMORY, "MiB"),
            bare=f"{microseconds(ours) / microseconds(floor):.1f}",
            paced=f"{microseconds(ours) / microseconds(paced):.1f}",
            factor=FACTOR,
            per_second=f"{(ours['packets'] or 0) / ours['seconds']:.0f}",
            user=f"{ours['user'] / ours['addresses'] * 1e6:.0f}",
            system=f"{ours['system'] / ours['addresses'] * 1e6:.0f}",
            floor_system=f"{floor['system'] / floor['addresses'] * 1e6:.0f}",
            paced_system=f"{paced['system'] / paced['addresses'] * 1e6:.0f}",
            share=f"{ours['processor'] / ours['seconds'] * 100:.0f}",
            devices=f"{looks[0]['devices']:,}",
            looks=table(looked(looks)),
            manners=table(mannered(looks)),
            look_chart=chart((f"{one['protocol']}: {one['scanner']}", each(one), "ms")
                             for one in looks),
            beside="; ".join(beside(looks)),
            notes="".join(f"\n{NOTES[one]}\n" for one in NOTES if any(
                look["protocol"] == one for look in looks)),
        )
    )  # fmt: skip


def told(run: Row) -> str:
    return f"{run['when']}, {run['machine']}, load {run['load']:.0f}, {run['nmap']}"


def the(sweeps: list[Row], who: str) -> Row:
    """The row of somebody: behind a comma is how it was run."""
    return next(one for one in sweeps if one["who"].partition(",")[0] == who)


def microseconds(one: Row) -> float:
    """Processor time for an address."""
    return float(one["processor"]) / float(one["addresses"]) * 1e6


def each(one: Row) -> float:
    """Processor time for a device, in milliseconds."""
    return float(one["processor"]) / float(one["devices"]) * 1e3


def swept(sweeps: list[Row]) -> Iterator[tuple[str, ...]]:
    floor = microseconds(the(sweeps, "connect loop"))
    yield ("who", "processor time, us an address", "of the bare loop", "memory, MiB",
           "of it its own, MiB", "seconds")  # fmt: skip
    for one in sweeps:
        yield (
            one["who"],
            f"{microseconds(one):.0f}",
            f"{microseconds(one) / floor:.2f}",
            f"{one['memory']:.1f}",
            f"{one['private']:.1f}",
            f"{one['seconds']:.1f}",
        )


def looked(looks: list[Row]) -> Iterator[tuple[str, ...]]:
    yield ("server", "who", "processor time, ms a device", "us a fact", "memory, MiB",
           "seconds", "named", "facts found")  # fmt: skip
    for one in looks:
        yield (
            PROTOCOLS[one["protocol"]],
            one["scanner"],
            f"{each(one):.2f}",
            f"{a_fact(one):.0f}" if one["facts"] else "-",
            f"{one['memory']:.1f}",
            f"{one['seconds']:.1f}",
            f"{one['named']} of {one['devices']}",
            f"{one['facts'] / one['devices']:.1f} of {one['of_facts'] // one['devices']}",
        )


def mannered(looks: list[Row]) -> Iterator[tuple[str, ...]]:
    yield ("server", "who", "packets a device", "connections a device", "in the busiest second",
           "the same, to one device", "open at once", "with one device")  # fmt: skip
    for one in looks:
        yield (
            PROTOCOLS[one["protocol"]],
            one["scanner"],
            f"{one['packets'] / one['devices']:.1f}",
            f"{one['connections'] / one['devices']:.1f}",
            str(one["busiest"]),
            str(one["to_one"]),
            str(one["at_once"]),
            str(one["with_one"]),
        )


def beside(looks: list[Row]) -> Iterator[str]:
    """Both scanners with as many devices at once, in words."""
    for protocol in dict.fromkeys(one["protocol"] for one in looks):
        ours, theirs = (
            next(o for o in looks if o["protocol"] == protocol and o["scanner"] == who)
            for who in ("otcore", "nmap")
        )
        both = all(one["facts"] for one in (ours, theirs))
        facts = f"which is {a_fact(ours):.0f} us a fact to {a_fact(theirs):.0f}, " if both else ""
        yield (
            f"in {PROTOCOLS[protocol].split(',')[0]} {each(ours):.2f} ms a device to nmap's "
            f"{each(theirs):.2f}, {facts}"
            f"with {ours['packets'] / theirs['packets']:.2f} times its packets"
        )


def a_fact(one: Row) -> float:
    """Processor time for a fact that was found, in microseconds."""
    return float(one["processor"]) / max(1, int(one["facts"])) * 1e6


def chart(rows: Iterable[tuple[str, float, str]]) -> str:
    """Bars as text."""
    known = list(rows)
    wide, most = (
        max(len(name) for name, _, _ in known),
        max(value for _, value, _ in known),
    )
    lines = (
        f"{name:<{wide}}  {'█' * max(1, round(value / most * CHART))} {shown(value)} {unit}"
        for name, value, unit in known
    )
    return "\n".join(["```text", *lines, "```"])


def shown(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2f}"


def verdict(value: float, most: float, unit: str) -> str:
    within = "within" if value <= most else "beyond"
    return f"{value:.1f} {unit}, {within} the {most} {unit} it may take"


def complaints(run: dict[str, Any]) -> list[str]:
    """What must not have happened, however slow the machine."""
    wrong = [f"{one['who']} ended with {one['status']}" for one in run["sweeps"] if one["status"]]
    wrong += [
        f"{one['scanner']} at {one['server']} ended with {one['status']}"
        for one in run["looks"]
        if one["status"]
    ]
    ours = the(run["sweeps"], "otcore")
    if ours["memory"] > MOST_MEMORY:
        wrong.append(f"a sweep took {ours['memory']:.1f} MiB, more than {MOST_MEMORY}")
    for one in run["looks"]:
        if not one["scanner"].startswith("otcore"):
            continue
        if one["named"] < one["devices"]:
            wrong.append(f"{one['scanner']} named {one['named']} of {one['devices']} devices")
        if one["with_one"] > 1:
            wrong.append(f"{one['scanner']} had {one['with_one']} connections with one device")
        if one["busiest"] > (1000 if one["scanner"].endswith("lab") else 200):
            wrong.append(f"{one['scanner']} sent {one['busiest']} packets in a second")
    return wrong


def main() -> int:
    PAGE.write_text(page(json.loads(MEASURED.read_text())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
