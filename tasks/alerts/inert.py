"""Texts that models, datasets and configs wrote, made inert: nothing in them can mention, link, format or hide.

In marked-up texts, Slack reads `<!channel>`, `<@U1>` and `<https://…>`, draws `:name:` as an emoji and turns addresses
into links. Messages keep to blocks that know no markup; what could still be read as markup there is broken up with
characters that look alike, so that a reader sees what was written.
"""

import re
import unicodedata
from bisect import bisect_left
from typing import NamedTuple

ELLIPSIS = "…"
HIDDEN = "\N{REPLACEMENT CHARACTER}"
"""Stands for a character that shows nothing and changes how its neighbours are shown."""

JOINERS = re.compile("[\u200c\u200d]")
"""Zero-width, and part of honest Persian words and emoji: left out without a trace."""

COMMAND = re.compile(r"<(?=[!@#]|[A-Za-z][A-Za-z0-9+.-]*:)")
COLON_OF_EMOJI = re.compile(r":(?=[\w+'-]+:)")
COLON_OF_ADDRESS = re.compile(r":(?=//)")


class Excerpts(NamedTuple):
    """The same stretch of two texts."""

    before: str
    after: str


def inert(text: str) -> str:
    """Bring a text onto one line that shows all of itself and does nothing."""
    shown = "".join(map(visible, JOINERS.sub("", " ".join(text.split()))))
    for pattern, look_alike in ((COMMAND, "‹"), (COLON_OF_EMOJI, "∶"), (COLON_OF_ADDRESS, "∶")):
        shown = pattern.sub(look_alike, shown)
    return shown


def visible(character: str) -> str:
    """Keep what can be seen; direction marks, zero-width, control and broken characters are marked as hidden."""
    return HIDDEN if unicodedata.category(character) in {"Cc", "Cf", "Cs"} else character


def escaped(text: str) -> str:
    """Escape what Slack reads as markup in its text objects: these three, and no others."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescaped(text: str) -> str:
    """Undo `escaped`."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def units(text: str) -> int:
    """Length in UTF-16 code units: at least what Slack counts, whose limits do not say which characters they mean."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def shorten(text: str, limit: int) -> str:
    """Cut a text to so many units, and show that it was cut."""
    if units(text) <= limit:
        return text
    room, kept = limit - 1, 0
    for character in text:
        room -= units(character)
        if room < 0:
            break
        kept += 1
    return text[:kept].rstrip() + ELLIPSIS


def side_by_side(before: str, after: str, *, limit: int) -> Excerpts:
    """Cut two texts to so many units each: from their beginning, or from shortly before they first differ."""
    shortest = min(len(before), len(after))
    common = bisect_left(range(shortest), x=True, key=lambda at: before[: at + 1] != after[: at + 1])
    too_long = max(units(before), units(after)) > limit
    start = common - limit // 4 if too_long and units(before[:common]) > limit // 2 else 0
    lead = ELLIPSIS if start else ""
    return Excerpts(shorten(lead + before[start:], limit), shorten(lead + after[start:], limit))
