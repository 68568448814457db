"""Scans, and feeds each device to an inventory system as it is found: feed.py TARGET... --url URL.

Every device is one PUT of its JSON to URL/PATH, so that sending it twice does no harm. The scan
goes on while the system is slow, and stops when the worker is stopped.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import urllib.parse
import urllib.request

import otcore

TRIES = 3
PATIENCE = 10.0
"""Seconds that the system may take for an answer."""


def main(arguments: list[str] | None = None) -> int:
    """Scan and feed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="+", metavar="TARGET")
    parser.add_argument("--url", required=True)
    parser.add_argument("--zone", default="default")
    given = parser.parse_args(arguments)
    try:
        failed = asyncio.run(feed(given.targets, given.url, given.zone))
    except otcore.Error as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 3
    for path in failed:
        print(f"{path} could not be sent", file=sys.stderr)
    return 1 if failed else 0


async def feed(targets: list[str], url: str, zone: str) -> list[str]:
    """Send what is found; returns the paths of what could not be sent."""
    waiting: list[tuple[str, asyncio.Task[bool]]] = []
    async with otcore.Scanner(zone=zone, source="feed").stream(targets) as stream:
        async for event in stream:
            if isinstance(event, otcore.AssetFound):
                asset = event.asset
                sending = asyncio.create_task(asyncio.to_thread(send, url, asset))
                waiting.append((asset.path, sending))
    return [path for path, sending in waiting if not await sending]


def send(url: str, asset: otcore.Asset) -> bool:
    """Send one device; whether the system took it."""
    place = f"{url.rstrip('/')}/{urllib.parse.quote(asset.path)}"
    body = json.dumps(asset.json).encode()
    headers = {"Content-Type": "application/json"}
    for _ in range(TRIES):
        request = urllib.request.Request(place, data=body, headers=headers, method="PUT")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE):
                return True
        except OSError:
            continue
    return False


if __name__ == "__main__":
    sys.exit(main())
