"""A pretend plant on loopback, for examples and tests.

>>> import otcore, otcore.sim
>>> with otcore.sim.plant() as plant:
...     report = otcore.scan(plant.device("compact-plc")["target"])
...     plant.harm()
[]
>>> [asset["identity"]["vendor"]["value"] for asset in report["assets"]]
['Tarnwick Automation']
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from otcore import _native

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self


def plant(port: int = 0) -> Plant:
    """Start the demonstration plant; leaving the `with` block stops it.

    Each device has an address of its own, 127.20.4.11 onwards, and listens at `port`, or at any
    free port if that is 0.
    """
    return Plant(_native.Plant(port))


class Plant:
    """Pretend devices that are being served."""

    def __init__(self, native: _native.Plant) -> None:
        self._native: _native.Plant | None = native
        self._devices: list[dict[str, Any]] = json.loads(native.devices())

    def __enter__(self) -> Self:
        """Nothing happens."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        self._native = None

    @property
    def devices(self) -> list[dict[str, Any]]:
        """Every device: `name`, `target`, `address`, `port` and what is `expected` of a scan."""
        return self._devices

    @property
    def targets(self) -> list[str]:
        """Every device as a target."""
        return [device["target"] for device in self._devices]

    def device(self, name: str) -> dict[str, Any]:
        """Return the device with this name; `KeyError` if there is none."""
        return {device["name"]: device for device in self._devices}[name]

    def violations(self) -> list[str]:
        """What must never have been sent until now: writes, malformed requests."""
        return self._native.violations() if self._native else []

    def harm(self) -> list[str]:
        """Everything that would have hurt a real plant until now, violations included."""
        return self._native.harm() if self._native else []
