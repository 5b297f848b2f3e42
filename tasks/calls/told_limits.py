"""What providers tell of their limits in the headers of every answer."""

import re
from collections.abc import Mapping

REQUEST_LIMITS = ("x-ratelimit-limit-requests", "anthropic-ratelimit-requests-limit")
TOKEN_LIMITS = ("x-ratelimit-limit-tokens", "anthropic-ratelimit-tokens-limit")
SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def per_minute(headers: Mapping[str, str], names: tuple[str, ...]) -> float | None:
    """The limit per minute under the first of the names that is there.

    Some providers mean a day: their limits per minute are told as more than they are, which rejections then correct.
    """
    for name in names:
        text = headers.get(name)
        if text and text.isdecimal() and int(text):
            return float(text)
    return None


def seconds_until_reset(headers: Mapping[str, str]) -> float | None:
    """How long until what is used up is there again, as `1m2.5s`, `250ms` or `7`; None where nothing is said."""
    waits = [
        span_s(headers.get(f"x-ratelimit-reset-{what}", ""))
        for what in ("requests", "tokens")
        if headers.get(f"x-ratelimit-remaining-{what}") == "0"
    ]
    return max((wait for wait in waits if wait is not None), default=None)


def span_s(text: str) -> float | None:
    """A span of time in seconds."""
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return float(text)
    parts = SPAN.findall(text)
    return sum(float(number) * SECONDS[unit] for number, unit in parts) if parts else None
