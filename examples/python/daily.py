"""Scans, compares with the scan before, and mails what changed: daily.py TARGET... --folder DIR.

Run it once a day, with a folder of its own for each set of targets. Without --to the text is
printed; with it, it goes through a mail server. A scan that was stopped is kept, but no later one
is compared with it.
"""

from __future__ import annotations

import argparse
import smtplib
import sys
from email.message import EmailMessage
from pathlib import Path

import otcore


def main(arguments: list[str] | None = None) -> int:
    """Scan, compare, keep, tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="+", metavar="TARGET")
    parser.add_argument("--folder", type=Path, required=True, help="where inventories are kept")
    parser.add_argument("--to", help="who gets a mail")
    parser.add_argument("--server", default="localhost", help="HOST or HOST:PORT that takes mail")
    given = parser.parse_args(arguments)
    given.folder.mkdir(parents=True, exist_ok=True)
    try:
        memory = given.folder / "devices.ndjson"
        inventory = otcore.scan(given.targets, level="identify", memory=memory)
    except otcore.Interrupted as stop:
        inventory = stop.inventory
    except otcore.Error as error:
        print(error, file=sys.stderr)
        return 2
    before = latest(given.folder)
    keep(inventory, given.folder)
    text = summary(before, inventory)
    if given.to is None:
        print(text)
    else:
        mail(text, given.to, given.server)
    return 0


def latest(folder: Path) -> otcore.Inventory | None:
    """Read the inventory of the last scan that came to its end."""
    for path in sorted(folder.glob("inventory-*.json"), reverse=True):
        try:
            inventory = otcore.Inventory.from_file(path)
        except otcore.FileError as error:
            print(error, file=sys.stderr)
            continue
        if inventory.completed:
            return inventory
    return None


def keep(inventory: otcore.Inventory, folder: Path) -> None:
    """Write it under the time at which it began, whole or not at all."""
    assert inventory.started is not None  # every scan has begun
    name = f"inventory-{inventory.started:%Y%m%dT%H%M%S%fZ}.json"
    unfinished = folder / f"{name}.unfinished"
    inventory.to_json(unfinished)
    unfinished.replace(folder / name)


def summary(before: otcore.Inventory | None, now: otcore.Inventory) -> str:
    """Say in plain text what a person should know."""
    counters = now.counters
    head = f"{len(now)} devices, {counters['identified']} identified, {counters['packets']} packets"
    if not now.completed:
        head += f", stopped early: {now.stopped}"
    dark = [record for record in now.outcomes if record.outcome is otcore.Outcome.WENT_DARK]
    lines = [head, *(f"WENT DARK: {record.address}, look at it" for record in dark)]
    if before is None:
        return "\n".join([*lines, "there is nothing to compare with yet"])
    return "\n".join([*lines, "", str(before.diff(now))])


def mail(text: str, to: str, server: str) -> None:
    """Send it."""
    message = EmailMessage()
    message["Subject"] = f"otcore: {text.splitlines()[0]}"
    message["From"] = message["To"] = to
    message.set_content(text)
    host, _, port = server.partition(":")
    with smtplib.SMTP(host, int(port or 25), timeout=30) as connection:
        connection.send_message(message)


if __name__ == "__main__":
    sys.exit(main())
