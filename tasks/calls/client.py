"""Ask one model, through litellm, with a bounded retry; whatever happens becomes a record.

A retry belongs to this layer alone: litellm is called with `max_retries=0` and an explicit timeout.
"""

import asyncio
import functools
import json
import os
import random
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tasks.calls.connections import CLOCK, Clock
from tasks.calls.endings import Ending, Messages, Usage, attempt_of, prompt_hash, status_of, usage_of, writable
from tasks.calls.gate import Admission, Attempt, Gatekeeper, Need, NotAdmitted, OpenGate
from tasks.calls.outcomes import Fault, classify, read
from tasks.calls.prices import cost_usd
from tasks.calls.provider import completer, params_sent
from tasks.calls.rehearsal import ASKED, Asked, Crib, asked_params
from tasks.calls.retries import MAX_ATTEMPTS, wait_before_retry_s
from tasks.config import ModelConfig
from tasks.records import Call, Role, TrialKey

if TYPE_CHECKING:
    import aiohttp

SECRET_PARAM = re.compile(r"key|secret|password|credential|authorization|cookie|token$", re.IGNORECASE)
FRAME_TOKENS = 16
SHORTEST_SECRET = 8
"""Characters; what is shorter protects nothing, and would be found in any text."""


class ModelClient:
    """One model of the config with its effective params (the model's overlaid by the suite's).

    A call takes at most 3 attempts of `timeout_s` each, with waits of at most 60 s between them. `redact` takes known
    secrets out of error texts. `session` comes from `tasks.calls.connections`; without one litellm makes its own.
    """

    def __init__(
        self,
        model: ModelConfig,
        *,
        params: Mapping[str, Any] | None = None,
        timeout_s: float = 60,
        gate: Gatekeeper | None = None,
        session: "aiohttp.ClientSession | None" = None,
        redact: Callable[[str], str] = str,
        environ: Mapping[str, str] = os.environ,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.model = model
        self.params = with_organization_as_header(model.params if params is None else params)
        self._timeout_s = timeout_s
        self._gate = gate or OpenGate()
        self._api_key = environ.get(model.api_key_env, "") if model.api_key_env else ""
        self._redact = redact
        self._sleep = sleep
        self._arguments = self._fixed_arguments(session)
        self.longest_answer = longest_answer(self.params)

    def _fixed_arguments(self, session: "aiohttp.ClientSession | None") -> dict[str, Any]:
        """What every request to litellm has in common."""
        model = self.model
        optional = {
            "api_base": model.api_base,
            "api_key": self._api_key or None,
            "base_model": model.base_model if model.price is None else None,
            "shared_session": session,
        }
        ours = {"model": model.model, "timeout": self._timeout_s, "max_retries": 0, "num_retries": 0}
        return {**self.params, **{name: value for name, value in optional.items() if value is not None}, **ours}

    async def ask(
        self,
        messages: Messages,
        *,
        key: TrialKey,
        role: Role = "model",
        scorer: str | None = None,
        crib: Crib | None = None,
    ) -> Call:
        """Ask once, trying again what may pass, and record how it ended. Raises nothing but cancellation."""
        ASKED.set(Asked(key, role, crib))
        need = need_of(messages, self.longest_answer)
        record = functools.partial(self._record, key=key, role=role, scorer=scorer, prompt_hash=prompt_hash(messages))
        attempts = 0
        while True:
            try:
                admission = await self._gate.enter(need)
            except NotAdmitted as shut:
                return record(Ending(Fault(status=shut.status, message=str(shut)), datetime.now(UTC)), attempts)
            ending = await self._attempt(messages, admission)
            attempts += 1
            fault = ending.result if isinstance(ending.result, Fault) else None
            if fault is None or not fault.retry or attempts == MAX_ATTEMPTS:
                return record(ending, attempts)
            await self._sleep(wait_before_retry_s(fault.retry_after_s, attempts, jitter=random.random()))

    async def _attempt(self, messages: Messages, admission: Admission) -> Ending:
        """Send one request and tell the gate how it went."""
        complete = completer()
        clock = Clock()
        CLOCK.set(clock)
        started_at, started = datetime.now(UTC), time.perf_counter()
        told: Attempt | None = None
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await complete(messages=messages, **self._arguments)
            latency_ms = (time.perf_counter() - (clock.connected_at or started)) * 1000
            ending = Ending(read(response), started_at, latency_ms, response)
            told = attempt_of(ending, self._cost_usd(response, usage_of(response)))
        except Exception as error:  # noqa: BLE001 (litellm raises anything; a call that failed is data)
            ending = Ending(classify(error, now=datetime.now(UTC), redact=self._without_secrets), started_at)
            told = attempt_of(ending)
        finally:
            admission.leave(told)
        return ending

    def _record(
        self, ending: Ending, attempts: int, *, key: TrialKey, role: Role, scorer: str | None, prompt_hash: str
    ) -> Call:
        """Put everything that was observed into a call."""
        result, response = ending.result, ending.response
        usage = usage_of(response)
        return Call(
            key=key,
            role=role,
            scorer=scorer,
            requested_model=self.model.model,
            served_model=as_text(getattr(response, "model", None)),
            system_fingerprint=as_text(getattr(response, "system_fingerprint", None)),
            prompt_hash=prompt_hash,
            params=self._params_json,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            latency_ms=None if isinstance(result, Fault) else ending.latency_ms,
            cost_usd=self._cost_usd(response, usage),
            attempts=attempts,
            status=status_of(result),
            finish_reason=None if isinstance(result, Fault) else as_text(result.finish_reason),
            error=result.message if isinstance(result, Fault) else None,
            output=None if isinstance(result, Fault) else writable(result.text),
            started_at=ending.started_at,
        )

    def _cost_usd(self, response: Any, usage: Usage) -> float | None:
        """What the answer cost: by the config's price, else as litellm reckons; None where the price is unknown."""
        if usage.prompt_tokens is None or usage.completion_tokens is None:
            return None
        if self.model.price is not None:
            return cost_usd(self.model.price, usage.prompt_tokens, usage.completion_tokens)
        reckoned: float | None = response._hidden_params.get("response_cost")
        return reckoned or None  # litellm says 0 where its map holds no price

    @functools.cached_property
    def _params_json(self) -> str:
        """The params that are really sent, without secrets."""
        try:
            sent = asked_params(self.params) if self.model.is_rehearsal else params_sent(self.model.model, self.params)
        except Exception:  # noqa: BLE001 (litellm refuses them; so it will the call, which then says why)
            sent = self.params
        shown = {name: hidden(name, value) for name, value in sent.items() if value not in ({}, None)}
        shown.pop("stream", None)
        return self._without_secrets(json.dumps(shown, sort_keys=True, ensure_ascii=False, default=str))

    def _without_secrets(self, text: str) -> str:
        text = self._redact(text)
        return text.replace(self._api_key, "•••") if len(self._api_key) >= SHORTEST_SECRET else text


def longest_answer(params: Mapping[str, Any]) -> int | None:
    """The tokens to which the params limit an answer, if they do."""
    limit = params.get("max_completion_tokens") or params.get("max_tokens")
    return limit if isinstance(limit, int) else None


def need_of(messages: Messages, most_answer_tokens: int | None) -> Need:
    """What a call may take. No tokenizer makes more tokens than there are bytes; a message's frame is a few."""
    texts = [message["content"] for message in messages]
    most_prompt_tokens = sum(len(text.encode("utf-8", "replace")) + FRAME_TOKENS for text in texts)
    return Need(sum(map(len, texts)) // 4 + (most_answer_tokens or 0), most_prompt_tokens, most_answer_tokens)


def with_organization_as_header(params: Mapping[str, Any]) -> dict[str, Any]:
    """litellm's own handler sends `organization` only so."""
    if "organization" not in params:
        return dict(params)
    rest = {name: value for name, value in params.items() if name != "organization"}
    headers = {"OpenAI-Organization": params["organization"], **rest.get("extra_headers", {})}
    return {**rest, "extra_headers": headers}


def as_text(value: object) -> str | None:
    """What a provider says in a field that should hold text: one that is none must not break the night's storage."""
    return None if value is None else writable(str(value))


def hidden(name: str, value: Any) -> Any:
    """A param's value, or marks in its stead where its name says that it is secret."""
    if SECRET_PARAM.search(name):
        return "•••"
    return {inner: hidden(inner, one) for inner, one in value.items()} if isinstance(value, dict) else value
