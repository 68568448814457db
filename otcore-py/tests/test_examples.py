"""The examples do what they say, against the pretend plant."""

from __future__ import annotations

import csv
import http.server
import importlib.util
import json
import socketserver
import threading
import urllib.parse
from pathlib import Path
from types import ModuleType
from typing import Any

import otcore
import otcore.sim
import pytest

FOLDER = Path(__file__).parents[2] / "examples" / "python"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_scan_becomes_a_spreadsheet(calm: list[str], tmp_path: Path) -> None:
    file = tmp_path / "plant.csv"
    assert example("spreadsheet").main([*calm, "-o", str(file)]) == 0
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 3
    assert rows[0]["vendor"] == "Tarnwick Automation"
    assert example("spreadsheet").main(["10.0.4.300"]) == 2


def test_a_workbook_has_the_same_rows(found: otcore.Inventory, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    file = tmp_path / "plant.xlsx"
    example("spreadsheet").write(found, file)
    rows = list(openpyxl.load_workbook(file).active.values)
    assert len(rows) == len(found.to_dicts()) + 1
    assert "Tarnwick Automation" in rows[1]


def test_two_days_are_compared(
    plant: otcore.sim.Plant, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    daily = example("daily")
    one, two = (plant.device(name).target for name in ("compact-plc", "m340"))
    assert daily.main([one, "--folder", str(tmp_path)]) == 0
    assert "nothing to compare with" in capsys.readouterr().out
    assert daily.main([one, two, "--folder", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "2 devices, 2 identified" in told
    assert "127.20.4.12" in told.partition("\n\n")[2]
    assert len(list(tmp_path.glob("inventory-*.json"))) == 2


class Mail(socketserver.StreamRequestHandler):
    """A mail server that takes one mail."""

    taken: list[str]

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        for line in self.rfile:
            if line.upper().startswith(b"DATA"):
                self.wfile.write(b"354 go on\r\n")
                self.taken.append(b"".join(iter(self.rfile.readline, b".\r\n")).decode())
            self.wfile.write(
                b"250 fine\r\n" if not line.upper().startswith(b"QUIT") else b"221\r\n"
            )


def test_the_summary_is_mailed() -> None:
    taken: list[str] = []
    handler = type("Handler", (Mail,), {"taken": taken})
    with socketserver.TCPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        port = server.server_address[1]
        example("daily").mail(
            "3 devices\n\nnew  10.0.4.7", "shift@plant.example", f"127.0.0.1:{port}"
        )
    assert "Subject: otcore: 3 devices" in taken[0]
    assert "new  10.0.4.7" in taken[0]


class Inbox(http.server.BaseHTTPRequestHandler):
    """An inventory system that is busy the first time."""

    taken: dict[str, Any]
    busy: list[str]

    def do_PUT(self) -> None:
        path = urllib.parse.unquote(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if path not in self.busy:
            self.busy.append(path)
            self.send_response(503)
        else:
            self.taken[path] = json.loads(body)
            self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_devices_are_fed_to_another_system(plant: otcore.sim.Plant, calm: list[str]) -> None:
    taken: dict[str, Any] = {}
    handler = type("Handler", (Inbox,), {"taken": taken, "busy": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/assets"
        assert example("feed").main([*calm, "--url", url]) == 0
        server.shutdown()
    assert sorted(taken) == [f"/assets/default/127.20.4.{n}" for n in (11, 12, 13)]
    assert taken["/assets/default/127.20.4.11"]["identity"]["vendor"]["value"].startswith("Tarn")


def test_a_system_that_is_not_there_is_told(
    plant: otcore.sim.Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    target = plant.device("compact-plc").target
    assert example("feed").main([target, "--url", "http://127.0.0.1:1/"]) == 1
    assert "default/127.20.4.11 could not be sent" in capsys.readouterr().err


def test_every_cell_of_the_notebook_runs() -> None:
    notebook = json.loads((FOLDER / "plant.ipynb").read_text(encoding="utf-8"))
    shown: list[object] = []
    names: dict[str, Any] = {"display": shown.append}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert len(names["inventory"]) == 5
    assert "<table>" in names["inventory"]._repr_html_()
    assert names["plant"].harm() == []
    names.clear()
