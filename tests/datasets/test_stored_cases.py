import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tasks.datasets.content import sha256
from tasks.datasets.stored import read_stored, store_cases
from tasks.errors import RunBroken, UsageError
from tasks.records import Case, StoredCase, Suite
from tasks.storage.tables import SCHEMA_VERSION
from tests.fakes.workspace import Workspace

N_CASES = 600


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture
def suite(workspace: Workspace) -> Suite:
    cases = "".join(
        f'{{"id": "{number}", "input": {{"n": {number}.0}}, "expected": "x"}}\n' for number in range(N_CASES)
    )
    workspace.suite("sums", "scorers: [exact]\n", cases_jsonl=cases)
    return workspace.load()[0]


def test_cases_are_stored_in_their_order_in_groups_of_256(suite: Suite, tmp_path: Path) -> None:
    part = tmp_path / "parts" / "cases" / "sums.parquet"
    store_cases(suite, part)
    with pq.ParquetFile(part) as file:
        assert [file.metadata.row_group(group).num_rows for group in range(3)] == [256, 256, 88]
        assert file.schema_arrow.names == list(StoredCase.__dataclass_fields__)
        assert file.schema_arrow.metadata[b"daybreak.schema_version"] == str(SCHEMA_VERSION).encode()
        assert file.read(columns=["case_id"])["case_id"].to_pylist() == [str(number) for number in range(N_CASES)]
    assert [path.name for path in part.parent.iterdir()] == ["sums.parquet"]


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 3), (250, 262), (255, 256), (256, 512), (599, 700), (5, 5), (700, 800)]
)
def test_rows_are_read_from_where_they_stand(suite: Suite, tmp_path: Path, start: int, stop: int) -> None:
    store_cases(suite, tmp_path / "part.parquet")
    cases = list(read_stored(tmp_path / "part.parquet", start, stop))
    assert cases == [Case(id=str(n), input={"n": n}, expected="x") for n in range(start, min(stop, N_CASES))]


def test_a_stored_case_says_what_was_asked_and_what_was_expected(workspace: Workspace, tmp_path: Path) -> None:
    case = {"id": "a", "input": {"b": [1.0, "é"], "a": None}, "kind": "k", "tags": ["t", "u"], "group": "g"}
    workspace.suite("sums", "scorers: [refusal]\n", cases_jsonl=json.dumps(case))
    [suite] = workspace.load()
    store_cases(suite, tmp_path / "part.parquet")
    [row] = pq.read_table(tmp_path / "part.parquet").to_pylist()
    assert row == {
        "suite": "sums",
        "dataset_hash": suite.dataset_hash,
        "case_id": "a",
        "input": '{"a":null,"b":[1,"é"]}',
        "expected": "null",
        "kind": "k",
        "tags": ["t", "u"],
        "group": "g",
        "case_hash": sha256({**case, "expected": None}),
        "input_hash": sha256({"id": "a", "input": case["input"]}),
    }
    [read] = read_stored(tmp_path / "part.parquet", 0, 1)
    assert read == Case(id="a", input={"a": None, "b": [1, "é"]}, kind="k", tags=("t", "u"), group="g")


def test_a_part_that_is_there_is_left_alone(suite: Suite, tmp_path: Path) -> None:
    part = tmp_path / "part.parquet"
    part.write_text("kept")
    store_cases(suite, part)
    assert part.read_text() == "kept"


@pytest.mark.parametrize(
    "now",
    ['{"id": "0", "input": "other", "expected": "x"}', '{"id": "0", "input": "\\ud800"}', '{"id": 0}', "", None],
    ids=["other content", "no text", "no case", "empty", "gone"],
)
def test_cases_that_changed_since_the_check_are_refused(suite: Suite, tmp_path: Path, now: str | None) -> None:
    path = Path(suite.folder) / "cases.jsonl"
    path.write_text(now) if now is not None else path.unlink()
    with pytest.raises(UsageError, match="the cases are no longer those that were checked"):
        store_cases(suite, tmp_path / "parts" / "part.parquet")
    assert list((tmp_path / "parts").iterdir()) == []


def test_a_folder_that_cannot_be_written_breaks_the_run(suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "parts").write_text("a file in the way")
    with pytest.raises(RunBroken, match=r"parts/part.parquet: cannot write: "):
        store_cases(suite, tmp_path / "parts" / "part.parquet")


def test_a_damaged_part_breaks_the_run(suite: Suite, tmp_path: Path) -> None:
    part = tmp_path / "part.parquet"
    store_cases(suite, part)
    part.write_bytes(part.read_bytes()[:-100])
    with pytest.raises(RunBroken, match=r"part.parquet: cannot read the stored cases: "):
        list(read_stored(part, 0, 1))
