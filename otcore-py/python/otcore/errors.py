"""What can go wrong: one class for each kind of error of the engine."""

from __future__ import annotations

from typing import Any, ClassVar


class Error(Exception):
    """What can go wrong. The text says what happened, to what, and the way out."""

    kind: ClassVar[str] = "error"
    """Name of the kind, the same in every language and every version."""

    number: ClassVar[int] = 0
    """Number of the kind, the same in every language and every version."""


class TargetError(Error, ValueError):
    """A target cannot be understood."""

    kind = "target"
    number = 1


class NameResolutionError(Error):
    """A name does not resolve."""

    kind = "name"
    number = 2


class PolicyError(Error, ValueError):
    """A policy is wrong."""

    kind = "policy"
    number = 3


class EmptyScopeError(Error):
    """Nothing is left to scan."""

    kind = "empty_scope"
    number = 4


class NamingError(Error, ValueError):
    """A name for a zone or source is not allowed."""

    kind = "naming"
    number = 5


class FileError(Error):
    """A file cannot be read or written, or a port is in use."""

    kind = "file"
    number = 6


class InternalError(Error):
    """A bug in the engine."""

    kind = "internal"
    number = 7


class Interrupted(KeyboardInterrupt):
    """Ctrl-C stopped a scan; what it had found by then is in `report`."""

    def __init__(self, report: dict[str, Any]) -> None:
        super().__init__("the scan was interrupted; .report has what it found")
        self.report = report


BY_NUMBER: dict[int, type[Error]] = {
    cls.number: cls
    for cls in (
        TargetError,
        NameResolutionError,
        PolicyError,
        EmptyScopeError,
        NamingError,
        FileError,
        InternalError,
    )
}
