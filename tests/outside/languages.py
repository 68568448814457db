"""The same scan from a program in Rust, in Python and in C: how it is started, and what it says.

Rust is otscan, and otcore-drive for many scans in one process. The others are in `scanners/`, and
take any number of orders.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from netns import Field, lines, pipe
from world import World

_NUMBERS = count()
ABORTED = 3
"""Exit status of a program that Ctrl-C ended."""
PATIENCE = 60
"""Seconds until a program has begun."""


@dataclass(frozen=True)
class Order:
    """One scan."""

    policy: dict[str, Any]
    targets: Sequence[str]
    begin_after_ms: int = 0
    abort_after_ms: int | None = None
    memory: Path | None = None
    """Where devices are remembered; a file of its own if none is given."""
    journal: Path | None = None

    def settings(self, field: Field) -> dict[str, Any]:
        number = next(_NUMBERS)
        memory = self.memory or field.folder / f"devices-{number}.ndjson"
        given = {"policy": self.policy, "memory": str(memory)}
        return given | ({"journal": str(self.journal)} if self.journal else {})


@dataclass(frozen=True)
class Answer:
    """What became of an order."""

    report: dict[str, Any] = field(default_factory=dict)
    refused: str | None = None
    began: float = 0.0
    abort: list[float] | None = None
    """When it was called, and perhaps when that had returned, in seconds since 1970."""

    @property
    def identified(self) -> int:
        found: int = self.counters.get("identified", 0)
        return found

    @property
    def counters(self) -> dict[str, Any]:
        found: dict[str, Any] = self.report.get("counters", {})
        return found


class Program:
    """A process that carries out orders, in one of the languages."""

    def __init__(
        self, world: World, field: Field, language: str, orders: Sequence[Order], store: str = ""
    ) -> None:
        self.language = language
        self._orders = orders
        self._reports = [field.folder / f"report-{next(_NUMBERS)}.json" for _ in orders]
        self._out = field.folder / f"out-{next(_NUMBERS)}"
        written = self._out.open("w")
        self.process = field.beside_scanner(
            self._command(world, field, store),
            stdin=subprocess.PIPE, stdout=written, stderr=subprocess.PIPE, env=world.environment,
        )  # fmt: skip
        written.close()
        if self._is_drive:
            self._give(field)

    def answers(self, timeout: float) -> list[Answer]:
        """Wait for its end; what became of each order."""
        told = self.process.communicate(timeout=timeout)[1]
        if self.process.returncode not in (0, 1, ABORTED, 4):
            raise RuntimeError(f"{self.language} ended {self.process.returncode}: {told[-2000:]}")
        return self.said()

    def wait_for_question(self) -> None:
        """Until the first order has asked something; it has to keep a journal."""
        journal, until = self._orders[0].journal, time.time() + PATIENCE
        assert journal
        while not journal.exists() or '"sent"' not in journal.read_text():
            if time.time() > until:
                raise RuntimeError(f"the program in {self.language} never asked anything")
            time.sleep(0.02)

    def said(self) -> list[Answer]:
        """What it has said so far."""
        text = self._out.read_text()
        if self.language == "rust" and not self._is_drive:
            return [Answer(json.loads(text))] if text else []
        found = {}
        for line in (line for line in text.splitlines() if line.startswith("{")):
            one = json.loads(line)
            number = int(one.get("id", one.get("order", 0)))
            report = one.get("report") or self._report(number)
            refused, began, abort = one.get("refused"), one.get("began", 0.0), one.get("abort")
            found[number] = Answer(report, refused, began, abort)
        return [found[number] for number in sorted(found)]

    def kept(self) -> int:
        """How often it said that a store had kept what it gave it."""
        told = [line for line in self._out.read_text().split("\n")[:-1] if line.startswith("kept ")]
        return int(told[-1].split()[1]) if told else 0

    @property
    def _is_drive(self) -> bool:
        """otscan has one scan, and no abort but Ctrl-C."""
        simple = len(self._orders) == 1 and self._orders[0].abort_after_ms is None
        return self.language == "rust" and not simple

    def _report(self, number: int) -> dict[str, Any]:
        path = self._reports[number]
        report: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return report

    def _command(self, world: World, field: Field, store: str) -> list[str]:
        if self._is_drive:
            return [str(world.program("otcore-drive"))]
        keeping = ["--store", store] if store else []
        if self.language == "rust":
            return self._otscan(world, field, self._orders[0], keeping)
        python = [sys.executable, str(world.program("embed.py"))]
        command = python if self.language == "python" else [str(world.program("embed-c"))]
        return [*command, *keeping, *(word for one in self._orders for word in words(field, one))]

    def _otscan(
        self, world: World, field: Field, order: Order, keeping: Iterable[str]
    ) -> list[str]:
        settings = order.settings(field)
        policy = field.folder / f"policy-{next(_NUMBERS)}.json"
        policy.write_text(json.dumps(settings.pop("policy")))
        command = [str(world.program("otscan")), "scan", "--format", "json", "--no-progress",
                   "--policy", str(policy), *keeping]  # fmt: skip
        for name, value in settings.items():
            command += [f"--{name}", value]
        return [*command, *order.targets]

    def _give(self, field: Field) -> None:
        given = pipe(self.process.stdin)
        for number, order in enumerate(self._orders):
            line = {
                "id": str(number),
                "targets": " ".join(order.targets),
                "begin_after_ms": order.begin_after_ms,
                "report": str(self._reports[number]),
                **order.settings(field),
            }
            if order.abort_after_ms is not None:
                line["abort_after_ms"] = order.abort_after_ms
            given.write(json.dumps(line) + "\n")
        given.close()
        self.process.stdin = None


def words(field: Field, order: Order) -> list[str]:
    """An order for a program of `scanners/`."""
    path = field.folder / f"settings-{next(_NUMBERS)}.json"
    path.write_text(json.dumps(order.settings(field)))
    abort = "-" if order.abort_after_ms is None else str(order.abort_after_ms)
    return [str(path), str(order.begin_after_ms), abort, " ".join(order.targets)]


def journals(paths: dict[str, Path]) -> list[dict[str, Any]]:
    """The entries of several journals, each of which counts connections for itself."""
    found = []
    for name, path in paths.items():
        for entry in lines(path.read_text()):
            found.append({**entry, "connection": f"{name} {entry.get('connection')}"})
    return found
