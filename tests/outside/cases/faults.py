"""The fault matrix: every fault, in every protocol, at the first answer and later (promise 8).

Each cell is a device of its own at an address of its own, and a process that scans it.
"""

from __future__ import annotations

import json
import subprocess
import time
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import judge
from capture import Packet, read
from faults.matrix import LATER, NAMED, STREAMS, Cell, cells
from netns import OWN, Field, Plant, pipe
from scan import otscan
from world import GENTLE, Verdicts, World

from cases.dark import asked_again

AT_ONCE = 24
"""Processes that scan."""
DEVICE_TIME = 60
"""Seconds for one device, by the default policy."""
SLACK = 6
"""Seconds for what is under way by then: an answer, a close."""
ACCEPTED = 256 * 1024
"""Bytes from one device, by the default policy."""
KERNEL = 192 * 1024
"""What the system may take on top."""
PIECE = 4 * 1024
"""The most that is taken at once."""
SENT = 8 * 1024
"""Bytes to one device, at most."""
MEMORY = 64 * 1024
"""KiB of the whole process."""
SHORT = (14, 31, 48)
"""The faults of a short run."""
IN_PIECES = {12, 13, 38}
"""Faults that make our system cut a question into pieces."""
TALKATIVE = {8: 1, 10: 1, 11: 1, 13: 6, 14: 1, 39: 1}
"""How many packets more than the policy allows a device may get that answers in several pieces: one
before it is left, and what our system acknowledges by itself, which is every 88 bytes of tiny
segments."""
FLOODS = {10, 11, 25, 27, 28}
"""Faults that keep the program busy that has them."""
PROGRAM = Path(__file__).parents[1] / "faults" / "device.py"
ENDS = {"identified": 0, "went_dark": 4}
"""The exit status of a scan by its outcome; 1 for any other."""


@dataclass
class Ended:
    """What became of one scan."""

    cell: Cell
    address: str
    status: int
    told: str
    report: dict[str, Any]
    memory: int
    """KiB at its height."""

    @property
    def record(self) -> dict[str, Any]:
        records: list[dict[str, Any]] = self.report.get("outcomes", [])
        return records[0] if len(records) == 1 else {}

    @property
    def outcome(self) -> str:
        return str(self.record.get("outcome", "none"))


def run(world: World) -> Verdicts:
    verdicts = Verdicts()
    wanted = [cell for cell in cells() if not world.short or cell.fault.number in SHORT]
    with Field("faults", flat=False) as field:
        start = ("--first", "10.90.0.5", "--step", "256", "--count", "1")
        plant = Plant(field, world.program("otcore-plant"), "ordinary", *start)
        homes = {one["name"].split("-")[0]: one["address"] for one in plant.devices}
        known = {name: honest(world, field, name, home) for name, home in homes.items()}
        places = {cell: f"10.{80 + at // 250}.{at % 250}.5" for at, cell in enumerate(wanted)}
        install(field, places, homes, known)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            ended = list(pool.map(lambda cell: scan(world, field, cell, places[cell]), wanted))
        packets = read(field.captured())
        harmed = [f"{one['name']}: {what}" for one in plant.seen() for what in one["violations"]]
    verdicts.judge(4, harmed)
    heard, questions = by_device(packets), world.manifest()
    for one in ended:
        look(verdicts, one, heard[one.address], known[one.cell.protocol], questions)
        verdicts.table.append(row(one, heard[one.address]))
    verdicts.figure(summary(ended, verdicts.table))
    return verdicts


def under(cell: Cell | None, protocol: str) -> dict[str, Any]:
    """A policy for one protocol alone, as deep as it goes."""
    way = "datagrams" if cell and cell.datagrams else "connect"
    given = {"level": "state", **({"allow": [way]} if protocol == "dnp3" else {})}
    protocols = {name: {"enabled": name == protocol} for name in NAMED}
    protocols[protocol] |= given  # type: ignore[arg-type]
    return {"protocols": protocols}


def honest(world: World, field: Field, protocol: str, home: str) -> dict[str, Any]:
    """The report of a scan of the honest device."""
    cell = Cell(cells()[0].fault, "", protocol, LATER)
    ended = scan(world, field, cell, home)
    if ended.outcome != "identified":
        raise AssertionError(f"the honest {protocol} device was {ended.outcome}: {ended.told}")
    return ended.report


