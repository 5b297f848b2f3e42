"""How a scorer words what it found: the three findings, and values quoted so that no output can disturb a table."""

import reprlib
import traceback
from collections.abc import Callable
from pathlib import Path

from tasks.records import Answer, Case, Finding

Rule = Callable[[str, Case], Finding]
"""What a family of scorers makes of its options: output and case in, finding out."""

MAX_REASON = 500
PROVIDER_REFUSED = "the provider refused to answer"

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = 80


def passed(reason: str = "", *, value: float = 1.0) -> Finding:
    """The output is right; `value` is how right, from 0 to 1."""
    return Finding(True, reason, value)


def failed(reason: str, *, value: float = 0.0) -> Finding:
    """The output is wrong; `value` is the share of it that is right, where that has a meaning."""
    return Finding(False, reason, value)


def unscored(reason: str) -> Finding:
    """The scorer could not say: the case is unmeasured, which is no fault of the model."""
    return Finding(None, reason)


def excerpt(value: object) -> str:
    """A value as Python writes it, on one line and shortened; control characters and lone surrogates come escaped."""
    if isinstance(value, str):
        return repr(value) if len(value) <= _repr.maxstring else repr(value[: _repr.maxstring]) + "…"
    return one_line(_repr.repr(value), limit=200)


def one_line(text: str, *, limit: int = MAX_REASON) -> str:
    """Free text as a reason: on one line, at most `limit` characters, what does not print as �."""
    words = " ".join(text[: 2 * limit].split())
    shown = "".join(character if character.isprintable() else "�" for character in words)
    return shown if len(shown) <= limit and len(text) <= 2 * limit else shown[:limit] + "…"


def crash(error: BaseException) -> Finding:
    """A scorer that raised: what, and in which line of which file."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name} line {frames[-1].lineno})" if frames else ""
    return unscored(one_line(f"the scorer crashed: {type(error).__name__}: {error}{where}"))


def finding_without_reading(answer: Answer) -> Finding | None:
    """What holds whatever the scorer: an answer that was cut off before its first word cannot be scored."""
    if answer.finish_reason == "length" and not answer.refused_by_provider and not answer.text.strip():
        return unscored("the answer was cut off before it began: raise max_tokens")
    return None


def marked(finding: Finding, answer: Answer) -> Finding:
    """A finding that says so when the answer was cut off."""
    if answer.finish_reason != "length":
        return finding
    return Finding(finding.passed, f"{finding.reason} (truncated)".lstrip(), finding.value)
