"""otcore tells a plant what is on its network without ever disturbing it.

>>> import otcore
>>> plan = otcore.plan("10.20.4.0/24")  # nothing is sent
>>> plan["devices"]
256

`scan` carries a plan out and returns the report; `Scanner.start` shows what happens on the way.
Plans, events and reports are the JSON of the engine, the same from every language.
"""

from __future__ import annotations

from otcore._native import __version__
from otcore.errors import (
    EmptyScopeError,
    Error,
    FileError,
    InternalError,
    Interrupted,
    NameResolutionError,
    NamingError,
    PolicyError,
    TargetError,
)
from otcore.scanning import Scan, Scanner, manifest, plan, scan

__all__ = [
    "EmptyScopeError",
    "Error",
    "FileError",
    "InternalError",
    "Interrupted",
    "NameResolutionError",
    "NamingError",
    "PolicyError",
    "Scan",
    "Scanner",
    "TargetError",
    "__version__",
    "manifest",
    "plan",
    "scan",
]
