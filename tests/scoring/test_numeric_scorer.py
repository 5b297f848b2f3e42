"""`numeric`."""

from decimal import Decimal
from typing import Any

import pytest

from tasks.scoring.numeric import numbers_in
from tests.scoring.scored import find

READ = [
    ("The answer is 42.", ["42"]),
    ("**42**", ["42"]),
    ("_42_", ["42"]),
    (r"\boxed{42}", ["42"]),
    ("x=-5", ["-5"]),
    ("−3 °C", ["-3"]),
    ("5-3", ["5", "3"]),
    ("+7", ["7"]),
    ("1,234.5", ["1234.5"]),
    ("1.234,5", ["1234.5"]),
    ("1,234", ["1234"]),
    ("1.234", ["1.234"]),
    ("1,5", ["1.5"]),
    ("0,234", ["0.234"]),
    ("1.234.567", ["1234567"]),
    ("12,34,567", ["1234567"]),
    ("1'234.50", ["1234.50"]),
    ("1 234,56 €", ["1234.56"]),
    ("1\u00a0234\u202f567", ["1234567"]),
    ("1_000_000", ["1000000"]),
    ("In 2023 450 people came", ["2023", "450"]),
    ("1, 2, 3", ["1", "2", "3"]),
    ("$1,234.50", ["1234.50"]),
    ("-$5 and $-6", ["-5", "-6"]),
    ("12.5%", ["12.5"]),
    (".5", ["0.5"]),
    ("1e5 or 2.5E-3", ["1e5", "0.0025"]),
    ("6.02 × 10^23", ["6.02e23"]),
    (r"6.02 \times 10^{23}", ["6.02e23"]),
    ("3 × 10⁻⁴", ["0.0003"]),
    ("3 x 10 boxes", ["3", "10"]),
    ("5kg", ["5"]),
    ("2026-11-22", ["2026", "11", "22"]),
    ("12:30 and 1/2", ["12", "30", "1", "2"]),
    ("٤٢", ["42"]),
    ("GPT4, v1.2, H2O", []),
    ("192.168.0.1", []),
    ("NaN, infinity, ½, x²", []),
    ("9" * 2000, []),
]


@pytest.mark.parametrize(("text", "numbers"), READ, ids=[text[:30] for text, _ in READ])
def test_the_numbers_that_a_text_names(text: str, numbers: list[str]) -> None:
    assert list(numbers_in(text)) == [Decimal(number) for number in numbers]


SCORED = [
    ("equal", {}, "It is 42", 42, True),
    ("equal with decimals", {}, "42.00", 42, True),
    ("the last one counts", {}, "6 times 7 is 42", 42, True),
    ("the last one is wrong", {}, "42, not 43", 42, False),
    ("the first one counts", {"pick": "first"}, "42, not 43", 42, True),
    ("only one, named twice", {"pick": "only"}, "42. In short: 42.0", 42, True),
    ("only one, but two are named", {"pick": "only"}, "6 times 7 is 42", 42, False),
    ("no number", {}, "forty-two", 42, False),
    ("nothing", {}, "", 0, False),
    ("NaN equals nothing", {"abs_tolerance": 1000}, "NaN", 0, False),
    ("on the absolute tolerance, in decimals", {"abs_tolerance": 0.1}, "0.4", 0.3, True),
    ("beyond the absolute tolerance", {"abs_tolerance": 0.1}, "0.41", 0.3, False),
    ("on the relative tolerance", {"rel_tolerance": 0.01}, "-101", -100, True),
    ("beyond the relative tolerance", {"rel_tolerance": 0.01}, "102", 100, False),
    ("the wider tolerance counts", {"rel_tolerance": 0.01, "abs_tolerance": 5}, "104", 100, True),
    ("large whole numbers are told apart", {}, "12345678901234567891", 12345678901234567890, False),
    ("a label as text", {}, "1234.5", "1,234.5 €", True),
    ("a label in percent", {}, "about 12.5 %", "12.5%", True),
    ("an exponent beyond all measure", {"abs_tolerance": 1}, "1e9999", 1, False),
]


@pytest.mark.parametrize(
    ("options", "output", "expected", "passes"), [row[1:] for row in SCORED], ids=[r[0] for r in SCORED]
)
def test_numeric(options: dict[str, Any], output: str, expected: Any, *, passes: bool) -> None:
    assert find({"type": "numeric", **options}, output, expected).passed is passes


@pytest.mark.parametrize(
    ("pick", "output", "reason"),
    [
        ("last", "41", "expected 42, got 41"),
        ("last", "none", "expected 42, got no number in 'none'"),
        ("only", "41 or 42", "expected only 42, got 41 and 42"),
    ],
)
def test_a_wrong_number_tells_what_was_read(pick: str, output: str, reason: str) -> None:
    assert find({"type": "numeric", "pick": pick}, output, 42).reason == reason


def test_the_last_number_is_found_however_far_from_the_end() -> None:
    assert find("numeric", "42" + " and so on" * 20_000, 42).passed
