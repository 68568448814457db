#!/usr/bin/env python3
"""Tries every mutant of the gate and of the safety rules: run.py [PATTERN...], see scripts/mutants.

All mutants are built into one program (switch.py). Once, each test is run alone to see which
mutants it reaches. Then each mutant is tried with the tests that reach it, quickest first, until
one fails. What cannot be switched (constant functions), or does not compile behind a switch, is
built alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

import tomllib

sys.path.insert(0, str(Path(__file__).parent))

from build import BINARIES, HOME, ROOT, TREE, WORK, Build, Row, copy_tree, key_of, listed, same

VERDICTS = WORK / "verdicts.json"
MEASURED = WORK / "measured.json"
EXPLAINED = HOME / "tests/mutants/survivors.toml"
RESULTS = HOME / "tests/mutants/results.json"
# So many small plants are tried by the test `seeds`.
SURROUNDINGS = {"OTCORE_SEEDS": "150"}
WORKERS = int(os.environ.get("MUTANTS_WORKERS", "2"))
# Seconds of processor time that one mutant gets, when no test ends it.
MOST = float(os.environ.get("MUTANTS_SECONDS", "120"))


@dataclass
class Test:
    """One test of one program, what it takes, and the mutants it reaches."""

    binary: str
    program: str
    name: str
    seconds: float = 0.0
    waits: float = 0.0
    reaches: set[int] = field(default_factory=set)


@dataclass
class Ran:
    """How a test ended."""

    passed: bool
    out_of_time: bool
    seconds: float
    waited: float


def run(test: Test, alive: int | None, reached: Path | None = None) -> Ran:
    """One test, within an amount of time and memory."""
    surroundings = {**os.environ, **SURROUNDINGS, "CARGO_MANIFEST_DIR": str(TREE / "otcore")}
    if alive is not None:
        surroundings["OTCORE_MUTANT"] = str(alive)
    if reached is not None:
        surroundings["OTCORE_MUTANTS_REACHED"] = str(reached)
    most = 600 if reached else 4 + 4 * test.seconds
    before = time.monotonic()
    process = subprocess.Popen(
        ["prlimit", f"--cpu={int(most) + 1}", "--as=4000000000", test.program,
         "--exact", test.name, "--test-threads=1"],
        cwd=TREE / "otcore", env=surroundings, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    out_of_time = False
    # Virtual time that never goes on takes no processor time: the clock on the wall ends it.
    end = before + (600 if reached else 5 + 5 * test.waits)
    usage = None
    while usage is None:
        pid, status, rusage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            usage = rusage
        elif time.monotonic() > end:
            out_of_time = True
            process.kill()
            _, status, usage = os.wait4(process.pid, 0)
        else:
            time.sleep(0.005)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = usage.ru_utime + usage.ru_stime
    out_of_time |= process.returncode in (-24, -9)
    return Ran(process.returncode == 0, out_of_time, seconds, time.monotonic() - before)


def tests_of(programs: dict[str, str]) -> list[Test]:
    found = []
    for binary, program in programs.items():
        said = subprocess.run(
            [program, "--list", "--format", "terse"], capture_output=True, text=True
        )
        for line in said.stdout.splitlines():
            if line.endswith(": test"):
                found.append(Test(binary, program, line.removesuffix(": test")))
    return found


def measure(test: Test) -> Test | None:
    """Which mutants it reaches, and what it takes."""
    with tempfile.TemporaryDirectory() as folder:
        reached = Path(folder) / "reached"
        ran = run(test, None, reached)
        if not ran.passed:
            print(
                f"left out, since it fails without a mutant: {test.binary} {test.name}", flush=True
            )
            return None
        reaches = set(map(int, reached.read_text().split())) if reached.exists() else set()
        return replace(test, seconds=ran.seconds, waits=ran.waited, reaches=reaches)


def measured(programs: dict[str, str], pool: ThreadPoolExecutor) -> list[Test]:
    """Every test; what was measured of the same programs before counts."""
    built = {program: Path(program).stat().st_mtime for program in programs.values()}
    if MEASURED.exists():
        kept = json.loads(MEASURED.read_text())
        if kept["built"] == built:
            return [Test(**{**row, "reaches": set(row["reaches"])}) for row in kept["tests"]]
    tests = [test for test in pool.map(measure, tests_of(programs)) if test is not None]
    rows = [{**vars(test), "reaches": sorted(test.reaches)} for test in tests]
    MEASURED.write_text(json.dumps({"built": built, "tests": rows}))
    return tests


def verdict(number: int, tests: list[Test]) -> dict[str, object]:
    reaching = [test for test in tests if number in test.reaches]
    return first_failing(sorted(reaching, key=lambda test: test.seconds), number)


def is_due_to(alive: int | None, test: Test, ran: Ran) -> bool:
    """Whether it fails again, and passes without the mutant: some tests measure real time."""
    again = ran.out_of_time or not run(test, alive).passed
    return again and (alive is None or run(test, None).passed)


def first_failing(tests: list[Test], alive: int | None) -> dict[str, object]:
    """The first test that fails with this mutant and not without."""
    spent = 0.0
    for tried, test in enumerate(tests, start=1):
        ran = run(test, alive)
        spent += ran.seconds
        if not ran.passed and is_due_to(alive, test, ran):
            how = "timeout" if ran.out_of_time else "caught"
            return {"verdict": how, "by": f"{test.binary}: {test.name}"}
        if spent > MOST:
            return {"verdict": "survived", "tried": tried, "reached by": len(tests)}
    return {"verdict": "survived", "tried": len(tests), "reached by": len(tests)}


def alone(build: Build, number: int, tests: list[Test]) -> dict[str, object]:
    """A mutant that no switch can hold, in a program of its own."""
    near = Path(build.files[number]).relative_to("otcore/src").parts[0] + "::"
    said: dict[str, object] = {}
    for names in ([], BINARIES):  # most are caught by the library's own tests
        programs = build.with_only(number, *names)
        if programs is None:
            return {"verdict": "unviable"}
        moved = [replace(t, program=programs[t.binary]) for t in tests if t.binary in programs]
        moved.sort(key=lambda test: (not test.name.startswith(near), test.seconds))
        said = first_failing(moved, None)
        if said["verdict"] != "survived":
            return said
    return said


def explained(rows: list[Row]) -> list[Row]:
    """The survivors that survivors.toml does not explain."""
    text = EXPLAINED.read_text() if EXPLAINED.exists() else ""
    known = [same(row) for row in tomllib.loads(text).get("survivor", [])]
    return [row for row in rows if row["verdict"] == "survived" and same(row) not in known]


def keep(session: Session, tests: int) -> None:
    """Count them for docs/coverage.md."""
    words = {
        "caught": "caught", "timeout": "out of time",
        "unviable": "do not compile", "survived": "survive", "": "not tried",
    }  # fmt: skip
    files: dict[str, dict[str, int]] = {}
    for number, file in sorted(session.files.items(), key=lambda item: item[1]):
        of = files.setdefault(file, dict.fromkeys(["mutants", *words.values()], 0))
        row = session.rows.get(same(session.key(number)), {"verdict": ""})
        of["mutants"] += 1
        of[words[str(row["verdict"])]] += 1
    kept = {"day": f"{datetime.now(timezone.utc):%F}", "tests": tests, "files": files}
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n")


class Session:
    """The mutants that are tried this time, and what came of them and of those before."""

    def __init__(self, patterns: list[str], again: bool) -> None:
        self.mutants, self.files = listed()
        self.rows: dict[tuple[object, ...], Row] = {}
        if VERDICTS.exists():
            self.rows = {same(row): row for row in json.loads(VERDICTS.read_text())}
        self.patterns = patterns
        self.again = again

    def key(self, number: int) -> Row:
        return key_of(self.mutants[number], self.files[number])

    def is_chosen(self, number: int) -> bool:
        known = self.rows.get(same(self.key(number)))
        if self.again and known is not None and known["verdict"] != "survived":
            return False
        about = f"{self.files[number]} {self.mutants[number].name}"
        return not self.patterns or any(pattern in about for pattern in self.patterns)

    def tell(self, number: int, said: dict[str, object]) -> None:
        row: Row = {**self.key(number), **said}
        self.rows[same(row)] = row
        VERDICTS.write_text(json.dumps(list(self.rows.values()), indent=1))
        if row["verdict"] == "survived":
            print(json.dumps(row), flush=True)

    def results(self) -> list[Row]:
        keys = [same(self.key(number)) for number in self.mutants]
        return [self.rows[key] for key in keys if key in self.rows]


def main() -> None:
    options = {word for word in sys.argv[1:] if word.startswith("--")}
    session = Session([word for word in sys.argv[1:] if word not in options], "--again" in options)
    copy_tree({*session.files.values(), ROOT})
    build = Build(session.mutants, session.files)
    build.make()
    unviable, alone_ones = build.unviable(), build.alone()
    for number in filter(session.is_chosen, unviable):
        session.tell(number, {"verdict": "unviable"})
    print(f"{len(session.mutants)} mutants, {len(unviable)} of the wrong type", flush=True)
    with ThreadPoolExecutor(WORKERS) as pool:
        tests = measured(build.programs, pool)
        print(f"{len(tests)} tests", flush=True)
        numbers = list(filter(session.is_chosen, build.switched()))
        tried = {pool.submit(verdict, number, tests): number for number in numbers}
        for done in as_completed(tried):
            session.tell(tried[done], done.result())
    build.lay_plain()
    for number in sorted(filter(session.is_chosen, alone_ones)):
        session.tell(number, alone(build, number, tests))
    rows = session.results()
    if "--keep" in options:
        keep(session, len(tests))
    left = explained(rows)
    print(f"{len(rows)} mutants tried; survivors that nobody explains: {len(left)}")
    for row in left:
        print(f"  {row['file']}: {row['mutant']}, in: {row['line']}")
    sys.exit(1 if left else 0)


if __name__ == "__main__":
    main()
