"""`python -m otcore` is otscan, and says the same as the package, byte for byte."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import otcore
import otcore.sim
import pytest

ROOT = Path(__file__).parents[2]
# DNP3 is off unless a policy says so; outstations are named with their link addresses. In BACnet,
# what is asked for the structure depends on whether another program has the port for answers.
DEEP = {"level": "structure"}
POLICY = {
    "protocols": {
        **dict.fromkeys(("modbus", "s7", "enip"), DEEP),
        "dnp3": {"enabled": True, "allow": ["connect"], **DEEP},
    }
}
LINK = "?outstation=10&master=1"


def otscan(*arguments: str, program: tuple[str, ...] = (sys.executable, "-m", "otcore")) -> str:
    done = subprocess.run([*program, *arguments], capture_output=True, timeout=60)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.decode()


@pytest.fixture(scope="session")
def rust() -> tuple[str, ...]:
    """The program as Rust alone makes it."""
    built = ROOT / "target" / "debug" / "otscan"
    if not built.exists():
        pytest.skip("otscan is not built: cargo build -p otcore-examples --bin otscan")
    return (str(built),)


@pytest.fixture(scope="session")
def everything() -> Iterator[tuple[list[str], otcore.sim.Plant]]:
    """A device of each protocol."""
    with otcore.sim.all_protocols() as plant:
        assert {device.name for device in plant.devices} == set(otcore.Protocol)
        yield [target + LINK * target.startswith("dnp3") for target in plant.targets], plant
        assert plant.harm() == []


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Options of the program for the same policy, and a memory of its own."""
    folder = tmp_path_factory.mktemp("files")
    policy = folder / "policy.json"
    policy.write_text(json.dumps(POLICY), encoding="utf-8")
    memory = str(folder / "devices.ndjson")
    return ["--policy", str(policy), "--memory", memory, "--format", "json"]


@pytest.fixture(scope="session")
def report(
    everything: tuple[list[str], otcore.sim.Plant], files: list[str], rust: tuple[str, ...]
) -> str:
    """What the program found."""
    return otscan("scan", *everything[0], *files, "--no-progress", program=rust)


def test_the_same_is_found_in_every_protocol(
    everything: tuple[list[str], otcore.sim.Plant], report: str
) -> None:
    ours = otcore.scan(everything[0], policy=POLICY)
    assert [asset.protocols for asset in ours] == [{protocol} for protocol in otcore.Protocol]
    assert {record.outcome for record in ours.outcomes} == {otcore.Outcome.IDENTIFIED}
    assert timeless(ours.to_json()) == timeless(report)


def test_what_is_stored_is_handed_on_byte_for_byte(
    report: str, rust: tuple[str, ...], tmp_path: Path
) -> None:
    inventory = otcore.Inventory.from_json(report)
    assert inventory.to_json() == report
    file = str(tmp_path / "report.json")
    inventory.to_json(file)
    assert compact(otscan("redecode", file, program=rust)) == inventory.redecoded().to_json()
    theirs = json.loads(otscan("diff", file, file, "--format", "json", program=rust))
    assert theirs == inventory.diff(inventory).json
    for form in otcore.Format:
        theirs = otscan("export", file, "--format", form.value, program=rust)
        assert undated(theirs) == undated(inventory.export(form)), form


@pytest.mark.parametrize("program", ["wheel", "rust"])
def test_plans_and_the_manifest_are_those_of_the_program(
    program: str,
    everything: tuple[list[str], otcore.sim.Plant],
    files: list[str],
    rust: tuple[str, ...],
) -> None:
    command = rust if program == "rust" else (sys.executable, "-m", "otcore")
    ours = otcore.plan(everything[0], policy=POLICY).to_json()
    assert compact(otscan("plan", *everything[0], *files, program=command)) == ours
    ours = otcore.manifest().to_json()
    assert compact(otscan("manifest", "--format", "json", program=command)) == ours


def test_the_wheel_alone_scans(
    everything: tuple[list[str], otcore.sim.Plant], files: list[str]
) -> None:
    theirs = otscan("scan", everything[0][0], *files, "--no-progress")
    (asset,) = otcore.Inventory.from_json(theirs)
    assert asset.protocols == {otcore.Protocol.MODBUS}


def compact(text: str) -> str:
    """The same JSON without blanks; the order of everything stays."""
    return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))


def undated(export: str) -> str:
    """Without what names the very moment of an export."""
    return re.sub(r'"(timestamp|serialNumber)":\s*"[^"]*"', "", export)


def timeless(report: str) -> str:
    """Without what differs in every scan: times, tags of messages, who was done first."""
    whole = blank(json.loads(report))
    for key in ("outcomes", "exchanges"):
        whole[key].sort(key=json.dumps)
    return json.dumps(whole)


def blank(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, list):
        return [blank(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: part(value, key) for key in value}


def part(within: dict[str, Any], key: str) -> Any:  # noqa: ANN401
    # Packets of the kernel count too: who closed first decides how many.
    if key in ("at", "started", "finished", "rtt_micros", "millis", "packets"):
        return None
    if key in ("request", "response") and "protocol" in within:
        return untagged(within["protocol"], bytes.fromhex(within[key])).hex()
    return blank(within[key])


def untagged(protocol: str, message: bytes) -> bytes:
    """A message with zeros where its sender chooses a number to know the answer by."""
    if not message:
        return message
    if protocol == "modbus":
        tags = [(0, 2)]  # transaction identifier
    elif protocol == "s7":
        # Reference of the question, or those of the connection.
        tags = [(11, 13)] if message[7] == 0x32 else [(6, 10)]
    elif protocol == "enip":
        tags = [(4, 8), (12, 20)]  # session handle, sender context
    elif protocol == "bacnet":
        tags = [(8, 9)] if message[6] < 0x10 else [(7, 8)]  # invoke id
    else:
        # Sequence numbers of transport and application, and the check sum over them.
        end = min(26, len(message) - 2)
        tags = [(10, 12), (end, end + 2)]
    changed = bytearray(message)
    for first, last in tags:
        changed[first:last] = bytes(last - first)
    return bytes(changed)


def test_the_program_has_its_commands() -> None:
    told = otscan("--help")
    for command in (
        "scan",
        "plan",
        "manifest",
        "explain",
        "quarantine",
        "diff",
        "export",
        "report",
    ):
        assert re.search(rf"^  {command} ", told, re.MULTILINE)
    assert otscan("--version").split()[1] == otcore.__version__


def test_a_mistake_is_one_line_and_status_two() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "otcore", "plan", "10.0.4.300"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "10.0.4.300" in done.stderr
    assert len(done.stderr.splitlines()) == 1
