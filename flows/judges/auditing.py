"""The audit queue: outputs of a night for people to label, and their labels back."""

import csv
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tasks.datasets.calibration import FILE, WORDS, read_labels
from tasks.datasets.problems import Problems
from tasks.datasets.rows import Row
from tasks.datasets.text_rows import LONGEST_CELL, jsonl_rows, lines_of
from tasks.documents.wording import brief, shown
from tasks.errors import UsageError
from tasks.files import write_whole
from tasks.judges.blinding import Hidden, opened, sealed
from tasks.judges.sampling import draw_sample
from tasks.records import Cell, Suite
from tasks.scoring.judge import build_judges
from tasks.storage import judged, reads
from tasks.storage.judged import SpokenOf

PLACE = ("suite", "origin", "scorer", "case")
COLUMNS = (*PLACE, "id", "input", "expected", "output", "verdict")
"""The id holds what would tell of the model, or of what the judge said."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would calculate where a cell begins with it."""


class Label(NamedTuple):
    """One answer of a filled-in sample: of which output, and whether it `passed` in a person's eyes."""

    row: Row
    suite: str
    origin: str
    scorer: str
    case: str
    model: str
    trial: int
    weight: float
    passed: bool


def sample_rows(results: Path, suites: Sequence[Suite], cells: Sequence[Cell], n: int) -> Iterator[dict[str, Any]]:
    """Rows to label, `n` of each judge scorer of each cell, always the same; model and judge's word stay hidden."""
    by_name = {suite.name: suite for suite in suites}
    for cell in cells:
        for scorer in build_judges(by_name[cell.suite]):
            spoken = judged.judged_outputs(results, cell.run_id, cell.suite, cell.model, [scorer.name])
            first = list({one.case_id: one for one in reversed(spoken)}.values())
            seed = zlib.crc32(f"{cell.run_id} {cell.suite} {cell.model} {scorer.name}".encode())
            drawn = draw_sample(np.array([one.passed for one in first], dtype=bool), n, np.random.default_rng(seed))
            yield from rows_of(results, cell, [(first[position], weight) for position, weight in drawn])


def rows_of(results: Path, cell: Cell, drawn: Sequence[tuple[SpokenOf, float]]) -> Iterator[dict[str, Any]]:
    """The drawn outputs with what a person needs to know of their cases."""
    ids = [one.case_id for one, _ in drawn]
    cases = {case.case_id: case for case in reads.stored_cases(results, cell.suite, cell.dataset_hash, ids)}
    for one, weight in drawn:
        case = cases.get(one.case_id)
        place = dict(zip(PLACE, (cell.suite, cell.run_id, one.scorer, one.case_id), strict=True))
        yield {
            **place,
            "id": sealed(Hidden(cell.model, one.trial, weight), " ".join(place.values())),
            "input": case.input if case else "",
            "expected": case.expected if case else "",
            "output": one.output,
            "verdict": "",
        }


def as_file(rows: Sequence[Mapping[str, Any]], suffix: str) -> str:
    """A sample as CSV, or as JSON lines; in CSV no cell is a formula."""
    if suffix == ".jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    writer.writerows([harmless(row[name]) for name in COLUMNS] for row in rows)
    return out.getvalue()


def harmless(value: object) -> object:
    """A cell that a spreadsheet shows and does not calculate; `as_drawn` undoes it."""
    return f"'{value}" if isinstance(value, str) and value.lstrip("'").startswith(FORMULA) else value


