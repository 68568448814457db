"""Stores: inventories that last. What was seen is kept, and read anew whenever asked for."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from otcore import _native as engine
from otcore.inventory import Inventory
from otcore.model import Claim
from otcore.packs import Packs, native_packs

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self


class Store:
    """Keeps what scans saw, in a file or as long as the program runs.

    Nothing in it is ever changed or deleted. `packs` says what devices are called; what is
    compiled in does, if none are given.

    >>> import otcore, otcore.sim
    >>> store = otcore.Store()
    >>> with otcore.sim.plant() as plant:
    ...     store.keep(otcore.scan(plant.device("compact-plc").target))
    1
    >>> [asset.model for asset in store.inventory()]
    ['Compact C24']
    >>> [str(claim) for claim in store.history("default/127.20.4.11", "firmware")]
    ['V3.1.4']
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        """Open the store in a file, or make one; in memory, if no file is given."""
        self._open: engine.Store | None = (
            engine.Store.in_memory() if path is None else engine.Store.open(os.fspath(path))
        )

    def __enter__(self) -> Self:
        """Nothing happens."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._open = None

    def keep(self, inventory: Inventory) -> int:
        """Keep what an inventory saw, all or nothing; returns of how many devices that is.

        It is on the disk when this returns.
        """
        return self._native.keep(inventory._native)

    @property
    def places(self) -> tuple[str, ...]:
        """Every place that was ever looked at, as `<zone>/<address>`, in order."""
        found = (f"{zone}/{address}" for zone, address, _ in self._native.places())
        return tuple(dict.fromkeys(found))

    def inventory(self, packs: Packs | None = None) -> Inventory:
        """What is known now of every device: of all that is said the same way, the newest."""
        return Inventory(self._native.inventory(native_packs(packs)))

    def redecoded(self, packs: Packs | None = None) -> Inventory:
        """The same from everything that was ever kept: takes as long as that is much."""
        return Inventory(self._native.redecoded(native_packs(packs)))

    def history(self, path: str, field: str, packs: Packs | None = None) -> tuple[Claim, ...]:
        """How a field of identity or state came to be what it is, the oldest first.

        `path` is that of a device, a module or what is behind one: `line-3/10.20.4.7`.
        """
        return tuple(
            map(Claim.of, json.loads(self._native.history(native_packs(packs), path, field)))
        )

    def check(self) -> None:
        """Read everything and compare it with what was written; `FileError` if that differs."""
        self._native.check()

    @property
    def _native(self) -> engine.Store:
        if self._open is None:
            raise ValueError("the store is closed")
        return self._open
