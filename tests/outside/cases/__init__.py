"""The cases: each lays a field, lets the programs run in it, and judges what was captured."""

from __future__ import annotations

from collections.abc import Callable

from world import Verdicts, World

from cases import abort, call, crowd, dark, faults, hostile, kill, plant, scope, suspend, zoo

CASES: dict[str, Callable[[World], Verdicts]] = {
    "scope": scope.run,
    "crowd": crowd.run,
    "call": call.run,
    "plant": plant.run,
    "abort": abort.run,
    "suspend": suspend.run,
    "kill": kill.run,
    "dark": dark.run,
    "hostile": hostile.run,
    "zoo": zoo.run,
    "faults": faults.run,
}
