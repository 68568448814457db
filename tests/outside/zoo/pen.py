"""A field with the zoo in it: devices behind their doors, masters, and who counts frames."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from netns import SCANNER, Field, Plant, pipe
from world import World

from zoo.door import Front
from zoo.gateway import Line
from zoo.master import Duty

FIRST_HONEST = "10.99.0.11"
PROGRAM = Path(__file__).parent / "serve.py"


class Pen:
    """Everything on the devices' side."""

    def __init__(self, world: World, name: str, headers: bool = False) -> None:
        self.world = world
        self.field = Field(name, headers=headers)
        self.honest: dict[str, str] = {}
        """An honest device of each protocol."""
        self._jobs: dict[str, subprocess.Popen[str]] = {}

    def __enter__(self) -> Pen:
        self.field.__enter__()
        try:
            plant = Plant(self.field, self.world.program("otcore-plant"), "ordinary",
                          "--first", FIRST_HONEST, "--count", "1")  # fmt: skip
        except BaseException:
            self.field.__exit__(None, None, None)
            raise
        for device in plant.devices:
            self.honest[device["name"].split("-")[0]] = device["address"]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.field.__exit__(kind, error, trace)

    def open(self, fronts: Sequence[Front] = (), lines: Sequence[Line] = ()) -> None:
        self._start("devices", fronts=orders(fronts), lines=orders(lines))
        self._start("frames", addresses=[front.address for front in fronts], scanner=SCANNER)

    def watch(self, duties: Sequence[Duty]) -> None:
        self._start("masters", duties=orders(duties))

    def seen(self) -> dict[str, dict[str, Any]]:
        """What devices, masters and the counter of frames saw; they end with this."""
        found = {}
        for job in ("masters", "devices", "frames"):
            pipe(self._jobs[job].stdin).close()
            found[job] = json.loads(pipe(self._jobs[job].stdout).readline())
        return found

    def _start(self, job: str, **what: Any) -> None:
        process = self.field.beside_devices(
            [sys.executable, str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        pipe(process.stdin).write(json.dumps({"job": job, **what}) + "\n")
        pipe(process.stdin).flush()
        if pipe(process.stdout).readline() != "READY\n":
            raise RuntimeError(f"the {job} of the zoo did not start")
        self._jobs[job] = process


def orders(things: Iterable[Front | Line | Duty]) -> list[dict[str, object]]:
    return [thing.as_order() for thing in things]
