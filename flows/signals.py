"""Ctrl-C and SIGTERM: the first asks a run to stop, the second cancels it, the third ends the process."""

import asyncio
import signal
from contextvars import ContextVar
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)
GRACE_S = 1.0

_stop: ContextVar[asyncio.Event] = ContextVar("stop")


def stop_event() -> asyncio.Event:
    """Give the event that is set once the run is to stop; never set in a run that Prefect started (`serve`)."""
    return _stop.get(asyncio.Event())


class Interruption:
    """Turns signals into the stop event of the current task and of all that it starts."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.task = asyncio.current_task()
        self.stop = asyncio.Event()
        _stop.set(self.stop)

    def take_signals(self) -> None:
        """Take the signals from whoever has them."""
        for number in SIGNALS:
            self.loop.add_signal_handler(number, self.interrupt)

    def interrupt(self) -> None:
        """Ask for the stop; if that was done before, insist, and give the signals their usual meaning back."""
        if self.stop.is_set() and self.task:
            self.task.cancel()
            for number in SIGNALS:
                self.loop.remove_signal_handler(number)
        self.stop.set()


async def until_stopped(work: "asyncio.Future[None]", stop: asyncio.Event, grace_s: float = GRACE_S) -> None:
    """Wait for the work; once `stop` is set, only as long as an answer that is nearly there may take."""
    stopping = asyncio.ensure_future(stop.wait())
    both: list[asyncio.Future[Any]] = [work, stopping]
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not work.done():
        await asyncio.wait([work], timeout=grace_s)
        work.cancel()
    try:
        await work
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
