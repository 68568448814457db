"""The package against the pretend plant."""

from __future__ import annotations

import os
import signal
import threading
import time
from ipaddress import ip_network
from pathlib import Path

import otcore
import otcore.sim
import pytest


def test_the_plant_is_found_as_it_is() -> None:
    with otcore.sim.plant() as plant:
        device = plant.device("compact-plc")
        report = otcore.scan(device["target"], zone="line-3", source="pytest")
        assert plant.harm() == []
    (asset,) = report["assets"]
    assert asset["zone"] == "line-3"
    assert asset["identity"]["vendor"]["value"] == "Tarnwick Automation"
    assert asset["identity"]["vendor"]["evidence"]["source"] == "pytest"
    assert report["outcomes"][0]["outcome"] == "identified"


def test_events_come_while_it_runs() -> None:
    with otcore.sim.plant() as plant:
        scanner = otcore.Scanner(level="detect")
        with scanner.start(plant.device("compact-plc")["target"]) as scan:
            events = [event["event"] for event in scan]
            report = scan.finish()
    assert events[-1] == "finished"
    assert {"phase", "asset", "outcome", "progress"} <= set(events)
    assert report["completed"]


def test_a_plan_takes_what_python_has() -> None:
    plan = otcore.plan([ip_network("10.20.4.0/30"), "10.20.5.1"])
    assert plan["devices"] == 5


@pytest.mark.parametrize(
    ("targets", "settings", "error"),
    [
        ("10.0.0.300", {}, otcore.TargetError),
        ("8.8.8.8", {}, otcore.EmptyScopeError),
        ("no-such-name.invalid", {}, otcore.NameResolutionError),
        ("10.0.0.1", {"policy": "[limits]\nnonsense = 1"}, otcore.PolicyError),
        ("10.0.0.1", {"zone": "a b"}, otcore.NamingError),
        ("10.0.0.1", {"journal": "/no/such/folder/journal"}, otcore.FileError),
    ],
)
def test_each_kind_of_error_has_a_class(
    targets: str, settings: dict[str, str], error: type[otcore.Error]
) -> None:
    with pytest.raises(error) as caught:
        otcore.plan(targets, **settings)  # type: ignore[arg-type]
    assert isinstance(caught.value, otcore.Error)
    assert "\n" not in str(caught.value)


def test_an_aborted_scan_keeps_what_it_found() -> None:
    with otcore.sim.plant() as plant:
        targets = [device["target"] for device in plant.devices]
        with otcore.Scanner().start(targets) as scan:
            for event in scan:
                if event["event"] == "asset":
                    break
            report = scan.abort()
    assert report["stopped"] == "asked"
    assert report["assets"]


def test_ctrl_c_stops_at_once_and_hands_over_what_was_found() -> None:
    def interrupt() -> None:
        time.sleep(2)
        os.kill(os.getpid(), signal.SIGINT)

    with otcore.sim.plant() as plant:
        targets = [device["target"] for device in plant.devices]
        threading.Thread(target=interrupt, daemon=True).start()
        began = time.monotonic()
        with pytest.raises(otcore.Interrupted) as caught:
            otcore.scan(targets)
        took = time.monotonic() - began
    assert took < 3
    assert caught.value.report["stopped"] == "asked"


def test_the_journal_is_written(tmp_path: Path) -> None:
    journal = tmp_path / "journal.ndjson"
    with otcore.sim.plant() as plant:
        otcore.scan(plant.device("compact-plc")["target"], journal=journal)
    assert '"event":"sent"' in journal.read_text(encoding="utf-8")


def test_the_manifest_names_every_protocol() -> None:
    manifest = otcore.manifest()
    names = [entry["protocol"] for entry in manifest["protocols"]]
    assert names == ["modbus"]
