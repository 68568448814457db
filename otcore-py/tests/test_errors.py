"""Every kind of error of the engine is a class of its own."""

from __future__ import annotations

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


def test_what_is_no_text_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        otcore.plan("10.0.0.7", zone=7)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        otcore.plan("10.0.0.7", zones="line-3")  # type: ignore[call-arg]
