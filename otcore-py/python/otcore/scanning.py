"""Planning and scanning."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Union

from otcore import _native
from otcore.errors import Interrupted

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self, Unpack

Json = dict[str, Any]
"""An object of the engine: a plan, an event, a report."""

Target = Union[str, IPv4Address, IPv6Address, IPv4Network, IPv6Network]
"""An address, network, range, name or endpoint; a text may hold several of them."""

Targets = Union[Target, Iterable[Target]]
"""Everything that is to be scanned."""

Policy = Union[str, Path, Mapping[str, Any]]
"""What may be done: TOML or JSON as text, the file it is in, or the same as a mapping."""

File = Union[str, "os.PathLike[str]"]
"""Where a file is."""


class Settings(TypedDict, total=False):
    """What `Scanner` takes."""

    policy: Policy | None
    level: str | None
    zone: str | None
    source: str | None
    journal: File | None
    memory: File | None


def manifest() -> Json:
    """Everything this build can send.

    >>> [entry["protocol"] for entry in manifest()["protocols"]][:1]
    ['modbus']
    """
    return _object(_native.manifest())


def plan(targets: Targets, **settings: Unpack[Settings]) -> Json:
    """What `scan` would send to whom, with upper bounds. Nothing is sent.

    >>> plan("10.20.4.0/24", level="detect")["devices"]
    256
    """
    return Scanner(**settings).plan(targets)


def scan(targets: Targets, **settings: Unpack[Settings]) -> Json:
    """Find out what is there and return the report, as `Scanner.scan` with these settings."""
    return Scanner(**settings).scan(targets)


class Scanner:
    """Plans and starts scans under one policy."""

    def __init__(
        self,
        *,
        policy: Policy | None = None,
        level: str | None = None,
        zone: str | None = None,
        source: str | None = None,
        journal: File | None = None,
        memory: File | None = None,
    ) -> None:
        """Check everything and make the scanner.

        - `policy`: what may be done, the gentle policy if not given
        - `level`: how deep every protocol is asked, unless a rule of the policy says otherwise:
          `detect`, `identify`, `structure` or `state`
        - `zone`: the network the addresses live in
        - `source`: who looks
        - `journal`: the file that everything sent and received is appended to
        - `memory`: the file that remembers devices between runs, such as those in quarantine
        """
        files = (_path(journal), _path(memory))
        self._native = _native.Scanner(_policy(policy), level, zone, source, *files)

    def plan(self, targets: Targets) -> Json:
        """What would be sent to whom, with upper bounds. Nothing is sent."""
        return _object(self._native.plan(_text(targets)))

    def start(self, targets: Targets) -> Scan:
        """Plan, and carry the plan out in a thread of its own."""
        return Scan(self._native.start(_text(targets)))

    def scan(self, targets: Targets) -> Json:
        """Find out what is there and return the report.

        Ctrl-C stops the scan within 100 ms and raises `Interrupted`, which has the report of what
        was found by then.
        """
        with self.start(targets) as running:
            try:
                return running.finish()
            except KeyboardInterrupt as stop:
                raise Interrupted(running.abort()) from stop


class Scan:
    """A running scan: iterate over its events, then `finish` it.

    It is made by `Scanner.start`. Leaving a `with` block aborts it.
    """

    def __init__(self, native: _native.Scan) -> None:
        self._native = native

    def __iter__(self) -> Iterator[Json]:
        """Every event until the end."""
        return self

    def __next__(self) -> Json:
        """Wait for the next event. Ctrl-C aborts the scan; `finish` still has the report."""
        event = self._native.next()
        if event is None:
            raise StopIteration
        return _object(event)

    def __enter__(self) -> Self:
        """Nothing happens."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Abort, if it still runs."""
        self._native.abort()

    def abort(self) -> Json:
        """Stop, and return the report of what was found by now.

        No connection is opened and no question sent from then on.
        """
        self._native.abort()
        return self.finish()

    def finish(self) -> Json:
        """Wait for the end and return the report. Events that nobody read are dropped."""
        return _object(self._native.finish())


def _object(text: str) -> Json:
    value: Json = json.loads(text)
    return value


def _text(targets: Targets) -> str:
    one = (str, IPv4Address, IPv6Address, IPv4Network, IPv6Network)
    return str(targets) if isinstance(targets, one) else " ".join(map(str, targets))


def _policy(policy: Policy | None) -> str | None:
    if isinstance(policy, Path):
        return policy.read_text(encoding="utf-8")
    return json.dumps(dict(policy)) if isinstance(policy, Mapping) else policy


def _path(file: File | None) -> str | None:
    return None if file is None else os.fspath(file)
