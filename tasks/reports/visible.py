"""Texts that models and datasets wrote, made to show all of themselves.

Escaping for HTML is the templates' part. What escaping leaves, and a reader would not see, is spelled out here: control
characters, marks that turn the direction of what follows, zero-width characters, what UTF-8 cannot carry, and accents
piled so high that they would cover their neighbours.
"""

from typing import Any

import regex

KEPT = frozenset(
    "\n\t"
    "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"  # part of honest Persian words and emoji
    "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}"
)
"""Not printable for Python, and yet shown as they are."""

PILED = regex.compile(r"(?<=\p{M}{6})\p{M}")
"""A mark on a letter that has six already: more than any script needs."""


def visible(text: str) -> str:
    """Spell out every character that would show nothing or change how its neighbours are shown."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c in KEPT else spelled(c) for c in text)
    return text if text.isascii() else PILED.sub(lambda mark: spelled(mark[0]), text)


def spelled(character: str) -> str:
    """What stands for a character that is not shown, such as `⟨U+202E⟩`."""
    return f"⟨U+{ord(character):04X}⟩"


def finished(value: Any) -> Any:
    """Prepare any value that a template prints: nothing is a dash, text is visible, markup of ours stays."""
    if value is None:
        return "–"
    return visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
