"""The cases: each lays a field, lets the programs run in it, and judges what was captured."""

from __future__ import annotations

from collections.abc import Callable

from world import Verdicts, World

from cases import abort, crowd, dark, hostile, plant, scope, suspend

CASES: dict[str, Callable[[World], Verdicts]] = {
    "scope": scope.run,
    "crowd": crowd.run,
    "plant": plant.run,
    "abort": abort.run,
    "suspend": suspend.run,
    "dark": dark.run,
    "hostile": hostile.run,
}
