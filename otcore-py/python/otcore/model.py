"""Assets: what is known of a device, and how anybody came to know it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from otcore.enums import Confidence, Method, Outcome, Protocol, Transport
from otcore.values import Address, Json, moment, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from otcore import _native


@dataclass(frozen=True)
class Evidence:
    """What a claim stands on."""

    at: datetime
    """When it was learned, in UTC."""
    source: str
    """Who looked."""
    method: Method
    protocol: Protocol
    port: int
    function: str
    """Which question, by its name in the manifest."""
    rule: str | None
    """The rule that concluded it."""
    request: bytes
    """The question."""
    response: bytes
    """The answer that says so."""

    @classmethod
    def of(cls, data: Json) -> Evidence:
        """Read it from JSON."""
        return cls(
            at=moment(data["at"]),
            source=data["source"],
            method=Method(data["method"]),
            protocol=Protocol(data["protocol"]),
            port=data["port"],
            function=data["function"],
            rule=data.get("rule"),
            request=bytes.fromhex(data.get("request", "")),
            response=bytes.fromhex(data.get("response", "")),
        )


@dataclass(frozen=True)
class Claim:
    """One thing that somebody says."""

    value: str
    confidence: Confidence
    evidence: Evidence
    disputed: bool = False
    """Whether claims of equal confidence say something else."""
    also: tuple[Claim, ...] = ()
    """What else is said about the same, the most trusted first."""

    @classmethod
    def of(cls, data: Json) -> Claim:
        """Read it from JSON."""
        return cls(
            value=data["value"],
            confidence=Confidence(data["confidence"]),
            evidence=Evidence.of(data["evidence"]),
            disputed=data.get("disputed", False),
            also=tuple(cls.of(other) for other in data.get("also", ())),
        )

    def __str__(self) -> str:
        """What is said."""
        return self.value


@dataclass(frozen=True)
class Service:
    """A protocol that is spoken somewhere."""

    protocol: Protocol
    transport: Transport
    port: int
    facts: Mapping[str, Claim]

    @classmethod
    def of(cls, data: Json) -> Service:
        """Read it from JSON."""
        protocol, transport = Protocol(data["protocol"]), Transport(data["transport"])
        return cls(protocol, transport, data["port"], claims(data["facts"]))


def claims(data: Json) -> dict[str, Claim]:
    """Read claims by field from JSON."""
    return {field: Claim.of(claim) for field, claim in data.items()}


class Node:
    """A device, a module in its rack, or a device behind it.

    Fields of `identity` are attributes too: `node.vendor` is the most trusted value, or `None`.
    """

    def __init__(self, data: Json) -> None:
        self.__dict__["json"] = data

    @cached_property
    def json(self) -> Json:
        """The same as in the JSON of the engine."""
        raise AttributeError("json")

    @property
    def path(self) -> str:
        """`<zone>/<address>`, and for what is below it `<zone>/<address>/<protocol>/...`."""
        return str(self.json["path"])

    @property
    def place(self) -> str:
        """The last part of the path: a unit, a slot, or the address of the device itself."""
        return self.path.rpartition("/")[2]

    @cached_property
    def identity(self) -> Mapping[str, Claim]:
        """Who and what it is, by field."""
        return claims(self.json["identity"])

    @cached_property
    def state(self) -> Mapping[str, Claim]:
        """How it is, by field."""
        return claims(self.json["state"])

    @cached_property
    def interfaces(self) -> Mapping[str, Mapping[str, Claim]]:
        """Its interfaces, by name."""
        return {name: claims(facts) for name, facts in self.json["interfaces"].items()}

    @cached_property
    def services(self) -> tuple[Service, ...]:
        """The protocols it speaks."""
        return tuple(Service.of(service) for service in self.json["services"])

    @cached_property
    def modules(self) -> tuple[Node, ...]:
        """What is plugged into it."""
        return tuple(Node(node) for node in self.json["modules"])

    @cached_property
    def children(self) -> tuple[Node, ...]:
        """What lives behind it."""
        return tuple(Node(node) for node in self.json["children"])

    def walk(self) -> Iterator[Node]:
        """Go through it and everything inside it and behind it."""
        yield self
        for node in (*self.modules, *self.children):
            yield from node.walk()

    def value(self, field: str) -> str | None:
        """What the most trusted claim about a field of identity or state says."""
        claim = self.json["identity"].get(field) or self.json["state"].get(field)
        return claim and str(claim["value"])

    @property
    def vendor(self) -> str | None:
        """Who made it."""
        return self.value("vendor")

    @property
    def model(self) -> str | None:
        """What it is called by its maker."""
        return self.value("model")

    @property
    def order_number(self) -> str | None:
        """What it is ordered by."""
        return self.value("order_number")

    @property
    def serial_number(self) -> str | None:
        """The number of this very piece."""
        return self.value("serial_number")

    @property
    def hardware_revision(self) -> str | None:
        """Version of the hardware."""
        return self.value("hardware_revision")

    @property
    def firmware(self) -> str | None:
        """Version of the firmware."""
        return self.value("firmware")

    @property
    def device_name(self) -> str | None:
        """What it calls itself, or what it is called in the plant."""
        return self.value("device_name")

    @property
    def device_class(self) -> str | None:
        """What kind of device it is."""
        return self.value("device_class")

    @property
    def operating_mode(self) -> str | None:
        """Run, Stop, Program, Fault."""
        return self.value("operating_mode")

    @property
    def headline(self) -> str:
        """Vendor and model, as far as they are known."""
        fields = ("model", "product_name", "product_code", "device_name")
        model = next(filter(None, map(self.value, fields)), "")
        vendor = self.vendor or ""
        if model.lower().startswith(vendor.lower()):
            return model or vendor
        return f"{vendor} {model}".strip()

    def __repr__(self) -> str:
        """Where it is, and what."""
        return f"<{type(self).__name__} {self.path} {self.headline!a}>"

    def __eq__(self, other: object) -> bool:
        """Whether the same is known of both."""
        return isinstance(other, Node) and self.json == other.json

    def __hash__(self) -> int:
        """By path."""
        return hash(self.path)

    def __getstate__(self) -> Json:
        """For pickle."""
        return {"json": self.json}


class Asset(Node):
    """Everything that is known about one device."""

    @classmethod
    def read(cls, text: str) -> Asset:
        """Read it from the JSON of the engine."""
        return cls(parsed(text))

    @classmethod
    def told(cls, happened: _native.Event) -> Asset:
        """Read it from an event, bit by bit."""
        asset = cls.__new__(cls)
        asset.__dict__["_happened"] = happened
        return asset

    @cached_property
    def json(self) -> Json:
        """The same as in the JSON of the engine."""
        happened: _native.Event = self.__dict__["_happened"]
        data = parsed(happened.json())
        del data["event"]
        return data

    @property
    def path(self) -> str:
        """`<zone>/<address>`."""
        return self._quickly("/path") or super().path

    def value(self, field: str) -> str | None:
        """What the most trusted claim about a field of identity or state says."""
        if "json" in self.__dict__:
            return super().value(field)
        return self._quickly(f"/identity/{field}/value") or self._quickly(f"/state/{field}/value")

    def _quickly(self, pointer: str) -> str | None:
        happened: _native.Event | None = self.__dict__.get("_happened")
        return None if happened is None else happened.told(pointer)

    @property
    def zone(self) -> str:
        """The network it lives in."""
        return str(self.json["zone"])

    @property
    def addresses(self) -> tuple[Address, ...]:
        """The addresses it answers at."""
        return tuple(ip_address(address) for address in self.json["addresses"])

    @property
    def address(self) -> Address:
        """The first of them."""
        return self.addresses[0]

    @property
    def protocols(self) -> frozenset[Protocol]:
        """What it speaks."""
        return frozenset(Protocol(service["protocol"]) for service in self.json["services"])


@dataclass(frozen=True)
class OutcomeRecord:
    """How one conversation with one device ended, and what it cost."""

    zone: str
    address: Address
    protocol: Protocol
    port: int
    outcome: Outcome
    detail: str | None
    """What happened, in words."""
    evidence: Evidence | None
    """The bytes that made no sense."""
    packets: int
    """Packets sent, the kernel's own included."""
    packets_planned: int
    connections: int
    requests: int
    bytes_out: int
    bytes_in: int
    millis: int

    @classmethod
    def of(cls, data: Json) -> OutcomeRecord:
        """Read it from JSON."""
        known: dict[str, Any] = {name: data.get(name) for name in cls.__dataclass_fields__}
        known["address"] = ip_address(data["address"])
        known["protocol"] = Protocol(data["protocol"])
        known["outcome"] = Outcome(data["outcome"])
        evidence = data.get("evidence")
        known["evidence"] = evidence and Evidence.of(evidence)
        return cls(**known)
