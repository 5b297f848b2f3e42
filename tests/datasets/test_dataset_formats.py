"""A dataset is its content: format, order and split do not count, and everything else does."""

import csv
import json
import random
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.datasets.content import canonical
from tasks.datasets.stored import read_stored, store_cases
from tasks.errors import UsageError
from tasks.records import Case, Suite
from tests.fakes.workspace import Workspace

CASES: list[dict[str, Any]] = [
    {"id": "plain", "input": "Where is my invoice?", "expected": "billing"},
    {"id": "tagged", "input": 'He said: "no, never"', "expected": "bug", "tags": ["quotes", "hard"]},
    {"id": "grouped", "input": "two\nlines, with a comma", "expected": "bug", "kind": "hallucination", "group": "g"},
    {"id": "ünï", "input": "naïve ☂ \u2028 separator, e\u0301", "expected": "7.0", "kind": "accuracy", "tags": []},
    {"id": "0042", "input": " blanks around ", "expected": "null"},
]
FIELDS = ("id", "input", "expected", "kind", "tags", "group")
SUITE = "cases: {}\nscorers: [exact]\n"
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def write_jsonl(path: Path, cases: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(case) + "\n" for case in cases))


def write_csv(path: Path, cases: list[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        table = csv.DictWriter(file, FIELDS)
        table.writeheader()
        table.writerows({**case, "tags": "|".join(case.get("tags", []))} for case in cases)


def write_parquet(path: Path, cases: list[dict[str, Any]]) -> None:
    types = {name: pa.list_(pa.string()) if name == "tags" else pa.string() for name in FIELDS}
    pq.write_table(pa.Table.from_pylist(cases, pa.schema(types)), path)


def load(workspace: Workspace, cases: str, **files: str) -> Suite:
    workspace.suite("sums", SUITE.format(cases), **files)
    [suite] = workspace.load("sums")
    return suite


def hash_of(workspace: Workspace, cases: str) -> str:
    return load(workspace, "cases.jsonl", cases_jsonl=cases).dataset_hash


def stored(suite: Suite, path: Path) -> list[Case]:
    store_cases(suite, path)
    return sorted(read_stored(path, 0, suite.n_cases), key=lambda case: case.id)


def test_four_formats_of_one_suite_are_one_dataset(workspace: Workspace) -> None:
    folder = workspace.root / "datasets" / "sums"
    write_jsonl(folder / "a.jsonl", CASES)
    write_csv(folder / "a.csv", CASES)
    write_parquet(folder / "a.parquet", CASES)
    query = "{sql: SELECT * FROM 'a.parquet'}"
    suites = [load(workspace, cases) for cases in ("a.jsonl", "a.csv", "a.parquet", query)]
    assert len({suite.dataset_hash for suite in suites}) == 1
    first, *others = [stored(suite, workspace.root / f"{number}.parquet") for number, suite in enumerate(suites)]
    assert all(other == first for other in others)
    assert [(suite.n_cases, suite.kinds, suite.tags) for suite in suites] == [
        (5, {"accuracy": 4, "hallucination": 1}, {"hard": 1, "quotes": 1})
    ] * 4


def test_order_and_split_do_not_count(workspace: Workspace) -> None:
    folder = workspace.root / "datasets" / "sums"
    write_jsonl(folder / "a.jsonl", CASES)
    whole = load(workspace, "a.jsonl")
    shuffled = random.Random(1).sample(CASES, k=len(CASES))
    write_jsonl(folder / "part-1.jsonl", shuffled[:2])
    write_csv(folder / "part-2.csv", shuffled[2:4])
    write_parquet(folder / "part-3.parquet", shuffled[4:])
    assert load(workspace, "['part-*.jsonl', 'part-?.csv', part-3.parquet]").dataset_hash == whole.dataset_hash


def test_the_name_of_the_folder_does_not_count(workspace: Workspace) -> None:
    folders = [
        workspace.suite(name, "scorers: [exact]\n", cases_jsonl='{"id": "1", "input": "x", "expected": "y"}')
        for name in "ab"
    ]
    suites = workspace.load("a", "b")
    assert [suite.folder for suite in suites] == [str(folder) for folder in folders]
    assert len({(suite.dataset_hash, suite.prompt_hash, suite.scorers_hash) for suite in suites}) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"id": "b"},
        {"input": "y"},
        {"input": {"text": "x"}},
        {"expected": "Y"},
        {"kind": "refusal"},
        {"tags": ["t"]},
        {"tags": ["t", "u", "v"]},
        {"group": "h"},
    ],
    ids=str,
)
def test_everything_in_a_case_counts(workspace: Workspace, change: dict[str, Any]) -> None:
    case = {"id": "a", "input": "x", "expected": "y", "kind": "accuracy", "tags": ["t", "u"], "group": "g"}
    assert hash_of(workspace, json.dumps(case)) != hash_of(workspace, json.dumps(case | change))


