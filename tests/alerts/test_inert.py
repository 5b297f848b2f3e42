"""Foreign texts in messages: shown whole, and doing nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.alerts.inert import escaped, inert, shorten, side_by_side, unescaped, units


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<!channel> look", "‹!channel> look"),
        ("<@U1> <#C1|general> <!subteam^S1>", "‹@U1> ‹#C1|general> ‹!subteam^S1>"),
        ("<https://evil.example|click>", "‹https∶//evil.example|click>"),
        ("<mailto:a@b.example|x>", "‹mailto:a@b.example|x>"),
        ("see https://evil.example", "see https∶//evil.example"),
        (":tada: and :+1::skin-tone-2:", "∶tada: and ∶+1:∶skin-tone-2:"),
        ('{"a":"b","c":1}', '{"a":"b","c":1}'),
        ("1 < 2 && <b>bold</b>", "1 < 2 && <b>bold</b>"),
        ("two\n\n lines\r\n\tand\u2028more", "two lines and more"),
        ("abc\u202etxt.exe", "abc�txt.exe"),
        ("\u2066a\u2069\u200f\u061c", "�a���"),
        ("zero\u200bwidth\ufeff\u2060\u00ad", "zero�width���"),
        ("\x00\x1b[31mred\x07", "��[31mred�"),
        ("half of a pair: \ud83d", "half of a pair: �"),
        ("👩\u200d💻", "👩💻"),
        ("مرحبا بالعالم", "مرحبا بالعالم"),
        ("", ""),
    ],
)
def test_what_could_do_something_is_shown_and_does_nothing(written: str, shown: str) -> None:
    assert inert(written) == shown


@given(st.text())
def test_escaping_can_be_undone_and_leaves_no_markup(text: str) -> None:
    assert unescaped(escaped(text)) == text
    assert not {"<", ">"} & set(escaped(text))


@given(st.text(alphabet="aé😀", max_size=50), st.integers(1, 60))
def test_a_shortened_text_keeps_its_beginning_and_its_limit(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert units(short) <= limit
    assert text.startswith(short.removesuffix("…"))
    assert (short == text) == (units(text) <= limit)


def test_outputs_are_cut_where_they_differ() -> None:
    before = "The same long beginning of an answer. " * 20 + "You may return it within 30 days. " + "And so on. " * 50
    cut = side_by_side(before, before.replace("30 days", "14 days"), limit=100)
    assert "30 days" in cut.before
    assert "14 days" in cut.after
    assert cut.before.startswith("…")
    assert max(map(units, cut)) <= 100


@given(st.text(alphabet="ab😀", max_size=200), st.text(alphabet="ab😀", max_size=200), st.integers(8, 80))
def test_outputs_that_differ_are_never_cut_to_the_same_text(before: str, now: str, limit: int) -> None:
    cut = side_by_side(before, now, limit=limit)
    assert max(map(units, cut)) <= limit
    assert (cut.before == cut.after) == (before == now)
