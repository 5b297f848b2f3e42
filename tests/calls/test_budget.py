"""The budget of a run: a hard stop, fair to all who pay from it."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping

import pytest

from tasks.calls.budget import Budget, Purse, came_to
from tasks.calls.gate import Attempt, Need, NotAdmitted
from tasks.calls.lanes import Gates, ModelGate
from tasks.config import ModelConfig, Price
from tasks.records import CallStatus
from tests.fakes.virtual_time import run_in_virtual_time

CENT = Price(input_per_million=0, output_per_million=10_000)  # a cent for each token of an answer
NEED = Need(tokens=0, most_prompt_tokens=0, most_answer_tokens=10)


def priced(usd_per_answer_token: float) -> Price:
    return Price(input_per_million=0, output_per_million=usd_per_answer_token * 1e6)


class Payers:
    """Models with calls to do, each of which takes some time and up to a `share` of what it may cost at most.

    What a call came to is `known` to that part; the rest times out, and is billed all the same.
    """

    def __init__(
        self,
        usd: float,
        prices: Mapping[str, float],
        *,
        calls: int,
        seed: int = 0,
        share: float = 1.0,
        known: float = 0.9,
    ) -> None:
        self.random = random.Random(seed)
        self.budget = Budget(usd, dict.fromkeys(prices, calls))
        self.prices = prices
        self.calls = calls
        self.share, self.known = share, known
        self.really_cost = 0.0
        self.answered: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    async def run(self) -> None:
        gates = Gates(20)
        async with asyncio.TaskGroup() as group:
            for name, price in self.prices.items():
                purse = self.budget.purse(name, priced(price), 0)
                gate = gates.of(ModelConfig(name=name, model="rehearsal/x"), purse)
                for _ in range(self.calls):
                    group.create_task(self.ask(name, gate, purse, price))

    async def ask(self, name: str, gate: ModelGate, purse: Purse, price: float) -> None:
        try:
            passage = await gate.enter(NEED)
        except NotAdmitted:
            self.refused[name] += 1
        else:
            await asyncio.sleep(self.random.uniform(0.1, 2))
            cost_usd = price * 10 * self.share * self.random.random()
            self.really_cost += cost_usd
            known = self.random.random() < self.known
            status = CallStatus.ANSWERED if known else CallStatus.TIMEOUT
            passage.leave(Attempt(status=status, cost_usd=cost_usd if known else None))
            self.answered[name] += 1
        purse.did(1)


@pytest.mark.parametrize("seeds", [range(start, start + 50) for start in range(0, 200, 50)], ids=str)
def test_the_budget_is_never_exceeded_over_two_hundred_seeded_runs(seeds: range) -> None:
    for seed in seeds:
        chance = random.Random(seed)
        prices = {f"m{number}": 10 ** chance.uniform(-4, -1) for number in range(chance.randint(1, 5))}
        usd = 10 ** chance.uniform(-2, 1)
        payers = Payers(usd, prices, calls=30, seed=seed)
        run_in_virtual_time(payers.run())
        assert payers.really_cost <= usd
        assert sum(payers.answered.values()) + sum(payers.refused.values()) == 30 * len(prices)


def test_a_budget_that_is_large_enough_refuses_nothing() -> None:
    payers = Payers(30 * 0.1 + 30 * 1.0, {"cheap": 0.01, "dear": 0.1}, calls=30)
    run_in_virtual_time(payers.run())
    assert not payers.refused


def test_a_cheap_model_is_asked_everything_beside_one_that_uses_the_budget_up() -> None:
    payers = Payers(5.0, {"dear": 0.1, "cheap": 0.001, "other": 0.002}, calls=100)
    run_in_virtual_time(payers.run())
    assert payers.answered["cheap"] == payers.answered["other"] == 100
    assert payers.refused["dear"] > 0


def test_what_cheap_models_do_not_need_goes_to_the_expensive_one() -> None:
    payers = Payers(12.0, {"dear": 0.1, "cheap": 0.001}, calls=100, share=0.2, known=1.0)
    run_in_virtual_time(payers.run())
    assert not payers.refused, "a fifth of the most that they may cost, half of it on average: about 10 USD"


def test_what_may_still_come_back_is_waited_for_and_then_used() -> None:
    payers = Payers(2.0, {"one": 0.1}, calls=40, share=0.1, known=1.0)
    run_in_virtual_time(payers.run())
    assert payers.answered["one"] >= 15, "at about 0.05 USD each, though one call may cost 1 USD"


def test_two_payers_that_both_leave_each_other_too_little_do_not_wait_for_ever() -> None:
    payers = Payers(1.0, {"one": 0.06, "two": 0.06}, calls=3)
    run_in_virtual_time(payers.run())
    assert sum(payers.answered.values()) >= 1
    assert sum(payers.refused.values()) >= 1


def test_no_money_is_no_call_but_for_models_that_cost_nothing() -> None:
    payers = Payers(0.0, {"free": 0.0, "dear": 0.1}, calls=5)
    run_in_virtual_time(payers.run())
    assert (payers.answered, payers.refused) == ({"free": 5}, {"dear": 5})


def test_what_was_spent_before_is_not_there_any_more() -> None:
    async def run() -> None:
        purse = Budget(1.0, {"one": 1}, spent_before=0.95).purse("one", CENT, 0)
        with pytest.raises(NotAdmitted, match="what is left of 1 USD does not pay for it") as refused:
            await purse.reserve(NEED)
        assert refused.value.status is CallStatus.BUDGET

    run_in_virtual_time(run())


def test_an_answer_that_nothing_bounds_reserves_the_longest_that_the_model_can_give() -> None:
    async def run() -> None:
        purse = Budget(1.0, {"one": 1}).purse("one", CENT, 64)
        assert await purse.reserve(Need(tokens=0, most_prompt_tokens=0, most_answer_tokens=None)) == pytest.approx(0.64)

    run_in_virtual_time(run())


@pytest.mark.parametrize(
    ("attempt", "usd"),
    [
        (Attempt(status=CallStatus.ANSWERED, cost_usd=0.2), 0.2),
        (Attempt(status=CallStatus.ANSWERED), 1.0),
        (Attempt(status=CallStatus.TIMEOUT), 1.0),
        (Attempt(status=CallStatus.CONNECTION), 1.0),
        (Attempt(status=CallStatus.RATE_LIMITED), 0.0),
        (Attempt(status=CallStatus.SERVER_ERROR), 0.0),
        (Attempt(status=CallStatus.UNAUTHORIZED), 0.0),
        (None, 1.0),
    ],
)
def test_what_may_have_been_billed_counts(attempt: Attempt | None, usd: float) -> None:
    assert came_to(attempt, 1.0) == usd


async def test_what_is_kept_for_an_idle_judge_does_not_hold_up_the_model_whose_answers_it_waits_for() -> None:
    budget = Budget(1.0, {"model": 10, "judge": 10})
    purse = budget.purse("model", Price(input_per_million=0, output_per_million=1), 0)
    async with asyncio.timeout(10):
        assert await purse.reserve(Need(most_prompt_tokens=0, tokens=0, most_answer_tokens=600_000)) == 0.6
