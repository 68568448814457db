"""Every kind of error of the engine is a class of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import otcore
import pytest
from otcore import _native, errors


def test_there_is_a_class_for_every_kind() -> None:
    classes = {number: cls.kind for number, cls in errors.BY_NUMBER.items()}
    assert classes == dict(_native.error_kinds())


@pytest.mark.parametrize(
    ("targets", "settings", "expected", "culprit"),
    [
        ("10.0.4.300", {}, otcore.TargetError, "10.0.4.300"),
        ("@/etc/hostname", {}, otcore.TargetError, "@/etc/hostname"),
        ("8.8.8.8", {}, otcore.EmptyScopeError, "8.8.8.8"),
        ([], {}, otcore.EmptyScopeError, "no target"),
        ("10.0.0.7", {"policy": 'profil = "gentle"'}, otcore.PolicyError, "profil"),
        ("10.0.0.7", {"policy": {"profil": "gentle"}}, otcore.PolicyError, "profil"),
        ("10.0.0.7", {"level": "deep"}, otcore.PolicyError, "deep"),
        ("10.0.0.7", {"zone": "line 3"}, otcore.NamingError, "line 3"),
        ("10.0.0.7", {"source": ""}, otcore.NamingError, "source"),
        ("10.0.0.7", {"journal": Path("/")}, otcore.FileError, "journal /"),
        ("10.0.0.7", {"memory": "/"}, otcore.FileError, "memory /"),
    ],
)
def test_an_error_names_the_culprit(
    targets: otcore.Targets,
    settings: dict[str, Any],
    expected: type[otcore.Error],
    culprit: str,
) -> None:
    for call in (otcore.plan, otcore.scan):
        with pytest.raises(expected) as raised:
            call(targets, **settings)
        assert culprit in str(raised.value)
        assert isinstance(raised.value, otcore.Error)
        assert raised.value.message == str(raised.value)
        assert errors.BY_NUMBER[raised.value.number] is expected


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing, binary = tmp_path / "missing.toml", tmp_path / "binary.json"
    binary.write_bytes(b"\xff\xfe{\x00")
    reads: list[Callable[[Path], Any]] = [
        otcore.Policy.from_file,
        otcore.Inventory.from_file,
        lambda path: otcore.plan("10.0.0.7", policy=path),
        lambda path: list(otcore.journal.read(path)),
    ]
    for read in reads:
        for path in (missing, binary):
            with pytest.raises(otcore.FileError) as raised:
                read(path)
            assert str(path) in raised.value.message
    text = tmp_path / "text"
    text.write_text("name,vendor\n", encoding="utf-8")
    for read in (otcore.Inventory.from_file, reads[-1]):
        with pytest.raises(otcore.FileError, match="text"):
            read(text)
    with pytest.raises(otcore.FileError, match="does not exist"):
        otcore.Memory(tmp_path / "typo.ndjson")
    assert not (tmp_path / "typo.ndjson").exists()
    with pytest.raises(otcore.PolicyError, match="name of a file"):
        otcore.plan("10.0.0.7", policy="plant.toml")


def test_a_file_of_windows_is_read_too(tmp_path: Path) -> None:
    file = tmp_path / "plant.toml"
    file.write_text('profile = "careful"\n', encoding="utf-8-sig")
    assert otcore.Policy.from_file(file).profile == "careful"
    file.write_text("[]", encoding="utf-8-sig")
    assert len(otcore.Inventory.from_file(file)) == 0


@pytest.mark.parametrize("setting", ["journal", "capture"])
def test_a_file_that_is_something_else_stays_as_it_is(tmp_path: Path, setting: str) -> None:
    kept = tmp_path / "line-3.json"
    kept.write_text('{"assets": []}', encoding="utf-8")
    with pytest.raises(otcore.FileError, match="name another file"):
        otcore.plan("10.0.0.7", **{setting: kept})  # type: ignore[arg-type]
    assert kept.read_text(encoding="utf-8") == '{"assets": []}'


def test_what_is_no_text_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        otcore.plan("10.0.0.7", zone=7)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        otcore.plan("10.0.0.7", zones="line-3")  # type: ignore[call-arg]
