"""Nights that several processes evaluate: they find the same, and share every limit, the budget and the verdicts."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tasks import plan
from tests.fakes.provider import FakeProvider, Received, Reply, refused, said
from tests.flows.crewed import evaluated, workers_of
from tests.flows.judged_lab import JudgedLab
from tests.flows.lab import Lab, right, wrong_below

TWO = "workers: 2\n"
ONCE = "gate: {baseline_trials: 1}\n"
BOTH_LOST = "2 workers died over it"
"""Where a shard went from the first that was killed to the second before that was killed, too."""

PRICE = "price: {input_per_million: 0, output_per_million: 10000}"


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "FEWEST_PER_SHARD", 8)


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider(latency_s=0.02) as fake:
        fake.answer("*", right)
        yield fake


@pytest.fixture
def lab(tmp_path: Path, provider: FakeProvider) -> Lab:
    lab = Lab(tmp_path, provider, n=80)
    lab.suite(f"scorers: [exact]\nparams: {{max_tokens: 16}}\n{ONCE}")
    return lab


def test_two_workers_find_what_one_process_finds_and_ask_a_judge_no_more_often(
    tmp_path: Path, provider: FakeProvider
) -> None:
    lab = JudgedLab(tmp_path, provider, n=60)
    lab.suite(f"scorers: [{{type: judge, judge: owl, rubric: rubric.md}}]\n{ONCE}")
    lab.provider.answer("*", wrong_below(9))
    alone = evaluated(lab, "alone")
    asked_alone = Counter(lab.asked())
    lab.write("deployments/daybreak.yaml", (tmp_path / "deployments/daybreak.yaml").read_text() + TWO)
    shared = evaluated(lab, "shared")
    assert shared.outcomes == alone.outcomes
    assert len(shared.outcomes) == 60
    assert Counter(lab.asked()) == asked_alone
    assert set(alone.lines) == {"journal-000-0.jsonl"}
    assert set(shared.lines) == {"journal-000-1.jsonl", "journal-000-2.jsonl"}
    assert min(shared.lines.values()) >= 30, "both have worked"


@pytest.mark.slow
def test_two_workers_stay_inside_the_limits_that_are_written(lab: Lab) -> None:
    lab.config({"small": "limits: {requests_per_minute: 3000, concurrency: 4}"}, more=TWO)
    night = evaluated(lab)
    starts = sorted(request.at for request in lab.provider.requests)
    assert {outcome for outcome, _ in night.outcomes.values()} == {"passed"}
    assert starts[-1] - starts[0] >= 79 / 50 * 0.95
    assert lab.provider.most_at_once <= 4


@pytest.mark.slow
def test_a_key_that_one_worker_finds_refused_stops_the_model_in_the_other_and_no_other_model(lab: Lab) -> None:
    lab.config({"small": "", "locked": "limits: {concurrency: 4}"}, more=TWO)
    lab.provider.answer("locked", ["7"] * 10 + [refused(401, "The key was withdrawn.")])
    night = evaluated(lab)
    assert {outcome for (model, *_), (outcome, _) in night.outcomes.items() if model == "small"} == {"passed"}
    locked = Counter(reason for (model, *_), (_, reason) in night.outcomes.items() if model == "locked")
    assert sum(request.model == "locked" for request in lab.provider.requests) <= 10 + 4
    assert sum(n for reason, n in locked.items() if "not asked any more: unauthorized: HTTP 401" in reason) >= 66
    assert min(night.lines.values()) > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_two_workers_never_exceed_the_budget(lab: Lab, seed: int) -> None:
    chance, told = random.Random(seed), []

    def some_tokens(request: Received) -> Reply:
        tokens = chance.randint(1, 16)
        told.append(tokens)
        return said(right(request), completion_tokens=tokens)

    lab.config({"small": PRICE, "large": PRICE}, more=f"budget_usd: 3.0\n{TWO}")
    lab.provider.answer("*", some_tokens)
    night = evaluated(lab)
    really_usd = sum(told) * 10_000 / 1e6
    assert 2.0 < really_usd <= 3.0
    assert night.cost_usd == pytest.approx(really_usd)
    assert any(reason.startswith("budget: what is left of 3 USD") for _, reason in night.outcomes.values())
    assert len(night.outcomes) == 160


@pytest.mark.slow
def test_what_a_killed_worker_had_not_finished_goes_to_another_and_the_budget_holds(lab: Lab) -> None:
    """Ten tokens are a tenth of a dollar; 16, which may have been billed, count for what was under way."""
    lab.config({"small": PRICE}, more=f"budget_usd: 9.0\nconcurrency: 8\n{TWO}")
    lab.provider.answer("*", lambda request: said(right(request), completion_tokens=10, delay_s=0.1))

    def kill_one() -> None:
        wait_until(lambda: len(lab.provider.requests) >= 30)
        os.kill(workers_of()[0], signal.SIGKILL)

    night = evaluated(lab, meanwhile=kill_one)
    asked = Counter(request.prompt for request in lab.provider.requests)
    assert len(asked) == len(night.outcomes) == 80
    assert {outcome for outcome, _ in night.outcomes.values()} == {"passed"}
    assert 1 <= sum(asked.values()) - 80 <= 5, "what was in flight, and nothing else, is asked twice"
    assert night.notes == ["a worker died; what it had not finished went to another"]
    assert workers_of() == []


def kill(workers: list[int]) -> None:
    for worker in workers:
        os.kill(worker, signal.SIGKILL)


@pytest.fixture
def nobody_else(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From when it is called, workers end before they are ready."""
    return lambda: monkeypatch.setattr(sys, "executable", shutil.which("false"))


