"""Read a suite's calibration.jsonl: outputs with people's verdicts, by which its judges are measured."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tasks.config import JudgeScorer
from tasks.datasets.cases import DEFAULT_KIND, cases_of
from tasks.datasets.content import sha256
from tasks.datasets.problems import Problems
from tasks.datasets.rows import Row
from tasks.datasets.text_rows import jsonl_rows
from tasks.documents.wording import brief, nearest
from tasks.records import Case, LabelledOutput, Suite

FILE = "calibration.jsonl"
FIELDS = ("case", "input", "expected", "kind", "tags", "output", "verdicts", "model", "scorer", "weight", "origin")
OF_A_CASE = ("input", "expected", "kind", "tags")
WORDS: Mapping[str, bool] = {"pass": True, "fail": False}
LEAST_WEIGHT, LARGEST_WEIGHT = 1e-9, 1e9
"""Between them, sums of squares are neither 0 nor infinite."""


def calibration_file(suite: Suite) -> Path | None:
    """The file, if the suite has one."""
    path = Path(suite.folder) / FILE
    return path if path.is_file() else None


def read_labels(suite: Suite, added: Sequence[Row] = ()) -> list[LabelledOutput]:
    """Every labelled output of a suite, none where it has no file; raises UsageError with every mistake in it.

    Lines about the same output of the same sample are one row, with the verdicts of all. `added` are lines that the
    file does not hold yet, read as if it did.
    """
    path = calibration_file(suite)
    if path is None and not added:
        return []
    problems = Problems()
    rows = [*(jsonl_rows(path, problems) if path else ()), *added]
    wanted = {row.fields.get("case") for row in rows if isinstance(row.fields.get("case"), str)}
    cases = {case.id: case for case in cases_of(suite) if case.id in wanted}
    labelled = [one for row in rows if (one := labelled_in(row, suite, cases, problems))]
    merged = list(merge(labelled, problems))
    problems.raise_any()
    return merged


def labelled_in(row: Row, suite: Suite, cases: Mapping[str, Case], problems: Problems) -> LabelledOutput | None:
    """The labelled output of one line, unless something is wrong with it."""
    fields = {name: value for name, value in row.fields.items() if value is not None}
    before = len(problems)
    for message, hint in mistakes_in(fields):
        problems.add(row.where, message, hint, kind=message.partition(":")[0])
    case = case_in(row, fields, cases, problems) if len(problems) == before else None
    if case is None:
        return None
    scorer = fields.get("scorer")
    judges = judge_scorers(suite, case)
    if not judges or (scorer and scorer not in judges):
        message = f"expected a judge scorer for the kind {case.kind!r}" + (f", got {brief(scorer)}" if scorer else "")
        problems.add(row.where, message, nearest(scorer or "", judges), kind="no judge")
        return None
    return LabelledOutput(
        where=row.where,
        case=case,
        output=fields["output"],
        verdicts={name: WORDS[word] for name, word in fields["verdicts"].items()},
        model=fields["model"],
        scorer=scorer,
        weight=float(fields.get("weight", 1.0)),
        origin=fields.get("origin"),
    )


def case_in(row: Row, fields: Mapping[str, Any], cases: Mapping[str, Case], problems: Problems) -> Case | None:
    """The case that a line names, or the one that it brings."""
    if "case" in fields:
        case = cases.get(fields["case"])
        if case is None:
            problems.add(row.where, f"expected the id of a case of the suite, got {brief(fields['case'])}", kind="case")
        return case
    own = {name: fields[name] for name in OF_A_CASE if name in fields}
    return Case(
        id=f"own-{sha256(own)[:12]}",
        input=fields["input"],
        expected=fields.get("expected"),
        kind=fields.get("kind", DEFAULT_KIND),
        tags=tuple(fields.get("tags", ())),
    )


def judge_scorers(suite: Suite, case: Case) -> list[str]:
    """The names of the judge scorers that apply to a case."""
    scorers = [scorer for scorer in suite.config.scorers if isinstance(scorer, JudgeScorer)]
    return [scorer.name or scorer.type for scorer in scorers if scorer.kinds is None or case.kind in scorer.kinds]


def mistakes_in(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with a line in itself, each with a hint."""
    for name in fields:
        if name not in FIELDS:
            yield f"unknown field {name!r}", nearest(name, FIELDS)
    for name in ("output", "verdicts", "model"):
        if name not in fields:
            yield f"the field {name!r} is missing", ""
    if "case" not in fields and "input" not in fields:
        yield "expected the id of a `case`, or an `input` of its own", ""
    elif "case" in fields and (extra := [name for name in OF_A_CASE if name in fields]):
        yield f"expected either a `case` or fields of its own, got both: {', '.join(extra)}", ""
    for name, (expected, is_fine) in CHECKS.items():
        if name in fields and not is_fine(fields[name]):
            yield f"{name}: expected {expected}, got {brief(fields[name])}", ""


def is_text(value: object) -> bool:
    """True for text that says something."""
    return isinstance(value, str) and bool(value.strip())


def are_verdicts(value: object) -> bool:
    """True for one verdict or more by the names of annotators."""
    if not isinstance(value, dict):
        return False
    return bool(value) and all(is_text(k) and isinstance(v, str) and v in WORDS for k, v in value.items())


def is_weight(value: object) -> bool:
    """True for how many outputs a row can stand for."""
    return isinstance(value, int | float) and value is not True and LEAST_WEIGHT <= value <= LARGEST_WEIGHT


CHECKS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "case": ("the id of a case", is_text),
    "input": ("text or an object", lambda value: isinstance(value, str | dict)),
    "kind": ("a word", is_text),
    "tags": ("a list of words", lambda value: isinstance(value, list) and all(map(is_text, value))),
    "output": ("text", lambda value: isinstance(value, str)),
    "verdicts": ('{"annotator": "pass" or "fail"}', are_verdicts),
    "model": ("the name of the model that wrote the output", is_text),
    "scorer": ("the name of a scorer", is_text),
    "weight": (f"a number from {LEAST_WEIGHT:g} to {LARGEST_WEIGHT:g}", is_weight),
    "origin": ("the id of a run", is_text),
}


def merge(labelled: Sequence[LabelledOutput], problems: Problems) -> Iterator[LabelledOutput]:
    """Put the lines about one output together; an annotator who says both of it is a mistake."""
    found: dict[tuple[object, ...], LabelledOutput] = {}
    for one in labelled:
        same = (one.case.id, one.output, one.model, one.scorer, one.origin)
        first = found.get(same)
        if first is None:
            found[same] = one
            continue
        for name, passes in one.verdicts.items():
            if first.verdicts.get(name, passes) != passes:
                problems.add(one.where, f"{brief(name)} said the opposite at {first.where}", kind="opposite verdicts")
        found[same] = replace(first, verdicts={**first.verdicts, **one.verdicts})
    yield from found.values()
