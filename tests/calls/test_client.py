"""One call over real HTTP: what is sent, what is recorded, and what every fault becomes."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
import pytest_asyncio

from tasks.calls.client import FRAME_TOKENS, ModelClient
from tasks.calls.connections import connections
from tasks.calls.gate import Attempt, Need, NotAdmitted
from tasks.calls.provider import warm_up
from tasks.config import ModelConfig, Price
from tasks.records import Call, CallStatus, TrialKey
from tests.fakes.provider import (
    FakeProvider,
    Received,
    Reply,
    context_overflow,
    cut_off,
    hanging,
    odd,
    policy_refusal,
    quota_exhausted,
    rate_limited,
    refused,
    refusing_url,
    said,
    trickling,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = TrialKey("run-20261101-020000-abcd", "triage", "m", "case-1", 1, "planned")
MESSAGES = [{"role": "system", "content": "Answer briefly."}, {"role": "user", "content": "Who are you?"}]
SECRET = "sk-a-key-that-nobody-may-see"


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def warm_litellm() -> None:
    """Latencies are measured here, so litellm has to be loaded."""
    await warm_up()


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as fake:
        yield fake


class Waits(list[float]):
    """Stands in for asyncio.sleep: remembers and does not wait."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


class Gate:
    """Lets everything through and remembers what it hears."""

    def __init__(self, shut_after: int = 1000) -> None:
        self.entered: list[Need] = []
        self.left: list[Attempt | None] = []
        self.shut_after = shut_after

    async def enter(self, need: Need) -> "Gate":
        if len(self.entered) == self.shut_after:
            raise NotAdmitted(CallStatus.MODEL_STOPPED, "this model answered HTTP 401 before")
        self.entered.append(need)
        return self

    def leave(self, attempt: Attempt | None) -> None:
        self.left.append(attempt)


def client_for(provider: FakeProvider | str, *, model: str = "openai/gpt-x", **given: Any) -> ModelClient:
    url = provider if isinstance(provider, str) else provider.url
    own = {name: given.pop(name) for name in ("params", "price", "base_model") if name in given}
    config = ModelConfig(name="m", model=model, api_base=url, api_key_env="FAKE_KEY", **own)
    return ModelClient(config, environ={"FAKE_KEY": SECRET}, **{"timeout_s": 5.0, "sleep": Waits(), **given})


async def ask(client: ModelClient, **given: Any) -> Call:
    return await client.ask(MESSAGES, key=KEY, **given)


# What is sent and recorded


async def test_a_call_records_all_that_was_observed(provider: FakeProvider) -> None:
    provider.answer("gpt-x", said("I am a test.", served_as="gpt-x-2026-05-01", fingerprint="fp_1", delay_s=0.05))
    before = datetime.now(UTC)
    call = await ask(
        client_for(
            provider,
            params={"temperature": 0, "max_tokens": 9},
            price=Price(input_per_million=2.0, output_per_million=10.0),
        )
    )
    assert (call.key, call.role, call.scorer, call.requested_model) == (KEY, "model", None, "openai/gpt-x")
    assert (call.status, call.output, call.error) == (CallStatus.ANSWERED, "I am a test.", None)
    assert (call.served_model, call.system_fingerprint) == ("gpt-x-2026-05-01", "fp_1")
    assert (call.prompt_tokens, call.completion_tokens, call.finish_reason) == (20, 5, "stop")
    assert call.cost_usd == pytest.approx((20 * 2 + 5 * 10) / 1e6)
    assert json.loads(call.params) == {"temperature": 0, "max_tokens": 9}
    assert call.prompt_hash == "e68562472088cf0fec6124d5268608b01b1e248afb408e748738d39c6352d169"
    assert call.attempts == 1
    assert call.latency_ms is not None
    assert 50 <= call.latency_ms < 1000
    assert before <= call.started_at <= datetime.now(UTC)