def as_drawn(cell: str) -> str:
    """A cell without the quote that made it harmless."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(FORMULA) else cell


def read_sample(path: Path) -> tuple[list[Label], int]:
    """The rows of a sample that a person has filled in, and how many are left; raises UsageError with every mistake."""
    problems = Problems()
    rows = jsonl_rows(path, problems) if path.suffix == ".jsonl" else csv_fields(path)
    labels, left = [], 0
    for row in rows:
        verdict = row.fields.get("verdict")
        word = "" if verdict is None else str(verdict).strip().lower()
        if mistake := mistake_in(row.fields, word):
            problems.add(row.where, mistake, kind=mistake.partition(":")[0])
        elif word:
            labels.append(label_in(row, passed=WORDS[word]))
        else:
            left += 1
    problems.raise_any()
    return labels, left


def mistake_in(fields: Mapping[str, Any], word: str) -> str | None:
    """The first thing wrong with a row in itself; `word` is its verdict."""
    for name in (*PLACE, "id"):
        if fields.get(name) in (None, ""):
            return f"the column {name!r} is missing"
        if not isinstance(fields[name], str):
            return f"{name}: expected text, got {brief(fields[name])}"
    return f"verdict: expected pass or fail, got {brief(fields['verdict'])}" if word and word not in WORDS else None


def label_in(row: Row, *, passed: bool) -> Label:
    """A row that was filled in; raises UsageError where somebody changed what tells its output."""
    place = {name: row.fields[name] for name in PLACE}
    try:
        hidden = opened(row.fields["id"], " ".join(place.values()))
    except (ValueError, OverflowError):
        message = f"expected {', '.join(PLACE)} and id as they were drawn"
        raise UsageError.single(message, where=row.where, hint="`daybreak judge sample` draws again") from None
    return Label(
        row=row,
        suite=place["suite"],
        origin=place["origin"],
        scorer=place["scorer"],
        case=place["case"],
        model=hidden.model,
        trial=hidden.trial,
        weight=hidden.weight,
        passed=passed,
    )


def csv_fields(path: Path) -> Iterator[Row]:
    """The rows of a CSV file with the lines on which they end; raises UsageError where it is broken."""
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.DictReader(lines_of(path), strict=True)
    try:
        for fields in reader:
            texts = {name: as_drawn(cell) for name, cell in fields.items() if isinstance(cell, str)}
            yield Row(shown(path), reader.line_num, texts)
    except csv.Error as error:
        raise UsageError.single(f"broken CSV: {error}", where=f"{shown(path)}:{reader.line_num}") from None


def lines_for(results: Path, suite: Suite, labels: Iterable[Label], annotator: str) -> list[dict[str, Any]]:
    """What is new to a suite's calibration file; outputs come from the warehouse, not from the sample.

    Raises UsageError, with the sample's line, for what the file could not be read with.
    """
    known = {
        (one.origin, one.model, one.scorer, one.case.id, one.output, one.verdicts[annotator])
        for one in read_labels(suite)
        if annotator in one.verdicts
    }
    spoken: dict[tuple[str, str, str], dict[tuple[str, int], str]] = {}
    lines = []
    for label in labels:
        cell = label.origin, label.model, label.scorer
        if cell not in spoken:
            found = judged.judged_outputs(results, label.origin, suite.name, label.model, [label.scorer])
            spoken[cell] = {(one.case_id, one.trial): one.output for one in found}
        output = spoken[cell].get((label.case, label.trial))
        if output is None:
            message = f"expected an output of {label.model} in {label.origin} that was judged, got {label.case!r}"
            raise UsageError.single(message, where=label.row.where)
        said = (*cell, label.case, output, label.passed)
        if said not in known:
            known.add(said)
            lines.append(label.row._replace(fields=line_of(label, output, annotator)))
    read_labels(suite, lines)
    return [line.fields for line in lines]


def line_of(label: Label, output: str, annotator: str) -> dict[str, Any]:
    """A line of the calibration file."""
    return {
        "case": label.case,
        "output": output,
        "verdicts": {annotator: "pass" if label.passed else "fail"},
        "model": label.model,
        "scorer": label.scorer,
        "weight": label.weight,
        "origin": label.origin,
    }


def append_lines(suite: Suite, lines: Sequence[Mapping[str, Any]]) -> Path:
    """Add lines to a suite's calibration file, behind whatever it holds."""
    path = Path(suite.folder) / FILE
    before = path.read_bytes() if path.is_file() else b""
    added = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
    write_whole(path, before + (b"\n" if before and not before.endswith(b"\n") else b"") + added)
    return path
