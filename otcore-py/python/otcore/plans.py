"""What would be sent to whom, before anything is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from otcore.enums import Level, Profile, Protocol
from otcore.events import Skipped, skipped
from otcore.values import Json, parsed

if TYPE_CHECKING:
    from otcore import _native


@dataclass(frozen=True)
class Bounds:
    """The most that something can cost."""

    connections: int
    requests: int
    packets: int
    """Packets sent, the kernel's own included."""
    bytes_out: int
    """Payload bytes."""
    seconds: int

    @classmethod
    def of(cls, data: Json) -> Bounds:
        """Read it from JSON."""
        return cls(**{name: data[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Conversation:
    """One protocol with one device."""

    protocol: Protocol
    port: int
    level: Level
    """How deep at most."""
    consents: frozenset[str]
    """What the policy opts in to."""
    functions: tuple[str, ...]
    """What may be asked, by its name in the manifest."""
    bounds: Bounds

    @classmethod
    def of(cls, data: Json) -> Conversation:
        """Read it from JSON."""
        return cls(
            protocol=Protocol(data["protocol"]),
            port=data["port"],
            level=Level(data["level"]),
            consents=frozenset(data["consents"]),
            functions=tuple(data["functions"]),
            bounds=Bounds.of(data["bounds"]),
        )


@dataclass(frozen=True)
class Stop:
    """A range of addresses that are treated alike."""

    range: str
    """The addresses."""
    named: bool
    """Whether somebody named this very device, rather than a range that holds it."""
    conversations: tuple[Conversation, ...]
    """What each of them is asked, in this order."""
    per_device: Bounds
    """The most that one of them can cost."""

    @classmethod
    def of(cls, data: Json) -> Stop:
        """Read it from JSON."""
        conversations = tuple(map(Conversation.of, data["conversations"]))
        return cls(data["range"], data["named"], conversations, Bounds.of(data["per_device"]))


class Plan:
    """Who is visited and at most how much is sent. `print` shows it to a person.

    `Scanner.plan` makes one; `Scanner.scan` and the like carry it out.
    """

    def __init__(self, native: _native.Plan) -> None:
        self._native = native

    @cached_property
    def json(self) -> Json:
        """The plan as in the JSON of the engine."""
        return parsed(self._native.json())

    def to_json(self) -> str:
        """Give the JSON of the engine, byte for byte."""
        return self._native.json()

    @property
    def zone(self) -> str:
        """The network the addresses live in."""
        return str(self.json["zone"])

    @property
    def source(self) -> str:
        """Who looks."""
        return str(self.json["source"])

    @property
    def profile(self) -> Profile:
        """The profile of the policy."""
        return Profile(self.json["profile"])

    @property
    def devices(self) -> int:
        """How many devices there are at most, at most 2**64 - 1."""
        return int(self.json["devices"])

    @property
    def bounds(self) -> Bounds:
        """The most that the whole run can cost."""
        return Bounds.of(self.json["bounds"])

    @property
    def at_most(self) -> timedelta:
        """How long the run takes if every device takes all of its time."""
        return timedelta(seconds=min(self.json["seconds_at_most"], 10**11))

    @cached_property
    def stops(self) -> tuple[Stop, ...]:
        """Who is visited, and for what."""
        return tuple(map(Stop.of, self.json["stops"]))

    @cached_property
    def skipped(self) -> tuple[Skipped, ...]:
        """What was asked for and is not visited, with the reason."""
        return tuple(map(skipped, self.json["skipped"]))

    def __str__(self) -> str:
        """The plan for people."""
        return self._native.text()

    def __repr__(self) -> str:
        """The plan in one line."""
        return f"<Plan {self.devices} devices, at most {self.bounds.packets} packets>"
