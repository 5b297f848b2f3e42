"""Tables that a command prints: as wide as the terminal, and as wide as need be where nobody looks at one."""

import io
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from flows.terminal.figures import plain

UNBOUNDED = 1_000_000
LONGEST_WORD = 60
"""What is longer is no word, and may be broken."""

BETWEEN = 3
"""Blanks between columns."""


class Column(NamedTuple):
    """A heading with the texts under it; numbers stand to the right and are never wrapped."""

    title: str
    texts: Sequence[str]
    is_number: bool

    @property
    def whole(self) -> int:
        """How wide it is with every text on one line."""
        from rich.cells import cell_len

        return max(map(cell_len, [self.title, *self.texts]))

    @property
    def least(self) -> int:
        """How wide it has to be for no word to be broken."""
        from rich.cells import cell_len

        words = [word for text in (self.title, *self.texts) for word in text.split()]
        return self.whole if self.is_number else min(LONGEST_WORD, max(map(cell_len, words), default=0))


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Iterable[str] = (),
    optional: Sequence[str] = (),
    width: int | None = None,
) -> str:
    """Rows under a heading. Where `width` is too small texts are wrapped between words; where that is not enough, the
    `optional` columns are left out, the first of them first, and named below."""
    numbers, room = set(right), (width or available_width()) - 2
    texts = [[plain(value) for value in row] for row in rows]
    shown = [Column(title, [row[index] for row in texts], title in numbers) for index, title in enumerate(columns)]
    left_out: list[str] = []
    while len(left_out) < len(optional) and total([column.least for column in shown]) > room:
        left_out.append(optional[len(left_out)])
        shown = [column for column in shown if column.title != left_out[-1]]
    return draw(shown, fitted(shown, room)) + (f"\n(too narrow for: {', '.join(left_out)})" if left_out else "")


def available_width() -> int:
    """Characters in a line."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else UNBOUNDED


def total(widths: Sequence[int]) -> int:
    """How wide columns are together."""
    return sum(widths) + BETWEEN * (len(widths) - 1)


def fitted(columns: Sequence[Column], room: int) -> list[int]:
    """Widths of the columns: the widest are narrowed first, and none below its words."""
    least = [column.least for column in columns]
    widths = [min(column.whole, max(words, room)) for column, words in zip(columns, least, strict=True)]
    while total(widths) > room:
        index = max(range(len(widths)), key=lambda at: (widths[at] > least[at], widths[at]))
        if widths[index] <= least[index]:
            break
        widths[index] -= 1
    return widths


def draw(columns: Sequence[Column], widths: Sequence[int]) -> str:
    """Columns of given widths under their headings."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column, width in zip(columns, widths, strict=True):
        drawn.add_column(column.title, justify="right" if column.is_number else "left", overflow="fold", width=width)
    for row in zip(*(column.texts for column in columns), strict=True):
        drawn.add_row(*map(Text, row))
    out = io.StringIO()
    Console(file=out, width=total(widths) + 2).print(drawn)
    return "\n".join(line.rstrip() for line in out.getvalue().strip("\n").splitlines())
