"""What the tests share."""

from __future__ import annotations

from collections.abc import Iterator

import otcore.sim
import pytest


@pytest.fixture
def plant() -> Iterator[otcore.sim.Plant]:
    with otcore.sim.plant() as plant:
        yield plant
        assert plant.violations() == []
