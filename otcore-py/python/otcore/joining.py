"""Which assets are one device at several addresses, and why."""

from __future__ import annotations

from dataclasses import dataclass

from otcore.values import Json, parsed


@dataclass(frozen=True)
class Reason:
    """What two assets share that only one device can have."""

    key: str
    """`serial_number`, `mac` or `device_uuid`."""
    value: str
    vendor: str | None = None
    """Who gave out a serial number."""

    @classmethod
    def of(cls, data: Json) -> Reason:
        """Read it from JSON."""
        return cls(data["key"], data["value"], data.get("vendor"))


@dataclass(frozen=True)
class SameDevice:
    """A device, at one address or several."""

    paths: tuple[str, ...]
    """Its assets."""
    reasons: tuple[Reason, ...]
    """Why they are one; empty if there is only one."""

    @classmethod
    def of(cls, data: Json) -> SameDevice:
        """Read it from JSON."""
        return cls(tuple(data["paths"]), tuple(map(Reason.of, data["reasons"])))


@dataclass(frozen=True)
class Doubt:
    """Assets that share something and contradict each other otherwise, so they are kept apart."""

    paths: tuple[str, ...]
    reasons: tuple[Reason, ...]
    """What they share."""
    against: str
    """What speaks against it."""

    @classmethod
    def of(cls, data: Json) -> Doubt:
        """Read it from JSON."""
        reasons = tuple(map(Reason.of, data["reasons"]))
        return cls(tuple(data["paths"]), reasons, data["against"])


@dataclass(frozen=True)
class Joined:
    """The devices of an inventory. The inventory stays as it is."""

    devices: tuple[SameDevice, ...]
    """Every asset is part of exactly one."""
    doubts: tuple[Doubt, ...]

    @classmethod
    def read(cls, told: str) -> Joined:
        """Read it from the JSON of the engine."""
        data = parsed(told)
        devices = tuple(map(SameDevice.of, data["devices"]))
        return cls(devices, tuple(map(Doubt.of, data["doubts"])))
