"""Pretend plants on loopback, for examples and tests.

>>> import otcore, otcore.sim
>>> with otcore.sim.plant() as plant:
...     inventory = otcore.scan(plant.device("compact-plc").target)
...     plant.harm()
[]
>>> [asset.vendor for asset in inventory]
['Tarnwick Automation']
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from otcore import _native
from otcore.values import Address, Json

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self


@dataclass(frozen=True)
class Device:
    """A pretend device."""

    name: str
    target: str
    """How it is named to a scan."""
    address: Address
    port: int
    expected: Json
    """What is true of it, and what a scan is expected to find."""

    @classmethod
    def of(cls, data: Json) -> Device:
        """Read it from JSON."""
        known = {name: data[name] for name in cls.__dataclass_fields__}
        return cls(**{**known, "address": ip_address(data["address"])})


def plant(port: int = 0) -> Plant:
    """Start the demonstration plant; leaving the `with` block stops it.

    Each device has an address of its own, 127.20.4.11 onwards, and listens at `port`, or at any
    free port if that is 0.
    """
    return Plant(_native.Plant.demo(port))


def substation(port: int = 0) -> Plant:
    """Start eight DNP3 outstations, which are asked only if a policy says so, as `plant` does."""
    return Plant(_native.Plant.substation(port))


def all_protocols(port: int = 0) -> Plant:
    """Start one ordinary device of each protocol, called like it, as `plant` does."""
    return Plant(_native.Plant.of_all_protocols(port))


class Plant:
    """Pretend devices that are being served."""

    def __init__(self, native: _native.Plant) -> None:
        self._native: _native.Plant | None = native
        self.devices: tuple[Device, ...] = tuple(map(Device.of, json.loads(native.devices())))
        """Every device."""

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
    def targets(self) -> list[str]:
        """Every device as a target."""
        return [device.target for device in self.devices]

    def device(self, name: str) -> Device:
        """Return the device with this name; `KeyError` if there is none."""
        return {device.name: device for device in self.devices}[name]

    def requests(self) -> int:
        """How many questions it has been asked until now."""
        return self._native.requests() if self._native else 0

    def violations(self) -> list[str]:
        """What must never have been sent until now: writes, malformed requests."""
        return self._native.violations() if self._native else []

    def harm(self) -> list[str]:
        """Everything that would have hurt a real plant until now, violations included."""
        return self._native.harm() if self._native else []
