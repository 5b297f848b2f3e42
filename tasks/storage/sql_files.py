"""The SQL of this stage, one statement or script per file."""

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("sql")


@cache
def sql(name: str) -> str:
    """Read a file of SQL."""
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
