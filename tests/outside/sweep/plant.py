"""A plant of a thousand devices on loopback, looked at by otcore and by nmap with its scripts.

One server of a foreign stack answers at every address, so each address is a device of its own to
whoever asks, and all of them have the same to say. In BACnet it has a socket at each: what a socket
for all of them answers to a datagram comes from another address than the one that was asked.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from servers import PLANT as BACNET_PLANT
from servers import SERVERS, Server
from world import World

from sweep.loopback import Cost, Loopback
from sweep.traffic import Capture

DEVICES = 1000
SUBNETS = 40
AT_ONCE = 32
"""Devices under way at the same time, for otcore and for nmap."""
RATE = 200
"""Packets in a second: all that otcore sends, or what nmap sends to find open ports."""
EVERYWHERE = "0.0.0.0"
PLANT = "127.2."
PATIENCE = 1200
NAMES = ("modbus-pymodbus", "s7-snap7", "enip-cpppo", BACNET_PLANT.name)
SCANNERS = ("otcore", "otcore --level structure", "otcore, lab", "nmap", "nmap, one at a time")
SCRIPTS = {
    "modbus": "modbus-discover",
    "s7": "s7-info",
    "enip": "enip-info",
    "bacnet": "bacnet-info",
}


@dataclass
class Look:
    """One scanner at the whole plant."""

    protocol: str
    server: str
    scanner: str
    devices: int
    status: int
    processor: float
    memory: float
    private: float
    seconds: float
    packets: int
    connections: int
    busiest: int
    to_one: int
    at_once: int
    with_one: int
    named: int
    """Devices of which at least one fact was found."""
    complete: int
    """Devices of which every fact was found."""
    facts: int
    of_facts: int


def addresses(devices: int) -> list[str]:
    """In many subnets, as a plant has them."""
    each = -(-devices // SUBNETS)
    return [f"{PLANT}{n // each}.{n % each + 1}" for n in range(devices)]


def measure(
    world: World, devices: int = DEVICES, protocols: Collection[str] = tuple(SCRIPTS)
) -> list[Look]:
    named = {server.name: server for server in (*SERVERS, BACNET_PLANT)}
    servers = [named[name] for name in NAMES if named[name].protocol in protocols]
    return [look(world, server, scanner, devices) for server in servers for scanner in SCANNERS]


def look(world: World, server: Server, scanner: str, devices: int) -> Look:
    with Loopback() as loopback:
        assert world.python
        script = Path(__file__).parents[2] / "peers" / f"{server.protocol}.py"
        plant = addresses(devices)
        bind = plant[0] if server is BACNET_PLANT else EVERYWHERE
        loopback.serve([str(world.python), str(script), server.name, "--bind", bind,
                        "--port", str(server.port)])  # fmt: skip
        listed = loopback.folder / "plant.txt"
        listed.write_text("\n".join(plant) + "\n")
        if scanner.startswith("otcore"):
            command = otscan(world, loopback, server, listed, scanner)
            sections = of_otcore
        else:
            command = nmap(server, listed, AT_ONCE if scanner == "nmap" else 1)
            sections = of_nmap
        capture = Capture(loopback)
        cost = loopback.run(command, PATIENCE)
        traffic = capture.traffic(PLANT)
    return result(server, scanner, plant, cost, dict(sections(cost.printed)), asdict(traffic))


def otscan(
    world: World, loopback: Loopback, server: Server, listed: Path, scanner: str
) -> list[str]:
    """As it comes, but for so many devices at once and one protocol; or at the hard caps."""
    policy: dict[str, Any] = {"limits": {"parallel_devices": AT_ONCE}}
    if scanner.endswith("lab"):
        policy = {"profile": "lab"}
    file = loopback.folder / "policy.json"
    file.write_text(json.dumps(policy))
    memory = loopback.folder / "devices.ndjson"
    more = ["--level", "structure"] if scanner.endswith("structure") else []
    return [str(world.program("otscan")), "scan", "--format", "json", "--no-progress",
            "--policy", str(file), "--memory", str(memory), "--protocol", server.protocol,
            *more, f"@{listed}"]  # fmt: skip


def nmap(server: Server, listed: Path, at_once: int) -> list[str]:
    """Its script for this protocol, with every bound it has that concerns many hosts."""
    hosts = str(at_once)
    how = "-sU" if server is BACNET_PLANT else "-sT"
    return ["nmap", how, "-n", "-Pn", "-p", str(server.port), "--min-hostgroup", hosts,
            "--max-hostgroup", hosts, "--max-parallelism", hosts, "--max-rate", str(RATE),
            "--max-retries", "0", "--script", SCRIPTS[server.protocol],
            "-iL", str(listed)]  # fmt: skip


def of_otcore(printed: str) -> Iterator[tuple[str, str]]:
    """What the report says of each address."""
    for asset in json.loads(printed)["assets"]:
        text = json.dumps(asset)
        for address in set(re.findall(r"127\.2\.\d+\.\d+", text)):
            yield address, text


def of_nmap(printed: str) -> Iterator[tuple[str, str]]:
    for section in printed.split("Nmap scan report for ")[1:]:
        yield section.split("\n", 1)[0].strip(), section


def result(
    server: Server,
    scanner: str,
    plant: list[str],
    cost: Cost,
    said: dict[str, str],
    traffic: dict[str, int],
) -> Look:
    assert all(ipaddress.ip_address(address).is_loopback for address in plant)
    found = [sum(fact in said.get(address, "") for fact in server.facts) for address in plant]
    return Look(
        protocol=server.protocol,
        server=server.name,
        scanner=scanner,
        devices=len(plant),
        status=cost.status,
        processor=cost.processor,
        memory=cost.memory,
        private=cost.private,
        seconds=cost.seconds,
        named=sum(count > 0 for count in found),
        complete=sum(count == len(server.facts) for count in found),
        facts=sum(found),
        of_facts=len(server.facts) * len(plant),
        **traffic,
    )
