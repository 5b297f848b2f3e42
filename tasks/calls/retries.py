"""How often a call is tried again, and how long is waited before."""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

MAX_ATTEMPTS = 3
MAX_WAIT_S = 60.0
"""The longest wait before another attempt; a provider that asks for more is not asked again."""

RETRY_DELAY = re.compile(r'"retryDelay":\s*"([\d.]+)s"')
"""Google tells the wait in the body."""


def wait_before_retry_s(retry_after_s: float | None, attempts: int, *, jitter: float) -> float:
    """How long to wait after that many attempts: what the provider asks for, else full jitter up to 1, 4, 16 … s.

    `jitter` is uniform in [0, 1). Full jitter: Brooker 2015, Exponential Backoff and Jitter.
    """
    if retry_after_s is not None:
        return min(MAX_WAIT_S, retry_after_s + jitter * min(1.0, retry_after_s / 10))
    return float(min(MAX_WAIT_S, 4 ** (attempts - 1)) * jitter)


def wanted_wait_s(headers: Mapping[str, str], body: str, *, now: datetime) -> float | None:
    """How long a provider asks to wait, in whichever way it does; names of headers in lower case."""
    if "retry-after-ms" in headers:
        milliseconds = seconds_of(headers["retry-after-ms"])
        return None if milliseconds is None else milliseconds / 1000
    if "retry-after" in headers:
        seconds = seconds_of(headers["retry-after"])
        return seconds_until(headers["retry-after"], now=now) if seconds is None else seconds
    in_body = RETRY_DELAY.search(body)
    return seconds_of(in_body[1]) if in_body else None


def seconds_of(text: str) -> float | None:
    """A number of seconds, if it is one."""
    try:
        seconds = float(text)
    except ValueError:
        return None
    return None if math.isnan(seconds) else max(0.0, seconds)


def seconds_until(text: str, *, now: datetime) -> float | None:
    """The seconds until an HTTP date, if it is one."""
    try:
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (TypeError, ValueError):
        return None
