"""Scans, compares with the scan before, and mails what changed: daily.py TARGET... --folder DIR.

Run it once a day. Without --to the text is printed; with it, it goes through a mail server.
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
    """Read the inventory that was kept last."""
    kept = sorted(folder.glob("inventory-*.json"))
    return otcore.Inventory.from_file(kept[-1]) if kept else None


def keep(inventory: otcore.Inventory, folder: Path) -> None:
    """Write it under the time at which it began."""
    assert inventory.started is not None  # every scan has begun
    inventory.to_json(folder / f"inventory-{inventory.started:%Y%m%dT%H%M%S%fZ}.json")


def summary(before: otcore.Inventory | None, now: otcore.Inventory) -> str:
    """Say in plain text what a person should know."""
    counters = now.counters
    head = f"{len(now)} devices, {counters['identified']} identified, {counters['packets']} packets"
    dark = [record for record in now.outcomes if record.outcome is otcore.Outcome.WENT_DARK]
    lines = [head, *(f"WENT DARK: {record.address}, look at it" for record in dark)]
    if before is None:
        return "\n".join([*lines, "first scan: there is nothing to compare with"])
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
