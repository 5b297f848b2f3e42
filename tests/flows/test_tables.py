"""Tables in terminals of any width, and in files."""

import io

import pytest

from flows.terminal import tables
from flows.terminal.figures import plain
from flows.terminal.tables import table

COLUMNS = ["suite", "model", "verdict", "drop pp", "p"]
ROWS = [["invoice-extract", "dawn-1 (simulated)", "regressed", "+14.6", "7.2e-13"], ["日本語", "x", "pinned", "", ""]]


def drawn(width: int) -> list[str]:
    return table(COLUMNS, ROWS, right={"drop pp", "p"}, optional=["p", "drop pp"], width=width).splitlines()


@pytest.mark.parametrize("width", range(47, 90))
def test_a_table_fits_a_terminal_without_breaking_a_word_or_a_number(width: int) -> None:
    lines = drawn(width)
    assert max(map(len, lines)) <= width
    whole = " ".join(" ".join(lines).split())
    for word in ("invoice-extract", "dawn-1", "(simulated)", "regressed", "日本語"):
        assert word in whole


def test_the_least_important_columns_go_first_and_are_named() -> None:
    assert "too narrow" not in "\n".join(drawn(80))
    medium, narrow = "\n".join(drawn(62)), "\n".join(drawn(48))
    assert "+14.6" in medium
    assert "7.2e-13" not in medium
    assert medium.endswith("(too narrow for: p)")
    assert "+14.6" not in narrow
    assert narrow.endswith("(too narrow for: p, drop pp)")


def test_what_is_read_by_a_program_is_as_wide_as_need_be() -> None:
    text = "word " * 400
    [line] = [line for line in table(["a", "b"], [[text, "end"]]).splitlines() if "word" in line]
    assert line.split() == ["word"] * 400 + ["end"]


def test_what_is_wider_than_any_terminal_is_kept_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", Terminal())
    monkeypatch.setenv("COLUMNS", "70")
    assert tables.available_width() == 70
    shown = table(["a", "b"], [["x" * 500, "end"]])
    assert shown.count("x") == 500
    assert "end" in shown


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.9166666666, "0.9167"), (14.615384, "14.6154"), (2.0, "2"), (0.000012345, "1.234e-05"), (0.0, "0"), (None, "–")],
)
def test_a_number_without_a_unit_is_rounded(value: float | None, shown: str) -> None:
    assert plain(value) == shown
