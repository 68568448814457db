#!/usr/bin/env python3
"""Measures what a sweep and a plant of a thousand cost, beside nmap, and writes the page about it.

What was measured goes to sweep/measured.json, and from there to docs/sweep.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import time
from dataclasses import asdict
from pathlib import Path

from netns import why_not
from sweep import document, network, plant
from world import World
from zoo_report import version, written


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=Path, required=True, help="folder of the programs")
    parser.add_argument("--python", type=Path, required=True, help="interpreter with the stacks")
    parser.add_argument("--measured", type=Path, default=document.MEASURED)
    parser.add_argument("--network", default=network.NETWORK)
    parser.add_argument("--rounds", type=int, default=network.ROUNDS)
    parser.add_argument("--devices", type=int, default=plant.DEVICES)
    parser.add_argument(
        "--only", choices=("network", "plant"), help="keep what is known of the other"
    )
    parser.add_argument(
        "--protocols",
        nargs="*",
        choices=tuple(plant.SCRIPTS),
        default=list(plant.SCRIPTS),
        help="only these at the plant",
    )
    options = parser.parse_args()
    reason = why_not() or (None if shutil.which("nmap") else "nmap is not installed")
    if reason:
        print(f"SKIPPED: nothing was measured: {reason}", file=sys.stderr)
        return 75
    world = World(options.programs, options.python)
    run = json.loads(options.measured.read_text()) if options.measured.exists() else {}
    began = {
        "when": time.strftime("%Y-%m-%d"),
        "machine": f"Linux {platform.release().split('-')[0]}, {os.cpu_count()} processors",
        "load": round(os.getloadavg()[1], 1),
        "nmap": version(),
    }
    if options.only != "plant":
        sweeps = network.measure(world.program("otcore-sweep"), options.network, options.rounds)
        run |= {"network_run": began, "sweeps": [asdict(one) for one in sweeps]}
    if options.only != "network":
        looks = plant.measure(world, options.devices, options.protocols)
        run |= {"plant_run": began, "looks": [asdict(one) for one in looks]}
    options.measured.write_text(written(run))
    run = json.loads(options.measured.read_text())
    document.PAGE.write_text(document.page(run))
    wrong = document.complaints(run)
    for complaint in wrong:
        print(f"FAIL {complaint}")
    print(f"{document.PAGE.name} is written; {len(wrong)} complaints")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
