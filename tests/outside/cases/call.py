"""Everybody in a network is called at once, where a policy opted in to that, and not where none did
(promise 3).

Six devices of another stack answer, more than the policy takes for few, so the next call has to be
for half as many numbers.
"""

from __future__ import annotations

import json
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import judge
from capture import Packet, read
from netns import Field, lines
from readers import context
from scan import otscan, policy
from servers import CROWD
from world import GENTLE, Verdicts, World

NETWORK, HOME, EVERYBODY = "10.80.0.0/27", "10.80.0.5", "10.80.0.31"
CALLS, MANY, GAP = 6, 4, 5.0
"""Calls in a scan, answers that are too many, seconds between two calls: by the policy."""
PATIENCE = 3.0
"""Seconds in which an answer belongs to a call."""
I_AM = b"\x10\x00"


def run(world: World) -> Verdicts:
    verdicts = Verdicts()
    limits = {"broadcasts_per_scan": CALLS, "answers_per_call": MANY,
              "broadcast_gap_ms": int(GAP * 1000)}  # fmt: skip
    meet(world, verdicts, {}, 0)
    meet(world, verdicts, limits, CALLS)
    return verdicts


def meet(world: World, verdicts: Verdicts, limits: dict[str, int], most: int) -> None:
    """One scan of the network, whose policy consents to calls but may make so many."""
    bacnet = {"enabled": True, "allow": ["broadcast", "reply_port"]}
    asking = {name: {"enabled": False} for name in world.protocols()}
    given = {"monitor": [NETWORK], "protocols": {**asking, "bacnet": bacnet}, "limits": limits}
    with Field("call") as field:
        field.hears_everybody(EVERYBODY)
        if world.python:
            CROWD.start(field, world.python, HOME)
        under, written = policy(field, given), field.folder / "sent.ndjson"
        command = otscan(world, field, [NETWORK], under, written)
        plan = planned(world, under)
        scanning = field.beside_scanner(command, stdout=subprocess.PIPE, env=world.environment)
        report = json.loads(scanning.communicate(timeout=300)[0])
        packets = read(field.captured())
        entries = list(lines(written.read_text()))
    calls = [packet for packet in judge.to_devices(packets) if packet.everybody]
    verdicts.judge(3, judge.calls(packets, most, GAP))
    verdicts.judge(3, [] if bool(plan.get("calls")) == bool(most) else ["the plan told otherwise"])
    verdicts.judge(3, judge.rates(packets, GENTLE)[0] + narrowed(packets, calls))
    verdicts.judge(4, judge.manifest(packets, world.manifest())[0])
    verdicts.judge(5, judge.conversations(packets, world.manifest()))
    verdicts.judge(10, journalled(entries, calls))
    identified = report["counters"]["identified"]
    if world.python:
        verdicts.need(identified == CROWD.devices, f"{identified} devices identified")
        verdicts.need(not most or len(calls) > 2, f"only {len(calls)} calls")
    verdicts.figure(
        f"{most} calls of everybody allowed, {len(calls)} made, for the numbers "
        f"{', '.join('{}-{}'.format(*numbers(call)) for call in calls) or 'of nobody'}; "
        f"{identified} devices identified"
    )


def planned(world: World, under: Path) -> dict[str, Any]:
    command = [str(world.program("otscan")), "plan", "--format", "json", "--policy", str(under)]
    done = subprocess.run([*command, NETWORK], capture_output=True, check=True)
    plan: dict[str, Any] = json.loads(done.stdout)
    return plan


def narrowed(packets: list[Packet], calls: list[Packet]) -> list[str]:
    """Where answers piled up, the next call is for half as many numbers; else for those after."""
    found = []
    for call, following in pairwise(calls):
        first, last = numbers(call)
        answers = sum(
            call.at < packet.at < call.at + PATIENCE and I_AM in packet.payload
            for packet in packets
            if packet.source != call.source
        )
        begins, ends = numbers(following)
        if answers >= MANY and (begins, ends) != (first, first + (last - first + 1) // 2 - 1):
            found.append(f"{answers} answers for {first}-{last}, and then {begins}-{ends}")
        if answers < MANY and begins != last + 1:
            found.append(f"{answers} answers for {first}-{last}, and then from {begins} on")
    return found


def numbers(call: Packet) -> tuple[int, int]:
    """For whom a Who-Is is: two numbers behind the headers."""
    length, first = context(call.payload, 8)
    return first, context(call.payload, 9 + length)[1]


def journalled(entries: list[dict[str, Any]], calls: list[Packet]) -> list[str]:
    """A call has no connection, so its bytes alone are compared, in their order."""
    sent = (entry for entry in entries if entry["event"] == "sent")
    written = [entry["bytes"] for entry in sent if entry["function"] == "CallEverybody"]
    same = written == [call.payload.hex() for call in calls]
    return [] if same else [f"{len(calls)} calls on the wire and {len(written)} in the journal"]
