"""Tables of results, as Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One experiment: what was asked, and its rows. `kept` is false where a target was missed, None without one."""

    title: str
    note: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    kept: bool | None = None

    def __str__(self) -> str:
        mark = {True: " — target met", False: " — **target missed**", None: ""}[self.kept]
        lines = [self.header, ["---"] * len(self.header), *self.rows]
        body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"## {self.title}{mark}\n\n{self.note}\n\n{body}\n"


def percent(share: float, digits: int = 1) -> str:
    """A share in words of a table."""
    return f"{100 * share:.{digits}f} %"


def clopper_pearson_upper(count: int, of: int) -> float:
    """The upper end of the exact 95 % interval of a share (Clopper & Pearson 1934)."""
    from scipy.stats import beta

    return 1.0 if count == of else float(beta.ppf(0.975, count + 1, of - count))
