"""Scans a network and writes what was found to a spreadsheet: spreadsheet.py TARGET... [-o FILE].

CSV opens in every spreadsheet program. With a name that ends in .xlsx, openpyxl writes a workbook.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

import otcore


def main(arguments: list[str] | None = None) -> int:
    """Scan, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="+", metavar="TARGET")
    parser.add_argument("-o", "--output", type=Path, default=Path("plant.csv"))
    parser.add_argument("--policy", type=Path)
    given = parser.parse_args(arguments)
    try:
        inventory = otcore.scan(given.targets, policy=given.policy)
    except otcore.Interrupted as stop:
        inventory = stop.inventory  # what was found by then is better than nothing
    except otcore.Error as error:
        print(error, file=sys.stderr)
        return 2
    write(inventory, given.output)
    print(f"{len(inventory)} devices in {given.output}")
    return 0 if inventory.completed else 1


def write(inventory: otcore.Inventory, output: Path) -> None:
    """Write a row for each device, module and child."""
    if output.suffix != ".xlsx":
        inventory.to_csv(output)
        return
    workbook = importlib.import_module("openpyxl").Workbook(write_only=True)
    sheet = workbook.create_sheet("devices")
    rows = inventory.to_dicts()
    columns = [name for name in (rows[0] if rows else ()) if any(row[name] for row in rows)]
    sheet.append(columns)
    for row in rows:
        sheet.append([inert(row[name]) for name in columns])
    workbook.save(output)


def inert(value: str | None) -> str | None:
    """Text that no spreadsheet takes for a formula, whatever a device calls itself."""
    return f"'{value}" if value and value.startswith(("=", "+", "-", "@")) else value


if __name__ == "__main__":
    sys.exit(main())
