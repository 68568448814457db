"""What went to a plant on loopback, counted in a capture by somebody else's code."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from netns import pipe

from sweep.loopback import Loopback

FIELDS = (
    "frame.time_epoch", "ip.src", "tcp.srcport", "udp.srcport", "ip.dst", "tcp.dstport",
    "udp.dstport", "tcp.flags",
)  # fmt: skip
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10


@dataclass(frozen=True)
class Packet:
    """One packet between the scanner and a device."""

    at: float
    device: str
    port: str
    """The scanner's."""
    to_device: bool
    flags: int


@dataclass
class Traffic:
    """What a scanner sent, and how much of it at once."""

    packets: int
    connections: int
    """Connections that devices granted."""
    busiest: int
    """Packets in the busiest second."""
    to_one: int
    """The same, to one device."""
    at_once: int
    """Connections open at the same time, with everybody together."""
    with_one: int
    """The same, with one device."""

    @staticmethod
    def of(packets: list[Packet]) -> Traffic:
        devices: dict[str, list[Packet]] = {}
        for packet in packets:
            devices.setdefault(packet.device, []).append(packet)
        return Traffic(
            packets=sum(packet.to_device for packet in packets),
            connections=sum(grants(packet) for packet in packets),
            busiest=busiest(packets),
            to_one=max(map(busiest, devices.values()), default=0),
            at_once=most_open(packets),
            with_one=max(map(most_open, devices.values()), default=0),
        )


class Capture:
    """Everything on the loopback of a namespace from now on, headers only."""

    def __init__(self, loopback: Loopback) -> None:
        self._file = loopback.folder / "loopback.pcap"
        self._tcpdump = loopback.start(
            ["tcpdump", "-i", "lo", "-n", "-U", "--immediate-mode", "-B", "65536", "-Z", "root",
             "-s", "96", "-w", str(self._file), "tcp or udp"],
            stderr=subprocess.PIPE,
        )  # fmt: skip
        for line in pipe(self._tcpdump.stderr):
            if "listening on" in line:
                return
        raise RuntimeError("tcpdump did not start")

    def traffic(self, plant: str) -> Traffic:
        """What was said with addresses that begin with `plant`."""
        time.sleep(0.3)
        self._tcpdump.send_signal(signal.SIGTERM)
        told = pipe(self._tcpdump.stderr).read()
        self._tcpdump.wait(10)
        if "0 packets dropped by kernel" not in told:
            raise RuntimeError(f"the capture has holes: {told}")
        return Traffic.of(list(read(self._file, plant)))


def read(file: Path, plant: str) -> Iterable[Packet]:
    command = ["tshark", "-n", "-r", str(file), "-T", "fields"]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for row in done.stdout.splitlines():
        at, source, tcp_source, udp_source, target, tcp_target, udp_target, word = row.split("\t")
        flags = int(word or "0", 16)  # a datagram has none
        if target.startswith(plant):
            yield Packet(float(at), target, tcp_source or udp_source, True, flags)
        elif source.startswith(plant):
            yield Packet(float(at), source, tcp_target or udp_target, False, flags)


def grants(packet: Packet) -> bool:
    return not packet.to_device and packet.flags & (SYN | ACK) == SYN | ACK


def busiest(packets: list[Packet]) -> int:
    """Packets to devices in the busiest second."""
    times = [packet.at for packet in packets if packet.to_device]
    most = first = 0
    for last, at in enumerate(times):
        while at - times[first] >= 1:
            first += 1
        most = max(most, last - first + 1)
    return most


def most_open(packets: list[Packet]) -> int:
    """From the moment a connection is granted to the first goodbye of either side."""
    standing: set[tuple[str, str]] = set()
    most = 0
    for packet in packets:
        if grants(packet):
            standing.add((packet.device, packet.port))
        elif packet.flags & (FIN | RST):
            standing.discard((packet.device, packet.port))
        most = max(most, len(standing))
    return most
