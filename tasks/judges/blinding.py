"""What a sample must not show to whoever labels it, unreadable at a glance: it is no secret from who wants to know."""

import base64
import hashlib
import json
from typing import NamedTuple

BLOCK = 40
"""Bytes to which texts are filled up, so that their lengths tell nothing; 64 characters of base 32 without padding."""


class Hidden(NamedTuple):
    """Who wrote an output, in which trial, and how many it stands for, which gives away what the judge said."""

    model: str
    trial: int
    weight: float


def sealed(hidden: Hidden, place: str) -> str:
    """An id of letters and digits that only the same `place` opens."""
    text = json.dumps(hidden).encode()
    return base64.b32encode(masked(text.ljust(-(-len(text) // BLOCK) * BLOCK), place)).decode()


def opened(sealed_id: str, place: str) -> Hidden:
    """What was sealed; raises ValueError for an id that was changed, or is of another place."""
    found = json.loads(masked(base64.b32decode(sealed_id), place))
    match found:
        case [str(model), int(trial), int() | float() as weight]:
            return Hidden(model, trial, float(weight))
    raise ValueError(f"expected model, trial and weight, got {found!r}")


def masked(text: bytes, place: str) -> bytes:
    """Each byte turned over by the place; twice is as before."""
    mask = hashlib.shake_256(place.encode()).digest(len(text))
    return bytes(one ^ other for one, other in zip(text, mask, strict=True))
