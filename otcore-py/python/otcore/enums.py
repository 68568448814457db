"""Names that come in kinds. In JSON each is its value; a text that equals the value equals it.

>>> Protocol.MODBUS == "modbus"
True
>>> Level("identify") < Level.STATE
True

A value that a later version of the engine adds becomes a member when it is met, so that files of
later versions can be read.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


class Name(str, Enum):
    """A name of a kind."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_, member._value_ = value.upper(), value
        cls._value2member_map_[value] = member
        return member

    def __str__(self) -> str:
        """Its value, as in JSON."""
        return str(self.value)


class Protocol(Name):
    """What devices speak. `manifest` tells which of these this build asks in."""

    MODBUS = "modbus"
    S7 = "s7"
    ENIP = "enip"
    BACNET = "bacnet"
    DNP3 = "dnp3"


class Level(Name):
    """How deep a conversation goes; each level includes those before it."""

    DETECT = "detect"
    """Does it speak this protocol?"""
    IDENTIFY = "identify"
    """Who is it?"""
    STRUCTURE = "structure"
    """Which modules, children and interfaces does it have?"""
    STATE = "state"
    """Run mode, key switch, protection, change digests."""

    @property
    def depth(self) -> int:
        """From 0, the shallowest."""
        known = list(Level)
        return known.index(self) if self in known else len(known)

    def __lt__(self, other: str) -> bool:
        """Whether it is less deep."""
        return self.depth < Level(other).depth

    def __le__(self, other: str) -> bool:
        """Whether it is not deeper."""
        return self.depth <= Level(other).depth

    def __gt__(self, other: str) -> bool:
        """Whether it is deeper."""
        return self.depth > Level(other).depth

    def __ge__(self, other: str) -> bool:
        """Whether it is not less deep."""
        return self.depth >= Level(other).depth


class Outcome(Name):
    """How a conversation ended. Never just open or closed."""

    IDENTIFIED = "identified"
    PRESENT_NO_IDENTITY = "present_no_identity"
    UNSUPPORTED = "unsupported"
    GATEWAY_UNIT_ABSENT = "gateway_unit_absent"
    BUSY = "busy"
    AUTH_REQUIRED = "auth_required"
    TLS_REQUIRED = "tls_required"
    REFUSED = "refused"
    SILENT = "silent"
    NOT_REACHED = "not_reached"
    RESET_AFTER = "reset_after"
    MALFORMED = "malformed"
    SKIPPED_BY_POLICY = "skipped_by_policy"
    SKIPPED_FRESH = "skipped_fresh"
    WENT_DARK = "went_dark"
    ABORTED = "aborted"


class StopReason(Name):
    """Why a scan ended early."""

    ASKED = "asked"
    HARM_SUSPECTED = "harm_suspected"
    JOURNAL_FAILED = "journal_failed"
    PLAN_EXCEEDED = "plan_exceeded"
    WINDOW_CLOSED = "window_closed"


class Confidence(Name):
    """How much to believe a claim."""

    INFERRED = "inferred"
    REPORTED = "reported"
    ENTERED = "entered"


class Method(Name):
    """How somebody came to know."""

    ACTIVE = "active"
    PASSIVE = "passive"
    IMPORT = "import"
    RULE = "rule"


class Transport(Name):
    """What carries a protocol."""

    TCP = "tcp"
    UDP = "udp"


class Phase(Name):
    """The parts of a scan, in their order."""

    DISCOVERY = "discovery"
    PORT_CHECK = "port_check"
    INITIAL_ENRICHMENT = "initial_enrichment"
    OT_QUERIES = "ot_queries"
    IT_QUERIES = "it_queries"


class Format(Name):
    """The forms in which an inventory is handed on."""

    JSON = "json"
    """The array of its assets."""
    NDJSON = "ndjson"
    """The assets, one JSON object a line."""
    OBSERVATIONS = "observations"
    """The questions and answers, one JSON object a line."""
    CSV = "csv"
    """One row per device, module and child, for a spreadsheet."""
    CYCLONEDX = "cyclonedx"
    """A bill of materials: CycloneDX 1.6, JSON."""
    COVERAGE = "coverage"
    """What of the inventory guidance is known, as JSON."""
    COVERAGE_CSV = "coverage-csv"
    """The same, one row per asset and attribute, for a spreadsheet."""
    HTML = "html"
    """One page to read, on a screen or on paper."""


class Profile(Name):
    """Where the limits of a policy start from."""

    GENTLE = "gentle"
    CAREFUL = "careful"
    LAB = "lab"
