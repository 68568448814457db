"""A capture as tshark reads it: one `Packet` a frame, dissected by somebody else's code."""

from __future__ import annotations

import ipaddress
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from readers import READERS

FRAME = (
    "frame.time_epoch", "frame.len", "eth.dst.ig", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst",
    "arp.opcode", "arp.src.proto_ipv4", "arp.dst.proto_ipv4", "ip.hdr_len", "ip.flags.mf",
    "ip.frag_offset", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "tcp.flags",
    "tcp.seq_raw", "tcp.payload", "udp.payload", "tcp.urgent_pointer", "icmp.type", "icmpv6.type",
    "_ws.malformed", "_ws.expert.severity", "_ws.expert.message",
    "frame.protocols",
)  # fmt: skip

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
WARNING = 0x0060_0000
NEIGHBOURS = range(133, 138)
LISTENERS = (130, 131, 132, 143)


@dataclass
class Packet:
    """One frame."""

    at: float
    length: int
    source: str
    target: str
    kind: str
    """tcp, udp, icmp, arp (which holds neighbour discovery too) or the other protocols' names."""
    source_port: int = 0
    target_port: int = 0
    flags: int = 0
    sequence: int = 0
    payload: bytes = b""
    everybody: bool = False
    """Whether the frame went to a group instead of one device."""
    again: bool = False
    """Whether it repeats what had been sent before."""
    odd: list[str] = field(default_factory=list)
    """What is not as any ordinary sender would make it."""
    protocols: str = ""
    dissected: dict[str, str] = field(default_factory=dict)

    @property
    def opens(self) -> bool:
        return self.flags & (SYN | ACK) == SYN

    @property
    def lets_in(self) -> bool:
        """Whether it grants a connection."""
        return self.flags & (SYN | ACK) == SYN | ACK

    @property
    def resets(self) -> bool:
        return bool(self.flags & RST)

    @property
    def says(self) -> bool:
        """Whether it opens a connection or carries anything."""
        return self.opens or bool(self.payload)

    @property
    def stream(self) -> tuple[str, int, str, int]:
        return (self.source, self.source_port, self.target, self.target_port)


def read(file: Path) -> list[Packet]:
    """Every packet of a capture, in order."""
    names = (*FRAME, *(name for reader in READERS.values() for name in reader.fields))
    command = ["tshark", "-n", "-r", str(file), "-T", "fields", "-E", "separator=\x1f",
               "-E", "aggregator=\x1e"]  # fmt: skip
    for reader in READERS.values():
        for option in reader.options:
            command += ["-o", option]
    for name in names:
        command += ["-e", name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.split("\x1f") for line in done.stdout.split("\n") if line]
    packets = [packet(dict(zip(names, row, strict=True))) for row in rows]
    mark_repeats(packets)
    return packets


def mark_repeats(packets: list[Packet]) -> None:
    """By sequence numbers alone: tshark's own marks are guesses from timing."""
    seen: set[tuple[str, int, str, int, int]] = set()
    for one in packets:
        if one.kind == "tcp" and one.says:
            place = (*one.stream, one.sequence)
            one.again = place in seen
            seen.add(place)


def packet(seen: dict[str, str]) -> Packet:
    first = {name: value.split("\x1e")[0] for name, value in seen.items()}
    made = Packet(
        at=float(first["frame.time_epoch"]),
        length=int(first["frame.len"]),
        source=first["ip.src"] or first["ipv6.src"] or first["arp.src.proto_ipv4"],
        target=first["ip.dst"] or first["ipv6.dst"] or first["arp.dst.proto_ipv4"],
        kind=kind(first),
        everybody=first["eth.dst.ig"] in ("1", "True"),
        protocols=seen["frame.protocols"],
        dissected=seen,
    )
    made.odd = oddities(first, made)
    if made.kind in ("tcp", "udp"):
        made.source_port = int(first[f"{made.kind}.srcport"])
        made.target_port = int(first[f"{made.kind}.dstport"])
        made.payload = bytes.fromhex(first[f"{made.kind}.payload"])
    if made.kind == "tcp":
        made.flags = int(first["tcp.flags"], 16)
        made.sequence = int(first["tcp.seq_raw"])
        if made.flags & ~(FIN | SYN | RST | ACK | 0x08):
            made.odd.append(f"TCP flags {made.flags:#x}")
    return made


def kind(first: dict[str, str]) -> str:
    if first["arp.opcode"]:
        return "arp"
    if first["icmpv6.type"]:
        number = int(first["icmpv6.type"])
        return "arp" if number in NEIGHBOURS or number in LISTENERS else "icmp"
    # ICMP comes first, since it quotes what it is about.
    for name, sign in (("icmp", "icmp.type"), ("tcp", "tcp.srcport"), ("udp", "udp.srcport")):
        if first[sign]:
            return name
    return first["frame.protocols"]


def oddities(first: dict[str, str], made: Packet) -> list[str]:
    odd = []
    if first["ip.hdr_len"] not in ("", "20"):
        odd.append("IP options")
    if first["ip.flags.mf"] in ("1", "True") or first["ip.frag_offset"] not in ("", "0"):
        odd.append("a fragment")
    if first["tcp.urgent_pointer"] not in ("", "0"):
        odd.append("urgent data")
    if first["_ws.malformed"]:
        odd.append("malformed")
    return odd


def complaints(packet: Packet) -> list[str]:
    """What tshark finds wrong with it, besides remarks on the state of the connection."""
    severities = packet.dissected["_ws.expert.severity"].split("\x1e")
    messages = packet.dissected["_ws.expert.message"].split("\x1e")
    severe = [
        message
        for severity, message in zip(severities, messages, strict=False)
        if severity and int(severity) >= WARNING and not message.startswith("TCP ")
    ]
    return [*packet.odd, *severe]


def subnet(address: str) -> str:
    """The /24 or /64 of an address."""
    parsed = ipaddress.ip_address(address)
    return str(ipaddress.ip_network((parsed, 24 if parsed.version == 4 else 64), strict=False))
