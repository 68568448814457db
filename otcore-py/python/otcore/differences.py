"""What differs between two inventories, as far as it was asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from otcore.model import Claim
from otcore.values import Json, parsed


@dataclass(frozen=True)
class Spot:
    """A device, a module or what lives behind a device."""

    path: str
    kind: str
    headline: str
    """Vendor and model, as far as they are known."""
    why: str | None = None
    """What became of asking it again."""

    @classmethod
    def of(cls, data: Json) -> Spot:
        """Read it from JSON."""
        return cls(data["path"], data["kind"], data["headline"], data.get("why"))


@dataclass(frozen=True)
class Change:
    """One field that is said differently."""

    field: str
    """Which, for example `identity.firmware` or `interfaces.1.mac`."""
    before: Claim | None
    """`None` if nobody said anything."""
    after: Claim | None
    """`None` if the question was asked again and no longer says it."""

    @classmethod
    def of(cls, data: Json) -> Change:
        """Read it from JSON."""
        ends = (data.get("from"), data.get("to"))
        before, after = (Claim.of(end) if end else None for end in ends)
        return cls(data["field"], before, after)


@dataclass(frozen=True)
class Changed:
    """Something that is different, or at another place."""

    spot: Spot
    """Where and what it is now."""
    changes: tuple[Change, ...]
    moved_from: str | None = None
    """Where it was, if that is another place."""

    @classmethod
    def of(cls, data: Json) -> Changed:
        """Read it from JSON."""
        changes = tuple(map(Change.of, data["changes"]))
        return cls(Spot.of(data), changes, data.get("from"))


@dataclass(frozen=True)
class Diff:
    """What differs between two inventories; true if anything does. `print` shows it to a person."""

    new: tuple[Spot, ...]
    """There now, and not known before."""
    gone: tuple[Spot, ...]
    """Known before, asked again in every way it was known by, and not there."""
    moved: tuple[Changed, ...]
    """The same piece of hardware at another place."""
    changed: tuple[Changed, ...]
    """There both times, and different."""
    quiet: tuple[Spot, ...]
    """There both times, and silent now about who it is."""
    not_asked: tuple[Spot, ...]
    """Known before and not asked again, so that nothing can be said."""
    json: Json
    """All of it, as in the JSON of the engine."""
    text: str
    """All of it for people."""

    @classmethod
    def read(cls, told: str, text: str) -> Diff:
        """Read it from the JSON of the engine."""
        data = parsed(told)
        spots: dict[str, Any] = {
            kind: tuple(map(Spot.of, data[kind])) for kind in ("new", "gone", "quiet", "not_asked")
        }
        changes: dict[str, Any] = {
            kind: tuple(map(Changed.of, data[kind])) for kind in ("moved", "changed")
        }
        return cls(**spots, **changes, json=data, text=text)

    def __bool__(self) -> bool:
        """Whether anything that was asked differs."""
        return any((self.new, self.gone, self.moved, self.changed, self.quiet))

    def __str__(self) -> str:
        """What differs, for people."""
        return self.text
