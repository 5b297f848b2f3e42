"""Nights, comparisons and readers share a results folder, and none of them sees an error for it."""

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from tasks.errors import WarehouseBusy
from tasks.storage.gate import gate_of
from tasks.storage.parts import write_trials
from tasks.storage.warehouse import Warehouse
from tests.storage.sample import trial

spawn = get_context("spawn")
STEPS = 3
TRIALS = 50


def night(results: Path, number: int) -> int:
    """Store several steps of a night, and see after each that it is there."""
    for step in range(STEPS):
        run_id = f"run-20260101-00000{number}-aaaa"
        write_trials(results, f"{run_id}-{step}", [trial(f"c{step}-{i}", run_id=run_id) for i in range(TRIALS)])
        Warehouse(results).ingest()
        found = Warehouse(results).query("SELECT count(*) FROM calls WHERE run_id = $run_id", {"run_id": run_id})
        assert found == [((step + 1) * TRIALS,)]
    return number


def read_until(results: Path, stop: Event) -> int:
    """Ask again and again; whole nights' steps are seen, never half of one."""
    asked = 0
    while not stop.is_set():
        [(calls, outcomes)] = Warehouse(results).query(
            "SELECT (SELECT count(*) FROM calls), (SELECT count(*) FROM outcomes)"
        )
        assert calls == outcomes
        assert calls % TRIALS == 0
        asked += 1
    return asked


@pytest.mark.slow
def test_three_nights_and_two_readers_get_along(tmp_path: Path) -> None:
    with spawn.Manager() as manager, spawn.Pool(5) as pool:
        stop = manager.Event()
        readers = [pool.apply_async(read_until, [tmp_path, stop]) for _ in range(2)]
        nights = [pool.apply_async(night, [tmp_path, number]) for number in range(3)]
        assert [one.get() for one in nights] == [0, 1, 2]
        stop.set()
        assert all(reader.get() for reader in readers)
    assert Warehouse(tmp_path).query("SELECT count(*), count(DISTINCT case_id) FROM scores") == [
        (3 * STEPS * TRIALS, STEPS * TRIALS)
    ]


def test_threads_of_one_process_get_along(tmp_path: Path) -> None:
    Warehouse(tmp_path).rebuild()
    failed: list[Exception] = []

    def attempt(number: int) -> None:
        try:
            night(tmp_path, number)
            Warehouse(tmp_path).read_only("SELECT count(*) FROM calls")
        except Exception as error:  # noqa: BLE001 (a thread's error would go unseen)
            failed.append(error)

    threads = [threading.Thread(target=attempt, args=[number]) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


@contextmanager
def held_by_another_program(path: Path, *, mode: str, seconds: float) -> Iterator[int]:
    """Have the file open elsewhere, as a notebook or the DuckDB shell would."""
    code = f"import duckdb, time; con = duckdb.connect({str(path)!r}, read_only={mode == 'read'}); print(1, flush=True)"
    command = [sys.executable, "-c", f"{code}; time.sleep({seconds})"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()
        try:
            yield other.pid
        finally:
            other.kill()


@pytest.mark.parametrize("mode", ["read", "write"])
def test_another_program_is_waited_for(tmp_path: Path, mode: str) -> None:
    Warehouse(tmp_path).rebuild()
    with held_by_another_program(tmp_path / "daybreak.duckdb", mode=mode, seconds=1):
        Warehouse(tmp_path).ingest()
    with held_by_another_program(tmp_path / "daybreak.duckdb", mode=mode, seconds=1):
        Warehouse(tmp_path).query("SELECT 1")


def test_whoever_holds_the_warehouse_too_long_is_named(tmp_path: Path) -> None:
    Warehouse(tmp_path).rebuild()
    patient = Warehouse(tmp_path, wait_s=0.3)
    with held_by_another_program(tmp_path / "daybreak.duckdb", mode="read", seconds=60) as pid:
        with pytest.raises(WarehouseBusy, match=rf"busy for 0.3 s: .*\(PID {pid}\)"):
            patient.ingest()
        assert patient.query("SELECT 1") == [(1,)]  # the writer that gave up left the gate open


def hold_the_gate(results: Path, held: Event) -> None:
    from tasks.storage.gate import Patience, writers_turn

    path = results / "daybreak.duckdb"
    with writers_turn(path, Patience(path, 10)):
        held.set()
        threading.Event().wait(60)


def test_a_run_that_writes_too_long_is_named(tmp_path: Path) -> None:
    Warehouse(tmp_path).rebuild()
    held = spawn.Event()
    other = spawn.Process(target=hold_the_gate, args=[tmp_path, held])
    other.start()
    try:
        assert held.wait(30)
        for ask in (Warehouse(tmp_path, wait_s=0.2).ingest, lambda: Warehouse(tmp_path, wait_s=0.2).query("SELECT 1")):
            with pytest.raises(WarehouseBusy, match=f"process {other.pid} is writing to it; nothing is lost"):
                ask()
    finally:
        other.kill()
        other.join()
    assert Warehouse(tmp_path).query("SELECT 1") == [(1,)]  # the gate opens with the end of who held it


def test_storage_loads_nothing_heavy_before_it_is_used() -> None:
    code = (
        "import sys, tasks.storage.reads, tasks.storage.counts, tasks.storage.parts; "
        "print({'duckdb', 'pyarrow', 'numpy', 'prefect', 'litellm'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout == "set()\n"


def test_questions_that_share_an_opening_do_not_wait_for_a_writer_who_waits_for_them(tmp_path: Path) -> None:
    write_trials(tmp_path, "run-20260101-000000-aaaa", [trial("c1")])
    Warehouse(tmp_path).rebuild()
    write_trials(tmp_path, "run-20260101-000000-bbbb", [trial("c2")])
    with spawn.Pool(1) as pool:
        with Warehouse(tmp_path).kept_open():
            count = "SELECT count(*) FROM calls"
            assert Warehouse(tmp_path).query(count) == [(1,)]
            writer = pool.apply_async(ingest, [tmp_path])
            while not is_locked(gate_of(tmp_path / "daybreak.duckdb")):
                time.sleep(0.01)
            with Warehouse(tmp_path, wait_s=0.1).kept_open():
                assert Warehouse(tmp_path, wait_s=0.1).query(count) == [(1,)]
            with pytest.raises(RuntimeError, match="wait for itself"):
                Warehouse(tmp_path).ingest()
            assert not writer.ready()
        writer.get(timeout=20)
    assert Warehouse(tmp_path).query(count) == [(2,)]


def ingest(results: Path) -> None:
    """Bring in what is new."""
    Warehouse(results).ingest()


def is_locked(path: Path) -> bool:
    """True while another process holds a lock file."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
