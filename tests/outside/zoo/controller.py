"""A controller to whom each received frame costs time of its cycle. Arithmetic over arrivals.

The program of a cycle begins at its tick and has to be done before the next. A frame interrupts
it. What is not done in time goes on into the next cycle and makes that one late too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

ROUNDING = 1e-9


@dataclass(frozen=True)
class Controller:
    """Seconds: the cycle, what its program takes, what a frame takes."""

    frame: float
    cycle: float = 0.010
    work: float = 0.008

    def missed(self, arrivals: Sequence[float], begin: float, end: float) -> int:
        """Cycles that were not done in time, of those from `begin` to `end`."""
        moments = sorted(at - begin for at in arrivals if begin <= at < end)
        missed, next_frame, busy_until = 0, 0, 0.0
        for number in range(int((end - begin) / self.cycle)):
            tick = number * self.cycle
            # Frames while there is nothing else to do; the last may reach into this cycle.
            while next_frame < len(moments) and moments[next_frame] < max(tick, busy_until):
                busy_until = max(busy_until, moments[next_frame]) + self.frame
                next_frame += 1
            done = max(tick, busy_until) + self.work
            while next_frame < len(moments) and moments[next_frame] < done:
                done += self.frame
                next_frame += 1
            busy_until = done
            missed += done > tick + self.cycle + ROUNDING
        return missed

    def worst(self, arrivals: Sequence[float], begin: float, end: float) -> int:
        """The same, wherever the cycles begin: the most of ten tries, a tenth of a cycle apart."""
        return max(self.missed(arrivals, begin - n * self.cycle / 10, end) for n in range(10))


SMALL = Controller(frame=50e-6)
"""42 us and 0.5 us a byte is what a motion controller with 800 MHz takes for an exchange over
EtherNet/IP, by its maker (Kollmorgen KAS 4.03, Controller Performance Guidelines)."""
SLOW = Controller(frame=250e-6)
"""The same with a fifth of the clock."""


def bearable(arrivals: Sequence[float], begin: float, end: float) -> float:
    """The most that a frame may take without a missed cycle, in seconds, to 10 us."""
    low, high = 0, 1000
    while high - low > 1:
        middle = (low + high) // 2
        tried = replace(SMALL, frame=middle * 1e-5)
        low, high = (middle, high) if not tried.worst(arrivals, begin, end) else (low, middle)
    return low * 1e-5
