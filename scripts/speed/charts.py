"""Bar charts as SVG, without dependencies: legible wherever an image is, light or dark."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH = 760
LABEL = 290
VALUE = 80
ROW = 22
TOP = 46

# An image does not know what is around it, so it brings its own ground.
STYLE = """
    .ground { fill: #fbfbf8; stroke: #d5d5cf }
    text { font: 13px system-ui, sans-serif; fill: #1d1d1b }
    .title { font-weight: 600 }
    .own { fill: #1f6feb }
    .other { fill: #8b8b84 }
    .line { stroke: #d5d5cf }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #1b1d21; stroke: #44474d }
      text { fill: #e8e8e4 }
      .own { fill: #58a6ff }
      .other { fill: #85878c }
      .line { stroke: #44474d }
    }
"""


@dataclass(frozen=True)
class Bar:
    """One value."""

    name: str
    value: float
    own: bool
    """Whether it is the one that the chart is about."""


def bars(title: str, values: list[Bar], *, unit: str, logarithmic: bool = False) -> str:
    """One bar below the other."""
    height = TOP + ROW * len(values) + 14
    told = "; ".join(f"{bar.name}: {shown(bar.value)} {unit}" for bar in values)
    scale = ", logarithmic" if logarithmic else ""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" role="img">',
            f"  <title>{escape(title)}</title>",
            f"  <desc>{escape(told)}</desc>",
            f"  <style>{STYLE}  </style>",
            f'  <rect class="ground" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" '
            'rx="6"/>',
            f'  <text class="title" x="16" y="27">{escape(title)}{scale}</text>',
            *lines(values, logarithmic),
            "</svg>\n",
        ]
    )


def lines(values: list[Bar], logarithmic: bool) -> Iterator[str]:
    """Each bar with its name and its value."""
    length = measure([bar.value for bar in values], logarithmic)
    for number, bar in enumerate(values):
        top = TOP + number * ROW
        wide = length(bar.value)
        kind = "own" if bar.own else "other"
        yield f'  <text x="{LABEL - 8}" y="{top + 15}" text-anchor="end">{escape(bar.name)}</text>'
        yield f'  <rect class="{kind}" x="{LABEL}" y="{top + 4}" width="{wide:.1f}" height="14"/>'
        yield f'  <text x="{LABEL + wide + 6:.1f}" y="{top + 15}">{shown(bar.value)}</text>'
    bottom = TOP + len(values) * ROW
    yield f'  <line class="line" x1="{LABEL}" y1="{TOP}" x2="{LABEL}" y2="{bottom}"/>'


def measure(values: list[float], logarithmic: bool) -> Callable[[float], float]:
    """How long the bar of a value is."""
    room = WIDTH - LABEL - VALUE
    largest = max(values)
    if not logarithmic:
        return lambda value: room * value / largest
    # The shortest bar still is one.
    least = 10 ** math.floor(math.log10(min(values))) / 2
    whole = math.log10(largest / least)
    return lambda value: room * math.log10(value / least) / whole


def shown(value: float) -> str:
    """With as many digits as matter."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
