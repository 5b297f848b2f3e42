"""What people ask through `daybreak sql`: any question, and nothing but questions."""

from pathlib import Path

import pytest

from tasks.errors import UsageError
from tasks.storage.parts import write_part
from tasks.storage.warehouse import Rows, Warehouse
from tests.storage.sample import LATER_RUN, RUN, START, a_run, store_a_night


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("asked") / "results"
    store_a_night(folder)
    Warehouse(folder).ingest()
    (folder.parent / "secret.csv").write_text("password\nhunter2\n")
    return folder


def test_a_question_is_answered_with_names_and_rows(results: Path) -> None:
    found = Warehouse(results).read_only("SELECT run_id, started_at, calls FROM runs;")
    assert found == Rows(columns=("run_id", "started_at", "calls"), rows=[(RUN, START, 3)])


@pytest.mark.parametrize(
    "statement",
    [
        "WITH a AS (SELECT 1 AS n) SELECT n FROM a",
        "FROM calls",
        "DESCRIBE calls",
        "SHOW TABLES",
        "SUMMARIZE scores",
        "EXPLAIN SELECT * FROM calls",
        "SELECT sum(trial), avg(passed::INT), list(case_id), {'a': 1}, INTERVAL 1 DAY FROM scores -- with a comment",
    ],
)
def test_every_form_of_a_question_is_allowed(results: Path, statement: str) -> None:
    assert Warehouse(results).read_only(statement).rows


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("SELEC 1", 'syntax error at or near "SELEC"'),
        ("SELECT * FROM nights", "Table with name nights does not exist"),
        ("SELECT passd FROM scores", '"passed"'),
        ("SELECT CAST('a' AS INT)", "Could not convert string 'a' to INT32"),
        ("SELECT $x", "Values were not provided"),
        ("", "expected one statement, got 0"),
        ("-- nothing", "expected one statement, got 0"),
        ("SELECT 1; SELECT 2", "expected one statement, got 2"),
        ("SELECT 1; DROP VIEW calls", "expected one statement, got 2"),
    ],
)
def test_a_wrong_statement_is_explained(results: Path, statement: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        Warehouse(results).read_only(statement)
    assert message in str(refused.value)


def test_the_place_of_a_mistake_is_shown(results: Path) -> None:
    with pytest.raises(UsageError, match=r"LINE 1: SELECT passd FROM scores\n +\^"):
        Warehouse(results).read_only("SELECT passd FROM scores")


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO facts.runs (run_id) VALUES ('x')",
        "DELETE FROM facts.calls",
        "UPDATE facts.scores SET passed = true",
        "DROP VIEW calls",
        "CREATE TABLE t AS SELECT 1",
        "CREATE TEMP TABLE t AS SELECT 1",
        "COPY calls TO '{folder}/copy.csv'",
        "COPY facts.runs FROM '{folder}/secret.csv'",
        "EXPORT DATABASE '{folder}/export'",
        "IMPORT DATABASE '{folder}/export'",
        "ATTACH '{folder}/other.duckdb'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "RESET enable_external_access",
        "PRAGMA enable_profiling",
        "CALL pragma_version()",
        "CHECKPOINT",
        "VACUUM",
        "BEGIN",
        "USE memory",
        "CREATE SECRET (TYPE s3)",
        "PREPARE p AS SELECT 1",
        "EXPLAIN ANALYZE DELETE FROM facts.calls",
        "SELECT * FROM read_csv('{folder}/secret.csv')",
        "SELECT * FROM '{folder}/secret.csv'",
        "SELECT * FROM read_text('{folder}/secret.csv')",
        "SELECT * FROM read_parquet('{folder}/results/parts/runs/*.parquet')",
        "SELECT * FROM sniff_csv('{folder}/secret.csv')",
        "SELECT * FROM glob('{folder}/*')",
        "SELECT * FROM query('COPY calls TO ''{folder}/copy.csv''')",
        "SELECT * FROM read_csv('https://127.0.0.1/data.csv')",
        "SELECT * FROM statement",
        "SELECT getenv('HOME')",
    ],
)
def test_nothing_but_the_warehouse_can_be_read_and_nothing_written(results: Path, statement: str) -> None:
    folder = results.parent
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(UsageError):
        Warehouse(results).read_only(statement.format(folder=folder))
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()} == before


def test_a_question_to_an_empty_folder_finds_empty_views(tmp_path: Path) -> None:
    assert Warehouse(tmp_path / "none").read_only("SELECT run_id FROM runs") == Rows(columns=("run_id",), rows=[])


def test_a_question_sees_what_was_stored_since(tmp_path: Path) -> None:
    for nights, run_id in enumerate((RUN, LATER_RUN), 1):
        write_part(tmp_path, "runs", run_id, [a_run(run_id)])
        Warehouse(tmp_path).ingest()
        assert Warehouse(tmp_path).read_only("SELECT count(*) FROM runs").rows == [(nights,)]
