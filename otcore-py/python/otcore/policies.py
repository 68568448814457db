"""What may be done: which networks, how much, which protocols, how deep, and when.

>>> import otcore
>>> policy = otcore.Policy.gentle().exclude("10.20.9.0/24").protocol("s7", enabled=False)
>>> policy.explain("10.20.9.7", "modbus").permitted
False
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, Any, Union

from otcore import _native
from otcore.enums import Level, Profile, Protocol
from otcore.values import Address, Json, content, optional_moment, parsed

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping
    from datetime import datetime, time

Network = Union[str, IPv4Network, IPv6Network]
"""A network such as 10.20.0.0/16."""


class Policy:
    """What may be done. It never changes: each method gives another one, checked.

    A mistake is a `PolicyError` that names the key.
    """

    def __init__(self, text: str = "") -> None:
        """Read a policy from TOML, or from JSON if it begins with `{`; gentle if empty."""
        self._native = _native.Policy.read(text)

    @classmethod
    def gentle(cls) -> Policy:
        """The default: slow enough for plants that run."""
        return cls()

    @classmethod
    def careful(cls) -> Policy:
        """About half as intrusive as gentle, and about twice as slow."""
        return cls('profile = "careful"')

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Policy:
        """Read a file of TOML or JSON; `FileError` names it if that cannot be."""
        return cls(content(path))

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Policy:
        """Read the same keys as in TOML from a mapping."""
        return cls(json.dumps(dict(document)))

    def to_dict(self) -> Json:
        """Give the whole policy, every limit included."""
        return parsed(self._native.json())

    def to_toml(self) -> str:
        """Give the whole policy; reading it gives the same policy."""
        return self._native.toml()

    def to_json(self) -> str:
        """Give the whole policy; reading it gives the same policy."""
        return self._native.json()

    @property
    def profile(self) -> Profile:
        """Where the limits start from."""
        return Profile(self.to_dict()["profile"])

    def monitor(self, *networks: Network) -> Policy:
        """Monitor these networks too."""
        return self._longer("monitor", map(str, networks))

    def only(self, *networks: Network) -> Policy:
        """Monitor these networks, and no private ones by default."""
        return self._with(monitor=[str(net) for net in networks], monitor_defaults=False)

    def exclude(self, *networks: Network) -> Policy:
        """Never touch these networks, whatever is monitored."""
        return self._longer("exclude", map(str, networks))

    def never_port(self, *ports: int) -> Policy:
        """Never touch these ports, besides those that are built in."""
        return self._longer("never_ports", ports)

    def limits(self, **limits: int) -> Policy:
        """Set limits by their keys, such as `device_packets_per_s`; each has a hard cap."""
        return self._with(limits={**self.to_dict()["limits"], **limits})

    def level(self, level: Level | str) -> Policy:
        """Ask every protocol so deep, unless a rule says otherwise."""
        protocols = self.to_dict()["protocols"]
        deep = {name: {**had, "level": str(level)} for name, had in protocols.items()}
        return self._with(protocols=deep)

    def protocol(
        self,
        protocol: Protocol | str,
        *,
        enabled: bool | None = None,
        level: Level | str | None = None,
        ports: Iterable[int] | None = None,
        allow: Iterable[str] | None = None,
        units: Iterable[int] | None = None,
    ) -> Policy:
        """Say how one protocol may be used.

        - `allow`: what may be done beyond harmless questions
        - `units`: those asked for behind a gateway, in this order
        """
        said = {
            "enabled": enabled,
            "level": None if level is None else str(level),
            "ports": None if ports is None else list(ports),
            "allow": None if allow is None else list(allow),
            "units": None if units is None else list(units),
        }
        protocols = self.to_dict()["protocols"]
        changes = {key: value for key, value in said.items() if value is not None}
        protocols[str(protocol)] = {**protocols.get(str(protocol), {}), **changes}
        return self._with(protocols=protocols)

    def rule(self, name: str, *, when: Mapping[str, Any], then: Mapping[str, Any]) -> Policy:
        """Add an exception; for each key the first matching rule that sets it decides.

        - `when`: zone, network, port, protocol, vendor, model
        - `then`: skip, level, allow, deny, units
        """
        return self._longer("rule", [{"name": name, "when": _plain(when), "then": _plain(then)}])

    def window(
        self, start: time, end: time, zone: str = "UTC", *, days: Iterable[str] = ()
    ) -> Policy:
        """Send only from `start` to `end` in a time zone, on these days such as `mon`."""
        times = {"from": f"{start:%H:%M:%S}", "to": f"{end:%H:%M:%S}", "zone": zone}
        return self._longer("window", [{**times, "days": list(days)} if days else times])

    def explain(
        self,
        address: str | Address,
        protocol: Protocol | str,
        *,
        port: int | None = None,
        zone: str = "default",
    ) -> Explanation:
        """Tell what may be asked of an address, which rule decides, and whether it may be now."""
        told, text = self._native.explain(zone, str(address), str(protocol), port)
        return Explanation.of(parsed(told), text)

    def _with(self, **changes: Any) -> Policy:  # noqa: ANN401
        return type(self).from_dict({**self.to_dict(), **changes})

    def _longer(self, key: str, more: Iterable[Any]) -> Policy:
        return self._with(**{key: [*self.to_dict().get(key, ()), *more]})

    def __eq__(self, other: object) -> bool:
        """Whether they allow the same."""
        return isinstance(other, Policy) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        """By what it allows."""
        return hash(self.to_json())

    def __repr__(self) -> str:
        """The policy in one line."""
        return f"<Policy {self.profile}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickle."""
        return type(self), (self.to_json(),)


@dataclass(frozen=True)
class Explanation:
    """What may be asked of an address, and why. `print` shows it to a person."""

    permitted: bool
    """Whether it may be asked at all. If not, nothing else here means anything."""
    open_now: bool
    """Whether a window is open, or there is none: only then is anything sent."""
    changes: datetime | None
    """When that changes, in UTC; `None` for never."""
    level: Level
    """How deep."""
    consents: frozenset[str]
    """What may be done beyond harmless questions."""
    json: Json
    """All of it, as in the JSON of the engine."""
    text: str
    """All of it for people."""

    @classmethod
    def of(cls, data: Json, text: str) -> Explanation:
        """Read it from JSON."""
        decision, window = data["decision"], data["window_state"]
        return cls(
            permitted=decision["permitted"],
            open_now=window["open"],
            changes=optional_moment(window["until"]),
            level=Level(decision["level"]),
            consents=frozenset(decision["consents"]),
            json=data,
            text=text,
        )

    def __str__(self) -> str:
        """All of it for people."""
        return self.text


def _plain(mapping: Mapping[str, Any]) -> Json:
    networks = (IPv4Network, IPv6Network)
    return {
        key: str(value) if isinstance(value, networks) else value for key, value in mapping.items()
    }
