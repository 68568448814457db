"""The fault matrix as a page of the guide, from the rows that the case `faults` wrote."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from faults.inside import TESTS
from faults.matrix import FAULTS, PROTOCOLS, STAGES, Fault, happens

PAGE = Path(__file__).parent / "page.md"
TITLES = {
    "modbus": "Modbus/TCP",
    "enip": "EtherNet/IP",
    "s7": "S7",
    "bacnet": "BACnet/IP",
    "dnp3": "DNP3",
}

NOTED = {
    8: "Whoever lets a question wait is left alone and quarantined, though a byte comes now and "
    "then: nothing tells it from a device that was harmed.",
    13: "Our system acknowledges every 88 bytes of so small segments by itself, and does not ask "
    "us.",
    15: "Where the first answer names the device, it is identified.",
    18: "No packet gets to its port, to it, or through to it, as somebody on the way says.",
    20: "No system acknowledges that late (RFC 1122, 4.2.3.2: half a second). Ours gives up after "
    "`connect_timeout_ms`, and the device counts as gone dark.",
    26: "Nothing in these protocols tells a forged answer with the right address, port and number "
    "from an honest one, and the first is taken. What a device says by datagram is only as "
    "trustworthy as the network.",
    27: "What follows the message in its datagram is left out.",
    33: "A connection of S7 is granted whatever reference the answer names: there is only one "
    "question that it can answer.",
    36: "In turn: SSH, HTTP, TLS.",
    43: "In turn: unknown function, busy, absent, and a code that no standard has.",
}

Row = dict[str, Any]
Found = dict[tuple[int, str, str], list[str]]


def page(rows: Iterable[Row]) -> str:
    """The whole page."""
    rows = list(rows)
    found: Found = defaultdict(list)
    for row in rows:
        outcome = str(row["outcome"]).replace("_", " ")
        outcomes = found[row["fault"], row["protocol"], row["stage"]]
        outcomes += [] if outcome in outcomes else [outcome]
    notes = [reasons(), *(f"F{number}: {said}" for number, said in NOTED.items())]

    def most(what: str) -> int:
        return max(int(row[what]) for row in rows)

    return PAGE.read_text().format(
        cells=len(rows),
        memory=-(-most("memory_kib") // 1024),
        seconds=-(-most("millis") // 1000),
        packets=most("busiest_second"),
        titles=" | ".join(TITLES[protocol] for protocol in PROTOCOLS),
        dashes="---|" * len(PROTOCOLS),
        lines="".join(line(fault, found) for fault in FAULTS),
        notes="\n\n".join(notes),
        tests=all_tests(),
    )


def inside() -> str:
    """The last part of the page, which needs no figures."""
    last = PAGE.read_text().partition("## In virtual time\n")[2]
    return last.format(tests=all_tests())


def all_tests() -> str:
    return "".join(tests(fault) for fault in FAULTS).rstrip("\n")


def line(fault: Fault, found: Found) -> str:
    cells = []
    for protocol in PROTOCOLS:
        parts = [part(fault, protocol, stage, found) for stage in STAGES]
        cells.append("-" if set(parts) == {"-"} else " / ".join(parts))
    return f"| {fault.key} | {fault.name} | {' | '.join(cells)} |\n"


def part(fault: Fault, protocol: str, stage: str, found: Found) -> str:
    if not happens(fault, protocol, stage):
        return "-"
    return ", ".join(found[fault.number, protocol, stage]) or "not run"


def tests(fault: Fault) -> str:
    named = ", ".join(f"`{test}`" for test in TESTS.get(fault.number, ()))
    return f"| {fault.key} | {named} |\n" if named else ""


def reasons() -> str:
    """Why a fault cannot happen to everybody."""
    whose: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for fault in FAULTS:
        if fault.why:
            without = tuple(TITLES[one] for one in PROTOCOLS if one not in fault.only)
            whose[fault.why, without].append(fault.key)
    said = [
        f"in {' and '.join(without)} {why} ({', '.join(faults)})"
        for (why, without), faults in whose.items()
    ]
    return (
        f"Why a dash: {'; '.join(said)}. What shows when a connection is opened can come later "
        "only where something was said by datagram before, and EtherNet/IP asks one question by "
        "datagram."
    )
