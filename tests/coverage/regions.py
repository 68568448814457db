#!/usr/bin/env python3
"""Counts the regions of the parsers that the tests ran: regions.py EXPORT [--keep] [--missing].

EXPORT is what `llvm-cov export` says. A region counts once, whichever program ran it. What is only
there for tests (`#[cfg(test)]`, the pretend devices) does not count.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections import defaultdict
from datetime import datetime, timezone
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
SOURCES = HOME / "otcore/src"
RESULTS = HOME / "tests/coverage/regions.json"
LEAST = 95.0

# Each row of the table, and the files in it.
ROWS = {
    "BACnet/IP": "protocols/bacnet",
    "DNP3": "protocols/dnp3",
    "EtherNet/IP": "protocols/enip",
    "Modbus/TCP": "protocols/modbus",
    "S7 communication": "protocols/s7",
    "what all protocols share": "protocols/*.rs wire.rs frame.rs protocol.rs",
    "targets": "targets",
    "policies": "gate/policy/file.rs gate/policy/tree.rs gate/policy/known.rs",
    "data packs": "pack/mod.rs pack/card.rs pack/keys.rs pack/version.rs",
}
PRETEND = ("sim.rs", "testing.rs")

Region = tuple[int, int, int, int]


def files_of(row: str) -> list[Path]:
    found: list[Path] = []
    for part in ROWS[row].split():
        path = SOURCES / part
        found += path.rglob("*.rs") if path.is_dir() else SOURCES.glob(part)
    return sorted(f for f in found if f.name not in PRETEND and "sim" not in f.parts)


def last_line(file: Path) -> int:
    """The last line before the tests, which come last in every file."""
    lines = file.read_text(encoding="utf-8").splitlines()
    for number, (line, after) in enumerate(itertools.pairwise(lines), start=1):
        if line == "#[cfg(test)]" and after.startswith("mod ") and after.endswith("{"):
            return number - 1
    return len(lines)


def counted(export: Path) -> dict[str, dict[Region, int]]:
    """How often each region of each file ran, in all programs together."""
    runs: dict[str, dict[Region, int]] = defaultdict(lambda: defaultdict(int))
    for data in json.loads(export.read_text())["data"]:
        for function in data["functions"]:
            for *span, count, file, _, kind in function["regions"]:
                if kind == 0:
                    begin = (span[0], span[1], span[2], span[3])
                    runs[function["filenames"][file]][begin] += count
    return runs


def main() -> None:
    runs = counted(Path(sys.argv[1]))
    results = {}
    for row in ROWS:
        whole = ran = 0
        for file in files_of(row):
            last = last_line(file)
            regions = {span: n for span, n in runs[str(file)].items() if span[0] <= last}
            whole += len(regions)
            ran += sum(count > 0 for count in regions.values())
            if "--missing" in sys.argv:
                for line, column, *end in sorted(s for s, count in regions.items() if not count):
                    print(f"{file.relative_to(HOME)}:{line}:{column}-{end[0]}:{end[1]}")
        results[row] = {"regions": whole, "ran": ran}
    below = False
    for row, of in [*results.items(), ("together", together(results))]:
        share = 100 * of["ran"] / max(1, of["regions"])
        below |= share < LEAST
        print(f"{row:26} {of['ran']:6} of {of['regions']:6} regions {share:7.2f} %")
    if "--keep" in sys.argv:
        kept = {"day": f"{datetime.now(timezone.utc):%F}", "rows": results}
        RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    if below:
        sys.exit(f"less than {LEAST} % somewhere")


def together(results: dict[str, dict[str, int]]) -> dict[str, int]:
    return {key: sum(row[key] for row in results.values()) for key in ("regions", "ran")}


if __name__ == "__main__":
    main()
