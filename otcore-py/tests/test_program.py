"""`python -m otcore` is otscan, and says the same as the package, byte for byte."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import otcore
import otcore.sim
import pytest

ROOT = Path(__file__).parents[2]
SERIALLY = {"limits": {"parallel_devices": 1, "subnet_devices": 1}}


def otscan(*arguments: str, program: tuple[str, ...] = (sys.executable, "-m", "otcore")) -> str:
    done = subprocess.run([*program, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


@pytest.mark.parametrize("program", ["wheel", "rust"])
def test_the_same_json_comes_from_everywhere(
    program: str, plant: otcore.sim.Plant, tmp_path: Path
) -> None:
    command: tuple[str, ...] = (sys.executable, "-m", "otcore")
    if program == "rust":
        built = ROOT / "target" / "debug" / "otscan"
        if not built.exists():
            pytest.skip("otscan is not built: cargo build -p otcore-examples --bin otscan")
        command = (str(built),)
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps(SERIALLY), encoding="utf-8")
    targets = [plant.device(name).target for name in ("compact-plc", "drive")]
    memory = str(tmp_path / "devices.ndjson")
    common = ["--policy", str(policy), "--memory", memory, "--format", "json"]

    ours = otcore.plan(targets, policy=policy).to_json()
    assert compact(otscan("plan", *targets, *common, program=command)) == ours
    ours = otcore.manifest().to_json()
    assert compact(otscan("manifest", "--format", "json", program=command)) == ours
    ours = otcore.scan(targets, policy=policy).to_json()
    theirs = otscan("scan", *targets, *common, "--no-progress", program=command)
    assert timeless(compact(theirs)) == timeless(ours)
    assert otcore.Inventory.from_json(theirs).to_json() == theirs


def compact(text: str) -> str:
    """The same JSON without blanks; the order of everything stays."""
    return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))


def timeless(report: str) -> str:
    """Without what differs in every scan: times, and the tag that begins a message."""
    report = re.sub(r'"(at|started|finished)":"[^"]*"', r'"\1":""', report)
    report = re.sub(r'"(rtt_micros|millis)":\d+', r'"\1":0', report)
    return re.sub(r'"(request|response)":"[0-9a-f]{4}', r'"\1":"0000', report)


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
