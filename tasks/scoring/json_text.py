"""JSON in an output: what is accepted as such, and what is not."""

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from tasks.scoring.findings import excerpt

FENCE = "```"


@dataclass(frozen=True, slots=True)
class Json:
    """An output that is JSON, perhaps inside a code fence."""

    value: Any
    fenced: bool = False


@dataclass(frozen=True, slots=True)
class NotJson:
    """An output that is none; `got` quotes the place, in words that came from outside."""

    reason: str
    got: str


class Ambiguous(ValueError):
    """JSON that programs read differently: a key given twice, NaN."""


def read_json(text: str) -> Json | NotJson:
    """Read an output that is JSON and nothing else, or one fenced code block that is.

    Prose around the JSON, a second block, a key given twice, NaN and nesting beyond what Python parses are refused:
    a program that reads the output would stumble over them, or read something else.
    """
    body = text.strip().removeprefix("\ufeff").strip()
    inside = unfenced(body)
    try:
        return Json(DECODER.decode(body if inside is None else inside), fenced=inside is not None)
    except json.JSONDecodeError as error:
        return NotJson("not JSON alone", f"{error.msg} at {excerpt(error.doc[error.pos : error.pos + 100])}")
    except RecursionError:
        return NotJson("nested too deeply", excerpt(body))
    except ValueError as error:
        return NotJson("not unambiguous JSON", str(error))


def unfenced(text: str) -> str | None:
    """What stands between the marks of a text that begins and ends as a fenced code block."""
    if not (text.startswith(FENCE) and text.endswith(FENCE) and len(text) > 2 * len(FENCE)):
        return None
    inside = text[len(FENCE) : -len(FENCE)]
    first_line, line_break, rest = inside.partition("\n")
    is_language = line_break and (not first_line.strip() or first_line.strip().isalnum())
    return (rest if is_language else inside).strip()


def without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are all different."""
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise Ambiguous(f"the key {excerpt(key)} is given twice")
        made[key] = value
    return made


def refuse_constant(name: str) -> NoReturn:
    """NaN and Infinity, which JSON does not have."""
    raise Ambiguous(f"{name} is no JSON")


DECODER = json.JSONDecoder(object_pairs_hook=without_repetition, parse_constant=refuse_constant)
