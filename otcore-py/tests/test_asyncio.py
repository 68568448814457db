"""Scans in asyncio: watched, awaited, cancelled."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import otcore
import otcore.sim
import pytest
from otcore import AssetFound, Finished


@pytest.mark.asyncio
async def test_events_come_while_the_loop_runs_on(calm: list[str]) -> None:
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.01)
            turns += 1

    other = asyncio.create_task(turn())
    began = time.monotonic()
    async with otcore.Scanner().stream(calm) as stream:
        events = [event async for event in stream]
        inventory = await stream.finish()
    took = time.monotonic() - began
    other.cancel()
    assert isinstance(events[-1], Finished)
    assert sum(isinstance(event, AssetFound) for event in events) == len(inventory) == 3
    assert turns > took * 20, f"{turns} turns in {took} s"


@pytest.mark.asyncio
async def test_two_scans_run_at_once(calm: list[str]) -> None:
    scanner = otcore.Scanner()
    both = await asyncio.gather(*(scanner.scan_async(target) for target in calm))
    assert [len(inventory) for inventory in both] == [1, 1, 1]


@pytest.mark.asyncio
async def test_cancelling_stops_the_scan_at_once(plant: otcore.sim.Plant, tmp_path: Path) -> None:
    journal = tmp_path / "journal.ndjson"
    stream = otcore.Scanner(journal=journal).stream(plant.targets)

    async def watch() -> None:
        async for _ in stream:
            pass

    task = asyncio.create_task(watch())
    await asyncio.sleep(1)
    task.cancel()
    began = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 0.5
    sent = asked(journal)
    await asyncio.sleep(0.5)
    assert sent == asked(journal) > 0, "nothing is sent after it"
    inventory = await stream.finish()
    assert inventory.stopped is otcore.StopReason.ASKED
    assert len(inventory) > 0


@pytest.mark.asyncio
async def test_a_task_cancelled_between_two_events_stops_its_scan(plant: otcore.sim.Plant) -> None:
    stream = otcore.Scanner().stream(plant.targets)

    async def watch() -> None:
        async for _ in stream:
            await asyncio.sleep(60)

    task = asyncio.create_task(watch())
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await stream.finish()).stopped is otcore.StopReason.ASKED


@pytest.mark.asyncio
async def test_a_timeout_stops_the_scan(plant: otcore.sim.Plant) -> None:
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(otcore.scan_async(plant.targets), 0.5)


@pytest.mark.asyncio
async def test_a_mistake_is_raised_where_it_is_awaited() -> None:
    with pytest.raises(otcore.TargetError):
        await otcore.scan_async("10.0.4.300")


def asked(journal: Path) -> int:
    """How many questions were sent until now."""
    return sum(entry.event == "sent" for entry in otcore.journal.read(journal))


@pytest.mark.asyncio
async def test_what_was_found_by_a_deadline_is_not_lost(plant: otcore.sim.Plant) -> None:
    targets = [plant.device(name).target for name in ("compact-plc", "slow")]
    async with otcore.Scanner().stream(targets) as stream:
        async for event in stream:
            if isinstance(event, AssetFound):
                break
        try:
            inventory = await asyncio.wait_for(stream.finish(), timeout=0.1)
        except asyncio.TimeoutError:
            inventory = await stream.abort()
    assert (len(inventory) > 0, inventory.completed) == (True, False)
    assert await stream.finish() == inventory


@pytest.mark.asyncio
async def test_a_stream_that_was_closed_begins_no_more(calm: list[str]) -> None:
    stream = otcore.Scanner().stream(calm)
    await stream.aclose()
    with pytest.raises(RuntimeError, match="closed before it began"):
        await stream.finish()
