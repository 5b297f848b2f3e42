"""`numeric`: the numbers that an output names, as people and models write them."""

import math
import re
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from itertools import islice

from tasks.config import NumericScorer
from tasks.records import Case, Finding
from tasks.scoring.findings import Rule, excerpt, failed, one_line, passed

TAIL = 100_000
"""Characters from the end in which the last number is looked for before the whole output is read."""

MAX_DIGITS = 1000
"""A longer run of digits is no number that anyone asked for."""

MARKS = "_'’ \u00a0\u2009\u202f"
"""Marks and spaces that group thousands and nothing else."""

SUPERSCRIPTS = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "+-0123456789-")

NUMBER = re.compile(
    r"""
    (?<![^\W_]) (?<!\d[.,_'’])                                      # not inside a word or another number
    (?P<sign>[+\-−]?) (?:[$€£¥]\s?)?
    (?P<digits> [1-9]\d{0,2}(?:[\ \u00a0\u2009\u202f]\d{3})+(?:[.,]\d+)?(?![.,_'’]?\d) | \d(?:[\d.,_'’]*\d)? | \.\d+ )
    (?: e (?P<exponent>[+\-−]?\d{1,4}) (?![^\W_])
      | \s?(?:[×x*·]|\\times|\\cdot) \s?10 (?: \^\{?(?P<power>[+\-−]?\d{1,4})\}? | (?P<raised>[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,4}) )
    )?
    """,
    re.VERBOSE | re.IGNORECASE,
)

WRITTEN_FORMS: tuple[tuple[Callable[[str], object], str, str], ...] = tuple(
    (re.compile(form).fullmatch, grouping, decimal)
    for form, grouping, decimal in (
        (r"\d+(?:\.\d+)?|\.\d+", "", "."),  # 1234 1234.5 .5
        (r"[1-9]\d{0,2}(?:,\d{2,3})*,\d{3}(?:\.\d+)?", ",", "."),  # 1,234 1,234.5 12,34,567
        (r"\d+,\d+", "", ","),  # 1234,5 0,234
        (r"[1-9]\d{0,2}(?:\.\d{3})+,\d+|[1-9]\d{0,2}(?:\.\d{3}){2,}", ".", ","),  # 1.234,5 1.234.567
        (rf"[1-9]\d{{0,2}}(?:[{MARKS}]\d{{3}})+(?:\.\d+)?", MARKS, "."),  # 1'234.5 1 234
        (rf"[1-9]\d{{0,2}}(?:[{MARKS}]\d{{3}})+,\d+", MARKS, ","),  # 1 234,5
    )
)
"""How digits may be grouped: the form, what groups thousands in it, and what stands before decimals."""


def numeric(config: NumericScorer) -> Rule:
    """Pass when the picked number is within the tolerances of the expected one.

    |got - expected| ≤ max(abs_tolerance, rel_tolerance · |expected|), in decimal arithmetic: 0.4 is within 0.1 of 0.3.
    `only` wants exactly one distinct number. Read are signs, currency marks, grouped thousands (1,234.5, 1.234,5,
    1'234.5, 1 234,5), 1e5 and 1.5 × 10^5. A single comma before exactly three digits groups thousands
    ("1,234" is 1234, "1,5" is 1.5); a single point is always decimal ("1.234" is 1.234). Percent signs and units are
    left aside ("12 %" is 12), words that multiply ("million") too. Digits inside words ("GPT4"), versions ("1.2.3")
    and NaN are no numbers; dates, fractions and powers are several. `expected` is a number, or a text
    of just one.
    """
    abs_tolerance, rel_tolerance = decimal_of(config.abs_tolerance), decimal_of(config.rel_tolerance)

    def picked(text: str) -> list[Decimal]:
        match config.pick:
            case "first":
                return list(islice(numbers_in(text), 1))
            case "last":
                return list(numbers_in(text[-TAIL:]))[-1:] or list(numbers_in(text))[-1:]
            case "only":
                return list(islice(distinct_numbers_in(text), 2))

    def score(text: str, case: Case) -> Finding:
        wanted = expected_number(case.expected)
        if wanted is None:
            raise ValueError(f"expected is no number: {excerpt(case.expected)}")
        match picked(text):
            case []:
                return failed(f"expected {wanted}, got no number in {excerpt(text)}")
            case [got] if abs(got - wanted) <= max(abs_tolerance, rel_tolerance * abs(wanted)):
                return passed("" if got == wanted else f"got {short(got)}")
            case [got]:
                return failed(f"expected {wanted}, got {short(got)}")
            case several:
                return failed(f"expected only {wanted}, got {' and '.join(map(short, several))}")

    return score


def expected_number(value: object) -> Decimal | None:
    """The number that a label holds; None for NaN, infinities, truth values and texts that are not just a number."""
    if isinstance(value, str):
        found = list(NUMBER.finditer(value))
        whole = len(found) == 1 and not re.search(r"[^\W_]", value[: found[0].start()] + value[found[0].end() :])
        return number_of(found[0]) if whole else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return decimal_of(value)


def short(number: Decimal) -> str:
    """A number as a reason shows it."""
    return one_line(str(number), limit=40)


def decimal_of(value: float) -> Decimal:
    """A number as it is written: 0.1 becomes exactly 0.1."""
    return Decimal(repr(value))


def numbers_in(text: str) -> Iterator[Decimal]:
    """The numbers that a text names, in order."""
    for found in NUMBER.finditer(text):
        number = number_of(found)
        if number is not None:
            yield number


def number_of(found: re.Match[str]) -> Decimal | None:
    """The number that one place in a text holds, if its digits are grouped in a known way."""
    digits = ungrouped(found["digits"])
    if digits is None:
        return None
    exponent = found["exponent"] or found["power"] or found["raised"] or "0"
    try:
        return Decimal(f"{found['sign']}{digits}e{exponent}".translate(SUPERSCRIPTS))
    except InvalidOperation:
        return None


def ungrouped(digits: str) -> str | None:
    """Digits without what groups them and with a decimal point; None when they are no number."""
    if len(digits) > MAX_DIGITS:
        return None
    for has_form, grouping, decimal in WRITTEN_FORMS:
        if has_form(digits):
            return digits.translate(dict.fromkeys(map(ord, grouping))).replace(decimal, ".")
    return None


def distinct_numbers_in(text: str) -> Iterator[Decimal]:
    """Each number that a text names, once."""
    written: set[str] = set()
    seen: set[Decimal] = set()
    for found in NUMBER.finditer(text):
        if found[0] in written:
            continue
        written.add(found[0])
        number = number_of(found)
        if number is not None and number not in seen:
            seen.add(number)
            yield number
