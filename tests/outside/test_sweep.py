"""How a sweep is measured: what a program took, what a capture holds, what the page says."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import pytest
from netns import why_not
from servers import SERVERS
from sweep import document, network, plant
from sweep.loopback import Cost, Loopback
from sweep.traffic import ACK, FIN, RST, SYN, Packet, Traffic


def test_connections_are_counted_from_the_grant_to_the_first_goodbye() -> None:
    grant, goodbye = SYN | ACK, FIN | ACK
    packets = [
        Packet(0.0, "a", "1", True, SYN),
        Packet(0.1, "a", "1", False, grant),
        Packet(0.2, "b", "2", True, SYN),
        Packet(0.3, "b", "2", False, grant),
        Packet(0.4, "a", "1", True, goodbye),
        Packet(0.5, "a", "3", False, grant),
        Packet(0.6, "b", "2", False, RST),
        Packet(1.1, "a", "3", True, ACK),
    ]
    seen = Traffic.of(packets)
    assert (seen.packets, seen.connections) == (4, 3)
    assert (seen.at_once, seen.with_one) == (2, 1)
    assert (seen.busiest, seen.to_one) == (3, 2)


def test_facts_are_looked_for_at_the_device_that_said_them() -> None:
    printed = "Nmap scan report for 127.2.0.1\nRW-1\nNmap scan report for 127.2.0.2\nnothing\n"
    assert dict(plant.of_nmap(printed))["127.2.0.2"].count("RW-1") == 0
    assert "RW-1" in dict(plant.of_nmap(printed))["127.2.0.1"]


def test_the_addresses_of_a_plant_are_different_and_in_many_subnets() -> None:
    addresses = plant.addresses(1000)
    assert len(set(addresses)) == 1000
    assert len({address.rsplit(".", 1)[0] for address in addresses}) == plant.SUBNETS


def test_a_page_says_when_the_aim_is_missed_and_a_run_complains_of_memory() -> None:
    page, run = document.page(measured(memory=20.0)), measured(memory=20.0)
    assert "otcore takes 4.0 times" in " ".join(page.split())
    assert "20.0 MiB, beyond the 16 MiB" in page
    assert document.complaints(run) == ["a sweep took 20.0 MiB, more than 16"]
    assert document.complaints(measured(memory=12.0)) == []


def measured(memory: float) -> dict[str, object]:
    began = {"when": "2026-01-01", "machine": "Linux", "load": 1.0, "nmap": "Nmap 7"}
    sweeps = [
        sweep("connect loop", 1.0, 4.0),
        sweep(f"{network.SAME_PACKETS}, 800 a second", 2.0, 4.0),
        sweep("nmap -sT", 1.0, 20.0),
        sweep("otcore, lab", 4.0, memory),
    ]
    looks = [
        look(protocol, scanner) for protocol in ("modbus", "s7") for scanner in ("otcore", "nmap")
    ]
    return {"network_run": began, "plant_run": began, "sweeps": sweeps, "looks": looks}


def sweep(who: str, processor: float, memory: float) -> dict[str, object]:
    cost = Cost(processor, 0.0, memory, 1.0, 9.0, '{"counters": {"packets": 5}}', 0)
    return asdict(network.sweep(who, "127.1.0.0/24", cost))


def look(protocol: str, scanner: str) -> dict[str, object]:
    server = next(one for one in SERVERS if one.protocol == protocol)
    said = {"127.2.0.1": " ".join(server.facts)}
    traffic = {"packets": 9, "connections": 1, "busiest": 9, "to_one": 9, "at_once": 1,
               "with_one": 1}  # fmt: skip
    cost = Cost(1.0, 0.0, 9.0, 1.0, 9.0, "", 0)
    return asdict(plant.result(server, scanner, ["127.2.0.1"], cost, said, traffic))


@pytest.mark.skipif(why_not() is not None, reason="namespaces are not to be had")
def test_a_program_is_charged_its_own_memory_and_time_and_not_those_of_who_started_it() -> None:
    busy = "x = bytearray(64 << 20)\nwhile __import__('time').process_time() < 0.5: pass"
    with Loopback() as loopback:
        cost = loopback.run([sys.executable, "-c", busy], 60)
        idle = loopback.run(["sleep", "0.3"], 60)
    assert cost.status == 0 and cost.processor >= 0.5 and cost.memory > 64
    assert idle.processor < 0.2 and 0 < idle.memory < 8, json.dumps(asdict(idle))
