"""Long texts, cut to what a page can hold."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

MOST_CHARACTERS = 4_000
"""Of one text on the page."""

LEAD = 500
"""How much of what is the same is shown before the first difference."""

GIST_CHARACTERS, GIST_LEAD = 60, 20
"""The same for what stands on one line."""


class Excerpt(NamedTuple):
    """A stretch of a text, and how many characters were left out on either side."""

    text: str
    left_out_before: int = 0
    left_out_after: int = 0

    @property
    def is_shortened(self) -> bool:
        """True when something was left out."""
        return bool(self.left_out_before or self.left_out_after)


def excerpt(text: str, *, start: int = 0, most: int = MOST_CHARACTERS) -> Excerpt:
    """Cut a text to so many characters from `start` on."""
    return Excerpt(text[start : start + most], min(start, len(text)), max(0, len(text) - start - most))


def excerpts(before: str, now: str) -> tuple[Excerpt, Excerpt]:
    """Cut two texts to the same stretch: from the beginning, or from shortly before they first differ."""
    same = common_length(before, now)
    start = same - LEAD if same + LEAD > MOST_CHARACTERS else 0
    return excerpt(before, start=start), excerpt(now, start=start)


def gists(before: str | None, now: str | None) -> tuple[str, str]:
    """Two excerpts on one line each, from their beginning or from shortly before they first differ."""
    first, second = (" ".join((text or "").split()) for text in (before, now))
    same = common_length(first, second)
    is_long = max(len(first), len(second)) > GIST_CHARACTERS and same > GIST_LEAD
    start = start_of_word(first, same - GIST_LEAD, same) if is_long else 0
    return one_line(first, start) or nothing(before), one_line(second, start) or nothing(now)


def nothing(output: str | None) -> str:
    """What stands for an output in which there is nothing to see."""
    return "no text" if output is None else "empty"


def start_of_word(line: str, earliest: int, latest: int) -> int:
    """Where the first word after a blank starts, between two places."""
    blank = line.find(" ", earliest, latest)
    return earliest if blank < 0 else blank + 1


def one_line(line: str, start: int) -> str:
    """Cut a line, and show where it was cut."""
    cut = line[start : start + GIST_CHARACTERS]
    return ("…" if start else "") + cut + ("…" if len(line) > start + GIST_CHARACTERS else "")


def common_length(first: Sequence[Any], second: Sequence[Any]) -> int:
    """How much two texts (or lists) have in common at their beginning; found by halves, since texts may be long."""
    same, most = 0, min(len(first), len(second))
    while same < most:
        middle = (same + most + 1) // 2
        if first[same:middle] == second[same:middle]:
            same = middle
        else:
            most = middle - 1
    return same


def readable(value: str) -> str:
    """A JSON text as a person reads it: a text as it is, anything else indented."""
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return parsed if isinstance(parsed, str) else json.dumps(parsed, ensure_ascii=False, indent=2)
