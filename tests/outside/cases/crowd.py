"""Several processes, several scans in one of them, all after the same devices (promise 2).

They are programs in Rust, Python and C, and share nothing but the locks of the host.
"""

from __future__ import annotations

import judge
from capture import read
from languages import Order, Program, journals
from netns import Field, Plant
from world import GENTLE, USUAL, Verdicts, World

DEVICES = 3
"""Of each protocol."""
PATIENCE = 300
"""Seconds."""


def run(world: World) -> Verdicts:
    verdicts = Verdicts()
    with Field("crowd") as field:
        start = ("--first", "10.50.0.5", "--step", "256", "--count", str(DEVICES))
        plant = Plant(field, world.program("otcore-plant"), "ordinary", *start)
        verdicts.know(plant.devices)
        # In all protocols, or where that would take too long only in the one that it speaks.
        how = "target" if world.short else "address"
        devices = [str(one[how]) for one in plant.devices]
        crowd, written = [], {}
        for number, (language, scans) in enumerate(members(world)):
            orders = []
            for scan in range(scans):
                name = f"{number}-{scan}"
                written[name] = field.folder / f"sent-{name}.ndjson"
                orders.append(Order(USUAL, devices, journal=written[name]))
            crowd.append(Program(world, field, language, orders))
        answers = [(one.language, one.answers(PATIENCE)) for one in crowd]
        packets = read(field.captured())
        entries = journals(written)
    known = world.manifest()
    verdicts.judge(2, judge.one_connection(packets))
    # Every scan may have its connections, and the rest between two holds for all of them together.
    together = dict(GENTLE)
    for each in ("connections_per_scan", "ports_per_device"):
        together[each] *= len(written)
    verdicts.judge(2, judge.gaps(packets, together))
    verdicts.judge(3, judge.calls(packets, 0))
    if not world.saboteur:
        verdicts.judge(4, judge.manifest(packets, known)[0])
        verdicts.judge(10, judge.journal(packets, entries))
        found = sum(one.identified for _, said in answers for one in said)
        # Who seems to get slower is left alone, and a busy computer makes devices slow.
        least = len(written) * len(devices) * 9 // 10
        verdicts.need(found >= least, f"only {found} devices were identified")
    for language in world.languages:
        verdicts.cover((2, 4, 10), language, judge.spoken(packets, known))
    opened = len(judge.connections(packets))
    several = " and ".join(f"{scans} in {language}" for language, scans in members(world))
    verdicts.figure(
        f"{len(crowd)} processes with as many scans ({several}) after the same {len(devices)} "
        f"devices: {opened} connections, never two at once to one device"
    )
    return verdicts


def members(world: World) -> list[tuple[str, int]]:
    """The processes, and how many scans each of them carries out at once."""
    if world.short:
        return [(world.languages[0], 1), (world.languages[-1], 1)]
    if not world.embedding:
        return [("rust", 1), ("rust", 1), ("rust", 1), ("rust", 3)]
    return [("rust", 1), ("rust", 2), *((language, 2) for language in world.embedding)]
