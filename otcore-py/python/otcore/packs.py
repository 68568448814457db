"""Data packs: what devices are called, renewed without a new version of the engine.

A pack is used only if somebody who is trusted signed it. It decides what answers are called, never
what is asked.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Union

from otcore import _native
from otcore.differences import Diff
from otcore.values import Json, moment, parsed

if TYPE_CHECKING:
    from datetime import datetime

    from otcore.inventory import Inventory
    from otcore.stores import Store

PackFile = Union[bytes, str, "os.PathLike[str]"]
"""A data pack: its bytes, or the file it is in."""


@dataclass(frozen=True)
class Card:
    """What a pack says of itself."""

    name: str
    version: int
    """The greater version of a name is the newer."""
    about: str
    expires: datetime
    """From when on it is not loaded, in UTC."""
    engines: tuple[str, str]
    """The oldest and the newest engine that it is for."""
    replaces: tuple[str, ...]
    """The files of what is compiled in that it replaces."""

    @classmethod
    def of(cls, data: Json) -> Card:
        """Read it from JSON."""
        return cls(
            name=data["name"],
            version=data["version"],
            about=data["about"],
            expires=moment(data["expires"]),
            engines=(data["engine"]["from"], data["engine"]["to"]),
            replaces=tuple(part["name"] for part in data["parts"]),
        )


@dataclass(frozen=True)
class Pack:
    """A pack that may be used."""

    card: Card
    signer: str
    """The key that signed it."""


class Packs:
    """What devices are called: what is compiled in, until a pack is applied.

    Hand it to a `Scanner`, and to whatever reads what was kept: `Store`, `Inventory.redecoded`.

    >>> import otcore
    >>> packs = otcore.Packs("RWTG/nQXWE34+59iIzBI5yjjwj5EJTGYFmL20DvXNtoOmkh8OC31ZaB8")
    >>> print(packs.in_use)
    None
    """

    def __init__(
        self, keys: str | Path | None = None, *, folder: str | os.PathLike[str] | None = None
    ) -> None:
        """Trust whoever has these keys.

        - `keys`: public keys of minisign, one a line, or the file they are in; nobody if not given
        - `folder`: where the pack in use is kept from run to run. One that is no longer good is
          not used: a `UserWarning` says why.
        """
        text = keys.read_text(encoding="utf-8") if isinstance(keys, Path) else keys
        if text is None:
            self._native = _native.Packs.built_in()
        elif folder is None:
            self._native = _native.Packs.trusting(text)
        else:
            self._native = _native.Packs.in_folder(text, os.fspath(folder))
        refused = self._native.refused()
        if refused is not None:
            warnings.warn(f"{refused}; going on with what is compiled in", stacklevel=2)

    @property
    def in_use(self) -> Card | None:
        """The pack in use; `None` for what is compiled in."""
        return _card(self._native.in_use())

    def open(self, pack: PackFile) -> Pack:
        """Tell what is in a pack; `FileError` if it may not be used. Nothing changes."""
        card, signer = self._native.open(_bytes(pack))
        return Pack(Card.of(parsed(card)), signer)

    def preview(self, pack: PackFile, of: Store | Inventory) -> Diff:
        """Tell what would be called otherwise with this pack. Nothing changes, nothing is sent."""
        return Diff.read(*of._native.preview(self._native, _bytes(pack)))

    def apply(self, pack: PackFile) -> Card:
        """Use a pack from now on; `FileError` if it may not be used, and nothing changes then.

        Scans that run keep what they began with.
        """
        return Card.of(parsed(self._native.apply(_bytes(pack))))

    def roll_back(self) -> Card | None:
        """Use again what was in use before; `None` for what is compiled in."""
        return _card(self._native.roll_back())

    def __repr__(self) -> str:
        """What is in use."""
        card = self.in_use
        return f"<Packs {f'{card.name} {card.version}' if card else 'compiled in'}>"


def native_packs(packs: Packs | None) -> _native.Packs:
    """Give the native half; of what is compiled in, if there is none."""
    return _native.Packs.built_in() if packs is None else packs._native


def _bytes(pack: PackFile) -> bytes:
    return pack if isinstance(pack, bytes) else Path(pack).read_bytes()


def _card(told: str | None) -> Card | None:
    return None if told is None else Card.of(parsed(told))
