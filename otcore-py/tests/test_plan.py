"""Plans, policies and the manifest are those of the engine, in Python's own values."""

from __future__ import annotations

import json
import pickle
from datetime import datetime, time, timedelta, timezone
from ipaddress import ip_address, ip_network
from pathlib import Path

import otcore
import pytest
from otcore import Level, Policy, Protocol, _native


def test_the_manifest_has_the_structure_of_the_engine() -> None:
    manifest = otcore.manifest()
    modbus = manifest.protocols[Protocol.MODBUS]
    basic = modbus.functions[0]
    assert (modbus.port, basic.name, basic.selector) == (502, "ReadDeviceIdBasic", "2B.0E.01")
    assert basic.level is Level.DETECT
    assert basic.why_safe
    assert json.loads(manifest.to_json()) == manifest.json
    assert "ReadDeviceIdBasic" in str(manifest)


def test_every_protocol_of_the_engine_has_its_name() -> None:
    assert [protocol.value for protocol in Protocol] == _native.protocols()


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
def test_targets_are_given_in_many_ways(targets: otcore.Targets) -> None:
    assert otcore.plan(targets).devices == 4


@pytest.mark.parametrize("policy", ['profile = "careful"', '{"profile": "careful"}'])
def test_a_policy_is_text_a_file_or_a_mapping(policy: str, tmp_path: Path) -> None:
    file = tmp_path / "policy"
    file.write_text(policy, encoding="utf-8")
    mapping = {"profile": "careful"}
    for given in (policy, file, mapping, Policy.careful(), Policy.from_file(file)):
        assert otcore.plan("10.0.0.7", policy=given).profile is otcore.Profile.CAREFUL


def test_settings_are_seen_in_the_plan() -> None:
    plan = otcore.plan("10.0.0.7", level=Level.STRUCTURE, zone="line-3", source="hub-7")
    assert (plan.zone, plan.source) == ("line-3", "hub-7")
    conversations = [c for stop in plan.stops for c in stop.conversations]
    assert {c.level for c in conversations} == {Level.STRUCTURE}
    assert plan.at_most > timedelta(seconds=1)
    assert "1 device" in str(plan)
    only = otcore.plan("10.0.0.7", protocols=[Protocol.S7])
    assert [c.protocol for c in only.stops[0].conversations] == [Protocol.S7]


def test_bounds_of_a_huge_plan_are_whole_numbers() -> None:
    plan = otcore.plan("fd00::/40")
    assert plan.devices == 2**64 - 1  # larger integers are none to most readers of JSON
    assert json.loads(plan.to_json()) == plan.json
    assert plan.at_most > timedelta(days=10000)


def test_levels_are_in_order() -> None:
    assert sorted(Level) == list(Level)
    assert Level.DETECT < "identify" <= Level.IDENTIFY < Level.STATE
    assert max(Level) is Level.STATE


def test_a_name_of_a_later_version_can_be_read() -> None:
    later = otcore.Outcome("transcended")
    assert later == "transcended"
    assert later is otcore.Outcome("transcended")
    assert later not in list(otcore.Outcome)


def test_a_policy_is_put_together_step_by_step() -> None:
    policy = (
        Policy.gentle()
        .only("192.168.7.0/24")
        .exclude(ip_network("192.168.7.128/25"))
        .never_port(9999)
        .limits(device_packets_per_s=5)
        .level("structure")
        .protocol(Protocol.MODBUS, level=Level.DETECT, ports=[502, 1503], units=[1, 2])
        .protocol("s7", enabled=False)
        .rule("pumps", when={"network": ip_network("192.168.7.16/28")}, then={"skip": True})
        .window(time(22), time(5), "Europe/Berlin", days=["fri", "sat"])
    )
    said = policy.to_dict()
    assert said["monitor"] == ["192.168.7.0/24"]
    assert said["limits"]["device_packets_per_s"] == 5
    assert said["protocols"]["enip"]["level"] == "structure"
    assert said["protocols"]["modbus"]["ports"] == [502, 1503]
    assert not said["protocols"]["s7"]["enabled"]
    assert said["window"][0]["days"] == ["fri", "sat"]
    assert not policy.explain("192.168.7.20", "modbus").permitted
    told = policy.explain("192.168.7.7", Protocol.MODBUS, port=1503)
    assert told.permitted
    assert told.level is Level.DETECT
    assert "192.168.7.7:1503" in str(told)
    assert Policy(policy.to_toml()) == policy == pickle.loads(pickle.dumps(policy))
    assert otcore.Scanner(policy=policy).policy == policy


def test_a_mistake_in_a_policy_names_its_key() -> None:
    with pytest.raises(otcore.PolicyError, match="device_packets_per_sec"):
        Policy.gentle().limits(device_packets_per_sec=5)
    with pytest.raises(otcore.PolicyError, match="device_packets_per_s"):
        Policy.gentle().limits(device_packets_per_s=10**6)


def test_an_explanation_says_whether_anything_is_sent_now() -> None:
    always = otcore.Policy.gentle().explain("10.20.4.7", "modbus")
    assert (always.permitted, always.open_now, always.changes) == (True, True, None)
    now = datetime.now(timezone.utc)
    begins, ends = (now + timedelta(hours=hours) for hours in (2, 3))
    later = otcore.Policy.gentle().window(begins.time(), ends.time()).explain("10.20.4.7", "modbus")
    assert (later.permitted, later.open_now) == (True, False)
    assert later.changes is not None
    assert abs(later.changes - begins) < timedelta(minutes=1)
    assert "but not now" in later.text
