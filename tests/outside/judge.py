"""The promises, judged over captured packets. It shares nothing with otcore but the manifest.

Every function takes packets in the order of time and returns the complaints of its promise; an
empty list means that it held.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from capture import FIN, Packet, complaints, subnet
from netns import OWN, SCANNER, SCANNER6
from readers import READERS

Limits = dict[str, int]


@dataclass
class Connection:
    """One TCP connection that the scanner opened, or tried to."""

    device: str
    port: int
    local_port: int
    opened: float
    established: bool = False
    ours_closed: float | None = None
    theirs_closed: float | None = None
    reset: float | None = None
    reset_by_us: bool = False
    last: float = 0.0
    payloads: list[Packet] = field(default_factory=list)
    received: int = 0

    @property
    def ended(self) -> float:
        """When the device has its entry back."""
        ends = [at for at in (self.ours_closed, self.theirs_closed) if at is not None]
        if self.reset is not None:
            return self.reset
        return max(ends) if ends else self.last

    def ending(self, then: float) -> str:
        """In words, how long before another moment each side had ended it, for whoever looks."""
        sides = {"we": self.ours_closed, "the device": self.theirs_closed, "a reset": self.reset}
        told = [f"{side} {then - at:+.3f} s before" for side, at in sides.items() if at is not None]
        return ", ".join(told) or "nobody said so"


def ours(packets: Iterable[Packet]) -> list[Packet]:
    """What left the scanner."""
    return [packet for packet in packets if packet.source in (SCANNER, SCANNER6)]


def to_devices(packets: Iterable[Packet]) -> list[Packet]:
    """What left the scanner for a device: everything but address resolution."""
    return [packet for packet in ours(packets) if packet.kind != "arp"]


def connections(packets: Iterable[Packet]) -> list[Connection]:
    found: list[Connection] = []
    current: dict[tuple[str, int, str, int], Connection] = {}
    for packet in packets:
        if packet.kind != "tcp":
            continue
        mine = packet.source in (SCANNER, SCANNER6)
        key = packet.stream if mine else (*packet.stream[2:], *packet.stream[:2])
        if mine and packet.opens and not packet.again:
            made = Connection(packet.target, packet.target_port, packet.source_port, packet.at)
            current[key] = made
            found.append(made)
        connection = current.get(key)
        if connection:
            connection.last = packet.at
            note(connection, packet, mine)
    return found


def note(connection: Connection, packet: Packet, mine: bool) -> None:
    if not mine and packet.flags & 0x12 == 0x12:
        connection.established = True
    if packet.resets:
        connection.reset = connection.reset or packet.at
        connection.reset_by_us |= mine
    if packet.flags & FIN:
        if mine:
            connection.ours_closed = connection.ours_closed or packet.at
        else:
            connection.theirs_closed = connection.theirs_closed or packet.at
    if packet.payload and mine and not packet.again:
        connection.payloads.append(packet)
    if packet.payload and not mine:
        connection.received += len(packet.payload)


def spoken(packets: list[Packet], known: Manifest) -> set[str]:
    """The protocols in which something was asked."""
    return tried([packet for packet in packets if packet.payload], known)


def tried(packets: list[Packet], known: Manifest) -> set[str]:
    """The protocols in which something was asked, or a connection attempted for it."""
    saying = (packet for packet in to_devices(packets) if packet.says)
    return {known.ports[one.target_port] for one in saying if one.target_port in known.ports}


def scope(packets: list[Packet], allowed: Callable[[str], bool]) -> list[str]:
    """Promise 1: nothing for an address that is not allowed, not even a question who owns it."""
    strays = {
        packet.target
        for packet in ours(packets)
        if packet.target not in OWN and not allowed(packet.target) and not solicits(packet)
    }
    return [f"something left for {address}" for address in sorted(strays)]


def solicits(packet: Packet) -> bool:
    """IPv6 has a router here, and speaks to it and to its group to find it."""
    return packet.kind == "arp" and packet.target.startswith(("ff02:", "fe80:"))


def one_connection(packets: list[Packet]) -> list[str]:
    """Promise 2: a device never has two connections of ours, nor a datagram beside one."""
    found = []
    devices: dict[str, list[Connection]] = defaultdict(list)
    for connection in connections(packets):
        devices[connection.device].append(connection)
    for device, held in devices.items():
        last: Connection | None = None
        for connection in held:
            if last and connection.opened < last.ended:
                early = last.ended - connection.opened
                ends = last.ending(connection.opened)
                found.append(
                    f"{device}: a second connection, {early:.3f} s before another ended ({ends})"
                )
            last = connection if last is None or connection.ended > last.ended else last
    for packet in to_devices(packets):
        if packet.kind == "udp":
            beside = [one for one in devices[packet.target] if one.opened < packet.at < one.ended]
            found += [f"{packet.target}: a datagram beside a connection" for _ in beside]
    return found


def rates(packets: list[Packet], limits: Limits) -> tuple[list[str], dict[str, int]]:
    """Promise 3: no second holds more than the policy allows. Also what was the most."""
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    known: set[str] = set()
    for packet in to_devices(packets):
        times["process", ""].append(packet.at)
        times["subnet", subnet(packet.target)].append(packet.at)
        times["device", packet.target].append(packet.at)
        # A SYN or a datagram to somebody unknown has the address looked for.
        asks_for_it = (packet.opens and not packet.again) or packet.kind == "udp"
        if asks_for_it and packet.target not in known:
            known.add(packet.target)
            times["new", subnet(packet.target)].append(packet.at)
    allowed = {
        "process": limits["process_packets_per_s"],
        "subnet": limits["subnet_packets_per_s"],
        "device": limits["device_packets_per_s"],
        "new": limits["subnet_new_addresses_per_s"],
    }
    most: dict[str, int] = defaultdict(int)
    found = []
    for (what, whose), moments in times.items():
        busiest = busiest_second(moments)
        most[what] = max(most[what], busiest)
        if busiest > allowed[what]:
            found.append(f"{what} {whose}: {busiest} in one second, {allowed[what]} allowed")
    return found + gaps(packets, limits), dict(most)


def gaps(packets: list[Packet], limits: Limits) -> list[str]:
    """How often a device was connected to, or tried, and how soon again."""
    gap = limits["connection_gap_ms"] / 1000
    found = []
    devices: dict[str, list[Connection]] = defaultdict(list)
    for connection in connections(packets):
        devices[connection.device].append(connection)
    for device, attempts in devices.items():
        established = sum(one.established for one in attempts)
        if established > limits["connections_per_scan"]:
            found.append(f"{device}: {established} connections")
        if len(attempts) > limits["ports_per_device"]:
            found.append(f"{device}: {len(attempts)} connection attempts")
        rests = [later.opened - earlier.opened for earlier, later in pairwise(attempts)]
        if rests and min(rests) < gap - TIMER:
            found.append(f"{device}: {min(rests):.3f} s between two connections, {gap} s promised")
    return found


def calls(packets: list[Packet], most: int, gap: float = 0.0) -> list[str]:
    """Also promise 3: how many frames go to everybody at once, and how soon after one another."""
    made = [packet for packet in to_devices(packets) if packet.everybody]
    found = [f"{len(made)} frames to everybody, {most} allowed"] if len(made) > most else []
    rests = [later.at - earlier.at for earlier, later in pairwise(made)]
    if rests and min(rests) < gap - TIMER:
        found.append(f"{min(rests):.3f} s between two frames to everybody, {gap} s promised")
    return found


# The gap is kept by the scanner's clock and seen after the cable.
TIMER = 0.005


def busiest_second(moments: list[float]) -> int:
    """The most packets within any second, wherever it begins."""
    moments = sorted(moments)
    return max(bisect_left(moments, at + 1.0) - i for i, at in enumerate(moments))


@dataclass
class Manifest:
    """What `otscan manifest --format json` says."""

    ports: dict[int, str]
    selectors: dict[str, set[bytes]]
    longest: dict[str, int]

    @classmethod
    def of(cls, printed: dict[str, list[dict[str, object]]]) -> Manifest:
        made = cls({}, defaultdict(set), defaultdict(int))
        for entry in printed["protocols"]:
            name = str(entry["protocol"])
            made.ports[int(str(entry["port"]))] = name
            functions = entry["functions"]
            assert isinstance(functions, list)
            for function in functions:
                made.selectors[name].add(bytes.fromhex(function["selector"].replace(".", "")))
                made.longest[name] = max(made.longest[name], function["max_request"])
        return made


def manifest(packets: list[Packet], known: Manifest) -> tuple[list[str], int]:
    """Promise 4: every payload is a question of the manifest. Also how many there were."""
    found, count = [], 0
    for packet in to_devices(packets):
        if packet.payload:
            count += 1
            wrong = unlisted(packet, known)
            if wrong:
                found.append(f"{packet.target}:{packet.target_port}: {wrong}")
    return found, count


def unlisted(packet: Packet, known: Manifest) -> str | None:
    name = known.ports.get(packet.target_port)
    if name is None:
        return f"{len(packet.payload)} bytes for a port of no protocol"
    reader = READERS.get(name)
    if reader is None:
        return f"nobody here reads {name}: give it a row in readers.py"
    if packet.protocols.split(":")[-1] not in reader.layers:
        return f"tshark takes it for {packet.protocols}"
    wrong = [complaint for complaint in complaints(packet) if complaint not in reader.unknown]
    if wrong:
        return "; ".join(wrong)
    selector = reader.dissected(packet.dissected, packet.payload)
    if selector not in known.selectors[name]:
        return f"{selector.hex('.')} is not in the manifest"
    if not reader.spelled(packet.payload).startswith(selector):
        return f"tshark reads {selector.hex('.')} and the bytes say {packet.payload.hex()}"
    if len(packet.payload) > known.longest[name]:
        return f"{len(packet.payload)} bytes are longer than any question"
    return None


def conversations(packets: list[Packet], known: Manifest) -> list[str]:
    """Promise 5: a port gets its own protocol, in well-formed packets, and no empty connection."""
    found = []
    for packet in to_devices(packets):
        name = known.ports.get(packet.target_port)
        if packet.kind not in ("tcp", "udp"):
            found.append(f"{packet.target}: {packet.kind}, which no protocol here uses")
        elif name is None:
            found.append(f"{packet.target}: port {packet.target_port} belongs to no protocol")
        elif name in READERS and packet.kind not in READERS[name].carriers:
            found.append(f"{packet.target}: {packet.kind}, which does not carry {name}")
        elif packet.kind == "udp" and not packet.payload:
            found.append(f"{packet.target}: a datagram without a question")
        found += [f"{packet.target}: {odd}" for odd in packet.odd]
    for connection in connections(packets):
        if connection.established and not connection.payloads:
            found.append(f"{connection.device}: a connection without a question")
    return found


def resets(packets: list[Packet]) -> list[str]:
    """Also promise 5: we say goodbye, we do not slam the door."""
    return [f"{packet.target}: a reset from us" for packet in to_devices(packets) if packet.resets]


def after(packets: list[Packet], end: float, inside: Callable[[str], bool]) -> list[Packet]:
    """Promise 6: what opens or says anything after `end`."""
    late = [packet for packet in to_devices(packets) if packet.at > end and inside(packet.target)]
    return [packet for packet in late if packet.says]


def journal(packets: list[Packet], entries: list[dict[str, object]]) -> list[str]:
    """Promise 10: the journal holds what the wire held, every connection and every byte."""
    written: dict[tuple[str, int], bytes] = defaultdict(bytes)
    ports: dict[object, int] = {}
    tried: dict[str, int] = defaultdict(int)
    for entry in entries:
        device = str(entry["device"]).rpartition(":")[0].strip("[]")
        if entry["event"] == "connecting":
            tried[device] += 1
        elif entry["event"] in ("connected", "bound"):
            ports[entry["connection"]] = int(str(entry["local"]).rpartition(":")[2])
        elif entry["event"] == "sent":
            key = (device, ports[entry["connection"]])
            written[key] += bytes.fromhex(str(entry["bytes"]))
    seen: dict[tuple[str, int], bytes] = {}
    opened: dict[str, int] = defaultdict(int)
    for connection in connections(packets):
        opened[connection.device] += 1
        if connection.payloads:
            said = b"".join(packet.payload for packet in connection.payloads)
            seen[connection.device, connection.local_port] = said
    for packet in to_devices(packets):
        if packet.kind == "udp":
            key = packet.target, packet.source_port
            seen[key] = seen.get(key, b"") + packet.payload
    found = [
        f"{device}: {opened[device]} connections on the wire and {tried[device]} in the journal"
        for device in sorted({*opened, *tried})
        if opened[device] != tried[device]
    ]
    for key in sorted({*written, *seen}):
        if written.get(key) != seen.get(key):
            found.append(f"{key[0]} from port {key[1]}: wire and journal differ")
    return found
