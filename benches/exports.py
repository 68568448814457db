"""Write what otcore has exported once more, with what Python has for it.

usage: exports.py csv|ndjson|cyclonedx FILE OUT MOST

What FILE holds, at most MOST lines of it, is in memory before the clock starts. Prints JSON: how
many there were, seconds of processor time, what the memory grew by in KiB, and who did it.
"""

import csv
import gc
import json
import platform
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

Work = tuple[int, str, Callable[[], object]]


def memory(field: str) -> int:
    """Of this process, in KiB (Linux)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith(field)))


def as_csv(source: Path, out: Path, most: int) -> Work:
    with source.open(newline="", encoding="utf-8") as file:
        rows = list(islice(csv.reader(file), most))

    def write() -> None:
        with out.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)

    return len(rows), f"csv of Python {platform.python_version()}", write


def as_ndjson(source: Path, out: Path, most: int) -> Work:
    with source.open(encoding="utf-8") as file:
        items = [json.loads(line) for line in islice(file, most)]

    def write() -> None:
        with out.open("w", encoding="utf-8") as file:
            for item in items:
                file.write(json.dumps(item, separators=(",", ":"), ensure_ascii=False) + "\n")

    return len(items), f"json of Python {platform.python_version()}", write


def as_cyclonedx(source: Path, out: Path, most: int) -> Work:
    from importlib.metadata import version

    from cyclonedx.model.bom import Bom
    from cyclonedx.output.json import JsonV1Dot6

    data = json.loads(source.read_text(encoding="utf-8"))
    del data["dependencies"][most:], data["components"][most:]
    bom = Bom.from_json(data)  # type: ignore[attr-defined]

    def write() -> None:
        JsonV1Dot6(bom).output_to_file(str(out), allow_overwrite=True, indent=2)

    name = f"cyclonedx-python-lib {version('cyclonedx-python-lib')}"
    return len(data["components"]), name, write


def main() -> None:
    format, source, out, most = sys.argv[1:]
    make = {"csv": as_csv, "ndjson": as_ndjson, "cyclonedx": as_cyclonedx}[format]
    count, who, write = make(Path(source), Path(out), int(most))
    gc.collect()
    before = memory("VmRSS:")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    began = time.process_time()
    write()
    seconds = time.process_time() - began
    grown = max(0, memory("VmHWM:") - before)
    print(json.dumps({"count": count, "seconds": seconds, "grown": grown, "who": who}))


if __name__ == "__main__":
    main()
