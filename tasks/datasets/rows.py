"""What every reader of cases yields, and the columns that a table of cases may have."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from tasks.datasets.problems import Problems
from tasks.documents.wording import brief, nearest
from tasks.errors import Problem, UsageError

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
    """The columns, all of them fields of a case; raises UsageError when the table cannot be one of cases."""
    if not names:
        raise UsageError.single("expected the names of columns, got nothing", where=where)
    missing = [name for name in ("id", "input") if name not in names]
    unknown = [name for name in dict.fromkeys(names) if name not in FIELDS]
    if missing:
        message = f"expected columns id and input, got no {' and no '.join(missing)} among {brief(', '.join(names))}"
        raise UsageError.single(message, where=where, hint=hint_on(unknown[0], missing) if unknown else "")
    if unknown:
        raise UsageError(Problem(where, f"unknown column {name!r}", hint_on(name, FIELDS)) for name in unknown)
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            problems.add(where, f"the column {name!r} stands here twice")
    return set(names)


def hint_on(name: str, known: Sequence[str]) -> str:
    """What an unknown column was probably meant to be."""
    return "columns are parted by commas" if ";" in name or "\t" in name else nearest(name, known)
