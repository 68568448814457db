"""What is known of a plant: its devices, and how the scan went that found them."""

from __future__ import annotations

import importlib
import json
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from otcore import _native, notebook
from otcore.differences import Diff
from otcore.enums import Format, Profile, Protocol, StopReason
from otcore.errors import FileError
from otcore.events import Skipped, skipped
from otcore.joining import Joined
from otcore.model import Asset, OutcomeRecord
from otcore.packs import Packs, native_packs
from otcore.values import Address, Json, content, optional_moment, parsed

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator
    from datetime import datetime

    import pandas
    import polars

Key = Union[str, Address]
"""The path of an asset, or its address."""


class Inventory:
    """What is known of a plant. It never changes.

    Its assets come by iteration, by path, or by an address that only one of them has. It stays in
    the engine, and each asset is made when it is asked for, so a large one costs little.

    >>> import otcore, otcore.sim
    >>> with otcore.sim.plant() as plant:
    ...     inventory = otcore.scan(plant.device("compact-plc").target)
    >>> [asset.vendor for asset in inventory]
    ['Tarnwick Automation']
    >>> inventory["default/127.20.4.11"].firmware
    'V3.1.4'
    """

    def __init__(self, native: _native.Inventory) -> None:
        self._native = native

    @classmethod
    def from_json(cls, text: str) -> Inventory:
        """Read a report, an array or lines of assets, or exchanges; `FileError` if it is none."""
        return cls(_native.Inventory.read(text))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Inventory:
        """Read a file of the same; `FileError` names it if that cannot be."""
        text = content(path)
        try:
            return cls.from_json(text)
        except FileError as error:
            raise FileError(f"{path}: {error.message}") from None

    def __len__(self) -> int:
        """How many assets there are."""
        return len(self._native)

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of all assets, by zone and address."""
        return tuple(self._paths)

    def __iter__(self) -> Iterator[Asset]:
        """All assets, by zone and address."""
        return map(self.__getitem__, self._native.paths())

    def __contains__(self, key: object) -> bool:
        """Whether there is an asset with this path or address, or this very asset."""
        if isinstance(key, Asset):
            return self.get(key.path) == key
        return self.get(str(key)) is not None

    def __getitem__(self, key: Key) -> Asset:
        """The asset with this path or address; `KeyError` if there is none."""
        found = self.get(key)
        if found is None:
            raise KeyError(str(key))
        return found

    def get(self, key: Key) -> Asset | None:
        """Return the asset with this path or address, if there is one."""
        text = str(key)
        if "/" not in text:
            paths = self._by_address.get(text, [])
            text = paths[0] if len(paths) == 1 else text
        found = self._native.asset(text)
        return None if found is None else Asset.read(found)

    def filter(
        self,
        wanted: Callable[[Asset], object] | None = None,
        *,
        zone: str | None = None,
        vendor: str | None = None,
        model: str | None = None,
        protocol: Protocol | str | None = None,
    ) -> Inventory:
        """Keep the assets of which all of this holds, without the report of the scan.

        `vendor` and `model` may be any part of the name, in upper or lower case.
        """

        def fits(asset: Asset) -> bool:
            return (
                (wanted is None or bool(wanted(asset)))
                and (zone is None or asset.zone == zone)
                and (vendor is None or vendor.lower() in (asset.vendor or "").lower())
                and (model is None or model.lower() in (asset.model or "").lower())
                and (protocol is None or protocol in asset.protocols)
            )

        return Inventory(self._native.part({asset.path for asset in self if fits(asset)}))

    def __or__(self, other: Inventory) -> Inventory:
        """What both say of their assets, without the reports of the scans."""
        return Inventory(self._native.merged(other._native))

    def diff(self, later: Inventory, *, across_zones: bool = False) -> Diff:
        """What is different in `later`. Silence counts only where the later scan asked.

        What moved is recognised in another zone only if `across_zones` says so.
        """
        return Diff.read(*self._native.diff(later._native, across_zones))

    def joined(self, *, across_zones: bool = False) -> Joined:
        """Tell which assets are one device at several addresses, and why.

        Assets of different zones are one only if `across_zones` says so.
        """
        return Joined.read(self._native.joined(across_zones))

    def redecoded(self, packs: Packs | None = None) -> Inventory:
        """What its questions and answers say, as this version reads them with the pack in use.

        Nothing is sent.
        """
        return Inventory(self._native.redecoded(native_packs(packs)))

    def export(self, form: Format | str, path: str | os.PathLike[str] | None = None) -> str:
        """Give it in another form, such as a bill of materials or a page to print.

        It is also written to the file at `path`, if that is given.
        """
        return _written(self._native.export(str(form)), path)

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """Give the report as the JSON of the engine, byte for byte; an array if there is none.

        It is also written to the file at `path`, if that is given.
        """
        return _written(self._native.json(), path)

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str:
        """Give one row per device, module and child, for a spreadsheet.

        What a spreadsheet would take for a formula gets an apostrophe before it. It is also
        written to the file at `path`, if that is given.
        """
        return _written(self._native.csv(), path)

    def to_dicts(self) -> list[dict[str, str | None]]:
        """Give the same rows with values as devices said them, `None` where nothing is known."""
        columns, rows = self._sheet()
        return [dict(zip(columns, row)) for row in rows]

    def to_pandas(self) -> pandas.DataFrame:
        """Give the same rows as a data frame, if pandas is installed."""
        columns, rows = self._sheet()
        frame: pandas.DataFrame = _needed("pandas").DataFrame(rows, columns=columns)
        return frame

    def to_polars(self) -> polars.DataFrame:
        """Give the same rows as a data frame, if polars is installed."""
        columns, rows = self._sheet()
        library = _needed("polars")
        schema = dict.fromkeys(columns, library.String)
        frame: polars.DataFrame = library.DataFrame(rows, schema=schema, orient="row")
        return frame

    def to_table(self, *, colours: bool = False, width: int | None = None) -> str:
        """Give a table for people, as wide as it takes or `width` columns."""
        return self._native.table(colours, width)

    @property
    def json(self) -> Json:
        """The report but its assets and exchanges; empty if there is none."""
        return self._head

    @property
    def zone(self) -> str | None:
        """The network that was scanned."""
        return self._head.get("zone")

    @property
    def source(self) -> str | None:
        """Who looked."""
        return self._head.get("source")

    @property
    def profile(self) -> Profile | None:
        """The profile of the policy."""
        name = self._head.get("profile")
        return None if name is None else Profile(name)

    @property
    def started(self) -> datetime | None:
        """When the scan began, in UTC."""
        return optional_moment(self._head.get("started"))

    @property
    def finished(self) -> datetime | None:
        """When it ended, in UTC."""
        return optional_moment(self._head.get("finished"))

    @property
    def completed(self) -> bool | None:
        """Whether everything planned was dealt with."""
        return self._head.get("completed")

    @property
    def stopped(self) -> StopReason | None:
        """Why it ended early, if it did."""
        reason = self._head.get("stopped")
        return None if reason is None else StopReason(reason)

    @property
    def counters(self) -> dict[str, int]:
        """What the scan cost, and what came of it, such as `packets` and `identified`."""
        return dict(self._head.get("counters", {}))

    @cached_property
    def outcomes(self) -> tuple[OutcomeRecord, ...]:
        """How each conversation ended."""
        return tuple(map(OutcomeRecord.of, self._head.get("outcomes", ())))

    @cached_property
    def skipped(self) -> tuple[Skipped, ...]:
        """What was asked for and not visited."""
        return tuple(map(skipped, self._head.get("skipped", ())))

    @cached_property
    def _head(self) -> Json:
        return parsed(self._native.head())

    @cached_property
    def _paths(self) -> list[str]:
        return self._native.paths()

    @cached_property
    def _by_address(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in self._paths:
            found.setdefault(path.rpartition("/")[2], []).append(path)
        return found

    def _sheet(self) -> tuple[list[str], list[list[str | None]]]:
        sheet = json.loads(self._native.sheet())
        return sheet["columns"], [[cell or None for cell in row] for row in sheet["rows"]]

    def __eq__(self, other: object) -> bool:
        """Whether both say the same."""
        return isinstance(other, Inventory) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        """By the devices in it."""
        return hash(self.paths)

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickle."""
        return Inventory.from_json, (self.to_json(),)

    def __str__(self) -> str:
        """A table for people."""
        return self.to_table()

    def __repr__(self) -> str:
        """A table for people at the prompt, one line of a large inventory."""
        line = f"<Inventory of {len(self)} devices>"
        small = len(self) <= 50 and hasattr(sys, "ps1")
        return f"{line}\n{self.to_table(width=_width())}" if small else line

    def _repr_html_(self) -> str:
        """Show a table and racks in a notebook."""
        return notebook.page(self)


def _written(text: str, path: str | os.PathLike[str] | None) -> str:
    if path is not None:
        Path(path).write_bytes(text.encode())
    return text


def _needed(library: str) -> Any:  # noqa: ANN401
    try:
        return importlib.import_module(library)
    except ImportError as error:
        raise ImportError(f"this needs {library}: pip install {library}") from error


def _width() -> int:
    import shutil

    return shutil.get_terminal_size().columns
