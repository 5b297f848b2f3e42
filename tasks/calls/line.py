"""Waiting in line: first come, first served."""

import asyncio
import math
from collections.abc import Callable
from typing import Self


class Line:
    """Only the first in it looks whether it may go on."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self._turn.acquire()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._turn.release()

    def look_again(self) -> None:
        """Tell the first that something has changed."""
        self._changed.set()

    async def until(self, ready_in_s: Callable[[], float]) -> None:
        """Wait until it says 0; infinity is until `look_again`."""
        loop = asyncio.get_running_loop()
        while (wait_s := ready_in_s()) > 0:
            self._changed.clear()
            timer = None if wait_s == math.inf else loop.call_later(wait_s, self._changed.set)
            try:
                await self._changed.wait()
            finally:
                if timer:
                    timer.cancel()
