#!/usr/bin/env python3
"""The outside proof: what left the machine, judged by somebody else. See README.md."""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import proof
from cases import CASES
from netns import why_not
from saboteurs import ONCE_MORE, SABOTEURS, Noticed, Saboteur, turned_red
from world import LANGUAGES, PROMISES, Verdicts, World

CANNOT = 75
"""Exit status where nothing can be proven on this machine."""


AT_ONCE = 6
"""Saboteurs. The cases themselves run alone: they measure what honest programs do in their time."""

BESIDE = ("scope",)
"""Cases that judge no times, so they run beside the saboteurs."""

TOGETHER = ("scope", "call", "plant", "suspend")
"""Cases that mostly wait, and whose promises hold however busy the machine is: a short run carries
them out at once."""


def main() -> int:
    options = arguments()
    reason = why_not()
    if reason:
        print(f"SKIPPED: nothing was proven from outside: {reason}", file=sys.stderr)
        return CANNOT
    world = World(options.programs, options.python, policies=options.policies,
                  moments=options.moments, short=options.short,
                  languages=tuple(options.languages))  # fmt: skip
    run = Run()
    names = list(options.cases or CASES)
    together = [name for name in names if name in TOGETHER and options.short]
    beside = [name for name in names if name in BESIDE and options.sabotaged and not options.short]
    with ThreadPoolExecutor(len(together) or 1) as pool:
        waiting = {name: pool.submit(timed, name, world) for name in together}
        for name, case in waiting.items():
            run.judged(name, *case.result())
    for name in names:
        if name not in together + beside:
            run.judged(name, *timed(name, world))
    with ThreadPoolExecutor(len(beside) or 1) as pool:
        running = {name: pool.submit(timed, name, world) for name in beside}
        for one in noticed(options.sabotaged, world.languages) if options.sabotaged else ():
            run.noticed(one)
        for name, case in running.items():
            run.judged(name, *case.result())
    if options.sabotaged and not options.cases:
        run.look_for_gaps(world)
    if options.figures:
        options.figures.write_text(json.dumps(run.figures, indent=2) + "\n")
    if options.proof:
        options.proof.write_text(proof.written(run.saw, run.saboteurs))
    print(f"{run.passed} passed, {run.failed} failed")
    return 1 if run.failed else 0


@dataclass
class Run:
    """What became of the cases and the saboteurs."""

    passed: int = 0
    failed: int = 0
    figures: dict[str, list[Any]] = field(default_factory=dict)
    saw: dict[str, set[proof.Cell]] = field(default_factory=dict)
    """What each case judged."""
    saboteurs: list[Noticed] = field(default_factory=list)

    def judged(self, name: str, verdicts: Verdicts | None, seconds: float) -> None:
        held = verdicts is not None and show(name, verdicts, seconds)
        self._count(held)
        self.figures[name] = verdicts.figures if verdicts else []
        if verdicts and verdicts.table:
            self.figures[f"{name}, row by row"] = verdicts.table
        if verdicts:
            self.saw[name] = verdicts.saw

    def noticed(self, timed: tuple[Noticed, float]) -> None:
        one, seconds = timed
        self._count(one.red)
        self.saboteurs.append(one)
        name = f"{one.saboteur.name} in {one.language}"
        print(f"{'ok  ' if one.red else 'FAIL'} saboteur {name:28} {one.told} ({seconds:.0f} s)")
        sys.stdout.flush()

    def look_for_gaps(self, world: World) -> None:
        """Each promise is judged in each language for each protocol, or it is prose there."""
        missing = proof.gaps(self.saw, world.languages, world.protocols())
        for text in missing:
            print(f"FAIL nobody judged {text}")
        self._count(not missing)

    def _count(self, held: bool) -> None:
        self.passed, self.failed = self.passed + held, self.failed + (not held)


def noticed(programs: Path, languages: Iterable[str]) -> Iterator[tuple[Noticed, float]]:
    """What became of each saboteur. They mostly wait, so some of them run at once."""

    def one(order: tuple[Saboteur, str]) -> tuple[Noticed, float]:
        began = time.monotonic()
        return turned_red(order[0], programs, order[1]), time.monotonic() - began

    orders = [(saboteur, language) for language in languages for saboteur in SABOTEURS]
    orders += [(saboteur, "rust") for saboteur in ONCE_MORE]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(one, [order for order in orders if not order[0].alone])
    yield from map(one, [order for order in orders if order[0].alone])


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
    parser.add_argument("--languages", nargs="+", choices=LANGUAGES, default=LANGUAGES[:1],
                        help="whose programs are judged")  # fmt: skip
    parser.add_argument("--proof", type=Path, help="write who judged what to this file")
    parser.add_argument("--figures", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    unknown = [name for name in options.cases if name not in CASES]
    if unknown:
        parser.error(f"no case is called {unknown[0]}; there are: {', '.join(CASES)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
