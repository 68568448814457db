#!/usr/bin/env python3
"""otcore and nmap's scripts ask the same servers, one after the other, and are counted.

Each scan has namespaces and a capture of its own. Prints a table, as Markdown. A fact is one of
the texts that a server was given to say about itself; it counts if the scanner prints it.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import judge
from capture import Packet, read
from netns import Field, why_not
from readers import READERS
from scan import otscan, policy
from servers import SERVERS, Server
from world import World

SERVER = "10.80.0.7"
PATIENCE = 60
"""Seconds for one scan; what takes longer is ended, and counted until then."""

SCRIPTS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "modbus": (("modbus-discover", ()), ("modbus-discover", ("aggressive=true",))),
    "s7": (("s7-info", ()),),
    "enip": (("enip-info", ()),),
    "bacnet": (("bacnet-info", ()),),
}


@dataclass(frozen=True)
class Scanner:
    """Who asks, and how it is started; of otcore only what is added to a scan as it is."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One scanner at one server."""

    server: Server
    scanner: str
    packets: int
    size: int
    connections: int
    resets: int
    foreign: int
    seconds: float
    facts: int

    @staticmethod
    def heading() -> str:
        numbers = ("packets", "bytes", "connections", "resets", "foreign payloads", "seconds",
                   "facts found", "facts per packet")  # fmt: skip
        rule = "---|" * 2 + "---:|" * len(numbers)
        return f"| server | scanner | {' | '.join(numbers)} |\n|{rule}"

    def duration(self) -> str:
        return f"{self.seconds:.1f}" if self.seconds < PATIENCE else f"ended at {PATIENCE}"

    def __str__(self) -> str:
        per_packet = self.facts / self.packets if self.packets else 0.0
        return (
            f"| {self.server.name} | {self.scanner} | {self.packets} | {self.size} | "
            f"{self.connections} | {self.resets} | {self.foreign} | {self.duration()} | "
            f"{self.facts} of {len(self.server.facts)} | {per_packet:.2f} |"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=Path, required=True, help="folder of the programs")
    parser.add_argument("--python", type=Path, required=True, help="interpreter with the stacks")
    parser.add_argument("--slow", action="store_true", help="also nmap -sV, minutes per server")
    parser.add_argument("--only", nargs="*", help="servers whose names contain one of these")
    options = parser.parse_args()
    reason = why_not() or (None if shutil.which("nmap") else "nmap is not installed")
    if reason:
        print(f"SKIPPED: nothing was compared: {reason}", file=sys.stderr)
        return 75
    world = World(options.programs, options.python)
    print(Row.heading(), flush=True)
    for server in SERVERS:
        if options.only and not any(part in server.name for part in options.only):
            continue
        for scanner in scanners(server, options.slow):
            print(compare(world, server, scanner), flush=True)
    return 0


def scanners(server: Server, slow: bool) -> list[Scanner]:
    datagrams = ("-sU",) if READERS[server.protocol].carriers == ("udp",) else ()
    nmap = ("nmap", "-n", "-Pn", *datagrams, "-p", str(server.port))
    found = [Scanner("otcore", ()), Scanner("otcore --level structure", ("--level", "structure"))]
    for script, arguments in SCRIPTS[server.protocol]:
        given = [f"--script-args={script}.{argument}" for argument in arguments]
        named = f"nmap {script}{' aggressive' if arguments else ''}"
        found.append(Scanner(named, (*nmap, "--script", script, *given, SERVER)))
    if slow:
        found.append(Scanner("nmap -sV", (*nmap, "-sV", SERVER)))
    return found


def compare(world: World, server: Server, scanner: Scanner) -> Row:
    with Field("side") as field:
        assert world.python
        server.start(field, world.python, SERVER)
        command: Sequence[str] = scanner.command
        if scanner.name.startswith("otcore"):
            command = [*otscan(world, field, [SERVER], policy(field, {})), *scanner.command]
        began = time.monotonic()
        scanning = field.beside_scanner(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            printed = scanning.communicate(timeout=PATIENCE)[0]
        except subprocess.TimeoutExpired:
            scanning.kill()
            printed = scanning.communicate()[0]
        seconds = time.monotonic() - began
        packets = read(field.captured())
    sent = judge.to_devices(packets)
    return Row(
        server=server,
        scanner=scanner.name,
        packets=len(sent),
        size=sum(packet.length for packet in sent),
        connections=sum(one.established for one in judge.connections(packets)),
        resets=sum(packet.resets for packet in sent),
        foreign=sum(is_foreign(packet, server) for packet in sent),
        seconds=seconds,
        facts=sum(fact in printed for fact in server.facts),
    )


def is_foreign(packet: Packet, server: Server) -> bool:
    """Whether it says something in another protocol than that of the port."""
    own = READERS[server.protocol].layers
    return bool(packet.payload) and packet.protocols.split(":")[-1] not in own


if __name__ == "__main__":
    sys.exit(main())
