"""Which words differ between two outputs."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from tasks.reports.excerpts import common_length

UNSPACED = r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]"
"""Japanese, Chinese and Korean, of which a run of characters is no word."""

WORDS = re.compile(rf"\s*(?:\d+(?:[.,]\d+)+|{UNSPACED}|(?:(?!{UNSPACED})\w)+|[^\w\s])|\s+")
"""Numbers, characters of unspaced scripts, words and marks, each with the blanks before it: nothing is left over."""

MOST_CHANGES = 200
"""Words left out and put in, beyond which the time to find them grows too long and reading them helps no one."""

MOST_CHANGED = 0.6
"""Share of both texts, beyond which they are shown as different throughout: what little agrees is chance."""


class Piece(NamedTuple):
    """Words that belong together: in both texts, or in this one alone."""

    text: str
    changed: bool


class Diff(NamedTuple):
    """Two texts in pieces."""

    before: tuple[Piece, ...]
    now: tuple[Piece, ...]


def word_diff(before: str, now: str) -> Diff:
    """Mark the words that only one of two texts has."""
    old, new = WORDS.findall(before), WORDS.findall(now)
    start = common_length(old, new)
    end = common_length(old[start:][::-1], new[start:][::-1])
    kept_old, kept_new = kept_words(old[start : len(old) - end], new[start : len(new) - end])
    return Diff(pieces(old, start, kept_old), pieces(new, start, kept_new))


def pieces(words: Sequence[str], start: int, kept: Sequence[bool]) -> tuple[Piece, ...]:
    """Put words together again, `kept` telling of those from `start` on which ones the other text has too."""
    changed = [False] * start + [not keep for keep in kept] + [False] * (len(words) - start - len(kept))
    runs = groupby(zip(changed, words, strict=True), key=lambda pair: pair[0])
    return tuple(Piece("".join(word for _, word in run), is_changed) for is_changed, run in runs)


def kept_words(old: Sequence[str], new: Sequence[str]) -> tuple[list[bool], list[bool]]:
    """Tell of each word of either text whether the other has it too; of none where they differ throughout."""
    kept_old, kept_new = [False] * len(old), [False] * len(new)
    for x, y in common_words(old, new):
        kept_old[x] = kept_new[y] = True
    return kept_old, kept_new


def common_words(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the places of the words that a shortest edit keeps, from the end; none if it changes too much.

    The greedy algorithm of Myers (1986), An O(ND) Difference Algorithm and Its Variations, Algorithmica 1:251.
    `furthest[k]` is how far in `old` a path on diagonal k (place in `old` − place in `new`) comes.
    """
    most = min(MOST_CHANGES, int(MOST_CHANGED * (len(old) + len(new))))
    if (Counter(old) - Counter(new)).total() + (Counter(new) - Counter(old)).total() > most:
        return
    furthest, steps = {1: 0}, list[dict[int, int]]()
    for changes in range(most + 1):
        steps.append(furthest.copy())
        for k in range(-changes, changes + 1, 2):
            x = start_of(furthest, k, changes)
            while x < len(old) and x - k < len(new) and old[x] == new[x - k]:
                x += 1
            furthest[k] = x
            if x >= len(old) and x - k >= len(new):
                yield from walk_back(steps, k, x)
                return


def start_of(furthest: dict[int, int], k: int, changes: int) -> int:
    """Where diagonal k is entered: by a word put in (from k + 1) or left out (from k − 1), whichever comes further."""
    if k == -changes or (k != changes and furthest[k - 1] < furthest[k + 1]):
        return furthest[k + 1]
    return furthest[k - 1] + 1


def walk_back(steps: Sequence[dict[int, int]], k: int, x: int) -> Iterator[tuple[int, int]]:
    """Yield the diagonal steps of the path that ended at x on diagonal k."""
    for changes in range(len(steps) - 1, -1, -1):
        furthest = steps[changes]
        start = start_of(furthest, k, changes)
        while x > start:
            x -= 1
            yield x, x - k
        came_from_above = k == -changes or (k != changes and furthest[k - 1] < furthest[k + 1])
        k = k + 1 if came_from_above else k - 1
        x = furthest[k] if changes else 0
