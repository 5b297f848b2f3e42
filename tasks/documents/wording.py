"""How messages name files, places and values, the same everywhere."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

LONGEST_VALUE = 60
MOST_WORDS = 12
Trail = tuple[str | int, ...]
"""Where a value stands in a document: keys and list positions from the top."""


def shown(path: Path) -> str:
    """A path as a person would type it: relative when it is inside the working folder."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def label(trail: Trail) -> str:
    """`models[0].price` for ("models", 0, "price")."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in trail)
    return "".join(steps).removeprefix(".")


def brief(value: object) -> str:
    """A value as Python writes it, shortened; an empty YAML value is `nothing`."""
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def meant(word: str, known: Iterable[str]) -> str | None:
    """The known word that a misspelt one was probably meant to be."""
    by_folded = {other.casefold(): other for other in known}
    near = get_close_matches(word.casefold(), by_folded, 1)
    return by_folded[near[0]] if near else None


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint that names the known word which was probably meant, or else all of them."""
    words = list(known)
    if near := meant(word, words):
        return f"did you mean {near!r}?"
    more = ", …" if len(words) > MOST_WORDS else ""
    return f"known: {', '.join(words[:MOST_WORDS])}{more}" if words else ""
