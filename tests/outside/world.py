"""What a case works with: the programs under test, a policy as they take it, and its verdicts."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from judge import Limits, Manifest

PROMISES = {
    1: "nothing leaves for an address outside the plan",
    2: "one TCP connection at a time to one device",
    3: "packets stay under the policy in every second",
    4: "every payload is a question of the manifest",
    5: "a port gets only its own protocol, and no empty connection",
    6: "after an abort nothing leaves but the end of open connections",
    7: "a device that fell silent gets no second packet",
    8: "hostile answers never panic, hang or fill memory",
    9: "every fact names its evidence",
    10: "the journal is what was sent",
}


LANGUAGES = ("rust", "python", "c")
"""Whose programs there are."""

ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")


@dataclass
class World:
    """The programs of one build."""

    programs: Path
    python: Path | None = None
    """An interpreter with the stacks of tests/peers; None if there is none."""
    saboteur: str | None = None
    short: bool = False
    languages: tuple[str, ...] = LANGUAGES[:1]
    """Those whose programs are judged."""
    policies: int = 2000
    """Random policies in the case `scope`."""
    moments: int = 600
    """Random moments in the case `abort`."""

    @property
    def environment(self) -> dict[str, str]:
        found = {"PYTHONPATH": str(self.programs / "python"), "PYTHONDONTWRITEBYTECODE": "1"}
        return found | ({"OTCORE_SABOTEUR": self.saboteur} if self.saboteur else {})

    @property
    def embedding(self) -> tuple[str, ...]:
        """The languages that reach the engine through a binding."""
        return tuple(language for language in self.languages if language != "rust")

    @property
    def has_rust(self) -> bool:
        return "rust" in self.languages

    def program(self, name: str) -> Path:
        return self.programs / name

    def manifest(self) -> Manifest:
        return Manifest.of(self._printed("manifest"))

    def protocols(self) -> list[str]:
        return [entry["protocol"] for entry in self._printed("manifest")["protocols"]]

    def consents(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for entry in self._printed("manifest")["protocols"]:
            keys = {function["consent"] for function in entry["functions"]}
            found[entry["protocol"]] = sorted(key for key in keys if key)
        return found

    def everything(self) -> dict[str, Any]:
        """A policy under which everything is asked that can be."""
        return {
            "protocols": {
                name: {"enabled": True, "level": "state", "allow": consents + GIVEN.get(name, [])}
                for name, consents in self.consents().items()
            }
        }

    def _printed(self, command: str) -> Any:
        done = subprocess.run(
            [self.program("otscan"), command, "--format", "json"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return json.loads(done.stdout)


# Consents to no single question: one that a policy gives unless it says otherwise, and one without
# which the protocol is not spoken at all.
GIVEN = {"bacnet": ["reply_port"], "dnp3": ["connect"]}

# What nobody is asked in unless a policy turns it on.
OFF = ("dnp3",)

USUAL: dict[str, Any] = {
    "protocols": {name: {"enabled": True, "allow": GIVEN[name]} for name in OFF}
}
"""A policy that asks in all protocols, and no deeper than usual."""

# The figures that the gentle profile promises, written here a second time on purpose: whoever
# changes one in the engine has to change it here.
GENTLE: Limits = {
    "process_packets_per_s": 200,
    "subnet_packets_per_s": 30,
    "device_packets_per_s": 10,
    "subnet_new_addresses_per_s": 4,
    "connection_gap_ms": 2000,
    "connections_per_scan": 3,
    "ports_per_device": 12,
}


@dataclass
class Verdicts:
    """What a case saw of each promise."""

    complaints: dict[int, list[str]] = field(default_factory=dict)
    figures: list[str] = field(default_factory=list)
    table: list[dict[str, Any]] = field(default_factory=list)
    """What a case has to tell in rows."""
    saw: set[tuple[int, str, str]] = field(default_factory=set)
    """Promise, language and protocol of each that was judged, because something left for it."""
    protocols: dict[str, str] = field(default_factory=dict)
    """Of the devices, by address."""

    def judge(self, promise: int, complaints: list[str]) -> None:
        self.complaints.setdefault(promise, []).extend(complaints)

    def figure(self, text: str) -> None:
        self.figures.append(text)

    def need(self, holds: bool, what: str) -> None:
        """Something without which the case shows nothing."""
        if not holds:
            raise AssertionError(f"the case itself did not work: {what}")

    def know(self, devices: Iterable[dict[str, Any]]) -> None:
        """Devices of a plant: in which protocol each of them speaks."""
        for device in devices:
            self.protocols[device["address"]] = device["name"].split("-")[0]

    def cover(self, promises: Iterable[int], language: str, protocols: Iterable[str]) -> None:
        spoken = list(protocols)
        self.saw |= {(promise, language, one) for promise in promises for one in spoken}

    def blamed(self, promise: int) -> set[str]:
        """The protocols of the devices that the complaints about a promise name."""
        complaints = self.complaints.get(promise, [])
        named = (address for text in complaints for address in ADDRESS.findall(text))
        return {self.protocols[address] for address in named if address in self.protocols}

    def join(self, other: Verdicts) -> None:
        """What a part of a case saw."""
        for promise, complaints in other.complaints.items():
            self.judge(promise, complaints)
        self.figures += other.figures
        self.table += other.table
        self.saw |= other.saw
        self.protocols |= other.protocols
