"""From the JSON of the engine to Python's own values."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from otcore.errors import FileError

if TYPE_CHECKING:
    import os

Json = dict[str, Any]
"""An object of the engine, as its JSON says it."""

Address = Union[IPv4Address, IPv6Address]
"""Where a device is."""


def parsed(text: str) -> Json:
    """Read an object."""
    value: Json = json.loads(text)
    return value


def content(path: str | os.PathLike[str]) -> str:
    """Read a file of text; `FileError` names it."""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(f"{path} is no text in UTF-8 ({error.reason})") from None
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}") from None


def moment(text: str) -> datetime:
    """Read a time in UTC. The engine has nanoseconds, Python microseconds.

    >>> moment("2026-05-01T10:00:00.123456789Z").isoformat()
    '2026-05-01T10:00:00.123456+00:00'
    """
    whole, _, fraction = text.rstrip("Z").partition(".")
    micros = int(fraction[:6].ljust(6, "0")) if fraction else 0
    return datetime.fromisoformat(whole).replace(microsecond=micros, tzinfo=timezone.utc)


def optional_moment(text: str | None) -> datetime | None:
    """Read a time, if there is one."""
    return None if text is None else moment(text)
