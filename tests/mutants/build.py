"""Builds the program that holds every mutant, and those alone that it cannot hold."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from switch import MODULE, Mutant, blamed, plain, switched

Row = dict[str, object]

HOME = Path(__file__).resolve().parents[2]
WORK = Path(os.environ.get("MUTANTS_WORK", HOME / "target/mutants"))
TREE = WORK / "tree"
ROOT = "otcore/src/lib.rs"
REFUSED = WORK / "refused.json"
# Whatever drives the gate.
BINARIES = [
    "promises", "plans_of_others", "gone_dark", "serial_lines", "every_protocol", "datagrams",
    "calls", "every_code", "documents", "bacnet", "dnp3", "enip", "s7", "seeds", "found_by_seeds",
    "gate", "gate_calls", "gate_visits",
]  # fmt: skip
# What the compiler says of an expression that cannot be of this type, wherever it stands.
WRONG_TYPE = {"E0277", "E0308", "E0369", "E0599", "E0600", "E0614", "E0282", "E0283"}
NOT_CONST = re.compile(r"cannot call non-const .*`(?:[^`]*::)?(?:<[^>]*>::)?(\w+)(?:::<[^`]*>)?`")


def listed() -> tuple[dict[int, Mutant], dict[int, str]]:
    """Every mutant with its file, as cargo-mutants finds them."""
    said = subprocess.run(
        ["cargo", "mutants", "--list", "--json", "--package", "otcore"],
        cwd=HOME, check=True, capture_output=True,
    )  # fmt: skip
    mutants: dict[int, Mutant] = {}
    files: dict[int, str] = {}
    alike: Counter[tuple[str, str, str]] = Counter()
    sources: dict[str, list[str]] = {}
    for number, row in enumerate(json.loads(said.stdout)):
        file = row["file"]
        lines = sources.setdefault(file, (HOME / file).read_text().splitlines(keepends=True))
        begin, end = (offset(lines, row["span"][key]) for key in ("start", "end"))
        name = re.sub(r"^.*?:\d+:\d+: ", "", row["name"])
        like = (file, name, lines[row["span"]["start"]["line"] - 1])
        alike[like] += 1
        if alike[like] > 1:
            name += f" ({alike[like]})"  # the same once more in this line
        returns = (row["function"] or {"return_type": ""})["return_type"]
        kind, new = row["genre"], row["replacement"]
        mutants[number] = Mutant(number, name, kind, new, begin, end, returns)
        files[number] = file
    return mutants, files


def offset(lines: list[str], position: dict[str, int]) -> int:
    """The byte at a line and a column, which count characters from one."""
    line, column = position["line"] - 1, position["column"] - 1
    return sum(len(text.encode()) for text in lines[:line]) + len(lines[line][:column].encode())


def copy_tree(written: set[str]) -> None:
    """What git knows and does not ignore, but not what is written with mutants in it."""
    command = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=HOME, check=True, capture_output=True).stdout
    for name in names.decode().split("\0"):
        if name and name not in written and (HOME / name).is_file():
            write(TREE / name, (HOME / name).read_bytes())


def write(path: Path, data: bytes) -> None:
    if not path.exists() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


class Build:
    """The program with all mutants that it can hold."""

    def __init__(self, mutants: dict[int, Mutant], files: dict[int, str]) -> None:
        self.mutants = mutants
        self.files = files
        # What the compiler says of those that it refuses; what no switch can hold.
        self.refused: dict[int, str] = {}
        self.lost: set[int] = set()
        # Constant functions that the compiler has to call.
        self.fixed: set[str] = set()
        self.programs: dict[str, str] = {}

    def unviable(self) -> set[int]:
        """Those of the wrong type, which is wrong without a switch as well."""
        return {
            number
            for number, code in self.refused.items()
            if code in WRONG_TYPE and "impl " not in self.mutants[number].returns
        }

    def alone(self) -> set[int]:
        """Those that are built without a switch."""
        return (self.refused.keys() | self.lost) - self.unviable()

    def switched(self) -> list[int]:
        return [n for n in self.mutants if n not in self.refused and n not in self.lost]

    def make(self) -> None:
        """What was refused before is not tried again behind a switch."""
        known = json.loads(REFUSED.read_text()) if REFUSED.exists() else {"rows": [], "fixed": []}
        self.fixed |= set(known["fixed"])
        codes = {same(row): str(row["code"]) for row in known["rows"]}
        for number in self.mutants:
            code = codes.get(same(self.key(number)))
            if code is not None:
                self.refused[number] = code
        while not self.attempt():
            pass
        rows = [{**self.key(number), "code": code} for number, code in self.refused.items()]
        REFUSED.write_text(json.dumps({"rows": rows, "fixed": sorted(self.fixed)}, indent=1))

    def key(self, number: int) -> Row:
        return key_of(self.mutants[number], self.files[number])

    def attempt(self) -> bool:
        self.lay()
        done = build_tests(*BINARIES)
        refused: dict[int, str] = {}
        fixed: set[str] = set()
        errors = []
        for line in done.stdout.splitlines():
            said = json.loads(line)
            if said["reason"] == "compiler-artifact" and said["executable"]:
                self.programs[said["target"]["name"]] = said["executable"]
            if said["reason"] == "compiler-message" and said["message"]["level"] == "error":
                message = said["message"]
                called = NOT_CONST.search(message["message"])
                if called:
                    fixed.add(called[1])
                else:
                    code = (message["code"] or {"code": ""})["code"]
                    refused |= dict.fromkeys(self.blame(message), code)
                errors.append(message["rendered"])
        if done.returncode == 0:
            return True
        fresh = refused.keys() - self.refused.keys()
        print(f"{len(fresh)} do not compile behind a switch; constant: {sorted(fixed)}", flush=True)
        if not fresh and fixed <= self.fixed:
            sys.exit("the program does not compile:\n" + "\n".join(errors[:5]) + done.stderr)
        self.refused = {**refused, **self.refused}
        self.fixed |= fixed
        return False

    def lay(self) -> None:
        """Write the files with their mutants, and the switch."""
        by_file: dict[str, list[Mutant]] = defaultdict(list)
        for number in self.switched():
            by_file[self.files[number]].append(self.mutants[number])
        for file in set(self.files.values()):
            text, lost = switched((HOME / file).read_bytes(), by_file[file], self.fixed)
            self.lost |= lost
            write(TREE / file, text)
        module = MODULE.replace("COUNT", str(len(self.mutants)))
        write(TREE / "otcore/src/mutant.rs", module.encode())
        root = (HOME / ROOT).read_text().replace("mod manifest;", "mod manifest;\nmod mutant;", 1)
        write(TREE / ROOT, root.encode())

    def lay_plain(self) -> None:
        for file in {*self.files.values(), ROOT}:
            write(TREE / file, (HOME / file).read_bytes())

    def with_only(self, number: int, *programs: str) -> dict[str, str] | None:
        """The programs with this mutant and no switch, or nothing if they do not compile."""
        file = self.files[number]
        source = (HOME / file).read_bytes()
        write(TREE / file, plain(source, self.mutants[number]))
        done = build_tests(*programs)
        write(TREE / file, source)
        if done.returncode != 0:
            return None
        rows = map(json.loads, done.stdout.splitlines())
        return {
            row["target"]["name"]: row["executable"]
            for row in rows
            if row["reason"] == "compiler-artifact" and row["executable"]
        }

    def blame(self, message: dict[str, Any]) -> set[int]:
        """Whom an error is about: the first of its places that is within a mutant."""
        for span in sorted(message["spans"], key=lambda span: not span["is_primary"]):
            while span["expansion"]:
                span = span["expansion"]["span"]
            path = TREE / span["file_name"]
            found = blamed(path.read_bytes(), span["byte_start"] + 1) if path.exists() else set()
            if found:
                return found
        return set()


def build_tests(*programs: str) -> subprocess.CompletedProcess[str]:
    surroundings = {
        **os.environ,
        "CARGO_INCREMENTAL": "1",
        "CARGO_PROFILE_DEV_DEBUG": "0",
        "CARGO_TARGET_DIR": os.environ.get("MUTANTS_TARGET", str(WORK / "build")),
    }
    command = ["cargo", "test", "-p", "otcore", "--features", "sim", "--no-run", "--lib"]
    return subprocess.run(
        [*command, "--message-format", "json", *(f"--test={name}" for name in programs)],
        cwd=TREE, env=surroundings, capture_output=True, text=True,
    )  # fmt: skip


def key_of(mutant: Mutant, file: str) -> Row:
    """What names a mutant as long as its line stays as it is."""
    source = (HOME / file).read_bytes()
    begin = source.rfind(b"\n", 0, mutant.begin) + 1
    line = source[begin : source.find(b"\n", mutant.begin)].decode().strip()
    return {"file": file, "mutant": mutant.name, "line": line}


def same(row: Row) -> tuple[object, ...]:
    return row["file"], row["mutant"], row["line"]
