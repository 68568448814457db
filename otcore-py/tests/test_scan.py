"""Scans of the pretend plant, watched, stopped and interrupted."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import otcore
import otcore.sim
import pytest

CALM = ["compact-plc", "m340", "drive"]


def calm(plant: otcore.sim.Plant) -> list[str]:
    return [plant.device(name)["target"] for name in CALM]


def identity(report: dict[str, Any], address: str) -> dict[str, str]:
    (asset,) = (a for a in report["assets"] if address in json.dumps(a["addresses"]))
    return {field: claim["value"] for field, claim in asset["identity"].items()}


def test_every_device_is_identified(plant: otcore.sim.Plant, tmp_path: Path) -> None:
    journal = tmp_path / "journal.ndjson"
    report = otcore.scan(calm(plant), zone="line-3", journal=journal)
    assert report["completed"]
    assert report["zone"] == "line-3"
    for device in map(plant.device, CALM):
        found = identity(report, device["address"])
        expected = device["expected"]["found"]["identity"]
        assert expected.items() <= found.items()
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    sent = [line for line in lines if line["event"] == "sent"]
    assert len(sent) == report["counters"]["requests"]
    assert plant.harm() == []


def test_events_tell_the_story_in_order(plant: otcore.sim.Plant) -> None:
    with otcore.Scanner().start(calm(plant)) as scan:
        events = list(scan)
        report = scan.finish()
    progress = [event for event in events if event["event"] == "progress"]
    assert [event["done"] for event in progress] == [1, 2, 3]
    assert sum(event["event"] == "asset" for event in events) == len(report["assets"]) == len(CALM)
    assert events[-1]["event"] == "finished"
    assert list(scan) == []


def test_an_aborted_scan_keeps_what_it_found(plant: otcore.sim.Plant) -> None:
    with otcore.Scanner().start(plant.targets) as scan:
        while next(scan)["event"] != "asset":
            pass
        report = scan.abort()
    assert not report["completed"]
    assert 0 < len(report["assets"]) < len(plant.devices)
    assert scan.finish() == report


def test_leaving_the_block_stops_the_scan(plant: otcore.sim.Plant) -> None:
    with otcore.Scanner().start(plant.targets) as scan:
        next(scan)
    assert not scan.finish()["completed"]


def test_other_threads_run_while_a_scan_waits(plant: otcore.sim.Plant) -> None:
    turns = 0
    over = threading.Event()

    def turn() -> None:
        nonlocal turns
        while not over.wait(0.01):
            turns += 1

    thread = threading.Thread(target=turn)
    thread.start()
    began = time.monotonic()
    otcore.scan(plant.device("slow")["target"])
    took = time.monotonic() - began
    over.set()
    thread.join()
    assert turns > took * 20, f"{turns} turns in {took} s"


INTERRUPTED = """
import json
import otcore, otcore.sim

with otcore.sim.plant() as plant:
    print("ready", flush=True)
    try:
        otcore.scan(plant.targets)
    except otcore.Interrupted as stop:
        print(json.dumps(stop.report["stopped"]), len(stop.report["assets"]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a child cannot be sent Ctrl-C there")
def test_ctrl_c_stops_a_scan_at_once_and_hands_over_what_was_found() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    time.sleep(1.5)
    child.send_signal(signal.SIGINT)
    began = time.monotonic()
    stopped, assets = child.stdout.readline().split()
    took = time.monotonic() - began
    assert child.wait(5) == 0
    assert stopped != b"null"
    assert int(assets) > 0
    assert took < 0.5, f"{took} s"


def test_scans_in_many_threads_do_not_mix(plant: otcore.sim.Plant) -> None:
    found: dict[str, int] = {}

    def work(name: str) -> None:
        report = otcore.scan(plant.device(name)["target"], zone=name)
        found[name] = len([asset for asset in report["assets"] if asset["zone"] == name])

    threads = [threading.Thread(target=work, args=(name,)) for name in CALM]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == dict.fromkeys(CALM, 1)