async def test_litellm_gets_the_messages_the_params_and_the_key(provider: FakeProvider) -> None:
    provider.answer("gpt-x", "yes")
    await ask(client_for(provider, params={"temperature": 0, "seed": 7}))
    sent = provider.requests[-1]
    assert sent.body == {"model": "gpt-x", "messages": MESSAGES, "temperature": 0, "seed": 7}
    assert sent.headers["Authorization"] == f"Bearer {SECRET}"


async def test_a_server_that_needs_no_key_is_asked_without_one(provider: FakeProvider, monkeypatch: Any) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    config = ModelConfig(name="m", model="openai/gpt-x", api_base=provider.url)
    assert (await ask(ModelClient(config))).status is CallStatus.ANSWERED


@pytest.mark.parametrize(
    ("model", "params", "sent"),
    [
        ("openai/gpt-5-mini", {"max_tokens": 9}, {"max_completion_tokens": 9}),
        ("openai/gpt-5-mini", {"temperature": 0, "drop_params": True, "seed": 3}, {"seed": 3}),
        ("openai/gpt-x", {"temperature": 0.5, "max_tokens": 9}, {"temperature": 0.5, "max_tokens": 9}),
    ],
    ids=["renamed", "dropped", "as they are"],
)
async def test_params_are_recorded_as_they_are_sent(
    provider: FakeProvider, model: str, params: dict[str, Any], sent: dict[str, Any]
) -> None:
    provider.answer("*", "yes")
    call = await ask(client_for(provider, model=model, params=params))
    assert json.loads(call.params) == sent
    body = provider.requests[-1].body
    assert {name: body[name] for name in body if name not in {"model", "messages"}} == sent


async def test_secrets_in_params_are_sent_and_not_recorded(provider: FakeProvider) -> None:
    params = {"extra_headers": {"X-Api-Key": "hush", "X-Team": "a"}, "user": f"the bearer of {SECRET}"}
    call = await ask(client_for(provider, model="openai/gpt-4o-mini", params=params))
    assert json.loads(call.params) == {
        "extra_headers": {"X-Api-Key": "•••", "X-Team": "a"},
        "user": "the bearer of •••",
    }
    sent = provider.requests[-1]
    assert (sent.headers["x-api-key"], sent.headers["x-team"], sent.body["user"]) == ("hush", "a", params["user"])


async def test_an_organization_is_sent(provider: FakeProvider) -> None:
    await ask(client_for(provider, params={"organization": "org-1"}))
    assert provider.requests[-1].headers["openai-organization"] == "org-1"


async def test_a_param_that_the_model_refuses_is_told_and_not_dropped(provider: FakeProvider) -> None:
    before, gate = len(provider.requests), Gate()
    call = await ask(client_for(provider, model="openai/gpt-5-mini", params={"temperature": 0}, gate=gate))
    assert (call.status, call.attempts) == (CallStatus.BAD_REQUEST, 1)
    assert call.error is not None
    assert "temperature" in call.error
    assert gate.left[0] is not None
    assert gate.left[0].stop_model
    assert len(provider.requests) == before


async def test_a_judge_call_names_the_model_under_test_and_the_scorer(provider: FakeProvider) -> None:
    provider.answer("gpt-x", "yes")
    call = await ask(client_for(provider), role="judge", scorer="helpful")
    assert (call.role, call.scorer, call.key.model, call.requested_model) == ("judge", "helpful", "m", "openai/gpt-x")