def install(
    field: Field, places: dict[Cell, str], homes: dict[str, str], known: dict[str, Any]
) -> None:
    """Start the programs that misbehave. Who floods has one of its own, or others would wait."""
    programs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for cell, place in places.items():
        protocol = cell.protocol
        texts = sorted(said(known[protocol]))
        made = device(cell, place, homes[protocol], texts)
        busy = cell.fault.number in FLOODS
        by_hand = made["tcp"] == "by hand"
        programs["by hand" if by_hand else f"floods {protocol}" if busy else "calm"].append(made)
    for devices in programs.values():
        started = field.beside_devices(
            ["python3", str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        pipe(started.stdin).write(json.dumps(devices) + "\n")
        pipe(started.stdin).flush()
        if pipe(started.stdout).readline() != "READY\n":
            raise RuntimeError("the faulty devices did not start")


def device(cell: Cell, place: str, home: str, texts: list[str]) -> dict[str, Any]:
    """A faulty device, as its program takes it."""
    fault, is_enip = cell.fault, cell.protocol == "enip"
    streams = cell.protocol in STREAMS and not cell.datagrams
    later = cell.stage == LATER
    # EtherNet/IP asks by datagram first. Faults of connections show if nobody listens there, or
    # once that was answered; all others are had by both.
    by_datagrams = cell.datagrams or (is_enip and (later or fault.only != STREAMS))
    refuses = fault.number == 1 and (not later or is_enip)
    return {
        "address": place,
        "protocol": cell.protocol,
        "number": fault.number,
        "kind": cell.kind,
        "after": 0 if is_enip else cell.after,
        "honest": home,
        "tcp": "nobody" if refuses or not streams else "by hand" if fault.by_hand else "system",
        "udp": by_datagrams and (not refuses or later),
        "udp_is_honest": is_enip and later,
        "texts": texts,
    }


def said(report: dict[str, Any]) -> set[str]:
    """The texts that a device has said of itself, as they stand in its answers."""
    heard = b"".join(bytes.fromhex(one["response"]) for one in report["exchanges"])
    values = {value for value, _, _ in claims(report["assets"])}
    return {value for value in values if len(value) > 3 and value.encode() in heard}


def claims(found: Any) -> Iterator[tuple[str, str, str]]:
    """Every claim in a report: its value, its method, and the function of its question."""
    if isinstance(found, dict):
        evidence = found.get("evidence")
        if isinstance(evidence, dict) and "value" in found:
            yield str(found["value"]), evidence["method"], evidence["function"]
        for each in found.values():
            yield from claims(each)
    elif isinstance(found, list):
        for each in found:
            yield from claims(each)


def scan(world: World, field: Field, cell: Cell, address: str) -> Ended:
    """One process for one device."""
    name = cell.name.replace(" ", "-") + f"-{address}"
    (field.folder / name).mkdir()
    content = under(cell, cell.protocol)
    path = field.folder / name / "policy.json"
    path.write_text(json.dumps(content))
    memory = field.folder / name / "devices.ndjson"
    command = otscan(world, field, [address], path, memory=memory)
    out = field.folder / name / "out.json"
    with out.open("w") as printed:
        scanning = field.beside_scanner(
            command, stdout=printed, stderr=subprocess.PIPE, env=world.environment
        )
        most = most_memory(scanning)
        told = pipe(scanning.stderr).read()
    report = json.loads(out.read_text() or "{}")
    return Ended(cell, address, scanning.returncode, told, report, most)


def most_memory(process: subprocess.Popen[str]) -> int:
    """Wait for its end; KiB at its height, to a tenth of a second."""
    most = 0
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        except OSError:
            break
        if status[0].split()[1] == "otscan":
            found = [line.split()[1] for line in status if line.startswith("VmHWM")]
            most = max([most, *map(int, found)])
        time.sleep(0.1)
    process.wait()
    return most


def by_device(packets: list[Packet]) -> dict[str, list[Packet]]:
    heard: dict[str, list[Packet]] = defaultdict(list)
    for packet in packets:
        heard[packet.source if packet.target in OWN else packet.target].append(packet)
    return heard


def look(
    verdicts: Verdicts,
    one: Ended,
    packets: list[Packet],
    known: dict[str, Any],
    questions: judge.Manifest,
) -> None:
    """Hold one scan against the promises."""

    def judged(promise: int, complaints: list[str]) -> None:
        verdicts.judge(promise, [f"{one.cell.name}: {complaint}" for complaint in complaints])

    judged(2, judge.one_connection(packets))
    more = TALKATIVE.get(one.cell.fault.number, 0)
    limits = {**GENTLE, "device_packets_per_s": GENTLE["device_packets_per_s"] + more}
    judged(3, judge.rates(packets, limits)[0])
    if one.cell.fault.number not in IN_PIECES:
        # What is repeated for want of an acknowledgement, tshark does not read again.
        judged(4, judge.manifest([each for each in packets if not each.again], questions)[0])
    if one.cell.fault.dark and one.cell.stage == LATER:
        judged(7, asked_again(packets, one.address))
    judged(8, health(one, packets) + honesty(one, known))


def health(one: Ended, packets: list[Packet]) -> list[str]:
    """What it cost us."""
    found = []
    if "panicked" in one.told or one.status not in (0, 1, 4):
        found.append(f"it ended with {one.status}: {one.told[-300:]}")
    if one.memory > MEMORY:
        found.append(f"it took {one.memory} KiB of memory, {MEMORY} allowed")
    took = one.record.get("millis", 0) / 1000
    if took > DEVICE_TIME + SLACK:
        found.append(f"it took {took:.1f} s, {DEVICE_TIME} s and {SLACK} s allowed")
    # Nobody can keep a device from sending datagrams, so of those only what was taken counts.
    sent = sum(line.received for line in judge.connections(packets))
    if sent > ACCEPTED + KERNEL or one.record.get("bytes_in", 0) > ACCEPTED + PIECE:
        found.append(f"{sent} bytes arrived, {one.record['bytes_in']} were taken")
    said = sum(len(packet.payload) for packet in judge.to_devices(packets))
    if said > SENT:
        found.append(f"{said} bytes were sent")
    return found


def honesty(one: Ended, known: dict[str, Any]) -> list[str]:
    """How it ended, and whether what was found before is in the report, and nothing hostile."""
    found = []
    cell = one.cell
    if one.outcome not in cell.outcomes:
        expected = ", ".join(sorted(cell.outcomes))
        detail = one.record.get("detail", "")
        found.append(f"{one.outcome} ({detail}), where {expected} was expected")
    elif one.status != ENDS.get(one.outcome, 1):
        found.append(f"{one.outcome}, and the exit status was {one.status}")
    if cell.stage == LATER:
        before = {e["function"] for e in known["exchanges"][: NAMED[cell.protocol]]}
        wanted = {claim for claim in claims(known["assets"]) if claim[2] in before}
        # Not what was concluded, nor what was put together from several answers.
        wanted = {claim for claim in wanted if claim[1] == "active" and "; " not in claim[0]}
        lost = wanted - set(claims(one.report.get("assets", [])))
        found += [f"{value!r} was said before, and is lost" for value, _, _ in sorted(lost)]
        found += [] if wanted else ["nothing was said before the fault"]
    shown = {value for value, _, _ in claims(one.report.get("assets", []))}
    found += [f"{value!r} is shown as it came" for value in shown if not is_inert(value)]
    return found


def is_inert(value: str) -> bool:
    """Whether nothing in it commands a terminal or turns the direction of text."""
    return not any(unicodedata.category(letter) in ("Cc", "Cf", "Co", "Cs") for letter in value)


def row(one: Ended, packets: list[Packet]) -> dict[str, Any]:
    cell = one.cell
    ours = judge.to_devices(packets)
    return {
        "fault": cell.fault.number,
        "kind": cell.kind,
        "protocol": cell.protocol,
        "stage": cell.stage,
        "outcome": one.outcome,
        "packets": len(ours),
        "busiest_second": judge.busiest_second([packet.at for packet in ours]) if ours else 0,
        "connections": sum(line.established for line in judge.connections(packets)),
        "bytes_taken": one.record.get("bytes_in", 0),
        "millis": one.record.get("millis", 0),
        "memory_kib": one.memory,
    }


def summary(ended: list[Ended], rows: list[dict[str, Any]]) -> str:
    def most(what: str) -> int:
        return max(int(one[what]) for one in rows)

    return (
        f"{len(ended)} scans of devices with {len({one.cell.fault.number for one in ended})} "
        f"faults; none took more than {most('millis') / 1000:.1f} s, "
        f"{most('memory_kib') // 1024} MiB, {most('packets')} packets of ours and "
        f"{most('connections')} connections"
    )
