"""How far a scan is, shown by rich or tqdm if one of them is installed; nothing otherwise."""

from __future__ import annotations

import importlib
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Callable

from otcore.events import Event, Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otcore.plans import Plan

Show = Callable[[Event], None]
"""Takes every event of a scan."""


@contextmanager
def shown(plan: Plan, wanted: bool | None) -> Iterator[Show | None]:
    """Show a scan until it ends; gives `None` if it is not shown.

    `wanted` is `None` for where a person looks: a terminal or a notebook.
    """
    library = _library() if (is_watched() if wanted is None else wanted) else None
    if library == "rich":
        with _rich(plan) as show:
            yield show
    elif library == "tqdm":
        with _tqdm(plan) as show:
            yield show
    else:
        yield None


def is_watched() -> bool:
    """Whether somebody looks at standard error: in a terminal, or in a notebook."""
    return in_notebook() or (sys.stderr is not None and sys.stderr.isatty())


def in_notebook() -> bool:
    """Whether this is the kernel of a notebook."""
    shell = sys.modules.get("IPython")
    running = shell.get_ipython() if shell else None
    return running is not None and hasattr(running, "kernel")


def _library() -> str | None:
    for name in ("rich", "tqdm"):
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        return name
    return None


@contextmanager
def _rich(plan: Plan) -> Iterator[Show]:
    console = importlib.import_module("rich.console").Console(stderr=True)
    bars: Any = importlib.import_module("rich.progress")
    columns = (
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TextColumn("devices, {task.fields[note]}"),
        bars.TimeElapsedColumn(),
    )
    with bars.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("scan", total=plan.devices, note="starting")

        def show(event: Event) -> None:
            if isinstance(event, Progress):
                bar.update(task, completed=event.done, note=_note(event))

        yield show


@contextmanager
def _tqdm(plan: Plan) -> Iterator[Show]:
    # In a notebook `auto` draws with widgets if they are installed.
    module = "tqdm.auto" if in_notebook() else "tqdm"
    tqdm: Any = importlib.import_module(module).tqdm
    with tqdm(total=plan.devices, unit=" devices", leave=False, file=sys.stderr) as bar:

        def show(event: Event) -> None:
            if isinstance(event, Progress):
                bar.update(event.done - bar.n)
                bar.set_postfix_str(_note(event))

        yield show


def _note(progress: Progress) -> str:
    return f"{progress.answered} answered, {progress.packets} packets"
