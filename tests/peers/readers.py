#!/usr/bin/env python3
"""Read what otcore exports with readers that are not ours, and tell what they see.

    readers.py cyclonedx FILE...    # validated against the official JSON Schema of CycloneDX 1.6
    readers.py csv FILE...          # read by the csv module
    readers.py spreadsheet FILE...  # opened by Gnumeric: what it would calculate
    readers.py html FILE...         # read by html.parser

Prints one JSON object a file. Ends with status 1 and the complaint if a file is not valid.
"""

import csv
import gzip
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any


def cyclonedx(path: Path) -> dict[str, Any]:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = path.read_text(encoding="utf-8")
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if error is not None:
        raise SystemExit(f"{path}: {error}")
    bill = json.loads(text)
    return {"types": sorted(types(bill["components"])), "components": bill["components"]}


def types(components: list[dict[str, Any]]) -> list[str]:
    found = []
    for component in components:
        found.append(component["type"])
        found.extend(types(component.get("components", [])))
    return found


def sheet(path: Path) -> dict[str, Any]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, strict=True))
    return {"rows": rows}


def spreadsheet(path: Path) -> dict[str, Any]:
    """The cells that a spreadsheet program would calculate, and those that it takes for text."""
    made = path.with_suffix(".gnumeric")
    command = ["ssconvert", str(path), str(made)]
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    try:
        tree = ElementTree.fromstring(gzip.decompress(made.read_bytes()))
    finally:
        made.unlink()
    cells = list(tree.iter("{http://www.gnumeric.org/v10.dtd}Cell"))
    # A value has a type; a formula has none.
    formulas = [cell.text or "" for cell in cells if cell.get("ValueType") is None]
    texts = [cell.text or "" for cell in cells if cell.get("ValueType") == "60"]
    return {"formulas": formulas, "texts": texts}


class Page(HTMLParser):
    """Every element and attribute of a page, and all of its text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        leads = {"href", "src", "action", "data", "xlink:href"}
        self.links.update(str(value)[:1] for name, value in attrs if name in leads)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def page(path: Path) -> dict[str, Any]:
    reader = Page()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    return {
        "tags": sorted(reader.tags),
        "attributes": sorted(reader.attributes),
        "links": sorted(reader.links),
        "text": " ".join(reader.text),
    }


READERS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "cyclonedx": cyclonedx,
    "csv": sheet,
    "spreadsheet": spreadsheet,
    "html": page,
}


def main() -> None:
    _, kind, *paths = sys.argv
    for path in paths:
        print(json.dumps(READERS[kind](Path(path))))


if __name__ == "__main__":
    main()
