"""Inventories in a notebook: a table, and racks. Whatever a device says is shown as text."""

from __future__ import annotations

from html import escape
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otcore.inventory import Inventory
    from otcore.model import Asset, Node

LARGEST = 200
"""So many devices are shown; a notebook with more gets slow."""

COLUMNS = ("path", "vendor", "model", "order_number", "serial_number", "firmware", "operating_mode")

_CELL = 'style="text-align:left;padding:2px 8px;white-space:pre-wrap"'
_SLOT = (
    'style="border:1px solid;border-radius:3px;padding:4px 6px;min-width:7em;max-width:14em;'
    'font-size:smaller;overflow-wrap:anywhere"'
)
_RACK = 'style="display:flex;flex-wrap:wrap;gap:4px;margin:4px 0 12px"'


def page(inventory: Inventory) -> str:
    """Show an inventory as HTML without scripts, links or images."""
    shown = list(islice(inventory, LARGEST))
    more = len(inventory) - len(shown)
    note = f"<p>and {more} more devices</p>" if more else ""
    racks = "".join(rack(asset) for asset in shown if asset.modules)
    return f"<div><p>{len(inventory)} devices</p>{table(shown)}{note}{racks}</div>"


def table(assets: Iterable[Asset]) -> str:
    """Show a row for each device and everything below it."""
    head = "".join(f"<th {_CELL}>{_text(name.replace('_', ' '))}</th>" for name in COLUMNS)
    rows = "".join(map(_row, (node for asset in assets for node in asset.walk())))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def rack(asset: Asset) -> str:
    """Show the modules of a device side by side, as they are plugged in."""
    slots = "".join(map(_slot, sorted(asset.modules, key=_order)))
    title = f"<b>{_text(asset.path)}</b> {_text(asset.headline)}"
    return f"<div>{title}</div><div {_RACK}>{slots}</div>"


def _row(node: Node) -> str:
    values = (getattr(node, name) for name in COLUMNS)
    return "<tr>" + "".join(f"<td {_CELL}>{_text(value)}</td>" for value in values) + "</tr>"


def _slot(node: Node) -> str:
    lines = (node.headline, node.order_number, node.firmware)
    text = "<br>".join(_text(line) for line in lines if line)
    return f"<div {_SLOT}><b>{_text(node.place)}</b><br>{text}</div>"


def _order(node: Node) -> list[tuple[int, str]]:
    parts = node.place.replace(".", " ").replace("-", " ").split()
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts]


def _text(value: str | None) -> str:
    """Plain text: markup is escaped, and what could turn a line around is made visible."""
    seen = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in value or "")
    # Dollar signs and backticks mean something to notebooks that render formulas.
    return escape(seen).replace("$", "&#36;").replace("`", "&#96;")
