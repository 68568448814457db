"""Inventories: found, filtered, compared, converted, shown and kept."""

from __future__ import annotations

import csv
import io
import json
import pickle
import re
from datetime import datetime, timezone
from html.parser import HTMLParser
from pathlib import Path

import otcore
import pytest
from otcore import Confidence, Format, Inventory, Level, Method, Protocol, _native

HOSTILE = "<script>alert(1)</script>\u202e\x1b[2J$x$`=cmd()"


def hostile(firmware: str = "1.0") -> str:
    """An inventory of one device that means harm, and is well."""
    template = {
        "confidence": "reported",
        "evidence": {
            "at": "2026-05-01T10:00:00Z",
            "source": "otcore",
            "method": "active",
            "protocol": "modbus",
            "port": 502,
            "function": "ReadDeviceIdBasic",
        },
    }
    said = {"vendor": HOSTILE, "model": "'\"><img src=x onerror=alert(1)>", "firmware": firmware}
    identity = {field: {"value": value, **template} for field, value in said.items()}
    below = {
        "path": "default/10.0.4.7/modbus/502/1",
        "identity": identity,
        "interfaces": {},
        "services": [],
        "state": {},
        "modules": [],
        "children": [],
    }
    asset = {**below, "path": "default/10.0.4.7", "modules": [below]}
    return json.dumps([{"zone": "default", "addresses": ["10.0.4.7"], **asset}])


def test_assets_come_by_path_by_address_and_in_order(found: Inventory) -> None:
    assert [asset.path for asset in found] == list(found.paths)
    asset = found["line-3/127.20.4.11"]
    assert asset == found["127.20.4.11"] == found[asset.address]
    assert asset in found
    assert asset.address in found
    assert "line-4/127.20.4.11" not in found
    with pytest.raises(KeyError, match=r"10\.0\.0\.1"):
        found["10.0.0.1"]


def test_values_are_those_of_python(found: Inventory) -> None:
    claim = found["127.20.4.11"].identity["model"]
    assert claim.confidence is Confidence.REPORTED
    assert claim.evidence.method is Method.ACTIVE
    assert claim.evidence.protocol is Protocol.MODBUS
    assert claim.value.encode() in claim.evidence.response
    assert found.started is not None
    assert found.started.tzinfo is timezone.utc
    assert found.started <= claim.evidence.at <= datetime.now(timezone.utc)
    assert claim.also[0].evidence.rule is not None


def test_racks_and_what_lives_behind_are_nodes() -> None:
    inventory = Inventory.from_json(hostile())
    (asset,) = inventory
    (module,) = asset.modules
    assert list(asset.walk()) == [asset, module]
    assert (module.path, module.place) == ("default/10.0.4.7/modbus/502/1", "1")
    assert "flex" in inventory._repr_html_()


def test_a_filter_keeps_what_fits(found: Inventory) -> None:
    modbus = found.filter(protocol=Protocol.MODBUS)
    assert [asset.protocols for asset in modbus] == [{Protocol.MODBUS}] * 3
    assert len(found.filter(lambda asset: asset.firmware == "V3.1.4")) == 1
    assert len(found.filter(zone="line-4")) == 0
    rest = found.filter(lambda asset: asset not in modbus)
    assert (modbus | rest).paths == found.paths


def test_rows_frames_and_spreadsheets_say_the_same(found: Inventory, tmp_path: Path) -> None:
    rows = found.to_dicts()
    text = found.to_csv(tmp_path / "plant.csv")
    assert (tmp_path / "plant.csv").read_bytes() == text.encode()
    sheet = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["path"] for row in sheet] == [row["path"] for row in rows]
    assert rows[0]["vendor"] == sheet[0]["vendor"] == "Tarnwick Automation"
    assert rows[0]["location"] is None


def test_frames_have_the_rows(found: Inventory) -> None:
    pandas = pytest.importorskip("pandas")
    polars = pytest.importorskip("polars")
    rows = found.to_dicts()
    frame = found.to_polars()
    assert isinstance(frame, polars.DataFrame)
    assert frame.to_dicts() == rows
    other = found.to_pandas()
    assert isinstance(other, pandas.DataFrame)
    assert list(other.columns) == list(rows[0])
    assert list(other["path"]) == [row["path"] for row in rows]


