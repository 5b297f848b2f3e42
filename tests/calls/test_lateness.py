"""How late a busy event loop is."""

import asyncio
import time

from tasks.calls.lateness import DISTURBING_S, Lateness


async def watched(*, busy_s: float) -> float:
    """What is measured beside something that holds the loop up again and again."""
    lateness = Lateness()
    watching = asyncio.create_task(lateness.watch())
    most_s = 0.0
    for _ in range(20):
        time.sleep(busy_s)
        await asyncio.sleep(0.01)
        most_s = max(most_s, lateness.recent_s)
    watching.cancel()
    return most_s


async def test_a_loop_that_is_held_up_is_late_by_at_least_as_much() -> None:
    assert await watched(busy_s=0.05) >= 0.03 > DISTURBING_S


async def test_what_was_late_is_forgotten_after_a_while() -> None:
    lateness = Lateness()
    lateness.recent_s = 10.0
    watching = asyncio.create_task(lateness.watch())
    while lateness.recent_s > 1.0:
        await asyncio.sleep(0.01)
    watching.cancel()
