"""The pace against providers in virtual time: how soon all is done, how much is rejected, and who waits for whom."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any

import pytest

from tasks.calls.gate import Attempt, Need, NotAdmitted
from tasks.calls.lanes import FIRST_IN_FLIGHT, Gates, ModelGate
from tasks.calls.ledger import Ledger
from tasks.calls.retries import MAX_ATTEMPTS, wait_before_retry_s
from tasks.config import Limits, ModelConfig
from tasks.records import CallStatus
from tests.fakes.limited_server import Bucket, FixedWindow, InFlight, LimitedServer, SlidingWindow
from tests.fakes.virtual_time import run_in_virtual_time

NEED = Need(tokens=100, most_prompt_tokens=400, most_answer_tokens=20)
UNDER_WAY = 125
TOLD = {"x-ratelimit-limit-requests": "6000"}
UNAUTHORIZED = Attempt(status=CallStatus.UNAUTHORIZED, stop_model=True, error="HTTP 401: no such key")

Test = Callable[[], Coroutine[Any, Any, None]]


def in_virtual_time(test: Test) -> Callable[[], None]:
    """Run an async test on a clock that jumps."""

    def run() -> None:
        run_in_virtual_time(test())

    run.__name__ = test.__name__
    return run


def model(name: str = "m", key: str = "A_KEY", **limits: int) -> ModelConfig:
    return ModelConfig(name=name, model="openai/x", api_key_env=key, limits=Limits(**limits))


async def ask(gate: ModelGate, server: LimitedServer) -> CallStatus:
    """One call with its retries, as the client makes them."""
    for attempts in range(1, MAX_ATTEMPTS + 1):
        passage = await gate.enter(NEED)
        attempt = await server.ask()
        passage.leave(attempt)
        if attempt.status is CallStatus.ANSWERED:
            return attempt.status
        await asyncio.sleep(wait_before_retry_s(attempt.retry_after_s, attempts, jitter=random.random()))
    return CallStatus.RATE_LIMITED


async def ask_all(gate: ModelGate, server: LimitedServer, calls: int) -> float:
    """Many calls, not too many of them under way at once; gives the seconds that it took."""
    loop, room = asyncio.get_running_loop(), asyncio.Semaphore(UNDER_WAY)
    began = loop.time()

    async def one() -> None:
        assert await ask(gate, server) is CallStatus.ANSWERED
        room.release()

    async with asyncio.TaskGroup() as group:
        for _ in range(calls):
            await room.acquire()
            group.create_task(one())
    return loop.time() - began


# Rates


@pytest.mark.parametrize(
    ("limit", "given", "most_rejected"),
    [
        (lambda: Bucket(100, burst=10), {"config": True}, 0.01),
        (lambda: FixedWindow(100, span_s=1), {"config": True}, 0.01),
        (lambda: SlidingWindow(100, span_s=1), {"config": True}, 0.01),
        (lambda: Bucket(100, burst=10), {"headers": TOLD}, 0.01),
        (lambda: Bucket(100, burst=10), {"says_when": True}, 0.03),
        (lambda: Bucket(100, burst=10), {}, 0.03),
        (lambda: Bucket(100, burst=100), {}, 0.03),
        (lambda: Bucket(100, burst=10), {"sigma": 0.5}, 0.03),
        (lambda: Bucket(100, burst=10), {"round_trip_s": 0.1}, 0.03),
        (lambda: FixedWindow(100, span_s=1), {}, 0.03),
        (lambda: SlidingWindow(100, span_s=1), {"says_when": True}, 0.03),
    ],
    ids=[
        "bucket, config", "window, config", "sliding, config", "bucket, headers", "bucket, says when", "bucket, silent",
        "large bucket, silent", "spread, silent", "far away, silent", "window, silent", "sliding, says when",
    ],
)  # fmt: skip
def test_two_thousand_calls_take_the_time_that_the_limit_dictates(
    limit: Callable[[], Any], given: dict[str, Any], most_rejected: float
) -> None:
    random.seed(1)

    async def run() -> None:
        gate = Gates(100).of(model(requests_per_minute=6000) if given.pop("config", False) else model())
        server = LimitedServer(limit(), **given)
        assert await ask_all(gate, server, 2000) <= 1.10 * 2000 / 100
        assert server.rejected <= most_rejected * 2000

    run_in_virtual_time(run())


def test_a_limit_per_minute_that_nobody_tells_is_met_with_few_vain_calls() -> None:
    random.seed(1)

    async def run() -> None:
        server = LimitedServer(FixedWindow(600, span_s=60), latency_s=0.5)
        assert await ask_all(Gates(100).of(model()), server, 2000) <= 1.10 * 180
        assert server.rejected <= 0.03 * 2000

    run_in_virtual_time(run())


@in_virtual_time
async def test_a_provider_without_limits_is_soon_asked_as_much_as_the_config_allows() -> None:
    server = LimitedServer(None, latency_s=1.0)
    assert await ask_all(Gates(100).of(model()), server, 1000) <= 10.5
    assert server.most_at_once >= 100


@in_virtual_time
async def test_a_limit_in_flight_that_nobody_tells_is_found() -> None:
    server = LimitedServer(InFlight(10), latency_s=1.0, sigma=0.5)
    mean_s = 1.13
    assert await ask_all(Gates(100).of(model()), server, 1000) <= 1.25 * 1000 / 10 * mean_s
    assert server.rejected <= 30


@in_virtual_time
async def test_starts_are_spaced_evenly() -> None:
    server = LimitedServer(None)
    await ask_all(Gates(100).of(model(requests_per_minute=600)), server, 50)
    _, *gaps = [later - earlier for earlier, later in pairwise(server.started)]
    assert min(gaps) == pytest.approx(0.1 / 0.98, rel=0.01)
    assert max(gaps) == pytest.approx(0.1 / 0.98, rel=0.01)


@in_virtual_time
async def test_tokens_are_reserved_as_guessed_and_settled_as_counted() -> None:
    guessed = NEED._replace(tokens=1000)
    gate = Gates(100).of(model(tokens_per_minute=60_000))
    server, loop = LimitedServer(None), asyncio.get_running_loop()
    began = loop.time()
    for _ in range(20):
        passage = await gate.enter(guessed)
        passage.leave(await server.ask())
    counted_s = 20 * (80 + 20) / (0.98 * 1000)
    assert loop.time() - began <= 20 * 0.2 + counted_s
    passage = await gate.enter(guessed)
    waiting_from = loop.time()
    await gate.enter(guessed)
    assert loop.time() - waiting_from == pytest.approx(1000 / (0.98 * 1000), abs=0.06)
    passage.leave(None)


@in_virtual_time
async def test_no_more_than_the_config_allows_are_in_flight() -> None:
    server = LimitedServer(None)
    await ask_all(Gates(100).of(model(concurrency=3)), server, 60)
    assert server.most_at_once == 3


# What is shared


@in_virtual_time
async def test_entries_with_one_key_share_its_limit() -> None:
    gates, server = Gates(100), LimitedServer(Bucket(100, burst=10))
    models = [model(name, requests_per_minute=6000) for name in ("small", "large")]
    took = await asyncio.gather(*(ask_all(gates.of(one), server, 500) for one in models))
    assert 9.9 <= max(took) <= 11
    assert server.rejected == 0


@in_virtual_time
async def test_entries_with_other_keys_or_limits_do_not_wait_for_each_other() -> None:
    gates, server, slow = Gates(100), LimitedServer(None), LimitedServer(None)
    others = [model("b", "ANOTHER_KEY"), model("c", requests_per_minute=60_000)]
    waiting = asyncio.create_task(ask_all(gates.of(model("a", requests_per_minute=60)), slow, 20))
    for other in others:
        assert await ask_all(gates.of(other), server, 200) < 4
    assert await waiting > 15


@in_virtual_time
async def test_a_model_whose_provider_tells_a_low_limit_holds_up_no_other_with_its_key() -> None:
    gates = Gates(100)
    slow = LimitedServer(None, headers={"x-ratelimit-limit-requests": "60"})
    waiting = asyncio.create_task(ask_all(gates.of(model("slow")), slow, 40))
    await asyncio.sleep(2)
    assert await ask_all(gates.of(model("quick")), LimitedServer(None), 200) < 4
    assert await waiting > 20


@in_virtual_time
async def test_a_wait_that_a_provider_asks_for_holds_for_all_with_its_key() -> None:
    gates, loop = Gates(100), asyncio.get_running_loop()
    first = await gates.of(model("a")).enter(NEED)
    first.leave(Attempt(status=CallStatus.RATE_LIMITED, retry_after_s=20))
    asked = loop.time()
    second = await gates.of(model("b")).enter(NEED)
    assert loop.time() - asked >= 20
    second.leave(None)


@in_virtual_time
async def test_server_errors_slow_nothing_down() -> None:
    gate, loop = Gates(100).of(model()), asyncio.get_running_loop()
    for _ in range(300):
        (await gate.enter(NEED)).leave(Attempt(status=CallStatus.SERVER_ERROR))
    began = loop.time()
    for _ in range(300):
        (await gate.enter(NEED)).leave(Attempt(status=CallStatus.ANSWERED))
    assert loop.time() - began < 0.6


@in_virtual_time
async def test_whoever_came_first_starts_first() -> None:
    gate, order = Gates(100).of(model(requests_per_minute=600)), list[int]()

    async def one(number: int) -> None:
        passage = await gate.enter(NEED)
        order.append(number)
        passage.leave(Attempt(status=CallStatus.ANSWERED))

    await asyncio.gather(*map(one, range(30)))
    assert order == list(range(30))


def processes(*, n: int = 2, concurrency: int = 100) -> list[Gates]:
    """What several processes with one ledger have."""
    ledger = Ledger(n)
    return [Gates(concurrency, own_concurrency=concurrency // n, ledger=ledger.seen_from(seat)) for seat in range(n)]


@pytest.mark.parametrize(
    ("limit", "limits", "most_rejected"),
    [
        (lambda: Bucket(100, burst=10), {"requests_per_minute": 6000}, 0.01),
        (lambda: Bucket(100, burst=10), {}, 0.03),
        (lambda: FixedWindow(100, span_s=1), {}, 0.03),
    ],
    ids=["told", "bucket, silent", "window, silent"],
)
def test_two_processes_keep_to_a_limit_as_one_would(
    limit: Callable[[], Any], limits: dict[str, int], most_rejected: float
) -> None:
    random.seed(1)

    async def run() -> None:
        server = LimitedServer(limit())
        took = await asyncio.gather(
            *(ask_all(one.of(model("m", "A_KEY", **limits)), server, 1000) for one in processes())
        )
        assert max(took) <= 1.10 * 2000 / 100
        assert server.rejected <= most_rejected * 2000

    run_in_virtual_time(run())


@in_virtual_time
async def test_two_processes_have_no_more_in_flight_than_one_may() -> None:
    server = LimitedServer(None)
    await asyncio.gather(*(ask_all(one.of(model(concurrency=3)), server, 60) for one in processes()))
    assert server.most_at_once == 3


@in_virtual_time
async def test_a_wait_that_one_process_is_asked_for_holds_for_the_other() -> None:
    (first, second), loop = processes(), asyncio.get_running_loop()
    (await first.of(model()).enter(NEED)).leave(Attempt(status=CallStatus.RATE_LIMITED, retry_after_s=20))
    asked = loop.time()
    (await second.of(model()).enter(NEED)).leave(None)
    assert loop.time() - asked >= 20


@in_virtual_time
async def test_a_key_that_one_process_finds_refused_stops_the_model_in_the_other() -> None:
    first, second = (gates.of(model()) for gates in processes())
    (await first.enter(NEED)).leave(UNAUTHORIZED)
    with pytest.raises(NotAdmitted, match="not asked any more: unauthorized: HTTP 401: no such key"):
        await second.enter(NEED)


@in_virtual_time
async def test_what_a_process_that_is_no_more_had_in_flight_is_free_again() -> None:
    ledger = Ledger(2)
    first, second = (Gates(10, ledger=ledger.seen_from(seat)).of(model(concurrency=1)) for seat in range(2))
    await first.enter(NEED)
    waiting = asyncio.create_task(second.enter(NEED))
    await asyncio.sleep(1)
    assert not waiting.done()
    ledger.vacate(0)
    (await asyncio.wait_for(waiting, 1)).leave(None)


# The end of a model


@in_virtual_time
async def test_a_refused_key_stops_its_model_after_a_handful_of_calls_and_no_other() -> None:
    gates, sent = Gates(100), 0
    bad, good = gates.of(model("bad")), gates.of(model("good"))

    async def one() -> None:
        nonlocal sent
        passage = await bad.enter(NEED)
        sent += 1
        await asyncio.sleep(0.5)
        passage.leave(UNAUTHORIZED)

    ended = await asyncio.gather(*(one() for _ in range(500)), return_exceptions=True)
    refused = [end for end in ended if isinstance(end, NotAdmitted)]
    assert sent <= FIRST_IN_FLIGHT
    assert len(refused) == 500 - sent
    assert {(end.status, str(end)) for end in refused} == {
        (CallStatus.MODEL_STOPPED, "not asked any more: unauthorized: HTTP 401: no such key")
    }
    (await good.enter(NEED)).leave(Attempt(status=CallStatus.ANSWERED))


@in_virtual_time
async def test_a_wait_of_an_hour_stops_the_model() -> None:
    gate = Gates(100).of(model())
    (await gate.enter(NEED)).leave(Attempt(status=CallStatus.RATE_LIMITED, retry_after_s=3600, error="HTTP 429"))
    with pytest.raises(NotAdmitted, match="not asked any more: rate limited: HTTP 429"):
        await gate.enter(NEED)


@in_virtual_time
async def test_who_is_cancelled_holds_up_nobody() -> None:
    gate = Gates(1).of(model(concurrency=1))
    first = await gate.enter(NEED)
    waiting = [asyncio.create_task(gate.enter(NEED)) for _ in range(3)]
    await asyncio.sleep(0.1)
    waiting[0].cancel()
    waiting[1].cancel()
    first.leave(None)
    (await asyncio.wait_for(waiting[2], 1)).leave(None)
    (await asyncio.wait_for(gate.enter(NEED), 1)).leave(None)
