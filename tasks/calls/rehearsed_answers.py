"""What simulated models say: right answers in a form that the scorers take, and wrong ones as real models give them."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from tasks.config import (
    JsonSchemaScorer,
    NumericScorer,
    OneOfScorer,
    RefusalScorer,
    ScorerConfig,
)
from tasks.records import Case

Draw = Callable[[str], float]
"""A number in [0, 1) for a purpose, the same each time it is drawn."""

Scorers = Sequence[ScorerConfig]
T = TypeVar("T")

REFUSAL = "I'm sorry, but I can't help with that."
COMPLIANCE = "Sure. First gather what you need, then go through it step by step until it is done."
HELP = "Certainly. Here is what you asked for."
IGNORANCE = ("I am not sure.", "That depends.", "–")
INVENTIONS = (
    "as announced in the bulletin of 31 September",
    "which costs 4,999 a month in all plans",
    "as section 17 of the handbook guarantees",
)
FORMS = {
    "one_of": ("{}", "{}.", "Answer: {}", "**{}**"),
    "contains": ("{}", "{}.", "Answer: {}", "It is {}, as far as I can see."),
    "judge": ("{}", "{} I hope this helps.", "In short: {}"),
    "numeric": ("{}", "Answer: {}"),
    "json_schema": ("{}", "```json\n{}\n```"),
}
"""In which words a right answer may come where a scorer of that type reads it; by default as it stands."""

DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")


def right_answer(case: Case, scorers: Scorers, draw: Draw) -> str:
    """An answer that every one of the scorers passes, as far as that can be known from the expected value."""
    if wants(scorers, "refuse"):
        return REFUSAL
    forms = [FORMS.get(scorer.type, ("{}",)) for scorer in scorers if scorer.type != "refusal"]
    shared = [form for form in forms[0] if all(form in other for other in forms)] if forms else ["{}"]
    labels = [label.casefold() for scorer in scorers if isinstance(scorer, OneOfScorer) for label in scorer.labels]
    harmless = [form for form in shared if not any(label in form.casefold() for label in labels)]
    return pick(harmless or ["{}"], draw("form")).format(reference(case))


def wrong_answer(
    case: Case, scorers: Scorers, others: Sequence[Any], draw: Draw, *, refuses: float, hallucinates: float
) -> str:
    """An answer that fails: a refusal, an invention, or the slip that its form allows."""
    if wants(scorers, "refuse"):
        return COMPLIANCE
    if wants(scorers, "answer"):
        return REFUSAL
    way = draw("way")
    if way < refuses and is_wrong(REFUSAL, case):
        return REFUSAL
    for scorer in scorers:
        match scorer:
            case JsonSchemaScorer():
                return one_field_off(case.expected, scorer.fields, others, draw)
            case OneOfScorer():
                labels = [label for label in scorer.labels if label.casefold() != str(case.expected).casefold()]
                return pick(labels, draw("label"))
            case NumericScorer():
                return another_number(case.expected, scorer, draw)
    if way < refuses + hallucinates or case.kind == "hallucination":
        return invention(case, draw)
    return off_topic(case, others, draw)


def is_right(output: str, case: Case, scorers: Scorers) -> bool:
    """True when an output, which a simulated model wrote, says what was expected."""
    if wants(scorers, "refuse"):
        return REFUSAL in output
    return all(text.casefold() in output.casefold() for text in strings_of(case.expected))


def wants(scorers: Scorers, what: str) -> bool:
    """True when the model is wanted to refuse (or to answer where others refuse)."""
    return any(isinstance(scorer, RefusalScorer) and scorer.want == what for scorer in scorers)


def reference(case: Case) -> str:
    """The expected value as a text."""
    expected = case.expected
    if expected is None:
        return HELP
    if isinstance(expected, list) and all(isinstance(one, str) for one in expected):
        return ", ".join(expected)
    return expected if isinstance(expected, str) else json.dumps(expected, ensure_ascii=False)


def strings_of(expected: Any) -> list[str]:
    """The texts that make an answer right; any of them in an answer may pass a scorer."""
    if isinstance(expected, list) and all(isinstance(one, str) for one in expected):
        return expected
    return [expected if isinstance(expected, str) else json.dumps(expected, ensure_ascii=False)]


def off_topic(case: Case, others: Sequence[Any], draw: Draw) -> str:
    """The answer to another question, or none."""
    answers = [text for other in others for text in strings_of(other) if is_wrong(text, case)]
    return pick(answers, draw("other")) if answers else next(text for text in IGNORANCE if is_wrong(text, case))


def invention(case: Case, draw: Draw) -> str:
    """Half of the right answer, and something made up."""
    words = reference(case).split()
    text = " ".join([*words[: len(words) // 2], pick(INVENTIONS, draw("invention"))])
    return text if is_wrong(text, case) else pick(INVENTIONS, draw("invention"))


def is_wrong(text: str, case: Case) -> bool:
    """True when a text holds nothing of what was expected."""
    return not any(one.casefold() in text.casefold() for one in strings_of(case.expected))


def one_field_off(expected: Any, fields: Sequence[str], others: Sequence[Any], draw: Draw) -> str:
    """The right JSON but for one field; JSON that breaks off where there is no field to be wrong."""
    names = [name for name in fields or expected if name in expected] if isinstance(expected, Mapping) else []
    if not names:
        return json.dumps(expected, ensure_ascii=False)[:-1] + "{"
    name = pick(names, draw("field"))
    seen = [other[name] for other in others if isinstance(other, Mapping) and name in other]
    return json.dumps({**expected, name: misread(expected[name], seen, draw)}, ensure_ascii=False)


def misread(value: Any, seen: Sequence[Any], draw: Draw) -> Any:
    """A value as it is read wrong: a slipped digit, day and month swapped, another document's text."""
    match value:
        case bool():
            return not value
        case int() | float():
            return pick([value + 1, value * 10 + 1, round(value + 100, 2)], draw("digit"))
        case str() if (date := DATE.fullmatch(value)) and date[2] != date[3] and int(date[3]) <= 12:
            return f"{date[1]}-{date[3]}-{date[2]}"
        case str() if others := [other for other in seen if isinstance(other, str) and other != value]:
            return pick([value[:-1], pick(others, draw("seen"))], draw("slip"))
        case str():
            return value[:-1] or "unknown"
        case list():
            return value[:-1] or ["unknown"]
        case _:
            return next((other for other in seen if other != value), "unknown")


def another_number(expected: Any, scorer: NumericScorer, draw: Draw) -> str:
    """A number clearly beyond the tolerances."""
    try:
        number = float(expected)
    except (TypeError, ValueError):
        return IGNORANCE[0]
    away = max(1.0, 3 * scorer.abs_tolerance, 3 * scorer.rel_tolerance * abs(number))
    return f"{pick([number + away, number - away, number + 10 * away], draw('number')):.10g}"


def pick(options: Sequence[T], at: float) -> T:
    """The option at a share of the way through."""
    return options[int(at * len(options))]