@pytest.mark.parametrize(
    ("model", "given", "cost"),
    [
        ("openai/gpt-4o-mini", {}, (20 * 0.15 + 5 * 0.60) / 1e6),
        ("openai/our-deployment", {"base_model": "gpt-4o-mini"}, (20 * 0.15 + 5 * 0.60) / 1e6),
        ("openai/gpt-4o-mini", {"price": Price(input_per_million=0.0, output_per_million=0.0)}, 0.0),
        ("openai/a-model-nobody-knows", {}, None),
        ("volcengine/deepseek-v3-2-251201", {}, None),
    ],
    ids=["litellm", "base_model", "config says free", "unknown", "known without a price"],
)
async def test_cost_is_known_or_unknown_and_never_guessed(
    provider: FakeProvider, model: str, given: dict[str, Any], cost: float | None
) -> None:
    provider.answer("*", "yes")
    call = await ask(client_for(provider, model=model, **given))
    assert call.status is CallStatus.ANSWERED
    assert call.cost_usd == (None if cost is None else pytest.approx(cost))


async def test_tokens_that_a_provider_does_not_report_are_unknown(provider: FakeProvider) -> None:
    message = '{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}'
    provider.answer("gpt-4o-mini", odd('{"id": "x", "choices": [' + message + "]}"))
    call = await ask(client_for(provider, model="openai/gpt-4o-mini"))
    assert (call.status, call.output) == (CallStatus.ANSWERED, "hi")
    assert (call.prompt_tokens, call.completion_tokens, call.cost_usd, call.served_model) == (None, None, None, None)


# Faults


@dataclass(frozen=True)
class Row:
    """A fault, and what becomes of it."""

    name: str
    reply: Reply | Callable[[], Reply]
    status: CallStatus
    attempts: int
    says: str


