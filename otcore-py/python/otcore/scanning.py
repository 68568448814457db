"""Planning and scanning."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Union

from otcore import _native, progress
from otcore import policies as _policies
from otcore.asynchronous import Stream
from otcore.enums import Level, Protocol
from otcore.errors import Interrupted
from otcore.events import Event, told
from otcore.inventory import Inventory
from otcore.packs import Packs, native_packs
from otcore.plans import Plan
from otcore.values import content

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self, Unpack

Target = Union[str, IPv4Address, IPv6Address, IPv4Network, IPv6Network]
"""An address, network, range, name or endpoint; a text may hold several of them."""

Targets = Union[Target, Iterable[Target]]
"""Everything that is to be scanned."""

PolicyLike = Union[_policies.Policy, str, Path, Mapping[str, Any]]
"""A policy: made, as TOML or JSON text, the file it is in, or the same as a mapping."""

File = Union[str, "os.PathLike[str]"]
"""Where a file is."""


class Settings(TypedDict, total=False):
    """What `Scanner` takes."""

    policy: PolicyLike | None
    level: Level | str | None
    protocols: Iterable[Protocol | str]
    zone: str | None
    source: str | None
    journal: File | None
    capture: File | None
    memory: File | None
    packs: Packs | None


def plan(targets: Targets, **settings: Unpack[Settings]) -> Plan:
    """What `scan` would send to whom, with upper bounds. Nothing is sent.

    >>> plan("10.20.4.0/24", level="detect").devices
    256
    """
    return Scanner(**settings).plan(targets)


def scan(
    targets: Targets | Plan, *, progress: bool | None = None, **settings: Unpack[Settings]
) -> Inventory:
    """Find out what is there, as `Scanner.scan` with these settings.

    A plan is carried out as it was made: of these settings the policy can only narrow it, and level
    and protocols no longer count.
    """
    return Scanner(**settings).scan(targets, progress=progress)


async def scan_async(targets: Targets | Plan, **settings: Unpack[Settings]) -> Inventory:
    """Find out what is there, as `Scanner.scan_async` with these settings."""
    return await Scanner(**settings).scan_async(targets)


class Scanner:
    """Plans and starts scans under one policy."""

    def __init__(
        self,
        *,
        policy: PolicyLike | None = None,
        level: Level | str | None = None,
        protocols: Iterable[Protocol | str] = (),
        zone: str | None = None,
        source: str | None = None,
        journal: File | None = None,
        capture: File | None = None,
        memory: File | None = None,
        packs: Packs | None = None,
    ) -> None:
        """Check everything and make the scanner.

        - `policy`: what may be done, the gentle policy if not given
        - `level`: how deep every protocol is asked, unless a rule of the policy says otherwise
        - `protocols`: those that are used, all that the policy enables if none is given
        - `zone`: the network the addresses live in
        - `source`: who looks
        - `journal`: the file that everything sent and received is appended to, as JSON lines
        - `capture`: the file that the same is appended to, as a capture (pcapng)
        - `memory`: the file that remembers devices between runs, such as those in quarantine
        - `packs`: what devices are called; what is compiled in, if not given
        """
        self._native = _native.Scanner(
            _policy(policy),
            None if level is None else str(Level(level)),
            [str(protocol) for protocol in protocols],
            zone,
            source,
            _path(journal),
            _path(capture),
            _path(memory),
            native_packs(packs),
        )

    @property
    def policy(self) -> _policies.Policy:
        """What may be done."""
        return _policies.Policy(self._native.policy())

    def plan(self, targets: Targets) -> Plan:
        """What would be sent to whom, with upper bounds. Nothing is sent."""
        return Plan(self._native.plan(_text(targets)))

    def start(self, targets: Targets | Plan) -> Scan:
        """Plan, and carry the plan out in a thread of its own."""
        plan = targets if isinstance(targets, Plan) else self.plan(targets)
        return Scan(self._native.start(plan._native), plan)

    def scan(self, targets: Targets | Plan, *, progress: bool | None = None) -> Inventory:
        """Find out what is there.

        `progress` shows how far it is, with rich or tqdm; `None` does so where a person looks.
        Ctrl-C stops the scan within 100 ms and raises `Interrupted`, which has the inventory of
        what was found by then.
        """
        with self.start(targets) as running:
            try:
                return running.watch(progress)
            except KeyboardInterrupt as stop:
                raise Interrupted(running.abort()) from stop

    def stream(self, targets: Targets | Plan) -> Stream:
        """Scan for `async for`; see `Stream`."""
        return Stream(lambda: self.start(targets))

    async def scan_async(self, targets: Targets | Plan) -> Inventory:
        """Find out what is there. Cancelling it stops the scan."""
        async with self.stream(targets) as stream:
            return await stream.finish()

    def __repr__(self) -> str:
        """What it works under."""
        return f"<Scanner {self.policy.profile}>"


class Scan:
    """A running scan: iterate over its events, then `finish` it.

    It is made by `Scanner.start`. Leaving a `with` block aborts it, and so does forgetting it.
    """

    def __init__(self, native: _native.Scan, plan: Plan) -> None:
        self._native = native
        self.plan = plan
        """What is carried out."""

    def __iter__(self) -> Iterator[Event]:
        """Every event until the end."""
        return self

    def __next__(self) -> Event:
        """Wait for the next event. Ctrl-C aborts the scan; `finish` still has what was found."""
        happened = self._native.next()
        if happened is None:
            raise StopIteration
        return told(happened)

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

    def watch(self, wanted: bool | None = None) -> Inventory:
        """Wait for the end and show how far it is, as in `Scanner.scan`."""
        with progress.shown(self.plan, wanted) as show:
            if show is not None:
                for happened in self:
                    show(happened)
            return self.finish()

    def pause(self) -> None:
        """Start no new conversation; those under way finish."""
        self._native.pause()

    def resume(self) -> None:
        """Go on."""
        self._native.resume()

    @property
    def is_paused(self) -> bool:
        """Whether it is paused."""
        return self._native.is_paused()

    def abort(self) -> Inventory:
        """Stop, and return what was found by now.

        No connection is opened and no question sent from then on.
        """
        self._native.abort()
        return self.finish()

    def finish(self) -> Inventory:
        """Wait for the end and return what was found. Events that nobody read are dropped."""
        return Inventory(self._native.finish())


def _text(targets: Targets) -> str:
    one = (str, IPv4Address, IPv6Address, IPv4Network, IPv6Network)
    return str(targets) if isinstance(targets, one) else " ".join(map(str, targets))


def _policy(policy: PolicyLike | None) -> str | None:
    if isinstance(policy, _policies.Policy):
        return policy.to_json()
    if isinstance(policy, Path):
        return content(policy)
    return json.dumps(dict(policy)) if isinstance(policy, Mapping) else policy


def _path(file: File | None) -> str | None:
    return None if file is None else os.fspath(file)