def test_missing_null_and_default_are_the_same(workspace: Workspace) -> None:
    written = ["", ', "kind": "accuracy", "tags": []', ', "group": null, "tags": null, "kind": null']
    assert len({hash_of(workspace, f'{{"id": "a", "input": "x", "expected": "y"{more}}}') for more in written}) == 1


def test_a_number_counts_by_its_value(workspace: Workspace) -> None:
    written = ['{"a": 1, "b": 2.5}', '{"b": 25e-1, "a": 1.0}', '{"b": 2.50, "a": 10e-1}']
    hashes = {hash_of(workspace, f'{{"id": "a", "input": {input}, "expected": "y"}}') for input in written}
    query = "{sql: \"SELECT 'a' AS id, {'a': 1::DECIMAL(9, 2), 'b': 2.5::FLOAT} AS input, 'y' AS expected\"}"
    assert hashes == {load(workspace, query).dataset_hash}


def test_what_a_query_returns_becomes_json(workspace: Workspace) -> None:
    query = """
        SELECT 'a' AS id, {
            'day': DATE '2026-11-22', 'at': TIMESTAMP '2026-11-22 01:02:03', 'tz': TIMESTAMPTZ '2026-11-22 01:02:03+02',
            'amount': 12.50::DECIMAL(9, 2), 'whole': 3.00::DECIMAL(9, 2), 'many': [1, 2], 'none': NULL,
            'map': MAP {'k': TRUE}, 'big': 170141183460469231731687303715884105727::HUGEINT,
            'uuid': '00000000-0000-0000-0000-000000000001'::UUID
        } AS input, '{"free": ["form", 1.0]}'::JSON AS expected
    """
    workspace.write("datasets/sums/suite.yaml", f"cases: {json.dumps({'sql': query})}\nscorers: [refusal]\n")
    [suite] = workspace.load()
    [case] = stored(suite, workspace.root / "stored.parquet")
    assert case.input == {
        "day": "2026-11-22",
        "at": "2026-11-22T01:02:03",
        "tz": "2026-11-21T23:02:03+00:00",
        "amount": 12.5,
        "whole": 3,
        "many": [1, 2],
        "none": None,
        "map": {"k": True},
        "big": 2**127 - 1,
        "uuid": "00000000-0000-0000-0000-000000000001",
    }
    assert case.expected == {"free": ["form", 1]}


def test_a_json_column_keeps_its_values_in_parquet(workspace: Workspace) -> None:
    inputs = ['{"n": 1}', '{"other": [true, null]}']
    cases = [f'{{"id": "{number}", "input": {input}, "expected": "x"}}\n' for number, input in enumerate(inputs)]
    jsonl = load(workspace, "cases.jsonl", cases_jsonl="".join(cases))
    folder = workspace.root / "datasets" / "sums"
    rows = f"read_json('{folder}/cases.jsonl', columns = {{id: 'VARCHAR', input: 'JSON', expected: 'VARCHAR'}})"
    duckdb.sql(f"COPY (FROM {rows}) TO '{folder}/cases.parquet'")
    assert load(workspace, "cases.parquet").dataset_hash == jsonl.dataset_hash


def test_a_query_reads_files_beside_its_suite(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert load(workspace, "{sql: SELECT * FROM 'case*.jsonl'}").n_cases == 2


def test_a_folder_may_be_called_as_it_likes(workspace: Workspace) -> None:
    folder = workspace.suite("odd [name]?*", "cases: 'a[1].parquet'\nscorers: [exact]\n")
    write_parquet(folder / "a[1].parquet", CASES)
    assert workspace.load(folder.name)[0].n_cases == len(CASES)
    workspace.suite(folder.name, "cases: {sql: SELECT * FROM 'a*.parquet'}\nscorers: [exact]\n")
    assert workspace.load(folder.name)[0].n_cases == len(CASES)


def test_a_query_in_a_folder_with_a_comma_is_refused(workspace: Workspace) -> None:
    workspace.suite("a,b", "cases: {sql: SELECT 1}\nscorers: [exact]\n")
    with pytest.raises(UsageError, match="DuckDB finds no files in a folder with a comma"):
        workspace.load("a,b")


def test_a_query_sees_no_variable_of_ours(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="Table with name sql does not exist"):
        load(workspace, "{sql: SELECT * FROM sql}")


@given(JSON_VALUES)
def test_canonical_json_is_json_that_stays_the_same(value: Any) -> None:
    text = canonical(value)
    assert canonical(json.loads(text)) == text
    assert json.loads(text) == value
