"""What can go wrong: one class for each kind of error of the engine.

>>> import otcore
>>> try:
...     otcore.plan("10.0.4.300")
... except otcore.TargetError as error:
...     print(error.kind, error.number, "10.0.4.300" in error.message)
target 1 True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from otcore.inventory import Inventory


class Error(Exception):
    """What can go wrong. The text says what happened, to what, and the way out."""

    kind: ClassVar[str] = "error"
    """Name of the kind, the same in every language and every version."""

    number: ClassVar[int] = 0
    """Number of the kind, the same in every language and every version."""

    @property
    def message(self) -> str:
        """What happened, to what, and the way out, in one line."""
        return str(self.args[0]) if self.args else ""


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


class FileError(Error, OSError):
    """A file cannot be read, written or used, or a port is in use."""

    kind = "file"
    number = 6


class InternalError(Error, RuntimeError):
    """A bug in the engine."""

    kind = "internal"
    number = 7


class ProcessError(Error, RuntimeError):
    """The process is a copy, made by `fork`, of the one that scans.

    Start a new one instead: `multiprocessing.get_context("spawn")`.
    """

    kind = "process"
    number = 8


class Interrupted(KeyboardInterrupt):
    """Ctrl-C stopped a scan; what it had found by then is in `inventory`."""

    inventory: Inventory

    def __init__(self, inventory: Inventory) -> None:
        super().__init__("the scan was interrupted; .inventory has what it found")
        self.inventory = inventory

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickle."""
        return Interrupted, (self.inventory,)


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
        ProcessError,
    )
}
