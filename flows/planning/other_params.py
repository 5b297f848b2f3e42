"""Parameters and an address that stand on a command line: what they may be, and what of them may be kept or shown."""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from tasks.documents.config_file import SHORTEST_SECRET
from tasks.documents.wording import brief
from tasks.documents.yaml_file import is_storable
from tasks.errors import UsageError

MOST_NESTED = 20
LONGEST_SHOWN = 40
PARAM_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SECRET_NAME = re.compile(r"key|token|auth|secret|password|credential|cookie", re.IGNORECASE)
OPEN_ENDED = frozenset({"extra_headers", "extra_body"})
"""Parameters that litellm passes on as they are, credentials among them."""


def parsed_params(texts: Iterable[str]) -> dict[str, Any]:
    """Parameters from NAME=VALUE each; raises UsageError, also where one is given twice."""
    found: dict[str, Any] = {}
    for name, value in map(parsed, texts):
        if name in found:
            raise UsageError.single(f"expected {name} once, got it twice", where="--param")
        found[name] = value
    return found


def parsed(text: str) -> tuple[str, Any]:
    """NAME=VALUE, the value in JSON or as plain text; raises UsageError for what a config could not hold."""
    name, given, value = text.partition("=")
    if not (given and PARAM_NAME.fullmatch(name)):
        message = f"expected NAME=VALUE with a name of letters, digits and _, got {brief(name)}"
        raise UsageError.single(message, where="--param")
    try:
        found = json.loads(value, object_pairs_hook=without_repeats)
    except json.JSONDecodeError:
        found = value
    except (ValueError, RecursionError):  # Python reads no number of thousands of digits
        raise refused(name, f"a value nested at most {MOST_NESTED} deep, and numbers of at most 64 bits") from None
    if wrong := next(unsound(found), None):
        raise refused(name, wrong)
    return name, found


def without_repeats(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; raises UsageError where a key comes twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise UsageError.single("expected each key of an object once, got one twice", where="--param")
    return found


def refused(name: str, expected: str) -> UsageError:
    """Say what was expected; not what came, which may be secret."""
    return UsageError.single(f"{name}: expected {expected}", where="--param")


def unsound(value: Any, depth: int = 0) -> Iterator[str]:
    """What was expected in place of each part that cannot be stored or sent."""
    match value:
        case list() | dict() if depth == MOST_NESTED:
            yield f"a value nested at most {MOST_NESTED} deep"
        case float() if not math.isfinite(value):
            yield "a finite number"
        case int() if abs(value) >= 1 << 63:
            yield "a whole number of at most 64 bits"
        case str() if not is_storable(value):
            yield "text without NUL and halves of characters"
        case list():
            for one in value:
                yield from unsound(one, depth + 1)
        case dict():
            for one in (*value, *value.values()):
                yield from unsound(one, depth + 1)


def check_address(address: str) -> None:
    """Raise UsageError for what is no address; its form is the config's to check."""
    if wrong := next(unsound(address), None):
        raise UsageError.single(f"expected {wrong}", where="--api-base")
    try:
        urlsplit(address)
    except ValueError as error:
        raise UsageError.single(f"expected an address: {error}", where="--api-base") from error


def private_texts(params: Mapping[str, Any], address: str | None) -> frozenset[str]:
    """The texts that nobody may see: long ones, those with a telling name, what is passed on, and parts of an address.

    Like other secrets, shorter ones than `SHORTEST_SECRET` are left out: they would redact ordinary words.
    """
    found = {value for value in params.values() if isinstance(value, str) and len(value) > LONGEST_SHOWN}
    found |= {text for name, value in params.items() for text in telling(value, name, passed_on=False)}
    if address:
        parts = urlsplit(address)
        found |= {part for part in (parts.netloc.rpartition("@")[0], parts.password, parts.query) if part}
    return frozenset(text for text in found if len(text) >= SHORTEST_SECRET)


def telling(value: Any, name: str, *, passed_on: bool) -> Iterator[str]:
    """The texts below a parameter that its name, or one around it, says are secret; of `Bearer X` also X alone."""
    passed_on = passed_on or name in OPEN_ENDED
    match value:
        case str() if passed_on or SECRET_NAME.search(name):
            yield value
            yield from re.findall(r"^\w+ (\S+)$", value)
        case list():
            for one in value:
                yield from telling(one, name, passed_on=passed_on)
        case dict():
            for key, one in value.items():
                yield from telling(one, key, passed_on=passed_on)


def is_withheld(name: str, value: Any, secrets: frozenset[str]) -> bool:
    """Whether a stored plan may not hold a value: it has a secret in it, or would be read as `${VAR}`."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "${" in text or any(telling(value, name, passed_on=False)) or any(hides(text, one) for one in secrets)


def hides(text: str, secret: str) -> bool:
    """Whether a secret stands in a text, as it is or as JSON writes it."""
    return secret in text or json.dumps(secret, ensure_ascii=False)[1:-1] in text


def in_short(name: str, value: Any, secrets: frozenset[str]) -> str:
    """A parameter for a name: its value where it is short and may be seen, else a hash of it."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    if len(text) > LONGEST_SHOWN or isinstance(value, list | dict) or is_withheld(name, value, secrets):
        text = short_hash(text)
    return f"{name}={text}"


def address_in_short(address: str, secrets: frozenset[str]) -> str:
    """An address for a name, without what may be secret in it; a hash tells it from others."""
    parts = urlsplit(address)
    shown = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    if any(hides(shown, secret) for secret in secrets):
        return short_hash(address)
    return shown if shown == address else f"{shown} {short_hash(address)}"


def short_hash(text: str) -> str:
    """Eight digits that stand for a text."""
    return f"#{hashlib.sha256(text.encode()).hexdigest()[:8]}"
