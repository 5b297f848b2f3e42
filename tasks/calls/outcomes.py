"""What an error or a response means: one closed set of outcomes, whether to ask again, and when.

Judged by what came over the wire (the HTTP response at the bottom of the chain of exceptions) and by what broke;
litellm's own exception types are asked only for what it knows better: how providers word a context overflow.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from tasks.calls.retries import MAX_WAIT_S, wanted_wait_s
from tasks.records import CallStatus

STOPS_MODEL = frozenset({CallStatus.QUOTA_EXHAUSTED, CallStatus.UNAUTHORIZED, CallStatus.MODEL_NOT_FOUND})
"""What will be the same for every further call of that model."""

TRANSIENT = frozenset(
    {
        CallStatus.RATE_LIMITED,
        CallStatus.SERVER_ERROR,
        CallStatus.TIMEOUT,
        CallStatus.CONNECTION,
        CallStatus.BAD_RESPONSE,
    }
)
"""What may be better in a moment."""

ADVICE = {
    CallStatus.QUOTA_EXHAUSTED: "look at the account's plan and billing",
    CallStatus.UNAUTHORIZED: "check the key, and what it is allowed to do",
    CallStatus.MODEL_NOT_FOUND: "check `model` and `api_base`; it may be retired",
    CallStatus.CONTEXT_OVERFLOW: "the case is too long for this model",
}

QUOTA_CODES = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}
CONTEXT_CODES = {"context_length_exceeded", "string_above_max_length"}
POLICY_CODES = {"content_policy_violation", "content_filter", "moderation_blocked", "ResponsibleAIPolicyViolation"}
QUOTA_TEXT = re.compile(r"credit balance is too low|billing hard limit", re.IGNORECASE)
CONTEXT_TEXT = re.compile(r"maximum context length|prompt is too long|context window", re.IGNORECASE)
MADE_UP_STATUSES = {400, 401, 402, 403, 404, 408, 429}
"""What litellm says of its own accord and means; its 422 and 500 stand for anything that it could not read."""

LITELLM_PREFIX = re.compile(r"^(?:litellm\.)?(?:\w+: )*(?:\w+Exception - )?(?:litellm\.\w+: )?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why there is no answer. `stop_model` says that every other call of this model would end the same way."""

    status: CallStatus
    message: str
    retry: bool = False
    stop_model: bool = False
    retry_after_s: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Text(NamedTuple):
    """What the model said."""

    text: str
    finish_reason: str | None


class Refusal(NamedTuple):
    """The provider cut in on the model's behalf; `text` is what got through before."""

    text: str | None
    finish_reason: str | None


class ErrorBody(NamedTuple):
    """An error as the provider words it."""

    message: str
    codes: frozenset[str]


def classify(error: BaseException, *, now: datetime, redact: Callable[[str], str] = str) -> Fault:
    """Say what an exception of litellm means; `redact` takes secrets out of what providers and libraries write."""
    chain = list(causes(error))
    names = {cls.__name__ for link in chain for cls in type(link).__mro__}
    response = http_response(chain)
    if response is not None:
        headers = {str(name).lower(): str(value) for name, value in response.headers.items()}
        return from_http(response.status_code, headers, redact(body_of(response)), names, now=now)
    if "TimeoutError" in names or "TimeoutException" in names or "Timeout" in names:
        return fault(CallStatus.TIMEOUT, "no complete answer in time")
    if names & {"TransportError", "ConnectionError", "ClientConnectionError"}:
        return fault(
            CallStatus.CONNECTION, f"the connection failed: {redact(str(chain[-1])) or type(chain[-1]).__name__}"
        )
    return from_litellm(error, redact(str(error)), names)


def from_http(status: int, headers: Mapping[str, str], body: str, names: set[str], *, now: datetime) -> Fault:
    """Say what an HTTP error response means."""
    told = parse_error_body(body)
    code = f" ({', '.join(sorted(told.codes))})" if told.codes else ""
    return fault(
        status_of_http(status, told, names),
        f"HTTP {status}{code}: {told.message}",
        retry_after_s=wanted_wait_s(headers, body, now=now),
        headers=headers,
    )


def status_of_http(status: int, told: ErrorBody, names: set[str]) -> CallStatus:
    """Map an HTTP status and the provider's codes to an outcome."""
    if told.codes & POLICY_CODES or "ContentPolicyViolationError" in names:
        return CallStatus.REFUSED_BY_PROVIDER
    if status == 402 or told.codes & QUOTA_CODES or QUOTA_TEXT.search(told.message):
        return CallStatus.QUOTA_EXHAUSTED
    if status == 429:
        return CallStatus.RATE_LIMITED
    if status in (401, 403) or "AuthenticationError" in names:
        return CallStatus.UNAUTHORIZED
    if status == 404:
        return CallStatus.MODEL_NOT_FOUND
    if status == 408:
        return CallStatus.TIMEOUT
    if status >= 500:
        return CallStatus.SERVER_ERROR
    if status < 400:
        return CallStatus.BAD_RESPONSE
    if told.codes & CONTEXT_CODES or "ContextWindowExceededError" in names or CONTEXT_TEXT.search(told.message):
        return CallStatus.CONTEXT_OVERFLOW
    return CallStatus.BAD_REQUEST