def test_what_is_written_is_read_again_byte_for_byte(found: Inventory, tmp_path: Path) -> None:
    text = found.to_json(tmp_path / "plant.json")
    again = Inventory.from_file(tmp_path / "plant.json")
    assert again == found
    assert again.to_json() == text
    assert again.outcomes == found.outcomes
    assert again.counters == found.counters
    assert not found.diff(again)
    assert pickle.loads(pickle.dumps(found)) == found
    asset = found["127.20.4.11"]
    assert pickle.loads(pickle.dumps(asset)) == asset


def test_an_inventory_is_handed_on_in_every_form(found: Inventory, tmp_path: Path) -> None:
    assert [form.value for form in Format] == _native.formats()
    for form in Format:
        text = found.export(form, tmp_path / "out")
        assert text
        assert (tmp_path / "out").read_bytes() == text.encode()
    assert json.loads(found.export("cyclonedx"))["bomFormat"] == "CycloneDX"
    assert found.redecoded().paths == found.paths
    with pytest.raises(otcore.NamingError, match="xls"):
        found.export("xls")


def test_a_report_has_all_that_its_head_says(found: Inventory) -> None:
    report = json.loads(found.to_json())
    assert {**found.json, "assets": report["assets"], "exchanges": report["exchanges"]} == report


def test_a_diff_names_the_field_and_both_values() -> None:
    before, after = Inventory.from_json(hostile("1.0")), Inventory.from_json(hostile("2.0"))
    diff = before.diff(after)
    assert diff
    (device, module) = diff.changed
    assert module.spot.path == "default/10.0.4.7/modbus/502/1"
    (change,) = device.changes
    assert change.field == "identity.firmware"
    assert (str(change.before), str(change.after)) == ("1.0", "2.0")
    assert "1.0" in str(diff)
    assert "2.0" in str(diff)
    assert not before.diff(before)
    gone = before.diff(Inventory.from_json("[]"))
    assert not gone  # nobody asked
    assert len(gone.not_asked) == 1


def test_a_device_at_two_addresses_is_recognised(found: Inventory) -> None:
    drive = found.filter(protocol=Protocol.ENIP)
    other = Inventory.from_json(
        drive.to_json().replace("line-3/", "line-4/").replace('"zone":"line-3"', '"zone":"line-4"')
    )
    both = drive | other
    assert len(both.joined().devices) == 2
    (device,) = both.joined(across_zones=True).devices
    assert device.paths == both.paths
    (reason,) = device.reasons
    assert (reason.key, reason.vendor) == ("serial_number", "rockwell automation")
    assert both.joined().doubts == ()


class Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_hostile_names_are_inert_in_a_notebook() -> None:
    html = Inventory.from_json(hostile())._repr_html_()
    seen = Seen()
    seen.feed(html)
    assert seen.tags <= {"div", "p", "b", "br", "table", "thead", "tbody", "tr", "th", "td"}
    assert seen.attributes == {"style"}
    for harmful in ("\u202e", "\x1b", "$", "`"):
        assert harmful not in html
    assert "alert(1)" in html


def test_hostile_names_are_inert_in_a_spreadsheet_and_a_terminal() -> None:
    inventory = Inventory.from_json(hostile())
    for text in (inventory.to_csv(), str(inventory), repr(inventory["10.0.4.7"])):
        assert not re.search("[\x00-\x09\x0b\x0c\x0e-\x1f\u202e]", text)


@pytest.mark.parametrize("text", ["", "shopping list", '{"schema": "otcore-report-1"}', "[7]"])
def test_what_is_no_inventory_is_an_error_that_says_so(text: str) -> None:
    if text == "":
        assert len(Inventory.from_json(text)) == 0
        return
    with pytest.raises(otcore.FileError):
        Inventory.from_json(text)


def test_the_prompt_shows_one_line_unless_a_person_is_there(found: Inventory) -> None:
    assert repr(found) == f"<Inventory of {len(found)} devices>"
    assert "Tarnwick Automation" in str(found)
    assert repr(found["127.20.4.11"]).startswith("<Asset line-3/127.20.4.11 ")
    assert Level.STATE in list(Level)
