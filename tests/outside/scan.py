"""How the cases start the programs under test."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from netns import Field, lines
from world import World


def policy(field: Field, content: dict[str, Any]) -> Path:
    """A policy file for otscan."""
    path = field.folder / "policy.json"
    path.write_text(json.dumps(content))
    return path


def otscan(
    world: World,
    field: Field,
    targets: Sequence[str],
    under: Path,
    journal: Path | None = None,
    memory: Path | None = None,
) -> list[str]:
    """The command line of a scan whose report is printed as JSON."""
    kept = memory or field.folder / "devices.ndjson"
    command = [str(world.program("otscan")), "scan", "--format", "json", "--no-progress",
               "--policy", str(under), "--memory", str(kept)]  # fmt: skip
    if journal:
        command += ["--journal", str(journal)]
    return [*command, *targets]


def drive(
    world: World, field: Field, orders: Sequence[dict[str, Any]], timeout: float
) -> dict[str, dict[str, Any]]:
    """Many scans in one process; what became of each, by its id."""
    driving = field.beside_scanner(
        [str(world.program("otcore-drive"))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=world.environment,
    )  # fmt: skip
    given = "".join(json.dumps(order) + "\n" for order in orders)
    answers, told = driving.communicate(given, timeout=timeout)
    if driving.returncode != 0:
        raise RuntimeError(f"otcore-drive ended with {driving.returncode}: {told[-2000:]}")
    return {answer["id"]: answer for answer in lines(answers)}