def from_litellm(error: BaseException, message: str, names: set[str]) -> Fault:
    """Judge what litellm itself refused to send, or could not read."""
    text = LITELLM_PREFIX.sub("", message).partition("Traceback (most recent call last)")[0]
    if "LLM Provider NOT provided" in text:
        return fault(CallStatus.MODEL_NOT_FOUND, "litellm knows no provider of that name")
    if "UnsupportedParamsError" in names:
        return fault(CallStatus.BAD_REQUEST, text, stop_model=True)
    own = getattr(error, "status_code", None)
    if own in MADE_UP_STATUSES:
        return fault(status_of_http(own, ErrorBody(text, frozenset()), names), text)
    return fault(CallStatus.BAD_RESPONSE, f"unreadable answer: {text}")


def fault(
    status: CallStatus,
    message: str,
    *,
    stop_model: bool = False,
    retry_after_s: float | None = None,
    headers: Mapping[str, str] | None = None,
) -> Fault:
    """Complete a fault by the rules that hold for its status."""
    too_long = retry_after_s is not None and retry_after_s > MAX_WAIT_S
    remarks = [shorten(message)]
    if too_long:
        remarks.append(f"asks to wait {retry_after_s:.0f} s, and we wait {MAX_WAIT_S:.0f} at most")
    if status in ADVICE:
        remarks.append(ADVICE[status])
    return Fault(
        status=status,
        message="; ".join(remarks),
        retry=status in TRANSIENT and not too_long,
        stop_model=stop_model or status in STOPS_MODEL,
        retry_after_s=retry_after_s,
        headers=headers or {},
    )


def read(response: Any) -> Text | Refusal | Fault:
    """Take the text out of a response that came as a success, or say what is wrong with it.

    What has no text is not asked for again: it was paid for, and would most likely come again.
    """
    if not response.choices:
        return Fault(status=CallStatus.BAD_RESPONSE, message="the answer has no choices")
    choice = response.choices[0]
    content, reason = choice.message.content, choice.finish_reason
    text = content if isinstance(content, str) else refusal_text(choice.message)
    if reason == "content_filter":
        return Refusal(text, reason)
    if text is not None:
        return Text(text, reason)
    if reason == "length":
        return Text("", reason)
    tools = "only tool calls, and no text" if getattr(choice.message, "tool_calls", None) else "no text"
    return Fault(status=CallStatus.BAD_RESPONSE, message=f"the answer has {tools} (finish_reason {reason!r})")


def refusal_text(message: Any) -> str | None:
    """Where OpenAI's models put what they say when they refuse to fill a schema."""
    extra = getattr(message, "provider_specific_fields", None) or {}
    refusal = extra.get("refusal") or getattr(message, "refusal", None)
    return refusal if isinstance(refusal, str) else None


def causes(error: BaseException) -> Iterator[BaseException]:
    """The exception, what it was raised from, and so on to the root."""
    link: BaseException | None = error
    seen: set[int] = set()
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def http_response(chain: list[BaseException]) -> Any | None:
    """The response that came over the wire; what litellm makes up has no httpx.HTTPStatusError beneath it."""
    return next((link.response for link in chain if type(link).__name__ == "HTTPStatusError"), None)  # type: ignore[attr-defined]


def body_of(response: Any) -> str:
    """Its text, if it was read."""
    try:
        return str(response.text)
    except (RuntimeError, ValueError):  # httpx.ResponseNotRead is a RuntimeError
        return ""


def parse_error_body(body: str) -> ErrorBody:
    """Read {"error": {"message", "code", "type"}} and its relatives; any other text is the message itself."""
    try:
        data = json.loads(body)
    except ValueError:
        return ErrorBody(shorten(body) or "no explanation", frozenset())
    if isinstance(data, list) and data:
        data = data[0]
    error = data.get("error", data) if isinstance(data, dict) else data
    if not isinstance(error, dict):
        return ErrorBody(str(error), frozenset())
    message = error.get("message") or error.get("detail") or body
    codes = {error.get("code"), error.get("type"), error.get("status")}
    return ErrorBody(str(message), frozenset(code for code in codes if isinstance(code, str)))


def shorten(text: str, limit: int = 300) -> str:
    """One line without control characters, cut in the middle where it is long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 20 * limit]).split())
    return line if len(line) <= limit else f"{line[: limit * 2 // 3]} … {line[-(limit // 3) :]}"
