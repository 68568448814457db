"""The arithmetic of a serial line that carries one transaction at a time. No sockets, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field

BAUD = 9600
BITS = 11
"""Of a character: start, eight of data, even parity, stop (Modbus over Serial Line, 2.5.1)."""
CHARACTER = BITS / BAUD
SILENCE = 3.5 * CHARACTER
"""Before and after each frame (the same, 2.5.1.1)."""
TURNAROUND = 0.020
"""How long a unit thinks before it answers."""
AROUND = 3
"""Characters of a frame around its PDU: the unit, and two of check sum."""


def transaction(question: int, answer: int) -> float:
    """Seconds on the line for PDUs of so many bytes."""
    characters = question + answer + 2 * AROUND
    return characters * CHARACTER + 2 * SILENCE + TURNAROUND


def unanswered(question: int, timeout: float) -> float:
    """Seconds on the line for a unit that is not there."""
    return (question + AROUND) * CHARACTER + SILENCE + timeout


@dataclass
class Bus:
    """Who had the line, and when it is free again."""

    free_at: float = 0.0
    log: list[tuple[float, float, float, str]] = field(default_factory=list)
    """Of each transaction: when it was asked for, begin, seconds, client."""

    def occupy(self, client: str, seconds: float, now: float) -> float:
        """Wait for the line, then have it for so long; when that is over."""
        begin = max(now, self.free_at)
        self.free_at = begin + seconds
        self.log.append((now, begin, seconds, client))
        return self.free_at
