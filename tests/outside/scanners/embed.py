#!/usr/bin/env python3
"""A program that embeds otcore in Python, for the tests that look from outside.

    embed.py [--store FILE] (SETTINGS BEGIN_MS ABORT_MS TARGETS)...

Each order has a file with settings, as JSON, when it begins, when it is aborted from then on (`-`:
not at all) and its targets as one word. One order runs as most people would write it; several run
at once, each in a thread. What became of each is a line of JSON, as embed.c prints it. With a
store, what was found is kept in it, again and again until somebody ends this; each time is told.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from itertools import count
from pathlib import Path
from typing import Any

import otcore

ABORTED = 3
_PRINTING = threading.Lock()


def main(words: list[str]) -> int:
    store = None
    if words[:1] == ["--store"]:
        store, words = otcore.Store(words[1]), words[2:]
    orders = [words[n : n + 4] for n in range(0, len(words), 4)]
    if len(orders) == 1 and orders[0][2] == "-":
        return simple(orders[0], store)
    running = [
        threading.Thread(target=obey, args=(number, *order)) for number, order in enumerate(orders)
    ]
    for one in running:
        one.start()
    for one in running:
        one.join()
    return 0


def simple(order: list[str], store: otcore.Store | None) -> int:
    """One scan, from the first line to the last. Ctrl-C ends it."""
    settings, begin, _, targets = order
    time.sleep(int(begin) / 1000)
    began, status = time.time(), 0
    try:
        inventory = otcore.scan(targets, progress=False, **json.loads(Path(settings).read_text()))
    except otcore.Interrupted as stop:
        inventory, status = stop.inventory, ABORTED
    except otcore.Error as why:
        tell(0, {"refused": str(why)})
        return 1
    tell(0, {"began": began, "abort": None}, inventory)
    for number in count(1) if store else ():
        assert store
        store.keep(inventory)
        print(f"kept {number}", flush=True)
    return status


def obey(number: int, settings: str, begin: str, abort: str, targets: str) -> None:
    """One scan of several, ended by its handle from another thread."""
    moments: list[float] = []
    try:
        scanner = otcore.Scanner(**json.loads(Path(settings).read_text()))
        plan = scanner.plan(targets)
        time.sleep(int(begin) / 1000)
        began = time.time()
        scan = scanner.start(plan)
    except otcore.Error as why:
        tell(number, {"refused": str(why)})
        return
    if abort != "-":
        timer = threading.Timer(int(abort) / 1000, end, (scan, moments))
        timer.daemon = True
        timer.start()
    inventory = scan.finish()
    tell(number, {"began": began, "abort": moments or None}, inventory)


def end(scan: otcore.Scan, moments: list[float]) -> None:
    called = time.time()
    moments.append(called)
    scan.abort()


def tell(number: int, what: dict[str, Any], inventory: otcore.Inventory | None = None) -> None:
    """A line of JSON; the report of the engine is put in as it is."""
    line = json.dumps({"order": number, **what})
    if inventory is not None:
        line = f'{line[:-1]}, "report": {inventory.to_json()}}}'
    with _PRINTING:
        print(" ".join(line.splitlines()), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
