"""Journals: everything that was sent and received, as it happened.

>>> import otcore, otcore.sim, pathlib, tempfile
>>> with otcore.sim.plant() as plant, tempfile.TemporaryDirectory() as folder:
...     file = pathlib.Path(folder, "journal.ndjson")
...     _ = otcore.scan(plant.device("compact-plc").target, journal=file)
...     sent = [entry for entry in otcore.journal.read(file) if entry.event == "sent"]
>>> sent[0].function, sent[0].data[-5:].hex(".")
('ReadDeviceIdBasic', 'ff.2b.0e.01.00')
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from otcore.enums import Protocol
from otcore.errors import FileError
from otcore.values import Address, Json, moment, parsed

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from datetime import datetime


@dataclass(frozen=True)
class Entry:
    """One thing that happened."""

    at: datetime
    """When, in UTC."""
    zone: str
    address: Address
    port: int
    protocol: Protocol
    connection: int
    """Which connection of the scan, counted from 1."""
    event: str
    """`connecting`, `connected`, `sent`, `received`, `closed` and the like."""
    function: str | None
    """Which question, by its name in the manifest."""
    data: bytes
    """What was sent or received."""
    json: Json
    """All of it, as in the file."""

    @classmethod
    def of(cls, data: Json) -> Entry:
        """Read it from JSON."""
        address, _, port = data["device"].rpartition(":")
        return cls(
            at=moment(data["at"]),
            zone=data["zone"],
            address=ip_address(address.strip("[]")),
            port=int(port),
            protocol=Protocol(data["protocol"]),
            connection=data["connection"],
            event=data["event"],
            function=data.get("function"),
            data=bytes.fromhex(data.get("bytes", "")),
            json=data,
        )


def read(path: str | os.PathLike[str]) -> Iterator[Entry]:
    """Read a journal entry by entry; `FileError` names the file, and the line that is none."""
    try:
        with Path(path).open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    entry = Entry.of(parsed(line))
                except (ValueError, KeyError, TypeError, AttributeError):
                    raise FileError(f"{path}: line {number} is no entry of a journal") from None
                yield entry
    except FileError:
        raise
    except UnicodeDecodeError:
        raise FileError(f"{path} is no journal") from None
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}") from None