S = CallStatus
NO_CHOICES = '{"id": "1", "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 0, "total_tokens": 1}}'
FAULTS = [
    Row("429 with seconds", rate_limited("2"), S.RATE_LIMITED, 3, "HTTP 429 (rate_limit_exceeded, requests): "),
    Row("429 with a date", lambda: rate_limited(in_30_s()), S.RATE_LIMITED, 3, "HTTP 429"),
    Row("429 without either", rate_limited(), S.RATE_LIMITED, 3, "HTTP 429"),
    Row("429 for an hour", rate_limited("3600"), S.RATE_LIMITED, 1, "asks to wait 3600 s, and we wait 60 at most"),
    Row("quota exhausted", quota_exhausted(), S.QUOTA_EXHAUSTED, 1, "look at the account's plan and billing"),
    Row("500", refused(500, "Oh no."), S.SERVER_ERROR, 3, "HTTP 500 (invalid_request_error): Oh no."),
    Row("502", odd("<h1>Bad Gateway</h1>", content_type="text/html", status=502), S.SERVER_ERROR, 3, "HTTP 502: <h1>"),
    Row("503", refused(503), S.SERVER_ERROR, 3, "HTTP 503"),
    Row("529", refused(529, "Overloaded", type_="overloaded_error"), S.SERVER_ERROR, 3, "HTTP 529 (overloaded_error)"),
    Row("hang", hanging(), S.TIMEOUT, 3, "no complete answer in time"),
    Row("trickle", trickling(), S.TIMEOUT, 3, "no complete answer in time"),
    Row("reset in the middle", cut_off("reset"), S.CONNECTION, 3, "the connection failed: "),
    Row("reset at once", cut_off("reset_first"), S.CONNECTION, 3, "the connection failed: [Errno 104]"),
    Row("closed in the middle", cut_off("closed"), S.CONNECTION, 3, "the connection failed: "),
    Row("truncated JSON", odd(said("hello").body[:70]), S.BAD_RESPONSE, 3, "unreadable answer: "),
    Row("no JSON", odd("all good"), S.BAD_RESPONSE, 3, "unreadable answer: "),
    Row("HTML", odd("<html>Please log in</html>", content_type="text/html"), S.BAD_RESPONSE, 3, "Please log in"),
    Row("JSON of another shape", odd("[]"), S.BAD_RESPONSE, 3, "unreadable answer: "),
    Row("empty body", odd(""), S.BAD_RESPONSE, 3, "unreadable answer: "),
    Row("an error with 200", odd('{"error": {"message": "inner trouble", "code": 500}}'), S.BAD_RESPONSE, 3, "inner"),
    Row("429 told with 200", odd('{"error": {"message": "slow down", "code": 429}}'), S.RATE_LIMITED, 3, "slow down"),
    Row("invalid UTF-8", odd(said("a*b").body.replace(b"*", b"\xff\xfe")), S.BAD_RESPONSE, 3, "unreadable answer: "),
    Row("raw NUL in the JSON", odd(said("a*b").body.replace(b"*", b"\0")), S.BAD_RESPONSE, 3, "unreadable answer: "),
    Row("no choices", odd(NO_CHOICES), S.BAD_RESPONSE, 1, "the answer has no choices"),
    Row("null content", said(None), S.BAD_RESPONSE, 1, "the answer has no text (finish_reason 'stop')"),
    Row("tool calls alone", said(None, finish_reason="tool_calls", message={"tool_calls": [
        {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}),
        S.BAD_RESPONSE, 1, "the answer has only tool calls, and no text"),
    Row("context overflow", context_overflow(), S.CONTEXT_OVERFLOW, 1, "maximum context length is 8192 tokens"),
    Row("context overflow by code", context_overflow(only_as_code=True), S.CONTEXT_OVERFLOW, 1, "too long for"),
    Row("policy", policy_refusal(), S.REFUSED_BY_PROVIDER, 1, "rejected by our safety system"),
    Row("content filter as a code", policy_refusal("content_filter"), S.REFUSED_BY_PROVIDER, 1, "HTTP 400"),
    Row("bad request", refused(400, "Unsupported value."), S.BAD_REQUEST, 1, "Unsupported value."),
    Row("401", refused(401, f"Incorrect API key provided: {SECRET}"), S.UNAUTHORIZED, 1, "•••; check the key"),
    Row("402", refused(402, "Insufficient credits"), S.QUOTA_EXHAUSTED, 1, "Insufficient credits"),
    Row("403", refused(403, "Country not supported"), S.UNAUTHORIZED, 1, "Country not supported"),
    Row("404", refused(404, "No such model", code="model_not_found"), S.MODEL_NOT_FOUND, 1, "; check `model`"),
    Row("408", refused(408), S.TIMEOUT, 3, "HTTP 408"),
    Row("413", refused(413, "Too large"), S.BAD_REQUEST, 1, "HTTP 413"),
]  # fmt: skip


def in_30_s() -> str:
    return format_datetime(datetime.fromtimestamp(time.time() + 30, UTC), usegmt=True)


@pytest.mark.parametrize("through_sdk", [False, True], ids=["litellm's handler", "OpenAI's SDK"])
@pytest.mark.parametrize("row", FAULTS, ids=lambda row: row.name)
async def test_fault(provider: FakeProvider, monkeypatch: Any, row: Row, *, through_sdk: bool) -> None:
    """litellm has two ways to OpenAI's API; Azure goes through the SDK, most other providers through its handler."""
    monkeypatch.setenv("EXPERIMENTAL_OPENAI_BASE_LLM_HTTP_HANDLER", str(not through_sdk))
    provider.answer("warm", said("yes"))
    await ask(client_for(provider, model="openai/warm", timeout_s=30.0))  # a cold client takes long before it asks
    reply = row.reply() if callable(row.reply) else row.reply
    provider.answer("gpt-x", reply)
    before, gate = len(provider.requests), Gate()
    impatient = reply.delay_s > 1 or reply.delivery == "trickle"
    call = await ask(client_for(provider, gate=gate, timeout_s=1.0 if impatient else 5.0))
    assert (call.status, call.attempts) == (row.status, row.attempts)
    assert call.error is not None
    assert row.says in call.error
    assert SECRET not in call.error
    assert (call.output, call.latency_ms) == (None, None)
    assert len(provider.requests) - before == row.attempts
    told = [attempt for attempt in gate.left if attempt]
    assert [attempt.status for attempt in told] == [row.status] * row.attempts
    assert told[-1].stop_model is (row.status in {S.QUOTA_EXHAUSTED, S.UNAUTHORIZED, S.MODEL_NOT_FOUND})


async def test_a_refused_connection_is_tried_three_times() -> None:
    with refusing_url() as url:
        call = await ask(client_for(url))
    assert (call.status, call.attempts) == (CallStatus.CONNECTION, 3)
    assert call.error is not None
    assert call.error.startswith("the connection failed: [Errno 111] Connect call failed")


async def test_a_name_that_no_provider_has_is_told() -> None:
    call = await ask(client_for("http://127.0.0.1:9/v1", model="nonsense/gpt-x"))
    assert (call.status, call.attempts) == (CallStatus.MODEL_NOT_FOUND, 1)
    assert call.error is not None
    assert "litellm knows no provider of that name" in call.error


@pytest.mark.parametrize(
    ("reply", "status", "output", "finish_reason"),
    [
        (said("Half an ans", finish_reason="length"), S.ANSWERED, "Half an ans", "length"),
        (said("", finish_reason="length"), S.ANSWERED, "", "length"),
        (said(None, finish_reason="length"), S.ANSWERED, "", "length"),
        (said("So far", finish_reason="content_filter"), S.REFUSED_BY_PROVIDER, "So far", "content_filter"),
        (said(None, finish_reason="content_filter"), S.REFUSED_BY_PROVIDER, None, "content_filter"),
        (said(None, message={"refusal": "I can't help with that."}), S.ANSWERED, "I can't help with that.", "stop"),
        (said("x" * 10_000_000), S.ANSWERED, "x" * 10_000_000, "stop"),
        (said("a\0b\x1b[31m\x07\u202e"), S.ANSWERED, "a\0b\x1b[31m\x07\u202e", "stop"),
        (odd(said("a*b").body.replace(b"*", b"\\ud83d")), S.ANSWERED, "a\ufffdb", "stop"),
        (odd(said("fine").body, content_type="text/plain"), S.ANSWERED, "fine", "stop"),
    ],
    ids=[
        "truncated", "truncated before it began", "truncated to null", "filtered halfway", "filtered",
        "refusal of a schema", "10 MB", "control characters", "half a surrogate pair", "wrong content type",
    ],
)  # fmt: skip
async def test_what_the_model_itself_did_is_kept_as_it_is(
    provider: FakeProvider, reply: Reply, status: CallStatus, output: str | None, finish_reason: str
) -> None:
    provider.answer("gpt-x", reply)
    call = await ask(client_for(provider))
    assert (call.status, call.output, call.finish_reason) == (status, output, finish_reason)
    assert call.latency_ms is not None
    assert call.prompt_tokens == 20


async def test_what_was_paid_for_without_an_answer_is_recorded_with_its_cost(provider: FakeProvider) -> None:
    provider.answer("gpt-4o-mini", said(None))
    call = await ask(client_for(provider, model="openai/gpt-4o-mini"))
    assert (call.status, call.prompt_tokens) == (CallStatus.BAD_RESPONSE, 20)
    assert call.cost_usd == pytest.approx((20 * 0.15 + 5 * 0.60) / 1e6)


# Retries, waits and the gate


async def test_a_retry_that_succeeds_counts_its_attempts_and_its_own_latency(provider: FakeProvider) -> None:
    provider.answer("gpt-x", [refused(500), said("yes", delay_s=0.02)])
    waits = Waits()
    call = await ask(client_for(provider, sleep=waits))
    assert (call.status, call.attempts, call.error, call.output) == (CallStatus.ANSWERED, 2, None, "yes")
    assert call.latency_ms is not None
    assert 20 <= call.latency_ms < 500
    assert [0 <= wait < 1 for wait in waits] == [True]


@pytest.mark.parametrize(
    ("reply", "least", "most"),
    [
        (rate_limited("7"), 7, 7.7),
        (lambda: rate_limited(in_30_s()), 27, 32),
        (rate_limited(**{"retry-after-ms": "250"}), 0.25, 0.28),
        (refused(503, headers={"Retry-After": "3"}), 3, 3.3),
        (rate_limited("soon"), 0, 4),
    ],
)
async def test_the_wait_that_a_provider_asks_for_is_kept(
    provider: FakeProvider, reply: Reply | Callable[[], Reply], least: float, most: float
) -> None:
    provider.answer("gpt-x", reply() if callable(reply) else reply)
    waits = Waits()
    await ask(client_for(provider, sleep=waits))
    assert len(waits) == 2
    assert all(least <= wait <= most for wait in waits), waits


async def test_the_gate_hears_of_limits_and_tokens(provider: FakeProvider) -> None:
    limits = {
        "x-ratelimit-remaining-requests": "41",
        "x-ratelimit-reset-tokens": "6ms",
        "Content-Type": "application/json",
    }
    provider.answer("gpt-x", [rate_limited("0.5", **{"x-ratelimit-limit-requests": "60"}), said("yes", headers=limits)])
    gate = Gate()
    await ask(client_for(provider, gate=gate, params={"max_tokens": 50}))
    need = Need(tokens=6 + 50, most_prompt_tokens=27 + 2 * FRAME_TOKENS, most_answer_tokens=50)
    assert gate.entered == [need, need]
    rejected, answered = gate.left
    assert rejected is not None
    assert answered is not None
    assert (rejected.status, rejected.retry_after_s) == (CallStatus.RATE_LIMITED, 0.5)
    assert rejected.headers["x-ratelimit-limit-requests"] == "60"
    assert (answered.prompt_tokens, answered.completion_tokens) == (20, 5)
    assert answered.headers["x-ratelimit-remaining-requests"] == "41"
    assert answered.headers["x-ratelimit-reset-tokens"] == "6ms"


async def test_a_gate_that_shuts_ends_the_call_unsent(provider: FakeProvider) -> None:
    provider.answer("gpt-x", refused(500))
    before = len(provider.requests)
    call = await ask(client_for(provider, gate=Gate(shut_after=0)))
    assert (call.status, call.attempts, call.error) == (S.MODEL_STOPPED, 0, "this model answered HTTP 401 before")
    call = await ask(client_for(provider, gate=Gate(shut_after=2)))
    assert (call.status, call.attempts) == (S.MODEL_STOPPED, 2)
    assert len(provider.requests) - before == 2


async def test_a_cancelled_call_leaves_the_gate(provider: FakeProvider) -> None:
    arrived = asyncio.Event()
    loop = asyncio.get_running_loop()

    def tell_and_hang(_: Received) -> Reply:
        loop.call_soon_threadsafe(arrived.set)
        return hanging()

    provider.answer("gpt-x", tell_and_hang)
    gate = Gate()
    asking = asyncio.create_task(ask(client_for(provider, gate=gate)))
    await arrived.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert gate.left == [None]


async def test_requests_beyond_the_connection_limit_wait_without_counting_it_as_latency(provider: FakeProvider) -> None:
    with FakeProvider(latency_s=0.1) as slow:
        async with connections(2) as session:
            client = client_for(slow, session=session)
            calls = await asyncio.gather(*(ask(client) for _ in range(6)))
    assert slow.most_at_once == 2
    assert all(100 <= (call.latency_ms or 0) < 190 for call in calls), calls


async def test_litellm_prints_nothing(provider: FakeProvider, capfd: pytest.CaptureFixture[str]) -> None:
    provider.answer("gpt-x", [refused(400, "No."), said("x", finish_reason="a reason nobody knows")])
    client = client_for(provider)
    await ask(client)
    await ask(client)
    assert capfd.readouterr() == ("", "")