def test_with_no_replacement_to_be_had_the_last_worker_goes_on(lab: Lab, nobody_else: Callable[[], None]) -> None:
    lab.config(more=f"concurrency: 8\n{TWO}")

    def kill_one() -> None:
        wait_until(lambda: len(lab.provider.requests) >= 10 and len(workers_of()) == 2)
        nobody_else()
        kill(workers_of()[:1])

    night = evaluated(lab, meanwhile=kill_one)
    assert {outcome for outcome, _ in night.outcomes.values()} == {"passed"}
    assert len(night.outcomes) == 80
    assert night.notes[1:] == ["a worker that died could not be replaced: of 2, 1 went on"]


@pytest.mark.usefixtures("prefect_server")
def test_a_night_that_no_worker_is_left_for_ends_by_itself(lab: Lab, nobody_else: Callable[[], None]) -> None:
    lab.config(more=f"concurrency: 8\n{TWO}")
    lab.provider.answer("*", lambda request: said(right(request), delay_s=0.2))

    def kill_all() -> None:
        wait_until(lambda: len(lab.provider.requests) >= 10 and len(workers_of()) == 2)
        nobody_else()
        kill(workers_of())

    killing = threading.Thread(target=kill_all)
    killing.start()
    night = lab.run("nightly")
    killing.join()
    assert night.exit_code == 3
    [cell] = night.data["comparisons"]
    assert cell["verdict"] == "unmeasured"
    assert any(reason in str(cell) for reason in ("no worker is left, and none could be started", BOTH_LOST))
    assert "a worker that died could not be replaced: of 2, 0 went on" in night.data["notes"]


@pytest.mark.slow
def test_a_scorer_that_kills_its_process_breaks_its_cell_and_no_other(lab: Lab) -> None:
    lab.write("datasets/deadly/score.py", "import os\n\ndef score(output, case):\n    os.kill(os.getpid(), 9)\n")
    lab.suite(f"scorers: [{{type: python, call: 'score.py:score'}}]\n{ONCE}", [], name="deadly")
    lab.write("datasets/deadly/cases.jsonl", '{"id": "x", "input": "1 + 1", "expected": "2"}\n')
    lab.config(more=TWO)
    with pytest.raises(Exception, match=BOTH_LOST):
        evaluated(lab)


def wait_until(condition: Callable[[], object], timeout_s: float = 100) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def started(lab: Lab, *arguments: str) -> "subprocess.Popen[str]":
    """A command in a process of its own."""
    command = [sys.executable, "-c", f"from flows.cli import main; main({[*arguments, '--json']!r})"]
    return subprocess.Popen(command, cwd=lab.root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


UNANSWERED = [f"{i} + {i + 1}" for i in range(0, 80, 10)]


def answering_most(request: Received) -> Reply:
    return said(right(request), delay_s=600 if request.prompt in UNANSWERED else 0.02)


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.slow
def test_workers_end_with_their_parent_however_it_ends_and_the_night_can_be_resumed_without_them(lab: Lab) -> None:
    lab.config(more=TWO)
    lab.provider.answer("*", answering_most)
    process = started(lab, "nightly")
    wait_until(lambda: len(lab.provider.requests) == lab.n)
    workers = workers_of(process.pid)
    time.sleep(0.5)
    process.kill()
    process.communicate()
    assert len(workers) == 2
    wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), timeout_s=3)

    lab.config()
    lab.provider.requests.clear()
    lab.provider.answer("*", right)
    resumed = lab.run("nightly", "--resume", "latest")
    assert resumed.exit_code == 0
    assert sorted(request.prompt for request in lab.provider.requests) == UNANSWERED
    assert not any("edited since" in note for note in resumed.data["notes"])
    assert lab.sql("SELECT count(*) AS n, count(DISTINCT case_id) AS cases FROM outcomes") == [{"n": 80, "cases": 80}]


@pytest.mark.slow
@pytest.mark.usefixtures("prefect_server")
def test_ctrl_c_keeps_what_workers_have_finished(lab: Lab) -> None:
    lab.config(more=TWO)
    lab.provider.answer("*", answering_most)
    process = started(lab, "nightly")
    wait_until(lambda: len(lab.provider.requests) == lab.n)
    workers = workers_of(process.pid)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert json.loads(out)["status"] == "interrupted"
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
    [kept] = lab.sql("SELECT count(*) AS n FROM calls WHERE status = 'answered'")
    assert kept["n"] == lab.n - len(UNANSWERED)
