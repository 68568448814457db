"""A network in which nobody listens: four ports an address, by hand, by otcore and by nmap."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from pathlib import Path

from sweep.loopback import Cost, Loopback

NETWORK = "127.1.0.0/16"
PORTS = "502,102,44818,20000"
SAME_PACKETS = "loop of the same packets"
"""Those that otcore sends, at its pace."""
PATIENCE = 1800
PACED = 2
"""Bits by which the network is narrower where the loop has a pace, which takes minutes."""
ROUNDS = 3
"""How often those are run that are quick; the one in the middle counts."""


@dataclass
class Sweep:
    """One run over the network."""

    who: str
    network: str
    addresses: int
    status: int
    processor: float
    """Seconds."""
    user: float
    system: float
    memory: float
    private: float
    seconds: float
    packets: int | None = None
    """By its own account."""
    outcomes: int | None = None

    @property
    def each(self) -> float:
        """Processor time for an address, in microseconds."""
        return self.processor / self.addresses * 1e6


def measure(program: Path, network: str = NETWORK, rounds: int = ROUNDS) -> list[Sweep]:
    """Everybody in one run, so that all have the same machine."""
    floor = middle([run("connect loop", [str(program), "floor", network], network)
                    for _ in range(rounds)])  # fmt: skip
    ours = run("otcore, lab", [str(program), "otcore", network], network)
    packets = round((ours.packets or 0) / ours.seconds / 100) * 100
    part = next(iter(ipaddress.ip_network(network).subnets(PACED)))
    paced = run(f"{SAME_PACKETS}, {packets} a second",
                [str(program), "floor", str(part), str(packets)], str(part))  # fmt: skip
    nmap = ["nmap", "-sT", "-n", "-Pn", "-p", PORTS, "-T5", "--min-rate", "10000",
            "--max-retries", "0", "-oG", "/dev/null", network]  # fmt: skip
    theirs = middle([run("nmap -sT", nmap, network) for _ in range(rounds)])
    return [floor, paced, theirs, ours]


def run(who: str, command: list[str], network: str) -> Sweep:
    with Loopback() as loopback:
        cost = loopback.run(command, PATIENCE)
    return sweep(who, network, cost)


def sweep(who: str, network: str, cost: Cost) -> Sweep:
    told = json.loads(cost.printed) if who.startswith("otcore") else {}
    return Sweep(
        who,
        network,
        ipaddress.ip_network(network).num_addresses,
        cost.status,
        cost.processor,
        cost.user,
        cost.system,
        cost.memory,
        cost.private,
        cost.seconds,
        told.get("counters", {}).get("packets"),
        told.get("outcomes"),
    )


def middle(runs: list[Sweep]) -> Sweep:
    return sorted(runs, key=lambda run: run.processor)[len(runs) // 2]
