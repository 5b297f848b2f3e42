"""What every reader of cases yields, and the columns that a table of cases may have."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from tasks.datasets.problems import Problems
from tasks.documents.wording import nearest
from tasks.errors import UsageError

FIELDS = ("id", "input", "expected", "kind", "tags", "group")


class Row(NamedTuple):
    """The fields of a case as they were found; `where` of line 3 is `file:3`, of a table's third row `file: row 3`."""

    file: str
    number: int
    fields: dict[str, Any]
    unit: str = ""

    @property
    def where(self) -> str:
        return f"{self.file}:{self.unit}{self.number}"


def known_columns(names: Sequence[str], where: str, problems: Problems) -> set[str]:
    """Those columns that are fields of a case; raises UsageError when the table cannot be one of cases."""
    if not names:
        raise UsageError.single("expected the names of columns, got nothing", where=where)
    for name in dict.fromkeys(names):
        if name not in FIELDS:
            hint = "columns are parted by commas" if ";" in name or "\t" in name else nearest(name, FIELDS)
            problems.add(where, f"unknown column {name!r}", hint)
        elif names.count(name) > 1:
            problems.add(where, f"the column {name!r} stands here twice")
    missing = [name for name in ("id", "input") if name not in names]
    if missing:
        raise UsageError.single(f"expected columns id and input, got no {' and no '.join(missing)}", where=where)
    return set(names).intersection(FIELDS)
