#!/usr/bin/env python3
"""Writes docs/speed.md and its charts from benches/results.json. No figure is written by hand.

scripts/speed/page.py                 write the page from the results that are kept
scripts/speed/page.py --check         whether it is what they say
scripts/speed/page.py MEASURED        keep what `otcore-benches --json MEASURED` wrote, then write
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import charts

HERE = Path(__file__).resolve().parent
HOME = HERE.parents[1]
RESULTS = HOME / "benches/results.json"
DOCS = HOME / "docs"
PARTS = ("decode", "encode", "exchange")


def machine() -> dict[str, Any]:
    """What it was measured on."""
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text(encoding="utf-8").splitlines() if cpu.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.machine(),
        "processors": os.cpu_count(),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "load": round(os.getloadavg()[0], 1),
    }


def keep(measured: Path) -> None:
    """Keep the results: the parts that were measured, the others as they were."""
    old = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    new = json.loads(measured.read_text(encoding="utf-8"))
    about = {"when": date.today().isoformat(), "machine": machine()}
    for part, results in new.items():
        if results:
            old[part] = {**about, "results": results}
    RESULTS.write_text(json.dumps(old, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def files(results: dict[str, Any]) -> dict[Path, str]:
    """Every file that is made of them, with its text."""
    codecs, events, exports = (results[part]["results"] for part in ("codecs", "events", "exports"))
    # A page that somebody edits should not have to escape anything but these marks.
    page = (HERE / "page.md").read_text(encoding="utf-8")
    said = {
        "codecs_on": on(results["codecs"]),
        "events_on": on(results["events"]),
        "exports_on": on(results["exports"]),
        "codecs": table(codec_rows(codecs)),
        "beside": table(beside_rows(codecs)),
        "events": table(event_rows(events)),
        "event_count": f"{events['events']:,}",
        "event_devices": f"{events['devices']:,}",
        "event_rounds": str(events["rounds"]),
        "exports": table(export_rows(exports)),
        "assets": f"{exports[0]['rows'][0]['count']:,}",
    }
    for name, text in said.items():
        page = page.replace(f"<<{name}>>", text)
    return {
        DOCS / "speed.md": page,
        DOCS / "speed-codecs.svg": charts.bars(
            "Time by that of the floor", codec_bars(codecs), unit="x", logarithmic=True
        ),
        DOCS / "speed-events.svg": charts.bars(
            "Processor time of the whole process, from the start of the scan to its last event",
            [
                charts.Bar(row["who"], row["seconds"], row["who"] == "Rust")
                for row in events["rows"]
            ],
            unit="s",
        ),
        DOCS / "speed-exports.svg": charts.bars(
            "Processor time for one device, in microseconds",
            export_bars(exports),
            unit="us",
            logarithmic=True,
        ),
    }


def on(part: dict[str, Any]) -> str:
    """When and where a part was measured."""
    about = part["machine"]
    processors = f"{about['processors']} processors ({about['processor']})"
    return f"{part['when']}, {about['system']}, {processors}, load {about['load']}"


def table(rows: Iterable[tuple[str, ...]]) -> str:
    """Markdown; the first row is the heading. Figures stand to the right."""
    heading, *body = rows
    rule = ("---:" if body[0][n][:1].isdigit() else "---" for n in range(len(heading)))
    return "\n".join(f"| {' | '.join(row)} |" for row in (heading, tuple(rule), *body))


def row_of(codec: dict[str, Any], part: str, who: str) -> dict[str, Any]:
    """What somebody needed."""
    rows = (row for row in codec["rows"] if row["part"] == part and row["who"] == who)
    return next(rows)


def codec_rows(codecs: list[dict[str, Any]]) -> Iterable[tuple[str, ...]]:
    """otcore and the floor."""
    yield (
        "protocol",
        "what",
        *(f"{part}, ns" for part in PARTS),
        *(f"{part}, x" for part in PARTS),
    )
    for codec in codecs:
        rows = [row_of(codec, part, "otcore") for part in PARTS]
        yield (
            codec["protocol"],
            codec["about"],
            *(f"{row['nanoseconds']:.0f}" for row in rows),
            *(f"{row['ratio']:.2f}" for row in rows),
        )


def beside_rows(codecs: list[dict[str, Any]]) -> Iterable[tuple[str, ...]]:
    """Everybody else."""
    yield ("protocol", "who", "does", "how", "ns", "x the floor", "x otcore")
    for codec in codecs:
        for row in others(codec):
            ours = row_of(codec, row["part"], "otcore")["nanoseconds"]
            yield (
                codec["protocol"],
                row["who"],
                row["part"],
                row["what"],
                f"{row['nanoseconds']:,.0f}",
                f"{row['ratio']:,.1f}",
                f"{row['nanoseconds'] / ours:,.1f}",
            )


def others(codec: dict[str, Any]) -> list[dict[str, Any]]:
    """Neither the floor nor otcore."""
    return [row for row in codec["rows"] if row["who"] not in ("floor", "otcore")]


def codec_bars(codecs: list[dict[str, Any]]) -> list[charts.Bar]:
    """For each protocol otcore, then the others."""
    bars = []
    for codec in codecs:
        ours = [row_of(codec, part, "otcore") for part in ("decode", "exchange")]
        for row in (*ours, *others(codec)):
            name = f"{codec['protocol']}: {row['who']}, {row['part']}"
            bars.append(charts.Bar(name, row["ratio"], row["who"] == "otcore"))
    return bars


def event_rows(events: dict[str, Any]) -> Iterable[tuple[str, ...]]:
    """The languages."""
    yield ("language", "processor time, s", "for an event, us", "x Rust")
    for row in events["rows"]:
        each = row["seconds"] / events["events"] * 1e6
        yield (row["who"], f"{row['seconds']:.3f}", f"{each:.0f}", f"{row['ratio']:.2f}")


def export_rows(exports: list[dict[str, Any]]) -> Iterable[tuple[str, ...]]:
    """The forms."""
    yield ("form", "who", "devices", "processor time, s", "us a device", "memory, MiB", "file, MiB")
    for export in exports:
        for row in export["rows"]:
            ours = row["who"] == "otcore"
            yield (
                f"`{export['format']}`",
                row["who"],
                f"{row['count']:,}",
                f"{row['seconds']:.2f}",
                f"{row['seconds'] / row['count'] * 1e6:.1f}",
                f"{row['grown_kib'] / 1024:.0f}",
                f"{export['bytes'] / 2**20:.0f}" if ours else "",
            )


def export_bars(exports: list[dict[str, Any]]) -> list[charts.Bar]:
    """For each form otcore, then who else writes it."""
    return [
        charts.Bar(
            f"{export['format']}: {row['who']}",
            row["seconds"] / row["count"] * 1e6,
            row["who"] == "otcore",
        )
        for export in exports
        for row in export["rows"]
    ]


def main() -> None:
    """Do what is asked for."""
    match sys.argv[1:]:
        case [] | ["--check"]:
            pass
        case [measured]:
            keep(Path(measured))
        case _:
            sys.exit(__doc__)
    wanted = files(json.loads(RESULTS.read_text(encoding="utf-8")))
    if sys.argv[1:] == ["--check"]:
        stale = [
            path.name
            for path, text in wanted.items()
            if not path.exists() or path.read_text(encoding="utf-8") != text
        ]
        if stale:
            sys.exit(
                f"not what benches/results.json says: {', '.join(stale)}; scripts/speed/page.py"
            )
        return
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
