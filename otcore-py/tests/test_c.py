"""The C library gives the same documents as the package, byte for byte."""

from __future__ import annotations

import ctypes
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import otcore
import otcore.sim
import pytest
from otcore import Format, Inventory, _native
from test_program import LINK, POLICY, blank, timeless

BUILT = Path(__file__).parents[2] / "target" / "debug"
NAMES = {"darwin": "libotcore_ffi.dylib", "win32": "otcore_ffi.dll"}
LIBRARY = BUILT / NAMES.get(sys.platform, "libotcore_ffi.so")
FOREVER = ctypes.c_uint32(0xFFFFFFFF)

Call = Callable[..., Any]


class Library:
    """The few things that the tests ask of it."""

    def __init__(self) -> None:
        self.c = ctypes.CDLL(str(LIBRARY))
        for name in ("otcore_last_error", "otcore_text_str"):
            getattr(self.c, name).restype = ctypes.c_char_p

    def made(self, function: Call, *arguments: Any) -> ctypes.c_void_p:  # noqa: ANN401
        handle = ctypes.c_void_p()
        status = function(*arguments, ctypes.byref(handle))
        assert status == 0, self.c.otcore_last_error()
        return handle

    def text(self, function: Call, *arguments: Any) -> str:  # noqa: ANN401
        text = self.made(function, *arguments)
        told: bytes = self.c.otcore_text_str(text)
        assert self.c.otcore_text_free(text) == 0
        return told.decode()

    def scanner(self, settings: dict[str, Any]) -> ctypes.c_void_p:
        handle = self.made(self.c.otcore_settings_new, json.dumps(settings).encode())
        return self.made(self.c.otcore_scanner_new, handle)

    def scan(self, scanner: ctypes.c_void_p, targets: list[str]) -> str:
        scan = self.made(self.c.otcore_scan_start, scanner, " ".join(targets).encode())
        report = self.text(self.c.otcore_scan_finish, scan, FOREVER)
        assert self.c.otcore_scan_free(scan) == 0
        return report


@pytest.fixture(scope="module")
def library() -> Library:
    if not LIBRARY.exists():
        pytest.skip("the C library is not built: cargo build -p otcore-ffi")
    return Library()


def test_a_scan_says_the_same_in_every_protocol(library: Library) -> None:
    scanner = library.scanner({"policy": POLICY, "zone": "line-3"})
    with otcore.sim.all_protocols() as plant:
        targets = [target + LINK * target.startswith("dnp3") for target in plant.targets]
        of_c = library.scan(scanner, targets)
        of_python = otcore.scan(targets, policy=POLICY, zone="line-3").to_json()
        assert plant.harm() == []
    found = Inventory.from_json(of_c)
    assert [asset.protocols for asset in found] == [{protocol} for protocol in otcore.Protocol]
    assert timeless(of_c) == timeless(of_python)
    assert found.to_json() == of_c


def test_what_is_planned_and_permitted_is_the_same(library: Library) -> None:
    scanner, c = library.scanner({"policy": POLICY}), library.c
    assert library.text(c.otcore_manifest_json) == otcore.manifest().to_json()
    plan = library.text(c.otcore_plan_json, scanner, b"10.20.4.0/28")
    assert plan == otcore.plan("10.20.4.0/28", policy=POLICY).to_json()
    policy = otcore.Policy.from_dict(POLICY)
    assert library.text(c.otcore_policy_json, scanner) == policy.to_json()
    asked = (scanner, b"10.20.4.7", b"s7", ctypes.c_uint16(0))
    of_c = library.text(c.otcore_explain_json, *asked)
    of_python, _ = _native.Policy.read(policy.to_json()).explain("default", "10.20.4.7", "s7", None)
    assert blank(json.loads(of_c)) == blank(json.loads(of_python))


def test_every_form_of_a_report_is_the_same(library: Library, found: Inventory) -> None:
    c, report = library.c, found.to_json().encode()
    for form in Format:
        assert library.text(c.otcore_export, report, str(form).encode()) == found.export(form)
    decoded = library.text(c.otcore_redecode_json, report)
    assert decoded == found.redecoded().to_json()
