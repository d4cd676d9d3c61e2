"""What happens while something is carried out: as it happens, one after the other.

>>> import swarmsecrets
>>> client = swarmsecrets.SimSwarm().client()
>>> running = client.apply(client.plan_rotation("report_password", value=swarmsecrets.Generate()), confirm=True, stream=True)
>>> [progress.text for progress in running if progress.kind == "sending"][0]
'create secret report_password_v2'
>>> running.report().outcome
'applied'
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from swarmsecrets._native import Cancellation
from swarmsecrets.report import Report

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True)
class Progress:
    """Something that happens."""

    kind: Literal["event", "sending", "trouble"]
    """`event`: something was written to the journal. `sending`: a mutation is about to be sent. `trouble`: something that is not in
    the report, such as a journal that could not be written."""
    text: str | None = None
    """In words, for the last two."""
    rotation: str | None = None
    event: dict[str, Any] | None = None
    """The journal's entry, for an event."""


Observer = Callable[[Progress], object]
"""Is called with what happens, from a thread of Rust's: hand it on (a `queue.Queue`, `loop.call_soon_threadsafe`)."""


class Running(Iterator[Progress]):
    """A rotation under way. Iterate over what happens; `report` waits for the end. Leaving a `with` block before that asks it to stop."""

    def __init__(self, work: Callable[[Observer, Cancellation], Report]) -> None:
        self._told: queue.SimpleQueue[Progress | None] = queue.SimpleQueue()
        self._cancellation = Cancellation()
        self._report: Report | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(work,), name="swarmsecrets-running")
        self._thread.start()

    def _run(self, work: Callable[[Observer, Cancellation], Report]) -> None:
        try:
            self._report = work(self._told.put, self._cancellation)
        except BaseException as error:  # handed to whoever waits
            self._error = error
        finally:
            self._told.put(None)

    def __next__(self) -> Progress:
        progress = self._told.get()
        if progress is None:
            self._told.put(None)
            if self._error is not None:
                raise self._error
            raise StopIteration
        return progress

    def cancel(self) -> None:
        """Asks it to stop: no further consumer is begun, and the one in hand is finished or undone."""
        self._cancellation.cancel()

    def report(self) -> Report:
        """What became of it, once it has ended."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        assert self._report is not None
        return self._report

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cancel()
        self._thread.join()


class AsyncRunning(AsyncIterator[Progress]):
    """The same, awaited: `async for`, `await running.report()`."""

    def __init__(self, work: Callable[[Observer, Cancellation], Coroutine[Any, Any, Report]]) -> None:
        self._told: asyncio.Queue[Progress | None] = asyncio.Queue()
        self._cancellation = Cancellation()
        loop = asyncio.get_running_loop()

        def observe(progress: Progress) -> None:
            loop.call_soon_threadsafe(self._told.put_nowait, progress)

        self._task = loop.create_task(work(observe, self._cancellation))
        self._task.add_done_callback(lambda _: self._told.put_nowait(None))

    async def __anext__(self) -> Progress:
        progress = await self._told.get()
        if progress is None:
            self._told.put_nowait(None)
            self._task.result()
            raise StopAsyncIteration
        return progress

    def cancel(self) -> None:
        """As `Running.cancel`."""
        self._cancellation.cancel()

    async def report(self) -> Report:
        """What became of it, once it has ended."""
        return await asyncio.shield(self._task)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cancel()
        await asyncio.wait([self._task])
