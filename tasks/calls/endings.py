"""How an attempt ended, and what can be read off it."""

import functools
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from tasks.calls.gate import Attempt
from tasks.calls.outcomes import Fault, Refusal, Text
from tasks.records import CallStatus

Messages = Sequence[Mapping[str, str]]
Result = Text | Refusal | Fault


class Ending(NamedTuple):
    """How an attempt ended; `latency_ms` and `response` only where a whole response came."""

    result: Result
    started_at: datetime
    latency_ms: float | None = None
    response: Any = None


class Usage(NamedTuple):
    """What a provider says it counted; None where it says nothing."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


def attempt_of(ending: Ending, cost_usd: float | None = None) -> Attempt:
    """What the gate should know."""
    result, usage = ending.result, usage_of(ending.response)
    fault = result if isinstance(result, Fault) else None
    hidden = getattr(ending.response, "_hidden_params", {})
    return Attempt(
        status=status_of(result),
        latency_ms=ending.latency_ms,
        retry_after_s=fault.retry_after_s if fault else None,
        stop_model=fault.stop_model if fault else False,
        error=fault.message if fault else None,
        cost_usd=cost_usd,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        headers=limits_in(fault.headers if fault else hidden.get("additional_headers") or {}),
    )


def status_of(result: Result) -> CallStatus:
    """The status of a call that ended so."""
    match result:
        case Text():
            return CallStatus.ANSWERED
        case Refusal():
            return CallStatus.REFUSED_BY_PROVIDER
        case Fault():
            return result.status


MOST_TOKENS = 1_000_000_000


def usage_of(response: Any) -> Usage:
    """The tokens of a response. litellm writes 0 where the provider does not say, and no prompt has 0 tokens.

    A number that none can be is one that nobody knows.
    """
    usage = getattr(response, "usage", None)
    counts = (getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None))
    if not counts[0] or not all(isinstance(count, int) and 0 <= count <= MOST_TOKENS for count in counts):
        return Usage()
    return Usage(*counts)


def limits_in(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that tell of limits, named as the provider names them."""
    return {name.removeprefix("llm_provider-"): str(value) for name, value in headers.items() if "ratelimit" in name}


def prompt_hash(messages: Messages) -> str:
    """Hex SHA-256 of the system prompt as sent; of the empty text where there is none."""
    first = messages[0] if messages else {}
    return sha256(first["content"] if first.get("role") == "system" else "")


@functools.lru_cache(maxsize=64)
def sha256(text: str) -> str:
    """Hex SHA-256; a suite's prompt is hashed once."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def writable(text: str | None) -> str | None:
    """The text with � for lone surrogates, which neither JSON nor Parquet can hold."""
    if text is None or text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
