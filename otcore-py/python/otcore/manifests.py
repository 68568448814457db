"""The list of everything this build can send."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from otcore import _native
from otcore.enums import Level, Protocol, Transport
from otcore.values import Json, parsed


@dataclass(frozen=True)
class Function:
    """One thing that may be asked."""

    name: str
    selector: str
    """Every number that decides what the device does, in hexadecimal."""
    level: Level
    """The shallowest level at which it is asked."""
    max_request: int
    """The longest question, in bytes."""
    max_count: int
    """How often it is asked of one device at most."""
    consent: str | None
    """What a policy has to allow first."""
    why_safe: str
    source: str
    """Where that is written."""

    @classmethod
    def of(cls, data: Json) -> Function:
        """Read it from JSON."""
        known = {name: data[name] for name in cls.__dataclass_fields__}
        return cls(**{**known, "level": Level(data["level"])})


@dataclass(frozen=True)
class Entry:
    """Everything that one protocol can send."""

    protocol: Protocol
    port: int
    """Its usual port."""
    transports: tuple[Transport, ...]
    functions: tuple[Function, ...]

    @classmethod
    def of(cls, data: Json) -> Entry:
        """Read it from JSON."""
        return cls(
            protocol=Protocol(data["protocol"]),
            port=data["port"],
            transports=tuple(map(Transport, data["transports"])),
            functions=tuple(map(Function.of, data["functions"])),
        )


class Manifest:
    """Everything this build can send. `print` shows it to a person."""

    @cached_property
    def json(self) -> Json:
        """The manifest as in the JSON of the engine."""
        return parsed(self.to_json())

    @cached_property
    def protocols(self) -> dict[Protocol, Entry]:
        """What each protocol can send, in the order they are tried."""
        entries = map(Entry.of, self.json["protocols"])
        return {entry.protocol: entry for entry in entries}

    def to_json(self) -> str:
        """Give the JSON of the engine, byte for byte."""
        return _native.manifest()

    def __str__(self) -> str:
        """The manifest for people."""
        return _native.manifest_text()

    def __repr__(self) -> str:
        """The manifest in one line."""
        count = sum(len(entry.functions) for entry in self.protocols.values())
        return f"<Manifest of {count} functions in {len(self.protocols)} protocols>"


def manifest() -> Manifest:
    """Everything this build can send.

    >>> manifest().protocols[Protocol.MODBUS].functions[0].selector
    '2B.0E.01'
    """
    return Manifest()
