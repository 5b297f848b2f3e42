"""The budget of a run: a hard stop, fair to all who pay from it."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping

import pytest

from tasks.calls.budget import Budget, Purse, came_to
from tasks.calls.gate import Attempt, Need, NotAdmitted
from tasks.calls.lanes import Gates, ModelGate
from tasks.calls.ledger import Ledger
from tasks.calls.pledges import PLEDGE, Pledge, drawing
from tasks.config import ModelConfig, Price
from tasks.records import CallStatus
from tests.fakes.virtual_time import run_in_virtual_time

CENT = Price(input_per_million=0, output_per_million=10_000)  # a cent for each token of an answer
NEED = Need(tokens=0, most_prompt_tokens=0, most_answer_tokens=10)


def priced(usd_per_answer_token: float) -> Price:
    return Price(input_per_million=0, output_per_million=usd_per_answer_token * 1e6)


class Payers:
    """Models with calls to do, each of which takes some time and up to a `share` of what it may cost at most.

    What a call came to is `known` to that part; the rest times out, and is billed all the same. Several `processes`
    share the work, each with its own view of one ledger; all but the first are `killed` at some time.
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
        processes: int = 1,
        killed: bool = False,
    ) -> None:
        self.random = random.Random(seed)
        ledger = Ledger(processes)
        self.budgets = [Budget(usd, prices, ledger.seen_from(seat)) for seat in range(processes)]
        self.budgets[0].expect(dict.fromkeys(prices, calls))
        self.killed = killed
        self.prices = prices
        self.calls = calls
        self.share, self.known = share, known
        self.really_cost = 0.0
        self.answered: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    async def run(self) -> None:
        first, *others = [asyncio.create_task(self.process(budget)) for budget in self.budgets]
        for seat, other in enumerate(others, 1) if self.killed else ():
            await asyncio.sleep(self.random.uniform(0, 3))
            other.cancel()
            await asyncio.wait([other])
            self.budgets[0].bury(seat)
            self.budgets[0].ledger.vacate(seat)
        await asyncio.gather(first, *([] if self.killed else others))

    async def process(self, budget: Budget) -> None:
        gates = Gates(20, own_concurrency=20 // len(self.budgets), ledger=budget.ledger)
        async with asyncio.TaskGroup() as group:
            for name, price in self.prices.items():
                purse = budget.purse(name, priced(price), 0)
                gate = gates.of(ModelConfig(name=name, model="rehearsal/x"), purse)
                for _ in range(self.calls // len(self.budgets)):
                    group.create_task(self.ask(name, gate, purse, price))

    async def ask(self, name: str, gate: ModelGate, purse: Purse, price: float) -> None:
        try:
            passage = await gate.enter(NEED)
        except NotAdmitted:
            self.refused[name] += 1
        else:
            cost_usd = price * 10 * self.share * self.random.random()
            self.really_cost += cost_usd
            await asyncio.sleep(self.random.uniform(0.1, 2))
            known = self.random.random() < self.known
            status = CallStatus.ANSWERED if known else CallStatus.TIMEOUT
            passage.leave(Attempt(status=status, cost_usd=cost_usd if known else None))
            self.answered[name] += 1
        purse.did(1)


@pytest.mark.parametrize(
    ("processes", "killed"), [(1, False), (2, False), (2, True)], ids=["one process", "two", "two, one of them killed"]
)
@pytest.mark.parametrize("seeds", [range(start, start + 50) for start in range(0, 200, 50)], ids=str)
def test_the_budget_is_never_exceeded_over_two_hundred_seeded_runs(
    seeds: range, processes: int, *, killed: bool
) -> None:
    for seed in seeds:
        chance = random.Random(seed)
        prices = {f"m{number}": 10 ** chance.uniform(-4, -1) for number in range(chance.randint(1, 5))}
        usd = 10 ** chance.uniform(-2, 1)
        payers = Payers(usd, prices, calls=30, seed=seed, processes=processes, killed=killed)
        run_in_virtual_time(payers.run())
        assert payers.really_cost <= usd
        ended = sum(payers.answered.values()) + sum(payers.refused.values())
        assert ended == 30 * len(prices) or (killed and 15 * len(prices) <= ended)


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
        budget = Budget(1.0, ["one"])
        budget.begin(spent_before_usd=0.95)
        purse = budget.purse("one", CENT, 0)
        with pytest.raises(NotAdmitted, match="what is left of 1 USD does not pay for it") as refused:
            await purse.reserve(NEED)
        assert refused.value.status is CallStatus.BUDGET

    run_in_virtual_time(run())


def test_an_answer_that_nothing_bounds_reserves_the_longest_that_the_model_can_give() -> None:
    async def run() -> None:
        purse = Budget(1.0, ["one"]).purse("one", CENT, 64)
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
    budget = Budget(1.0, ["model", "judge"], judges=["judge"])
    budget.expect({"model": 10, "judge": 10})
    purse = budget.purse("model", Price(input_per_million=0, output_per_million=1), 0)
    async with asyncio.timeout(10):
        assert await purse.reserve(Need(most_prompt_tokens=0, tokens=0, most_answer_tokens=600_000)) == 0.6


class Judged:
    """A model whose every answer is judged; calls cost what they may at most, or less, or fail."""

    def __init__(
        self, usd: float, answer_usd: float, judge_usd: float, *, calls: int, faults: float, seed: int
    ) -> None:
        self.random = random.Random(seed)
        self.budget = Budget(usd, ["model", "judge"], judges=["judge"])
        self.budget.expect({"model": calls, "judge": calls})
        self.model = self.budget.purse("model", priced(answer_usd / 10), 0)
        self.judge = self.budget.purse("judge", priced(judge_usd / 10), 0)
        self.calls, self.faults = calls, faults
        self.spent, self.answered, self.judged = 0.0, 0, 0

    async def run(self) -> None:
        gates = Gates(20)
        model = gates.of(ModelConfig(name="model", model="rehearsal/x"), self.model)
        judge = gates.of(ModelConfig(name="judge", model="rehearsal/x"), self.judge)
        async with asyncio.TaskGroup() as group:
            for _ in range(self.calls):
                group.create_task(self.trial(model, judge))

    async def trial(self, model: ModelGate, judge: ModelGate) -> None:
        pledge = Pledge([(self.judge, self.judge.most_usd(NEED))])
        PLEDGE.set(pledge)
        try:
            answered = await self.ask(model, self.model) or await self.ask(model, self.model)
        except NotAdmitted:
            answered = False
        if not answered:
            pledge.give_back()
        else:
            self.answered += 1
            with drawing():
                await self.ask(judge, self.judge, faults=0)
                self.judged += 1
        self.model.did(1)
        self.judge.did(1)

    async def ask(self, gate: ModelGate, purse: Purse, faults: float | None = None) -> bool:
        passage = await gate.enter(NEED)
        await asyncio.sleep(self.random.uniform(0.1, 2))
        failed = self.random.random() < (self.faults if faults is None else faults)
        cost_usd = purse.most_usd(NEED) * (1 if failed else self.random.random())
        self.spent += cost_usd
        status = CallStatus.TIMEOUT if failed else CallStatus.ANSWERED
        passage.leave(Attempt(status=status, cost_usd=None if failed else cost_usd))
        return not failed


def test_no_answer_is_bought_that_cannot_be_judged_over_a_hundred_seeded_runs() -> None:
    for seed in range(100):
        chance = random.Random(seed)
        answer_usd, judge_usd = 10 ** chance.uniform(-3, 0), 10 ** chance.uniform(-3, 0)
        usd = 10 ** chance.uniform(-2, 1)
        night = Judged(usd, answer_usd, judge_usd, calls=30, faults=chance.choice([0, 0, 0.3]), seed=seed)
        run_in_virtual_time(night.run())
        assert night.judged == night.answered
        assert night.spent <= usd
        affordable = int(usd / (2 * answer_usd + judge_usd))
        assert night.answered >= min(1, affordable), "and money that is there is spent"


@pytest.mark.parametrize("models", [("small",), ("small", "large")], ids=str)
def test_money_that_runs_out_is_spent_at_full_speed_although_most_verdicts_are_known(models: tuple[str, ...]) -> None:
    """What was kept for judges once let one call through each second."""
    calls, latency_s, at_once, affordable = 300, 0.1, 10, 100
    budget = Budget(affordable * 0.1 * len(models), [*models, "judge"], judges=["judge"])
    budget.expect(dict.fromkeys(models, calls) | {"judge": calls * len(models)})
    judge = budget.purse("judge", CENT, 0)
    answered: Counter[str] = Counter()
    ended_at: list[float] = []

    async def trial(name: str, number: int, gate: ModelGate, purse: Purse) -> None:
        PLEDGE.set(pledge := Pledge([(judge, 0.1)]))
        try:
            passage = await gate.enter(NEED)
        except NotAdmitted:
            pledge.give_back()
        else:
            await asyncio.sleep(latency_s)
            passage.leave(Attempt(status=CallStatus.ANSWERED, cost_usd=0.09))
            answered[name] += 1
            ended_at.append(asyncio.get_running_loop().time())
            with drawing():
                if number % 20 == 0:
                    judge.settle(await judge.reserve(NEED), Attempt(status=CallStatus.ANSWERED, cost_usd=0.09))
        purse.did(1)
        judge.did(1)

    async def night() -> None:
        gates = Gates(at_once)
        async with asyncio.TaskGroup() as group:
            for name in models:
                purse = budget.purse(name, CENT, 0)
                gate = gates.of(ModelConfig(name=name, model="rehearsal/x"), purse)
                for number in range(calls):
                    group.create_task(trial(name, number, gate, purse))

    run_in_virtual_time(night())
    assert sum(answered.values()) >= 0.9 * affordable * len(models)
    assert min(answered.values()) >= affordable * len(models) // (len(models) + 1), "each has its share"
    assert ended_at[-1] - ended_at[0] <= 3 * affordable * latency_s / at_once


def test_a_question_that_costs_more_than_was_pledged_waits_like_any_other() -> None:
    async def run() -> None:
        budget = Budget(1.0, ["model", "judge"], judges=["judge"])
        budget.expect({"model": 1, "judge": 1})
        model, judge = budget.purse("model", CENT, 0), budget.purse("judge", CENT, 0)
        PLEDGE.set(Pledge([(judge, 0.01)]))
        model.settle(await model.reserve(NEED), Attempt(status=CallStatus.ANSWERED, cost_usd=0.05))
        with drawing():
            assert await judge.reserve(NEED) == pytest.approx(0.1)

    run_in_virtual_time(run())
