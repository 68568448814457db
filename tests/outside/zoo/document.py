#!/usr/bin/env python3
"""Writes docs/zoo.md from what a run of the zoo measured. No figure is written by hand."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MEASURED = HERE / "measured.json"
PAGE = HERE.parents[2] / "docs" / "zoo.md"

PROTOCOLS = {
    "modbus": "Modbus",
    "s7": "S7",
    "enip": "EtherNet/IP",
    "enip without datagrams": "EtherNet/IP, TCP only",
    "dnp3": "DNP3",
    "bacnet": "BACnet",
}
OVERFLOWS = {
    "refuse": "refuses",
    "silent": "says nothing",
    "evict-oldest": "drops its oldest",
    "evict-idle": "drops the longest silent",
}


def page(run: dict[str, Any]) -> str:
    return (
        (HERE / "page.md")
        .read_text()
        .format(
            when=run["when"],
            machine=run["machine"],
            nmap=run["nmap"],
            lines_when=run["lines_when"],
            room=table(room(run["tables"])),
            cells=sum(one["cell"]["taken"] < one["cell"]["size"] for one in run["tables"]),
            full=table(full(run["tables"])),
            lines=table(lines(run["lines"])),
            beside=table(beside(run["beside"])),
            **worst(run["beside"]),
        )
    )


def table(rows: Iterable[tuple[str, ...]]) -> str:
    """Markdown; the first row is the heading. Figures stand to the right."""
    heading, *body = rows
    rule = ("---:" if is_figure(body[0][n]) else "---" for n in range(len(heading)))
    return "\n".join(f"| {' | '.join(row)} |" for row in (heading, tuple(rule), *body))


def is_figure(text: str) -> bool:
    return text[:1].isdigit() or text == "-"


def room(results: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    yield ("protocol", "a full table would", "sizes", "masters", "lost", "longest gap, s",
           "cycles missed", "on a slow controller", "identified")  # fmt: skip
    free = (one for one in results if one["cell"]["taken"] < one["cell"]["size"])
    for (what, overflow), cells in groupby(free, kind):
        group = list(cells)
        yield (
            PROTOCOLS[what],
            OVERFLOWS[overflow],
            ", ".join(str(one["cell"]["size"]) for one in group),
            str(sum(one["cell"]["taken"] for one in group)),
            str(sum(one["lived"]["lost"] + one["lived"]["others_lost"] for one in group)),
            f"{max(one['lived']['gap'] for one in group):.2f}",
            str(sum(one["missed"] for one in group)),
            str(sum(one["missed_slow"] for one in group)),
            f"{sum(one['outcome'] == 'identified' for one in group)} of {len(group)}",
        )


def full(results: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    yield ("protocol", "the full table", "entries", "master lost", "others lost",
           "without an answer, s", "we held an entry, s", "outcome")  # fmt: skip
    for one in results:
        cell, lived = one["cell"], one["lived"]
        if cell["taken"] == cell["size"]:
            yield (
                PROTOCOLS[cell["what"]],
                OVERFLOWS[cell["overflow"]],
                str(cell["size"]),
                times(lived["lost"]),
                times(lived["others_lost"]),
                f"{lived['gap']:.2f}" if lived["lost"] else "-",
                f"{one['held']:.2f}" if one["connections"] else "-",
                one["outcome"].replace("_", " "),
            )


def kind(result: dict[str, Any]) -> tuple[str, str]:
    return result["cell"]["what"], result["cell"]["overflow"]


def times(count: int) -> str:
    return "-" if count == 0 else str(count)


def lines(results: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    yield ("who scans, and how", "questions", "over, s", "cycle alone, s", "cycle beside, s",
           "growth", "longest wait, s", "lost")  # fmt: skip
    for one in results:
        yield (
            one["way"] if not one["by_us"] else f"otcore: {one['way']}",
            str(one["questions"]),
            f"{one['seconds']:.0f}",
            f"{one['alone']:.3f}",
            f"{one['beside']:.3f}",
            f"{one['growth']:.1%}".replace("%", " %"),
            f"{one['longest']:.2f}",
            str(one["lost"]),
        )


def beside(results: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    yield ("protocol", "who scans", "packets", "connections", "at a time", "master lost",
           "longest gap, s", "cycles missed", "on a slow controller", "bearable, us",
           "seconds")  # fmt: skip
    for one in results:
        yield (
            PROTOCOLS[one["protocol"]],
            one["scanner"],
            str(one["packets"]),
            str(one["connections"]),
            str(one["at_once"]),
            str(one["lived"]["lost"]),
            f"{one['lived']['gap']:.2f}",
            str(one["missed"]),
            str(one["missed_slow"]),
            bearable(one["bearable"]),
            f"{one['seconds']:.0f}",
        )


def bearable(seconds: float) -> str:
    return f"{seconds * 1e6:.0f}" if seconds else "under 10"


def worst(results: list[dict[str, Any]]) -> dict[str, str]:
    """What a frame may take at the most: with otcore, and with nobody, wherever it was least."""
    return {
        name: bearable(min(one["bearable"] for one in results if one["scanner"] == name))
        for name in ("otcore", "nobody")
    }


def main() -> None:
    measured = Path(sys.argv[1]) if len(sys.argv) > 1 else MEASURED
    PAGE.write_text(page(json.loads(measured.read_text())))


if __name__ == "__main__":
    main()
