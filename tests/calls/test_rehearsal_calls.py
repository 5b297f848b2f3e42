"""Simulated models through litellm: the same path, and the same record, as any other model."""

import asyncio
import json
from typing import Any

import pytest
import pytest_asyncio

from tasks.calls.client import ModelClient
from tasks.calls.provider import warm_up
from tasks.calls.rehearsal import Crib
from tasks.config import ModelConfig, Price, ScorerConfig, SuiteConfig
from tasks.records import Call, CallStatus, Case, TrialKey

pytestmark = pytest.mark.asyncio(loop_scope="module")

LABELS = ["billing", "bug", "how_to", "sales"]
MESSAGES = [{"role": "system", "content": "Sort."}, {"role": "user", "content": "x" * 400}]


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def warm_litellm() -> None:
    """Latencies are measured here, so litellm has to be loaded."""
    await warm_up()


def scorers_of(*scorers: object) -> list[ScorerConfig]:
    return SuiteConfig.model_validate({"scorers": list(scorers)}).scorers


def case_number(number: int) -> Case:
    return Case(id=f"case-{number}", input="…", expected=LABELS[number % 4])


async def ask(params: dict[str, Any], case: Case, *scorers: object, price: Price | None = None) -> Call:
    model = ModelConfig(name="dawn", model="rehearsal/dawn-2", params=params, price=price)
    key = TrialKey("run-20261101-020000-abcd", "triage", "dawn", case.id, 1, "planned")
    crib = Crib(case=case, scorers=scorers_of(*scorers or ({"one_of": {"labels": LABELS}},)))
    return await ModelClient(model).ask(MESSAGES, key=key, crib=crib)


async def test_a_call_is_recorded_like_any_other() -> None:
    params = {"skill": 1, "flaky": 0, "temperature": 0, "latency_ms": 60, "served_as": "dawn-2-2026-10-01"}
    call = await ask(params, case_number(0), price=Price(input_per_million=1.0, output_per_million=4.0))
    assert (call.status, call.finish_reason, call.attempts) == (CallStatus.ANSWERED, "stop", 1)
    assert (call.requested_model, call.served_model) == ("rehearsal/dawn-2", "dawn-2-2026-10-01")
    assert call.output is not None
    assert "billing" in call.output
    assert (call.prompt_tokens, call.completion_tokens) == (2 + 101, len(call.output) // 4 + 1)
    assert call.cost_usd == pytest.approx((103 + 4 * (len(call.output) // 4 + 1)) / 1e6)
    assert json.loads(call.params) == {name: params[name] for name in params if name != "served_as"}
    assert call.latency_ms is not None
    assert 45 <= call.latency_ms < 300


async def test_without_a_price_the_cost_is_unknown() -> None:
    call = await ask({"latency_ms": 0}, case_number(0))
    assert (call.status, call.cost_usd, call.served_model) == (CallStatus.ANSWERED, None, "dawn-2")


async def test_max_tokens_is_heeded() -> None:
    case = Case(id="case-1", input="…", expected="Invoices are sent on the first working day.")
    call = await ask({"skill": 1, "flaky": 0, "latency_ms": 0, "max_tokens": 5}, case, "exact")
    assert (call.output, call.finish_reason, call.completion_tokens) == ("Invoices are sen", "length", 5)


async def test_calls_at_once_do_not_mix_up_their_cribs() -> None:
    cases = [case_number(number) for number in range(40)]
    calls = await asyncio.gather(*(ask({"skill": 1, "flaky": 0, "latency_ms": 5}, case) for case in cases))
    assert all(case.expected in (call.output or "") for case, call in zip(cases, calls, strict=True))


async def test_a_probe_without_a_case_gets_an_answer() -> None:
    client = ModelClient(ModelConfig(name="dawn", model="rehearsal/dawn", params={"latency_ms": 0}))
    key = TrialKey("run-20261101-020000-abcd", "", "dawn", "", 1, "probe")
    call = await client.ask([{"role": "user", "content": "ping"}], key=key, role="probe")
    assert (call.status, call.role, call.output) == (CallStatus.ANSWERED, "probe", "OK.")
