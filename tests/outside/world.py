"""What a case works with: the programs under test, a policy as they take it, and its verdicts."""

from __future__ import annotations

import json
import subprocess
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


@dataclass
class World:
    """The programs of one build."""

    programs: Path
    python: Path | None = None
    """An interpreter with the stacks of tests/peers; None if there is none."""
    saboteur: str | None = None
    short: bool = False
    policies: int = 2000
    """Random policies in the case `scope`."""
    moments: int = 600
    """Random moments in the case `abort`."""

    @property
    def environment(self) -> dict[str, str]:
        return {"OTCORE_SABOTEUR": self.saboteur} if self.saboteur else {}

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

    def judge(self, promise: int, complaints: list[str]) -> None:
        self.complaints.setdefault(promise, []).extend(complaints)

    def figure(self, text: str) -> None:
        self.figures.append(text)

    def need(self, holds: bool, what: str) -> None:
        """Something without which the case shows nothing."""
        if not holds:
            raise AssertionError(f"the case itself did not work: {what}")
