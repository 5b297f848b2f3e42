"""How late this process comes to what is waiting for it, which an answer's latency would seem to hold.

An answer passes through some turns of the event loop between the wire and the clock that is read: the time that so many
turns take is what is added to it.
"""

import asyncio
import time

PROBED_EVERY_S = 0.025
TURNS = 4
DISTURBING_S = 0.015
"""From here on a latency of 200 ms would look a tenth longer than it is."""

FORGOTTEN_PER_PROBE = 0.75


class Lateness:
    """The lateness of the running loop, measured beside whatever else it does."""

    def __init__(self) -> None:
        self.recent_s = 0.0

    async def watch(self) -> None:
        """Measure until cancelled."""
        while True:
            due = time.perf_counter() + PROBED_EVERY_S
            await asyncio.sleep(PROBED_EVERY_S)
            for _ in range(TURNS - 1):
                await asyncio.sleep(0)
            late_s = time.perf_counter() - due
            self.recent_s = max(late_s, FORGOTTEN_PER_PROBE * self.recent_s)

    @property
    def disturbs(self) -> bool:
        """True while it is worth mentioning."""
        return self.recent_s > DISTURBING_S
