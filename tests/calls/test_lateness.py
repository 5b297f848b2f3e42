"""How late a busy event loop is."""

import asyncio
import time

from tasks.calls.lateness import DISTURBING_S, Lateness


def hold_up(seconds: float) -> None:
    """Do what no loop should have to wait for."""
    time.sleep(seconds)


async def test_a_loop_that_is_held_up_is_late_by_about_as_much() -> None:
    lateness, most_s = Lateness(), 0.0
    watching = asyncio.create_task(lateness.watch())
    for _ in range(20):
        hold_up(0.05)
        await asyncio.sleep(0.01)
        most_s = max(most_s, lateness.recent_s)
    watching.cancel()
    assert most_s >= 0.03 > DISTURBING_S


async def test_what_was_late_is_forgotten_after_a_while() -> None:
    lateness = Lateness()
    lateness.recent_s = 10.0
    watching = asyncio.create_task(lateness.watch())
    await asyncio.sleep(1)
    watching.cancel()
    assert lateness.recent_s < 1
