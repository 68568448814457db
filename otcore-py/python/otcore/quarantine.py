"""Devices that are left alone until a person has looked at them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otcore import _native
from otcore.values import Address, Json, optional_moment

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class Remembered:
    """What is remembered of one device."""

    zone: str
    device: str
    """Its address; on loopback with its port, and then only as long as its scanner lives."""
    quarantined: datetime | None
    """Since when it is left alone because it went dark; only a person clears this."""
    why: str | None
    """After which question, in words."""
    busy_until: datetime | None
    """Until when it is left alone because it had no room or time."""
    visited: datetime | None
    """When a scan last opened a connection to it."""

    @classmethod
    def of(cls, data: Json) -> Remembered:
        """Read it from JSON."""
        dark, busy = data.get("quarantined") or {}, data.get("cooling") or {}
        return cls(
            zone=data["zone"],
            device=data["device"],
            quarantined=optional_moment(dark.get("since")),
            why=dark.get("why"),
            busy_until=optional_moment(busy.get("until")),
            visited=optional_moment(data.get("visited")),
        )


class Memory:
    """The file that remembers devices between runs, as `Scanner(memory=...)` writes it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the file; `FileError` if there is none of this name."""
        self._native = _native.Memory(os.fspath(path))

    def all(self) -> list[Remembered]:
        """Everything that is remembered, by zone and device."""
        return [Remembered.of(data) for data in json.loads(self._native.all())]

    def quarantined(self) -> list[Remembered]:
        """Those that went dark."""
        return [device for device in self.all() if device.quarantined]

    def clear(self, address: str | Address, *, zone: str = "default") -> int:
        """Let every device at an address be asked again, after somebody has looked at it.

        Returns how many were left alone until now.
        """
        return self._native.clear(zone, str(address))
