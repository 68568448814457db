"""What the tests share."""

from __future__ import annotations

from collections.abc import Iterator

import otcore
import otcore.sim
import pytest

CALM = ["compact-plc", "m340", "drive"]


@pytest.fixture
def plant() -> Iterator[otcore.sim.Plant]:
    with otcore.sim.plant() as plant:
        yield plant
        assert plant.violations() == []


@pytest.fixture
def calm(plant: otcore.sim.Plant) -> list[str]:
    """Targets that a scan is done with in two seconds."""
    return [plant.device(name).target for name in CALM]


@pytest.fixture(scope="session")
def found() -> otcore.Inventory:
    """What a scan of some devices found."""
    with otcore.sim.plant() as plant:
        targets = [plant.device(name).target for name in (*CALM, "enip-drive")]
        return otcore.scan(targets, zone="line-3")
