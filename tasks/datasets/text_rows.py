"""Read cases from text files, line by line: JSONL and CSV."""

import csv
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from tasks.datasets.problems import Problems
from tasks.datasets.rows import Row, known_columns
from tasks.documents.files import require_file
from tasks.documents.wording import brief, shown
from tasks.errors import UsageError

ONE_PER_LINE = "JSONL has one case per line"
LONGEST_LINE = 1 << 27
"""In bytes."""

LONGEST_CELL = 1 << 27
"""In characters; Python's csv refuses more than 128 Ki unless told otherwise."""


def lines_of(path: Path) -> Iterator[str]:
    """The lines of a UTF-8 file with their ends; raises UsageError where that is impossible."""
    number = 0
    require_file(path)
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iter(partial(file.readline, LONGEST_LINE), b""), 1):
                if len(line) == LONGEST_LINE:
                    message = f"a line of more than {LONGEST_LINE:,} bytes"
                    raise UsageError.single(message, where=f"{shown(path)}:{number}")
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        found = f"byte 0x{error.object[error.start]:02x}"
        raise UsageError.single(f"expected UTF-8 text, got {found}", where=f"{shown(path)}:{number}") from None
    except OSError as error:
        raise UsageError.single(f"cannot be read: {error.strerror}", where=shown(path)) from None


def jsonl_rows(path: Path, problems: Problems) -> Iterator[Row]:
    """One JSON object per line; blank lines are passed over."""
    file = shown(path)
    decoder = json.JSONDecoder(object_pairs_hook=distinct, parse_constant=refuse_constant, parse_float=finite)
    for number, line in enumerate(lines_of(path), 1):
        if not line.strip():
            continue
        try:
            fields = decoder.decode(line)
        except json.JSONDecodeError as error:
            problems.add(f"{file}:{number}", *in_words(error, line), kind="broken JSON")
        except RecursionError:
            problems.add(f"{file}:{number}", "nested too deeply", kind="nested")
        except ValueError as error:
            problems.add(f"{file}:{number}", f"broken JSON: {error}", kind="broken JSON")
        else:
            if isinstance(fields, dict):
                yield Row(file, number, fields)
            else:
                message = f"expected a JSON object, got {brief(fields)}"
                problems.add(f"{file}:{number}", message, ONE_PER_LINE, kind="no object")


def in_words(error: json.JSONDecodeError, line: str) -> tuple[str, str]:
    """Message and hint for a line that is no JSON."""
    if error.pos == 0:
        return f"expected a JSON object, got {brief(line.strip())}", ONE_PER_LINE
    return f"broken JSON, column {error.colno}: {error.msg[0].lower()}{error.msg[1:]}", ""


def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; raises ValueError when a field stands in it twice."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the field {next(name for name in names if names.count(name) > 1)!r} stands here twice")
    return fields


def refuse_constant(name: str) -> NoReturn:
    """NaN and infinity are no JSON."""
    raise ValueError(f"{name} is no JSON value")


def finite(text: str) -> float:
    """A number; raises ValueError where it is too large for a float."""
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise ValueError(f"the number {text} is too large")
    return number


def csv_rows(path: Path, problems: Problems) -> Iterator[Row]:
    """A header, then one case per record; every value is text, an empty cell is missing, tags are split on `|`."""
    file = shown(path)
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(lines_of(path), strict=True)
    try:
        header = next(reader, [])
        columns = known_columns(header, f"{file}:1", problems)
        line = reader.line_num + 1
        for cells in reader:
            if len(cells) == len(header):
                texts = {name: cell for name, cell in zip(header, cells, strict=True) if cell and name in columns}
                tags = [tag.strip() for tag in texts.get("tags", "").split("|") if tag.strip()]
                yield Row(file, line, {**texts, "tags": tags})
            elif cells:
                message = f"expected {len(header)} cells as in the header, got {len(cells)}"
                problems.add(f"{file}:{line}", message, kind="number of cells")
            line = reader.line_num + 1
    except csv.Error as error:
        raise UsageError.single(f"broken CSV: {error}", where=f"{file}:{reader.line_num}") from None
