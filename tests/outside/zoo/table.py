"""A connection table: how many a device lets in, and what it does with the next one. No sockets."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import Enum


class Overflow(Enum):
    """What a full table does with a newcomer."""

    REFUSE = "refuse"
    """The newcomer is reset."""
    SILENT = "silent"
    """The newcomer gets no answer."""
    EVICT_OLDEST = "evict-oldest"
    """The connection that was made first is closed."""
    EVICT_IDLE = "evict-idle"
    """The connection that was silent for longest is closed."""

    @property
    def evicts(self) -> bool:
        return self in (Overflow.EVICT_OLDEST, Overflow.EVICT_IDLE)


@dataclass
class Table:
    """The entries, in the order in which they were made."""

    size: int
    overflow: Overflow
    _used: dict[Hashable, float] = field(default_factory=dict)

    @property
    def is_full(self) -> bool:
        return len(self._used) >= self.size

    @property
    def keeps_out(self) -> bool:
        """Whether a newcomer would not be let in."""
        return self.is_full and not self.overflow.evicts

    def enter(self, who: Hashable, now: float) -> Hashable | None:
        """A newcomer that is let in; who has to go for it, if anybody."""
        victim = self._victim() if self.is_full else None
        if victim is not None:
            del self._used[victim]
        self._used[who] = now
        return victim

    def hear(self, who: Hashable, now: float) -> None:
        """Something arrived from `who`."""
        if who in self._used:
            self._used[who] = now

    def leave(self, who: Hashable) -> None:
        self._used.pop(who, None)

    def _victim(self) -> Hashable | None:
        if self.overflow is Overflow.EVICT_OLDEST:
            return next(iter(self._used))
        if self.overflow is Overflow.EVICT_IDLE:
            return min(self._used, key=lambda who: self._used[who])
        return None
