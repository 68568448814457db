"""Scans of the pretend plant: watched, stopped, interrupted, in threads."""

from __future__ import annotations

import pickle
import threading
import time
from pathlib import Path

import otcore
import otcore.progress
import otcore.sim
import pytest
from conftest import CALM
from otcore import AssetFound, ConversationEnded, Finished, Outcome, Progress


def test_every_device_is_identified(plant: otcore.sim.Plant, tmp_path: Path) -> None:
    journal, capture = tmp_path / "journal.ndjson", tmp_path / "capture.pcapng"
    targets = [plant.device(name).target for name in CALM]
    inventory = otcore.scan(targets, zone="line-3", journal=journal, capture=capture)
    assert inventory.completed
    assert inventory.zone == "line-3"
    assert {record.outcome for record in inventory.outcomes} == {Outcome.IDENTIFIED}
    for device in map(plant.device, CALM):
        asset = inventory[device.address]
        assert asset.addresses == (device.address,)
        for field, value in device.expected["found"]["identity"].items():
            assert asset.identity[field].value == value
    sent = [entry for entry in otcore.journal.read(journal) if entry.event == "sent"]
    assert len(sent) == inventory.counters["requests"]
    answers = {asset.identity["vendor"].evidence.request for asset in inventory}
    assert answers <= {entry.data for entry in sent}
    assert capture.read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"
    assert plant.harm() == []


def test_events_tell_the_story_in_order(calm: list[str]) -> None:
    with otcore.Scanner().start(calm) as scan:
        events = list(scan)
        inventory = scan.finish()
    assert [event.done for event in events if isinstance(event, Progress)] == [1, 2, 3]
    assert sum(isinstance(event, AssetFound) for event in events) == len(inventory) == len(CALM)
    assert events[-1] == Finished(stopped=None)
    assert list(scan) == []


def test_how_a_conversation_ended_is_a_value_like_any_other(calm: list[str]) -> None:
    with otcore.Scanner().start(calm) as scan:
        ended = [event for event in scan if isinstance(event, ConversationEnded)]
        outcomes = scan.finish().outcomes
    kept = pickle.loads(pickle.dumps(ended))  # before anybody has looked at one of them
    assert tuple(event.record for event in ended) == outcomes
    assert kept == ended == [ConversationEnded(record) for record in outcomes]
    assert len({*kept, *ended}) == len(outcomes)
    first = ended[0]
    assert first != first.record and first != ended[1]
    assert repr(first) == f"ConversationEnded(record={outcomes[0]!r})"


def test_an_aborted_scan_keeps_what_it_found(plant: otcore.sim.Plant) -> None:
    with otcore.Scanner().start(plant.targets) as scan:
        while not isinstance(next(scan), AssetFound):
            pass
        inventory = scan.abort()
    assert inventory.stopped is otcore.StopReason.ASKED
    assert 0 < len(inventory) < len(plant.devices)
    assert scan.finish() == inventory


def test_leaving_the_block_stops_the_scan(plant: otcore.sim.Plant) -> None:
    with otcore.Scanner().start(plant.targets) as scan:
        next(scan)
    assert not scan.finish().completed


def test_a_paused_scan_goes_on_when_it_is_told_to(plant: otcore.sim.Plant) -> None:
    with otcore.Scanner().start(plant.device("compact-plc").target) as scan:
        scan.pause()
        assert scan.is_paused
        scan.resume()
        assert scan.finish().completed


def test_other_threads_run_while_a_scan_waits(plant: otcore.sim.Plant) -> None:
    turns = 0
    over = threading.Event()

    def turn() -> None:
        nonlocal turns
        while not over.wait(0.01):
            turns += 1

    thread = threading.Thread(target=turn, daemon=True)
    thread.start()
    began = time.monotonic()
    otcore.scan(plant.device("slow").target)
    took = time.monotonic() - began
    over.set()
    thread.join()
    assert turns > took * 20, f"{turns} turns in {took} s"


def test_scans_in_many_threads_do_not_mix(plant: otcore.sim.Plant) -> None:
    found: dict[str, list[str]] = {}

    def work(name: str) -> None:
        inventory = otcore.scan(plant.device(name).target, zone=name)
        found[name] = [asset.zone for asset in inventory]

    threads = [threading.Thread(target=work, args=(name,), daemon=True) for name in CALM]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {name: [name] for name in CALM}


def test_any_thread_may_abort_while_another_waits(plant: otcore.sim.Plant) -> None:
    scan = otcore.Scanner().start(plant.targets)
    threading.Timer(0.5, scan.abort).start()
    began = time.monotonic()
    list(scan)
    assert time.monotonic() - began < 2
    assert not scan.finish().completed


@pytest.mark.parametrize("library", ["rich", "tqdm"])
def test_progress_is_shown_by_what_is_installed(
    plant: otcore.sim.Plant,
    library: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip(library)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(otcore.progress, "_library", lambda: library)
    otcore.scan(plant.device("compact-plc").target, progress=True)
    told = capsys.readouterr()
    assert "1" in told.err
    assert told.out == ""


def test_nothing_is_shown_where_nobody_looks(
    plant: otcore.sim.Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    otcore.scan(plant.device("compact-plc").target)
    assert capsys.readouterr() == ("", "")


def test_quarantine_is_a_matter_for_a_person(tmp_path: Path) -> None:
    file = tmp_path / "devices.ndjson"
    file.write_text(
        '{"zone":"default","device":"10.0.4.7","quarantined":'
        '{"since":"2026-05-01T10:00:00Z","why":"silent after ReadDeviceIdBasic"}}\n',
        encoding="utf-8",
    )
    memory = otcore.Memory(file)
    (device,) = memory.quarantined()
    assert (device.device, device.why) == ("10.0.4.7", "silent after ReadDeviceIdBasic")
    assert device.quarantined is not None
    assert device.quarantined.isoformat() == "2026-05-01T10:00:00+00:00"
    with pytest.raises(otcore.EmptyScopeError, match="quarantined"):
        otcore.plan("10.0.4.7", memory=file)
    assert memory.clear("10.0.4.7") == 1
    assert memory.quarantined() == []
    assert otcore.plan("10.0.4.7", memory=file).devices == 1
