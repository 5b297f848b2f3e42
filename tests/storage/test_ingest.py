"""Parts come into the warehouse once, whatever happens on the way, and the warehouse can always be made from them."""

import os
import resource
import signal
import time
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import RunBroken
from tasks.storage import connections, warehouse
from tasks.storage.ingest import IngestReport, bring_in
from tasks.storage.layout import layout_version
from tasks.storage.parts import write_part, write_trials
from tasks.storage.tables import TABLES
from tasks.storage.warehouse import Warehouse
from tests.storage.sample import LATER_RUN, RUN, a_case, a_run, store_a_night, trial

spawn = get_context("spawn")


def contents(results: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, except where it came from."""
    return {table: Warehouse(results).query(f"SELECT * FROM facts.{table} ORDER BY ALL") for table in TABLES}


def count(results: Path, view: str) -> int:
    [(rows,)] = Warehouse(results).query(f"SELECT count(*) FROM {view}")
    return int(rows)


def test_a_second_ingest_brings_nothing(tmp_path: Path) -> None:
    store_a_night(tmp_path)
    assert Warehouse(tmp_path).ingest() == IngestReport(parts=12, rows=20, damaged=())
    before = contents(tmp_path)
    assert Warehouse(tmp_path).ingest() == IngestReport(parts=0, rows=0, damaged=())
    assert contents(tmp_path) == before


def test_each_night_is_added(tmp_path: Path) -> None:
    for run_id in (RUN, LATER_RUN):
        store_a_night(tmp_path, run_id)
        Warehouse(tmp_path).ingest()
    assert Warehouse(tmp_path).query("SELECT run_id, count(*) FROM calls GROUP BY run_id ORDER BY run_id") == [
        (RUN, 3),
        (LATER_RUN, 3),
    ]


def test_a_replaced_part_takes_the_place_of_the_earlier_one(tmp_path: Path) -> None:
    write_trials(tmp_path, RUN, [trial("c1"), trial("c2"), trial("c3")])
    write_trials(tmp_path, LATER_RUN, [trial("c1", run_id=LATER_RUN)])
    Warehouse(tmp_path).ingest()
    write_trials(tmp_path, RUN, [trial("c4", "failed")])
    assert Warehouse(tmp_path).ingest() == IngestReport(parts=3, rows=3, damaged=())
    assert Warehouse(tmp_path).query("SELECT run_id, case_id, outcome FROM outcomes ORDER BY run_id") == [
        (RUN, "c4", "failed"),
        (LATER_RUN, "c1", "passed"),
    ]


def test_a_part_that_was_emptied_takes_its_rows_along(tmp_path: Path) -> None:
    write_part(tmp_path, "runs", RUN, [a_run()])
    Warehouse(tmp_path).ingest()
    write_part(tmp_path, "runs", RUN, [])
    Warehouse(tmp_path).ingest()
    assert count(tmp_path, "runs") == 0


def test_a_rebuilt_warehouse_holds_the_same(tmp_path: Path) -> None:
    for run_id in (RUN, LATER_RUN):
        store_a_night(tmp_path, run_id)
        Warehouse(tmp_path).ingest()
    write_part(tmp_path, "runs", RUN, [a_run(status="interrupted")])
    Warehouse(tmp_path).ingest()
    before = contents(tmp_path)
    Warehouse(tmp_path).rebuild()
    assert contents(tmp_path) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [".daybreak.duckdb.lock", "daybreak.duckdb", "parts"]


def test_asking_an_empty_folder_leaves_no_trace(tmp_path: Path) -> None:
    assert count(tmp_path / "results", "runs") == 0
    assert not (tmp_path / "results").exists()


def test_asking_makes_a_missing_warehouse(tmp_path: Path) -> None:
    store_a_night(tmp_path)
    assert count(tmp_path, "calls") == 3


def test_an_empty_file_counts_as_missing(tmp_path: Path) -> None:
    store_a_night(tmp_path)
    (tmp_path / "daybreak.duckdb").touch()
    assert count(tmp_path, "calls") == 3


@pytest.mark.parametrize("ask", [lambda w: w.ingest(), lambda w: w.query("SELECT 1")], ids=["ingest", "query"])
def test_a_warehouse_of_another_layout_is_made_anew(tmp_path: Path, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store_a_night(tmp_path)
    with monkeypatch.context() as earlier:
        earlier.setattr("tasks.storage.layout.layout_version", lambda: "of an earlier Daybreak")
        Warehouse(tmp_path).ingest()
    ask(Warehouse(tmp_path))
    assert Warehouse(tmp_path).query("SELECT version FROM facts.layout") == [(layout_version(),)]
    assert count(tmp_path, "calls") == 3


def test_a_file_without_our_tables_is_made_anew(tmp_path: Path) -> None:
    import duckdb

    store_a_night(tmp_path)
    duckdb.connect(tmp_path / "daybreak.duckdb").close()
    assert Warehouse(tmp_path).ingest().rows == 20


def damaged_files(sound: bytes) -> Iterator[tuple[str, bytes]]:
    yield "no Parquet at all", b"hello"
    yield "cut off", sound[: len(sound) // 2]
    yield "no footer", sound[:-8]
    yield "a page overwritten", sound[:4] + b"\xff" * 200 + sound[204:]


@pytest.mark.parametrize("damage", range(4))
def test_a_damaged_part_is_named_and_holds_up_no_other(tmp_path: Path, damage: int) -> None:
    store_a_night(tmp_path)
    damaged = tmp_path / f"parts/calls/{RUN}-trials.parquet"
    damaged.write_bytes(list(damaged_files(damaged.read_bytes()))[damage][1])
    report = Warehouse(tmp_path).ingest()
    assert (report.parts, report.rows) == (11, 17)
    [problem] = report.damaged
    assert (problem.where, problem.hint) == (
        str(damaged),
        "its rows are left out; restore it from a backup, or remove it",
    )
    assert "the file is damaged" in problem.message
    assert (count(tmp_path, "calls"), count(tmp_path, "outcomes")) == (0, 3)


def test_a_repaired_part_comes_in(tmp_path: Path) -> None:
    write_part(tmp_path, "runs", RUN, [a_run()])
    part = tmp_path / f"parts/runs/{RUN}.parquet"
    sound = part.read_bytes()
    part.write_bytes(sound[:100])
    assert Warehouse(tmp_path).ingest().rows == 0
    part.write_bytes(sound)
    assert Warehouse(tmp_path).ingest() == IngestReport(parts=1, rows=1, damaged=())


def test_rows_stay_where_their_part_was_damaged_later(tmp_path: Path) -> None:
    write_part(tmp_path, "runs", RUN, [a_run()])
    Warehouse(tmp_path).ingest()
    (tmp_path / f"parts/runs/{RUN}.parquet").write_bytes(b"damaged")
    assert len(Warehouse(tmp_path).ingest().damaged) == 1
    assert count(tmp_path, "runs") == 1


def test_a_part_of_another_schema_version_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet as pq

    path = write_part(tmp_path, "runs", RUN, [a_run()])
    assert path is not None
    pq.write_table(pq.read_table(path).replace_schema_metadata({"daybreak.schema_version": "99"}), path)
    [problem] = Warehouse(tmp_path).ingest().damaged
    assert "got 99" in problem.message


def test_a_part_with_other_columns_is_left_out(tmp_path: Path) -> None:
    path = write_part(tmp_path, "runs", RUN, [a_run()])
    assert path is not None
    path.rename(path.parent.parent / "pins.parquet")
    (tmp_path / "parts/pins").mkdir()
    (tmp_path / "parts/pins.parquet").rename(tmp_path / "parts/pins/wrong.parquet")
    [problem] = Warehouse(tmp_path).ingest().damaged
    assert "expected the columns suite, model, run_id, pinned_at, pinned_by, got run_id, flow" in problem.message


def test_what_is_half_written_is_no_part(tmp_path: Path) -> None:
    store_a_night(tmp_path)
    (tmp_path / f"parts/calls/{LATER_RUN}.parquet.123-ab.tmp").write_bytes(b"half")
    assert Warehouse(tmp_path).ingest().damaged == ()


def test_leftovers_are_removed_after_a_day(tmp_path: Path) -> None:
    store_a_night(tmp_path)
    old, young = (tmp_path / f"parts/calls/{name}.parquet.1-a.tmp" for name in ("old", "young"))
    abandoned, spilled = tmp_path / "daybreak.duckdb.9-b.tmp", tmp_path / "daybreak.duckdb.9-b.tmp.tmp"
    for path in (old, young, abandoned):
        path.touch()
    spilled.mkdir()
    (spilled / "rows").touch()
    for path in (old, abandoned, spilled):
        os.utime(path, (time.time() - 100_000, time.time() - 100_000))
    Warehouse(tmp_path).ingest()
    assert [path.exists() for path in (old, abandoned, spilled, young)] == [False, False, False, True]


def test_any_folder_and_part_name_will_do(tmp_path: Path) -> None:
    results = tmp_path / "env=prod" / "results [1] *"
    write_part(results, "cases", "v1.2 'quoted' [x]=y-d1", [a_case()])
    Warehouse(results).ingest()
    assert Warehouse(results).query("SELECT case_id, part FROM facts.cases") == [("c1", "v1.2 'quoted' [x]=y-d1")]
    write_part(results, "cases", "v1.2 'quoted' [x]=y-d1", [a_case("c2")])
    Warehouse(results).ingest()
    assert Warehouse(results).query("SELECT case_id FROM cases") == [("c2",)]


def test_answers_of_many_megabytes_come_in(tmp_path: Path) -> None:
    write_trials(tmp_path, RUN, (trial(f"c{i}", output=f"{i}" * 10_000_000) for i in range(8)))
    Warehouse(tmp_path).ingest()
    assert Warehouse(tmp_path).query("SELECT sum(length(output)) FROM calls") == [(80_000_000,)]


@pytest.mark.parametrize("memory", ["1MB", "16MB"])
def test_too_little_memory_doubles_no_row(tmp_path: Path, memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB 1.5 kept the rows of a commit that had failed, and the next commit found more than there should be."""
    monkeypatch.setattr(connections, "LITTLE_MEMORY", memory)
    for night in range(3):
        run_id = f"run-2026010{night}-020000-aaaa"
        write_trials(tmp_path, run_id, (trial(f"c{i}", run_id=run_id) for i in range(3_000)))
        assert Warehouse(tmp_path).ingest().rows == 9_000
    assert Warehouse(tmp_path).query("SELECT count(*), count(DISTINCT (run_id, case_id)) FROM calls") == [
        (9_000, 9_000)
    ]


def test_an_ingest_leaves_nothing_to_replay(tmp_path: Path) -> None:
    """A checkpoint that fails for lack of memory is silent, and every reader would then replay the log."""
    for night in range(3):
        run_id = f"run-2026010{night}-020000-aaaa"
        write_trials(tmp_path, run_id, (trial(f"c{i}", run_id=run_id) for i in range(3_000)))
        Warehouse(tmp_path).ingest()
        assert not (tmp_path / "daybreak.duckdb.wal").exists()


@pytest.mark.parametrize("damage", ["garbage", "cut off", "bytes changed"])
def test_a_damaged_warehouse_says_how_to_get_it_back(tmp_path: Path, damage: str) -> None:
    store_a_night(tmp_path)
    Warehouse(tmp_path).ingest()
    before = contents(tmp_path)
    file = tmp_path / "daybreak.duckdb"
    sound = file.read_bytes()
    changed = {"garbage": b"hello" * 5000, "cut off": sound[:20_000], "bytes changed": sound[::-1]}
    file.write_bytes(changed[damage])
    for ask in (lambda: Warehouse(tmp_path).ingest(), lambda: Warehouse(tmp_path).read_only("FROM calls")):
        with pytest.raises(RunBroken, match=r"daybreak.duckdb: .*run `daybreak rebuild`"):
            ask()
    Warehouse(tmp_path).rebuild()
    assert contents(tmp_path) == before


def die_before_ingest(results: Path) -> None:
    store_a_night(results)
    os.kill(os.getpid(), signal.SIGKILL)


def die_after_commit(results: Path) -> None:
    def killed(con: Any, parts: Any) -> None:
        bring_in(con, parts)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(warehouse, "bring_in", killed)  # noqa: B010 (mypy knows no assignment to a module)
    Warehouse(results).ingest()


@pytest.mark.parametrize("die", [die_before_ingest, die_after_commit])
def test_a_kill_loses_no_row_and_doubles_none(tmp_path: Path, die: Any) -> None:
    Warehouse(tmp_path).rebuild()
    if die is die_after_commit:
        store_a_night(tmp_path)
    process = spawn.Process(target=die, args=[tmp_path])
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    Warehouse(tmp_path).ingest()
    after_kill = contents(tmp_path)
    Warehouse(tmp_path).rebuild()
    assert contents(tmp_path) == after_kill
    assert count(tmp_path, "calls") == 3


def ingest_with_little_room(results: Path) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
    Warehouse(results).ingest()


@pytest.mark.parametrize("exists", [False, True])
def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path, exists: bool) -> None:  # noqa: FBT001 (pytest)
    if exists:
        Warehouse(tmp_path).rebuild()
    write_trials(tmp_path, RUN, (trial(f"c{i}", output=os.urandom(2_000).hex()) for i in range(2_000)))
    with spawn.Pool(1) as pool, pytest.raises(RunBroken, match=r"File too large.*give the folder space"):
        pool.apply(ingest_with_little_room, [tmp_path])
    assert Warehouse(tmp_path).ingest() == IngestReport(parts=3, rows=6_000, damaged=())
    assert count(tmp_path, "calls") == 2_000


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file where the folder should be")
    with pytest.raises(RunBroken, match=r"results: File exists; give the folder space and write permission"):
        Warehouse(tmp_path / "results").ingest()
