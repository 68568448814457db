"""What a scan tells while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Union

from otcore.enums import Phase, StopReason
from otcore.model import Asset, OutcomeRecord
from otcore.values import Json, parsed

if TYPE_CHECKING:
    from otcore import _native


@dataclass(frozen=True)
class Skipped:
    """Part of what was asked for is not visited."""

    what: str
    """The addresses or the endpoint."""
    addresses: int
    """How many addresses that is, at most 2**64 - 1."""
    reason: str
    """Why, in words."""


@dataclass(frozen=True)
class PhaseChanged:
    """A phase begins, ends or is left out."""

    phase: Phase
    state: str
    """`started`, `finished` or `skipped`."""
    reason: str | None = None
    """Why it is left out."""


class ConversationEnded:
    """A conversation ended."""

    __match_args__ = ("record",)

    def __init__(self, record: OutcomeRecord) -> None:
        self.__dict__["record"] = record

    @classmethod
    def told(cls, happened: _native.Event) -> ConversationEnded:
        """Read it from an event, when somebody asks for it."""
        ended = cls.__new__(cls)
        ended.__dict__["_happened"] = happened
        return ended

    @cached_property
    def record(self) -> OutcomeRecord:
        """How it ended, and what it cost."""
        happened: _native.Event = self.__dict__["_happened"]
        return OutcomeRecord.of(parsed(happened.json()))

    def __repr__(self) -> str:
        """As it is made."""
        return f"{type(self).__name__}(record={self.record!r})"

    def __eq__(self, other: object) -> bool:
        """Whether the same happened."""
        return isinstance(other, ConversationEnded) and self.record == other.record

    def __hash__(self) -> int:
        """By what happened."""
        return hash(self.record)

    def __getstate__(self) -> Json:
        """For pickle."""
        return {"record": self.record}


@dataclass(frozen=True)
class AssetFound:
    """Something was found out about a device."""

    asset: Asset


@dataclass(frozen=True)
class Progress:
    """How far the scan is."""

    done: int
    """Devices dealt with."""
    planned: int
    """Devices of the plan."""
    answered: int
    """Devices that answered."""
    packets: int
    """Packets sent, the kernel's own included."""


@dataclass(frozen=True)
class Finished:
    """Nothing follows."""

    stopped: StopReason | None
    """Why it ended early, if it did."""


@dataclass(frozen=True)
class OtherEvent:
    """Something that this version of the package does not know."""

    json: Json


Event = Union[Skipped, PhaseChanged, ConversationEnded, AssetFound, Progress, Finished, OtherEvent]
"""Something that happened."""


def told(happened: _native.Event) -> Event:
    """Read what a scan tells, and no more of it than somebody asks for."""
    kind = happened.kind
    if kind == "outcome":
        return ConversationEnded.told(happened)
    if kind == "asset":
        return AssetFound(Asset.told(happened))
    progress = happened.progress()
    if progress is not None:
        return Progress(*progress)
    return event(happened.json())


def event(text: str) -> Event:
    """Read one from the JSON of the engine.

    >>> event('{"event": "progress", "done": 1, "planned": 4, "answered": 1, "packets": 16}')
    Progress(done=1, planned=4, answered=1, packets=16)
    """
    data = parsed(text)
    kind = data.pop("event")
    if kind == "skipped":
        return skipped(data)
    if kind == "phase":
        return phase(data)
    if kind == "outcome":
        return ConversationEnded(OutcomeRecord.of(data))
    if kind == "asset":
        return AssetFound(Asset(data))
    if kind == "progress":
        return Progress(data["done"], data["planned"], data["answered"], data["packets"])
    if kind == "finished":
        stopped = data["stopped"]
        return Finished(StopReason(stopped) if stopped else None)
    return OtherEvent({"event": kind, **data})


def skipped(data: Json) -> Skipped:
    """Read it from JSON."""
    return Skipped(data["what"], data["addresses"], data["reason"])


def phase(data: Json) -> PhaseChanged:
    """Read it from JSON."""
    name, state = Phase(data["phase"]), data["state"]
    if isinstance(state, dict):
        return PhaseChanged(name, "skipped", state["skipped"])
    return PhaseChanged(name, state)
