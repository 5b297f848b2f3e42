"""One night that is killed again and again, and what must hold of it then."""

import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tasks.calls.journal import read_lines
from tasks.plan import RunFolder
from tests.fakes.provider import FakeProvider, Received, Reply, said
from tests.flows.judged_lab import JudgedLab, asked_in, by_the_label, is_probe
from tests.flows.lab import right

N = 120
LATENCY_S = 0.08
SLACK_S = 0.7
"""What an answer may take from the provider to the journal on a machine that is busy with other things."""

TIMEOUT_S = 120.0
GATE = "{baseline_trials: 1, max_detectable_drop_pp: 100}"
JUDGED = f"scorers: [{{type: judge, judge: owl, rubric: rubric.md}}]\ngate: {GATE}\n"
FOUND = "verdict, cause, n_paired, baseline_pass_rate, pass_rate, drop_pp, ci_low_pp, ci_high_pp, p_value"
RESUMED = ("--resume", "latest")


class Kill(NamedTuple):
    """One kill: the number of workers, what had been asked in that attempt, and how much of it was in flight."""

    workers: int
    asked: int
    lost: int


class Chain(NamedTuple):
    """What came of a night."""

    kills: list[Kill]
    verdict: str
    asked: int
    problems: list[str]


class KilledNights:
    """A judged suite whose answers got worse; its first night is the baseline of all that follow."""

    def __init__(self, root: Path, provider: FakeProvider) -> None:
        self.lab = JudgedLab(root, provider, n=N)
        self.lab.suite(JUDGED)
        provider.latency_s = LATENCY_S
        provider.answer("owl", self._judge)
        self._hemmed: set[str] = set()
        self._configure(1)
        self._finish()
        shutil.copytree(root / "results", root / "pinned")
        provider.answer("*", worse)
        self._finish()
        self.undisturbed = self._found()

    def chain(self, kills: int, chance: random.Random) -> Chain:
        """Kill a night that often, at moments spread over what it has to do, then let it come to its end."""
        shutil.rmtree(self.lab.root / "results")
        shutil.copytree(self.lab.root / "pinned", self.lab.root / "results")
        self.lab.provider.requests.clear()
        self._hemmed.clear()
        done, problems, seen = list[Kill](), list[str](), set[tuple[object, ...]]()
        for _ in range(kills):
            if kill := self._kill(done, chance, problems):
                done.append(kill)
                seen |= self._journaled()
            if self._is_finished():
                break
        else:
            self._finish(*RESUMED)
        problems += self._problems(seen, done)
        return Chain(done, str(self._found()["verdict"]), len(self.lab.provider.requests), problems)

    def _kill(self, before: list[Kill], chance: random.Random, problems: list[str]) -> Kill | None:
        """Start or resume the night and kill it; None where it came to its end before."""
        workers, so_far = chance.choice([1, 2]), len(self.lab.provider.requests)
        until, deadline = so_far + chance.randrange(N), time.monotonic() + TIMEOUT_S
        self._configure(workers)
        with self._started(*(RESUMED if before else ())) as process:
            while len(self.lab.provider.requests) <= until and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(chance.choice([0, chance.random() * 0.3, chance.random() * 3]))
            if process.poll() is not None:
                return None
            moment = time.monotonic()
            process.kill()
            process.wait()
        time.sleep(0.2)  # workers end when they hear of it, and requests may still be on their way
        requests = self.lab.provider.requests
        lost = len(requests) - len(self._journaled()) - sum(kill.lost for kill in before)
        in_flight = sum(request.at > moment - LATENCY_S - SLACK_S for request in requests)
        if lost > in_flight:
            problems.append(f"{lost} calls are lost, and only {in_flight} can have been in flight")
        return Kill(workers, len(requests) - so_far, lost)

    def _problems(self, seen: set[tuple[object, ...]], kills: list[Kill]) -> Iterator[str]:
        """What does not hold."""
        asked, journaled = len(self.lab.provider.requests), self._journaled()
        if not seen <= journaled:
            yield f"{len(seen - journaled)} journaled calls are gone"
        if asked != len(journaled) + sum(kill.lost for kill in kills):
            yield f"{asked} requests are neither on record ({len(journaled)}) nor were in flight at a kill"
        run = f"run_id = '{self._run_id}'"
        [stored] = self.lab.sql(f"SELECT count(*) AS n FROM calls WHERE {run}")
        if stored["n"] != len(journaled):
            yield f"{len(journaled)} calls are in journals and {stored['n']} in the warehouse"
        [twice] = self.lab.sql(
            f"SELECT count(*) - count(DISTINCT (case_id, trial, phase)) AS n FROM outcomes WHERE {run}"
        )
        if twice["n"]:
            yield f"{twice['n']} trials are stored twice"
        for name, value in self._found().items():
            if value != self.undisturbed[name]:
                yield f"{name} is {value!r} instead of {self.undisturbed[name]!r}"

    @property
    def _run_id(self) -> str:
        """The newest run."""
        return max((self.lab.root / "results" / "runs").glob("run-*")).name

    def _found(self) -> dict[str, Any]:
        """What the newest run found."""
        [found] = self.lab.sql(f"SELECT {FOUND} FROM comparisons WHERE run_id = '{self._run_id}'")
        return found

    def _is_finished(self) -> bool:
        """True where a night was killed when all was done, or was quicker."""
        runs = {run["run_id"]: run["status"] for run in self.lab.run("runs").data["runs"]}
        return runs.get(self._run_id) == "finished"

    def _journaled(self) -> set[tuple[object, ...]]:
        """The calls that the newest run has on disk."""
        lines = read_lines(RunFolder(self.lab.root / "results", self._run_id).journals(), torn=[])
        return {(*line.key, call.role, call.started_at) for line in lines for call in line.calls}

    def _configure(self, workers: int) -> None:
        self.lab.owl(more=f"workers: {workers}\n")

    @contextmanager
    def _started(self, *arguments: str) -> "Iterator[subprocess.Popen[bytes]]":
        """A night in a process of its own."""
        command = [sys.executable, "-c", f"from flows.cli import main; main({['nightly', *arguments]!r})"]
        with (
            (self.lab.root / "stderr").open("wb") as err,
            subprocess.Popen(command, cwd=self.lab.root, stdout=subprocess.DEVNULL, stderr=err) as process,
        ):
            yield process

    def _finish(self, *arguments: str) -> None:
        """Let a night come to its end."""
        with self._started(*arguments) as process:
            code = process.wait()
        if code not in {0, 1}:
            raise RuntimeError(f"the night ended with {code}: {(self.lab.root / 'stderr').read_text()}")

    def _judge(self, request: Received) -> Reply:
        """The first reply about each tenth answer is none, and has to be asked for again."""
        if is_probe(request):
            return said("OK", served_as="owl-1")
        asked = asked_in(request)
        if asked.sum.partition(" ")[0].endswith("7") and asked.sum not in self._hemmed:
            self._hemmed.add(asked.sum)
            return said("Hm.", served_as="owl-1")
        return said(by_the_label(asked), served_as="owl-1")


def worse(request: Received) -> str:
    """Wrong for a quarter of the cases."""
    return "no idea" if int(request.prompt.split(" + ")[0]) < N // 4 else right(request)
