from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.reports.excerpts import MOST_CHARACTERS, common_length, excerpts, gists, readable
from tasks.reports.visible import visible
from tasks.reports.word_diff import MOST_CHANGED, Piece, common_words, word_diff


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain <b> & text\n\tindented", "plain <b> & text\n\tindented"),
        ("exe.\u202egnp", "exe.⟨U+202E⟩gnp"),
        ("a\x00b\x1b[0m\r\n", "a⟨U+0000⟩b⟨U+001B⟩[0m⟨U+000D⟩\n"),
        ("zero\u200bwidth\ufeff", "zero⟨U+200B⟩width⟨U+FEFF⟩"),
        ("\u2028\u2029\ud800", "⟨U+2028⟩⟨U+2029⟩⟨U+D800⟩"),
        ("می\u200cخواهم 👩\u200d👧 1\u202f000\u00a0€", "می\u200cخواهم 👩\u200d👧 1\u202f000\u00a0€"),
        ("e\u0301 Z" + "\u0301" * 8, "e\u0301 Z" + "\u0301" * 6 + "⟨U+0301⟩⟨U+0301⟩"),
    ],
)
def test_what_a_reader_would_not_see_is_spelled_out(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("before", "now", "changed_before", "changed_now"),
    [
        ("the sum is 12.50 EUR", "the sum is 12.40 EUR", [" 12.50"], [" 12.40"]),
        ("it is open now", "it is not open now", [], [" not"]),
        ("one two three end", "uno dos tres end", ["one two three"], ["uno dos tres"]),
        ("billing", "bug", ["billing"], ["bug"]),
        ("same", "same", [], []),
        ("", "all new", [], ["all new"]),
        ("営業時間は九時です", "営業時間は十時です", ["九"], ["十"]),
    ],
)
def test_words_that_only_one_text_has_are_marked(
    before: str, now: str, changed_before: list[str], changed_now: list[str]
) -> None:
    diff = word_diff(before, now)
    assert [piece.text for piece in diff.before if piece.changed] == changed_before
    assert [piece.text for piece in diff.now if piece.changed] == changed_now


def test_texts_that_share_little_differ_throughout() -> None:
    diff = word_diff("The shop opens at nine, every day.", "I cannot say, at least not to you.")
    assert diff.before == (Piece("The shop opens at nine, every day", True), Piece(".", False))


words = st.lists(st.sampled_from(["a", "b", "c", " "]), max_size=12).map("".join)


@given(words, words)
def test_pieces_add_up_to_the_texts(before: str, now: str) -> None:
    diff = word_diff(before, now)
    assert "".join(piece.text for piece in diff.before) == before
    assert "".join(piece.text for piece in diff.now) == now


def test_as_many_words_are_kept_as_the_two_texts_have_in_common() -> None:
    """Against the textbook recursion, on every pair of short texts."""
    texts = ["".join(letters) for length in range(6) for letters in product("ab", repeat=length)]
    for old, new in product(texts, texts):
        pairs = list(common_words(old, new))[::-1]
        assert all(old[x] == new[y] for x, y in pairs)
        assert all(first[0] < second[0] and first[1] < second[1] for first, second in pairwise(pairs))
        most = longest_common(old, new)
        if len(old) + len(new) - 2 * most <= int(MOST_CHANGED * (len(old) + len(new))):
            assert len(pairs) == most, (old, new)


def longest_common(old: str, new: str) -> int:
    row = [0] * (len(new) + 1)
    for x in old:
        before = row
        row = [0]
        for place, y in enumerate(new):
            row.append(before[place] + 1 if x == y else max(before[place + 1], row[place]))
    return row[-1]


@given(words, words)
def test_the_common_beginning_is_found(first: str, second: str) -> None:
    length = common_length(first, second)
    assert first[:length] == second[:length]
    assert first[length : length + 1] != second[length : length + 1] or length == len(first) == len(second)


def test_long_outputs_are_cut_to_where_they_differ() -> None:
    before, now = excerpts("x" * 50_000 + "yes", "x" * 50_000 + "no")
    assert before.text.endswith("xyes")
    assert now.text.endswith("xno")
    assert before.left_out_before == now.left_out_before == 49_500


def test_long_outputs_that_differ_early_are_cut_at_the_end() -> None:
    before, now = excerpts("yes" + "x" * 50_000, "no")
    assert (len(before.text), before.left_out_before, before.left_out_after) == (MOST_CHARACTERS, 0, 46_003)
    assert (now.text, now.is_shortened) == ("no", False)


@pytest.mark.parametrize(
    ("before", "now", "shown"),
    [
        ("billing", "bug", ("billing", "bug")),
        (None, " \n", ("no text", "empty")),
        ("two\n\nlines", "one  line", ("two lines", "one line")),
        ("a" * 70, "b", ("a" * 60 + "…", "b")),
        ("well " * 20 + "yes", "well " * 20 + "no", ("…well well well yes", "…well well well no")),
    ],
)
def test_the_gist_of_a_flip_stands_on_one_line(before: str | None, now: str | None, shown: tuple[str, str]) -> None:
    assert gists(before, now) == shown


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ('"a text\\nof two lines"', "a text\nof two lines"),
        ('{"q": "ü"}', '{\n  "q": "ü"\n}'),
        ("12.50", "12.5"),
        ("no JSON", "no JSON"),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_stored_values_are_shown_as_a_person_reads_them(stored: str, shown: str) -> None:
    assert readable(stored) == shown
