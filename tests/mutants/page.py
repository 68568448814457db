#!/usr/bin/env python3
"""Writes the end of docs/coverage.md from the results of scripts/coverage and scripts/mutants."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import tomllib

HOME = Path(__file__).resolve().parents[2]
PAGE = HOME / "docs/coverage.md"
MARK = "<!-- From here on written by tests/mutants/page.py. -->\n"
COLUMNS = ["mutants", "caught", "out of time", "do not compile", "survive", "not tried"]


def regions(results: dict[str, Any]) -> list[str]:
    rows = results["rows"]
    together = {key: sum(row[key] for row in rows.values()) for key in ("regions", "ran")}
    lines = ["| | Regions | Run | |", "|---|---:|---:|---:|"]
    for name, row in [*rows.items(), ("together", together)]:
        share = 100 * row["ran"] / row["regions"]
        lines.append(f"| {name} | {row['regions']:,} | {row['ran']:,} | {share:.1f} % |")
    return ["## Regions", "", f"Counted on {results['day']}.", "", *lines, ""]


def mutants(results: dict[str, Any]) -> list[str]:
    files = results["files"]
    together = {key: sum(row[key] for row in files.values()) for key in COLUMNS}
    lines = ["| | " + " | ".join(COLUMNS) + " |", "|---|" + "---:|" * len(COLUMNS)]
    for name, row in [*files.items(), ("together", together)]:
        shown = name if name == "together" else f"`{name.removeprefix('otcore/src/')}`"
        lines.append(f"| {shown} | " + " | ".join(str(row[key]) for key in COLUMNS) + " |")
    said = (
        f"Tried on {results['day']}, with {results['tests']} tests. What ran *out of time* is "
        "caught\nas well: the test would have waited or computed forever."
    )
    return ["## Mutants", "", said, "", *lines, ""]


def survivors(rows: list[dict[str, str]]) -> list[str]:
    """Each with its reason; those of one reason together."""
    lines = ["## Survivors", ""]
    by_file: dict[str, dict[str, list[dict[str, str]]]] = {}
    for row in rows:
        by_file.setdefault(row["file"], {}).setdefault(row["reason"], []).append(row)
    for file, reasons in by_file.items():
        lines += [f"**`{file.removeprefix('otcore/src/')}`**", ""]
        for reason, group in reasons.items():
            what = "; ".join(f"`{row['mutant']}` in `{row['line']}`" for row in group)
            lines.append(f"- {what}: {reason}")
        lines.append("")
    return lines


def main() -> None:
    covered = json.loads((HOME / "tests/coverage/regions.json").read_text())
    tried = json.loads((HOME / "tests/mutants/results.json").read_text())
    explained = tomllib.loads((HOME / "tests/mutants/survivors.toml").read_text())
    lines = [*regions(covered), *mutants(tried), *survivors(explained.get("survivor", []))]
    head, mark, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    PAGE.write_text(head + mark + "\n" + "\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
