"""Kept verdicts: several processes write at once, some are killed, files are damaged, and memory stays flat."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tasks.calls.judge_version import JudgeVersion, version_of
from tasks.calls.verdict_cache import VerdictCache
from tasks.records import Call, CallStatus, TrialKey

DAY = date(2026, 11, 3)

WRITE = """
import sys
from pathlib import Path
from tasks.calls.verdict_cache import VerdictCache
path, writer, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with VerdictCache(path) as cache:
    for number in range(count):
        cache.put("owl", f"{writer}-{number}", f"verdict {writer} {number}")
        if number == 100:
            print("under way", flush=True)
    assert cache.fault is None, cache.fault
"""
"""Keeps so many verdicts."""

GROW = """
import resource, sys
from pathlib import Path
from tasks.calls.verdict_cache import VerdictCache
with VerdictCache(Path(sys.argv[1])) as cache:
    for number in range(1_000):
        cache.put("owl", f"{number}", "v" * 300)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(100_000):
        cache.put("owl", f"{number}", "v" * 300)
    assert all(cache.get("owl", f"{number}") == "v" * 300 for number in range(0, 100_000, 7))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
"""Tells by how many kB 100,000 verdicts made the process grow."""


def start(script: str, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_verdict_is_found_again_by_its_judge_and_question_alone(tmp_path: Path) -> None:
    with VerdictCache(tmp_path / "results" / "v.sqlite") as cache:
        cache.put("owl", "q1", "first")
        cache.put("owl", "q1", "latest")
        cache.put("lark", "q1", "other")
    with VerdictCache(tmp_path / "results" / "v.sqlite") as cache:
        assert (cache.get("owl", "q1"), cache.get("lark", "q1")) == ("latest", "other")
        assert (cache.get("owl", "q2"), cache.get("ow", "l q1")) == (None, None)


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    writers = [start(WRITE, path, name, 2000) for name in "abc"]
    for writer in writers:
        writer.communicate(timeout=60)
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    with VerdictCache(path) as cache:
        missing = [(name, n) for name in "abc" for n in range(2000) if cache.get("owl", f"{name}-{n}") is None]
    assert missing == []


def test_a_process_that_is_killed_while_it_writes_leaves_whole_verdicts(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    writer = start(WRITE, path, "a", 10_000_000)
    assert writer.stdout
    writer.stdout.readline()
    time.sleep(0.1)
    os.kill(writer.pid, signal.SIGKILL)
    writer.communicate(timeout=60)
    with VerdictCache(path) as cache:
        kept = [cache.get("owl", f"a-{n}") for n in range(100)]
        cache.put("owl", "after", "kept")
        assert (cache.fault, cache.get("owl", "after")) == (None, "kept")
    assert kept == [f"verdict a {n}" for n in range(100)]


def test_a_torn_tail_costs_only_what_was_torn(tmp_path: Path) -> None:
    path, torn = tmp_path / "v.sqlite", tmp_path / "torn.sqlite"
    with VerdictCache(path) as cache:
        for number in range(50):
            cache.put("owl", f"{number}", f"verdict {number}")
        torn.write_bytes(path.read_bytes())
        log = path.with_name("v.sqlite-wal").read_bytes()
        torn.with_name("torn.sqlite-wal").write_bytes(log[: len(log) - 1000])
    with VerdictCache(torn) as cache:
        kept = [number for number in range(50) if cache.get("owl", f"{number}") == f"verdict {number}"]
        assert cache.fault is None
    assert kept == list(range(len(kept)))
    assert 45 <= len(kept) < 50


def test_a_file_that_cannot_be_used_is_told_and_breaks_nothing(tmp_path: Path) -> None:
    damaged, folder = tmp_path / "damaged.sqlite", tmp_path / "folder.sqlite"
    damaged.write_bytes(b"no database at all" * 1000)
    folder.mkdir()
    for path in (damaged, folder, damaged / "below"):
        with VerdictCache(path) as cache:
            cache.put("owl", "q", "verdict")
            assert cache.get("owl", "q") is None
            assert cache.fault is not None
            assert cache.fault.startswith(f"{path}: the kept verdicts cannot be used")
    assert damaged.read_bytes().startswith(b"no database"), "what we cannot read, we do not overwrite"


@pytest.mark.slow
def test_memory_does_not_grow_with_what_is_kept(tmp_path: Path) -> None:
    out, _ = start(GROW, tmp_path / "v.sqlite").communicate(timeout=100)
    assert int(out) < 10_000


def test_the_judge_is_told_apart_by_model_version_and_params() -> None:
    owl = JudgeVersion("openai/owl", "owl-1", "{}")
    others = [owl._replace(requested_model="azure/owl"), owl._replace(served_model="owl-2"), owl._replace(params="[]")]
    assert len({judge.key(DAY) for judge in [owl, *others]}) == 4
    assert owl.key(DAY) == owl.key(date(2027, 1, 1))


def test_a_version_that_is_not_disclosed_is_taken_for_the_same_for_one_day() -> None:
    undisclosed = JudgeVersion("openai/owl", None, "{}")
    assert undisclosed.key(DAY) == undisclosed.key(DAY)
    assert undisclosed.key(DAY) != undisclosed.key(date(2026, 11, 4))
    assert str(undisclosed) == "openai/owl (version not disclosed)"


def test_an_empty_version_is_none() -> None:
    call = Call(
        key=TrialKey("run", "", "owl", "", 1, "probe"),
        role="probe",
        requested_model="openai/owl",
        prompt_hash="",
        params="{}",
        attempts=1,
        status=CallStatus.ANSWERED,
        started_at=datetime(2026, 11, 3, tzinfo=UTC),
        served_model="",
    )
    assert version_of(call) == JudgeVersion("openai/owl", None, "{}")
