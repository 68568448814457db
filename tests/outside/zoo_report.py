#!/usr/bin/env python3
"""Measures the whole zoo, other scanners included, and writes the page about it.

What was measured goes to zoo/measured.json, and from there to docs/zoo.md. With --lines only the
serial lines are measured anew, and the rest stays as it was.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import Any

from netns import why_not
from world import World
from zoo import beside, document, matrix, serial


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=Path, required=True, help="folder of the programs")
    parser.add_argument("--python", type=Path, required=True, help="interpreter with the stacks")
    parser.add_argument("--measured", type=Path, default=document.MEASURED)
    parser.add_argument("--lines", action="store_true", help="only the serial lines")
    options = parser.parse_args()
    reason = why_not() or (None if shutil.which("nmap") else "nmap is not installed")
    if reason:
        print(f"SKIPPED: nothing was measured: {reason}", file=sys.stderr)
        return 75
    world = World(options.programs, options.python)
    if options.lines:
        return kept(json.loads(options.measured.read_text()) | measured_lines(world), options, [])
    tables = matrix.measure(world, list(matrix.cells(short=False)))
    lines = measured_lines(world)
    rows = beside.compare(world)
    run = {
        "when": time.strftime("%Y-%m-%d"),
        "machine": f"Linux {platform.release().split('-')[0]}, {os.cpu_count()} processors, "
        f"load {os.getloadavg()[1]:.0f}",
        "nmap": version(),
        "tables": [asdict(one) for one in tables.results],
        **lines,
        "beside": [asdict(one) for one in rows],
    }
    return kept(run, options, tables.complaints() + tables.missed() + beside.complaints(rows))


def measured_lines(world: World) -> dict[str, Any]:
    lines = serial.measure(world, serial.WAYS + serial.OTHERS)
    when = f"{time.strftime('%Y-%m-%d')}, load {os.getloadavg()[1]:.0f}"
    return {"lines_when": when, "lines": [asdict(one) for one in lines]}


def kept(run: Mapping[str, Any], options: argparse.Namespace, wrong: list[str]) -> int:
    """Write down what was measured, and the page; the exit status."""
    options.measured.write_text(written(run))
    document.PAGE.write_text(document.page(json.loads(options.measured.read_text())))
    lines = (serial.Polling(**one) for one in run["lines"])
    wrong += [complaint for line in lines for complaint in line.complaints()]
    for complaint in wrong:
        print(f"FAIL {complaint}")
    print(f"{document.PAGE.name} is written; {len(wrong)} complaints")
    return 1 if wrong else 0


def written(run: Mapping[str, object]) -> str:
    """JSON with a line for each result, so that two runs can be compared."""
    parts = []
    for name, what in run.items():
        if isinstance(what, list):
            rows = ",\n  ".join(json.dumps(rounded(row), default=plain) for row in what)
            text = f"[\n  {rows}\n]"
        else:
            text = json.dumps(what)
        parts.append(f"{json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def rounded(value: object) -> object:
    """To ten microseconds."""
    if isinstance(value, dict):
        return {name: rounded(what) for name, what in value.items()}
    return round(value, 5) if isinstance(value, float) else value


def plain(value: object) -> object:
    assert isinstance(value, Enum)
    return value.value


def version() -> str:
    said = subprocess.run(["nmap", "--version"], capture_output=True, text=True, check=True)
    return " ".join(said.stdout.split()[:3]).replace("version ", "")


if __name__ == "__main__":
    sys.exit(main())
