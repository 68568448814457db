"""Scans in asyncio, which is imported when it is used: it takes as long as all the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, TypeVar

from otcore.events import Event, told

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor
    from types import TracebackType

    from typing_extensions import Self

    from otcore.inventory import Inventory
    from otcore.scanning import Scan

T = TypeVar("T")

PATIENCE = 500
"""Milliseconds that the helping thread waits at once. An abort ends its wait at once."""


class Stream:
    """A scan for asyncio: iterate over its events, then await `finish`.

    It begins when it is first awaited, and ends with the task that began it at the latest: when
    that is cancelled, nothing more is sent. Leaving an `async with` block aborts it;
    `finish` still has what was found by then.

    >>> import asyncio, otcore, otcore.sim
    >>> async def watch(target):
    ...     async with otcore.Scanner().stream(target) as stream:
    ...         async for event in stream:
    ...             if isinstance(event, otcore.AssetFound):
    ...                 print(event.asset.model)
    ...         return await stream.finish()
    >>> with otcore.sim.plant() as plant:
    ...     len(asyncio.run(watch(plant.device("compact-plc").target)))
    Compact C24
    1
    """

    def __init__(self, begin: Callable[[], Scan]) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self._begin = begin
        self._scan: Scan | None = None
        self._pool: ThreadPoolExecutor | None = ThreadPoolExecutor(
            max_workers=1, thread_name_prefix="otcore-stream"
        )

    def __aiter__(self) -> Self:
        """Every event until the end."""
        return self

    async def __anext__(self) -> Event:
        """Wait for the next event."""
        scan = await self._begun()
        while True:
            happened, more = await self._in_thread(lambda: scan._native.next_within(PATIENCE))
            if happened is not None:
                return told(happened)
            if not more:
                raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        """Begin."""
        await self._begun()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Abort, if it still runs."""
        await self.aclose()

    async def aclose(self) -> None:
        """Abort, if it still runs."""
        self._abort()
        if self._pool is not None:
            self._pool.shutdown(wait=False)
            self._pool = None  # what was found can still be had

    async def abort(self) -> Inventory:
        """Stop, and return what was found by now."""
        scan = await self._begun()
        return await self._in_thread(scan.abort)

    async def finish(self) -> Inventory:
        """Wait for the end and return what was found. Events that nobody read are dropped."""
        scan = await self._begun()
        return await self._in_thread(scan.finish)

    async def _begun(self) -> Scan:
        import asyncio

        if self._scan is None:
            if self._pool is None:
                raise RuntimeError("the stream was closed before it began")
            self._scan = await self._in_thread(self._begin)
            task = asyncio.current_task()
            if task is not None:
                task.add_done_callback(lambda _: self._abort())
        return self._scan

    async def _in_thread(self, call: Callable[[], T]) -> T:
        import asyncio

        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        except asyncio.CancelledError:
            self._abort()
            raise

    def _abort(self) -> None:
        if self._scan is not None:
            self._scan._native.abort()
