"""Plans and the manifest are those of the engine."""

from __future__ import annotations

import json
from ipaddress import ip_address, ip_network
from pathlib import Path

import otcore
import pytest


def test_the_manifest_has_the_structure_of_the_engine() -> None:
    (modbus,) = (entry for entry in otcore.manifest()["protocols"] if entry["protocol"] == "modbus")
    assert modbus["port"] == 502
    basic = modbus["functions"][0]
    assert (basic["name"], basic["selector"]) == ("ReadDeviceIdBasic", "2B.0E.01")
    assert {"level", "max_request", "max_count", "consent", "why_safe", "source"} <= basic.keys()


@pytest.mark.parametrize(
    "targets",
    [
        "10.0.4.0/30",
        "10.0.4.0-1, 10.0.4.2 10.0.4.3",
        ["10.0.4.0-2", "10.0.4.3"],
        ip_network("10.0.4.0/30"),
        (ip_address("10.0.4.0") + n for n in range(4)),
    ],
)
def test_targets_are_given_in_many_ways(targets: otcore.scanning.Targets) -> None:
    assert otcore.plan(targets)["devices"] == 4


@pytest.mark.parametrize("policy", ['profile = "careful"', '{"profile": "careful"}'])
def test_a_policy_is_text_a_file_or_a_mapping(policy: str, tmp_path: Path) -> None:
    file = tmp_path / "policy"
    file.write_text(policy, encoding="utf-8")
    for given in (policy, file, {"profile": "careful"}):
        assert otcore.plan("10.0.0.7", policy=given)["profile"] == "careful"


def test_settings_are_seen_in_the_plan() -> None:
    plan = otcore.plan("10.0.0.7", level="structure", zone="line-3", source="hub-7")
    assert (plan["zone"], plan["source"]) == ("line-3", "hub-7")
    assert {c["level"] for stop in plan["stops"] for c in stop["conversations"]} == {"structure"}


def test_bounds_of_a_huge_plan_are_whole_numbers() -> None:
    plan = otcore.plan("fd00::/40")
    assert plan["devices"] == 2**64 - 1  # larger integers are none to most readers of JSON
    assert json.loads(json.dumps(plan)) == plan
