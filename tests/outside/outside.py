#!/usr/bin/env python3
"""The outside proof: what left the machine, judged by somebody else. See README.md."""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cases import CASES
from netns import why_not
from saboteurs import SABOTEURS, Saboteur, turned_red
from world import PROMISES, Verdicts, World

CANNOT = 75
"""Exit status where nothing can be proven on this machine."""


AT_ONCE = 4
"""Saboteurs. The cases themselves run alone: they measure what honest programs do in their time."""

BESIDE = ("scope",)
"""Cases that judge no times, so they run beside the saboteurs."""


def main() -> int:
    options = arguments()
    reason = why_not()
    if reason:
        print(f"SKIPPED: nothing was proven from outside: {reason}", file=sys.stderr)
        return CANNOT
    world = World(options.programs, options.python, policies=options.policies,
                  moments=options.moments, short=options.short)  # fmt: skip
    passed, failed = 0, 0
    figures: dict[str, list[Any]] = {}

    def told(name: str, verdicts: Verdicts | None, seconds: float) -> None:
        nonlocal passed, failed
        held = verdicts is not None and show(name, verdicts, seconds)
        passed, failed = passed + held, failed + (not held)
        figures[name] = verdicts.figures if verdicts else []
        if verdicts and verdicts.table:
            figures[f"{name}, row by row"] = verdicts.table

    names = list(options.cases or CASES)
    beside = [name for name in names if name in BESIDE and options.sabotaged]
    for name in names:
        if name not in beside:
            told(name, *timed(name, world))
    with ThreadPoolExecutor(len(beside) or 1) as pool:
        running = {name: pool.submit(timed, name, world) for name in beside}
        for red, line in noticed(options.sabotaged) if options.sabotaged else ():
            print(line, flush=True)
            passed, failed = passed + red, failed + (not red)
        for name, case in running.items():
            told(name, *case.result())
    if options.figures:
        options.figures.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def noticed(programs: Path) -> Iterator[tuple[bool, str]]:
    """What became of each saboteur. They mostly wait, so some of them run at once."""

    def one(saboteur: Saboteur) -> tuple[bool, str]:
        began = time.monotonic()
        red, told = turned_red(saboteur, programs)
        took = time.monotonic() - began
        return red, f"{'ok  ' if red else 'FAIL'} saboteur {saboteur.name:18} {told} ({took:.0f} s)"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(one, [saboteur for saboteur in SABOTEURS if not saboteur.alone])
    yield from map(one, [saboteur for saboteur in SABOTEURS if saboteur.alone])


def timed(name: str, world: World) -> tuple[Verdicts | None, float]:
    began = time.monotonic()
    return attempt(name, world), time.monotonic() - began


def attempt(name: str, world: World) -> Verdicts | None:
    try:
        return CASES[name](world)
    except Exception:
        traceback.print_exc()
        print(f"FAIL case {name}: it could not be carried out")
        return None


def show(name: str, verdicts: Verdicts, seconds: float) -> bool:
    held = True
    print(f"-- case {name} ({seconds:.0f} s)")
    for promise, complaints in sorted(verdicts.complaints.items()):
        print(f"{'FAIL' if complaints else 'ok  '} promise {promise}: {PROMISES[promise]}")
        for complaint in complaints[:5]:
            print(f"       {complaint}")
        if len(complaints) > 5:
            print(f"       and {len(complaints) - 5} more")
        held &= not complaints
    for figure in verdicts.figures:
        print(f"     {figure}")
    sys.stdout.flush()
    return held


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}")
    parser.add_argument("--programs", type=Path, required=True, help="folder of the programs")
    parser.add_argument("--sabotaged", type=Path, help="the same, built with the saboteurs")
    parser.add_argument("--python", type=Path, help="an interpreter with the stacks of tests/peers")
    parser.add_argument("--short", action="store_true", help="fewer devices and moments")
    parser.add_argument("--policies", type=int, default=2000, help="random policies to try")
    parser.add_argument("--moments", type=int, default=600, help="random moments to abort at")
    parser.add_argument("--figures", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    unknown = [name for name in options.cases if name not in CASES]
    if unknown:
        parser.error(f"no case is called {unknown[0]}; there are: {', '.join(CASES)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
