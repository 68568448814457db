"""Servers that others wrote are who they were set up to be: tests/peers."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import otcore
import pytest

PEERS = Path(__file__).parents[2] / "tests" / "peers"
PYTHON = os.environ.get("OTCORE_PEERS_PYTHON")


@contextmanager
def served(kind: str, name: str) -> Iterator[str]:
    """A server of an independent stack, until it is no longer needed; its target."""
    if PYTHON is None:
        pytest.skip("OTCORE_PEERS_PYTHON names no Python with tests/peers/requirements.txt")
    with subprocess.Popen(
        [PYTHON, str(PEERS / f"{kind}.py"), name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        ready, said, place = server.stdout.readline().split()
        assert (ready, said) == ("READY", name)
        try:
            yield f"{kind}://{place}"
        finally:
            server.stdin.close()


def test_a_pymodbus_server_is_who_it_was_set_up_to_be() -> None:
    with served("modbus", "modbus-pymodbus") as target:
        (asset,) = otcore.scan(target)
    assert asset.vendor == "Rigwerk AG"
    assert asset.model == "RW4711/DN"
    assert asset.firmware == "V2.14.3"
    assert asset.protocols == {otcore.Protocol.MODBUS}


def test_a_snap7_server_is_found_with_its_order_number() -> None:
    with served("s7", "s7-snap7") as target:
        (asset,) = otcore.scan(target)
    assert asset.protocols == {otcore.Protocol.S7}
    assert asset.order_number is not None
    assert asset.order_number.startswith("6ES7")
