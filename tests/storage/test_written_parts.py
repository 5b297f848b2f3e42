"""Parts are there whole or not at all."""

import resource
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tasks.errors import RunBroken
from tasks.records import Finding, Run, Score, TrialKey
from tasks.storage.parts import BATCH_CHARS, BATCH_ROWS, PartWriter, write_part, write_trials
from tasks.storage.tables import SCHEMA_VERSION
from tests.storage.sample import RUN, a_case, a_run, trial


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_trials_become_a_part_per_table(tmp_path: Path) -> None:
    paths = write_trials(tmp_path, f"{RUN}-trials", [trial("c1"), trial("c2", "failed")])
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        f"parts/{table}/{RUN}-trials.parquet" for table in ("calls", "scores", "outcomes")
    ]
    assert pq.read_table(paths[2]).column("outcome").to_pylist() == ["passed", "failed"]


def test_a_part_says_its_schema_version(tmp_path: Path) -> None:
    path = write_part(tmp_path, "runs", RUN, [a_run()])
    assert path is not None
    assert pq.read_schema(path).metadata[b"daybreak.schema_version"] == str(SCHEMA_VERSION).encode()


def test_nothing_is_written_for_no_records(tmp_path: Path) -> None:
    assert write_part(tmp_path, "flips", RUN, []) is None
    assert write_trials(tmp_path, RUN, []) == []
    assert files_in(tmp_path) == []


def test_an_earlier_part_is_emptied_where_no_record_is_left(tmp_path: Path) -> None:
    write_part(tmp_path, "runs", RUN, [a_run()])
    path = write_part(tmp_path, "runs", RUN, [])
    assert path is not None
    assert pq.read_table(path).num_rows == 0


def test_a_part_that_is_not_finished_leaves_the_earlier_one(tmp_path: Path) -> None:
    def breaking() -> Iterator[Run]:
        yield a_run(status="broken")
        raise ZeroDivisionError

    path = write_part(tmp_path, "runs", RUN, [a_run()])
    with pytest.raises(ZeroDivisionError):
        write_part(tmp_path, "runs", RUN, breaking())
    assert path is not None
    assert pq.read_table(path).column("status").to_pylist() == ["finished"]
    assert files_in(tmp_path) == [f"parts/runs/{RUN}.parquet"]


def test_parts_of_one_name_appear_together(tmp_path: Path) -> None:
    with PartWriter(tmp_path, RUN, ["runs", "cases"]) as parts:
        parts.add("runs", [a_run()])
        parts.add("cases", [a_case()])
        assert not [name for name in files_in(tmp_path) if name.endswith(".parquet")]
    assert files_in(tmp_path) == [f"parts/cases/{RUN}.parquet", f"parts/runs/{RUN}.parquet"]


def test_many_records_are_written_in_batches(tmp_path: Path) -> None:
    path = write_part(tmp_path, "cases", "many", (a_case(f"c{i}") for i in range(BATCH_ROWS + 1)))
    assert path is not None
    assert [pq.read_metadata(path).row_group(group).num_rows for group in range(2)] == [BATCH_ROWS, 1]


def test_large_outputs_end_a_batch_early(tmp_path: Path) -> None:
    paths = write_trials(tmp_path, RUN, (trial(f"c{i}", output="x" * BATCH_CHARS) for i in range(3)))
    assert pq.read_metadata(paths[0]).num_row_groups == 3


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("caf\u00e9 \U0001f600 \u4f60\u597d", "caf\u00e9 \U0001f600 \u4f60\u597d"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("\ud83d\ude00", "\U0001f600"),
        ("nul \x00 and \x1b controls", "nul \x00 and \x1b controls"),
        ("", ""),
        (None, None),
    ],
)
def test_whatever_a_model_says_can_be_stored(tmp_path: Path, text: str | None, stored: str | None) -> None:
    paths = write_trials(tmp_path, RUN, [trial(output=text)])
    assert pq.read_table(paths[0]).column("output").to_pylist() == [stored]


def test_tags_with_lone_surrogates_are_stored(tmp_path: Path) -> None:
    path = write_part(tmp_path, "cases", "d1", [a_case(tags=("a\udc00", "b"))])
    assert path is not None
    assert pq.read_table(path).column("tags").to_pylist() == [["a\ufffd", "b"]]


def test_records_within_records_lie_flat(tmp_path: Path) -> None:
    key = TrialKey(RUN, "triage", "small", "c1", 2, "confirm")
    path = write_part(tmp_path, "scores", RUN, [Score(key, "judge", Finding(None, "no answer"))])
    assert path is not None
    assert pq.read_table(path).to_pylist() == [
        {
            "run_id": RUN,
            "suite": "triage",
            "model": "small",
            "case_id": "c1",
            "trial": 2,
            "phase": "confirm",
            "scorer": "judge",
            "passed": None,
            "reason": "no answer",
            "value": None,
        }
    ]


@pytest.mark.parametrize("name", ["a/b", "../a", "", ".hidden"])
def test_a_part_name_is_a_plain_file_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="plain file name"):
        write_part(tmp_path, "runs", name, [a_run()])


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file where the folder should be")
    with pytest.raises(RunBroken, match=r"results/parts/runs/.*: cannot write: Not a directory; give the folder space"):
        write_part(tmp_path / "results", "runs", RUN, [a_run()])


def write_with_little_room(results: Path) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
    write_trials(results, RUN, (trial(f"c{i}", output=f"{i}" * 9_000) for i in range(BATCH_ROWS)))


def test_a_full_disk_leaves_no_half_part(tmp_path: Path) -> None:
    with (
        get_context("spawn").Pool(1) as pool,
        pytest.raises(RunBroken, match=r"calls/.*: cannot write: File too large"),
    ):
        pool.apply(write_with_little_room, [tmp_path])
    assert files_in(tmp_path) == []
