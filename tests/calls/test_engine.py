"""Trials from question to journal: whatever goes wrong with a call is never held against the model."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.calls.client import ModelClient
from tasks.calls.engine import Judgment, Planned, evaluate
from tasks.calls.journal import Journal, Trial, read_trials
from tasks.calls.lanes import FIRST_IN_FLIGHT, Gates, ModelGate
from tasks.calls.provider import warm_up
from tasks.config import ModelConfig
from tasks.plan import RunFolder
from tasks.records import Call, CallStatus, Case, Finding, TrialKey
from tests.calls.test_client import FAULTS, Row, Waits
from tests.fakes.provider import FakeProvider, Reply, refused

RUN = "run-20261101-020000-abcd"
STOPPING = {CallStatus.QUOTA_EXHAUSTED, CallStatus.UNAUTHORIZED, CallStatus.MODEL_NOT_FOUND}


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as fake:
        fake.answer("*", "right")
        yield fake


class Cell:
    """A cell whose answers pass when they are `right`."""

    judged = False

    def __init__(self, client: ModelClient, gate: ModelGate) -> None:
        self.client = client
        self.gate = gate

    @property
    def stopped(self) -> str | None:
        return self.gate.stopped

    async def ask(self, planned: Planned) -> Call:
        return await self.client.ask([{"role": "user", "content": str(planned.case.input)}], key=planned.key)

    async def score(self, planned: Planned, call: Call) -> Judgment:
        finding = Finding(call.output == "right", "as it is")
        return Judgment([("exact", finding)], "passed" if finding.passed else "failed", finding.reason)


async def outcomes(
    provider: FakeProvider, folder: Path, *models: str, cases: int, timeout_s: float = 5.0
) -> dict[str, list[Trial]]:
    """Ask every model all cases, side by side; gives the journaled trials of each."""
    gates, journal, room = Gates(100), Journal(RunFolder(folder, RUN).journal(0)), asyncio.Semaphore(50)

    async def one(name: str) -> None:
        model = ModelConfig(name=name, model=f"openai/{name}", api_base=provider.url, api_key_env="FAKE_KEY")
        gate = gates.of(model)
        client = ModelClient(model, gate=gate, timeout_s=timeout_s, environ={"FAKE_KEY": "sk"}, sleep=Waits())
        trials = (
            Planned(TrialKey(RUN, "s", name, f"c{number}", 1, "planned"), Case(id=f"c{number}", input=str(number)))
            for number in range(cases)
        )
        stop = asyncio.Event()
        await evaluate(trials, Cell(client, gate), journal=journal, room=room, stop=stop, tell=lambda _: None)

    await warm_up()
    await asyncio.gather(*map(one, models))
    journal.close()
    found: dict[str, list[Trial]] = {name: [] for name in models}
    for trial in read_trials(RunFolder(folder, RUN).journals(), torn=[]):
        found[trial.key.model].append(trial)
    return found


async def test_no_fault_scores_a_case_as_failed(provider: FakeProvider, tmp_path: Path) -> None:
    rows = [row for row in FAULTS if row.status not in STOPPING and not is_slow(row) and row.name != "429 for an hour"]
    provider.answer("faulty", lambda request: reply_of(rows[int(request.prompt)]))
    found = await outcomes(provider, tmp_path, "faulty", cases=len(rows))
    reasons = {rows[int(trial.key.case_id[1:])].name: trial.outcome for trial in found["faulty"]}
    for row in rows:
        outcome = reasons[row.name]
        assert outcome is not None
        if row.status is CallStatus.REFUSED_BY_PROVIDER:
            continue
        assert (outcome.outcome, outcome.reason) == ("unmeasured", row.status.value.replace("_", " ")), row.name


def reply_of(row: Row) -> Reply:
    return row.reply() if callable(row.reply) else row.reply


def is_slow(row: Row) -> bool:
    """True where the reply takes a timeout, or asks the whole lane to wait."""
    reply = reply_of(row)
    return reply.delay_s > 1 or reply.delivery == "trickle" or "Retry-After" in reply.headers


@pytest.mark.parametrize("row", [row for row in FAULTS if row.status in STOPPING], ids=lambda row: row.name)
async def test_what_no_further_call_can_cure_stops_that_model_and_no_other(
    provider: FakeProvider, tmp_path: Path, row: Row
) -> None:
    provider.answer("doomed", reply_of(row))
    found = await outcomes(provider, tmp_path, "doomed", "sound", cases=60)
    assert {trial.outcome.outcome for trial in found["sound"] if trial.outcome} == {"passed"}
    assert len(found["sound"]) == len(found["doomed"]) == 60
    assert sum(request.model == "doomed" for request in provider.requests) <= FIRST_IN_FLIGHT
    told = {trial.outcome.reason for trial in found["doomed"] if trial.outcome}
    words = row.status.value.replace("_", " ")
    assert all(reason == words or reason.startswith(f"not asked any more: {words}: HTTP ") for reason in told), told
    assert {trial.outcome.outcome for trial in found["doomed"] if trial.outcome} == {"unmeasured"}


async def test_a_fault_in_the_middle_of_a_run_stops_it_too(provider: FakeProvider, tmp_path: Path) -> None:
    provider.answer("m", ["right"] * 40 + [refused(401, "The key was withdrawn.")])
    found = await outcomes(provider, tmp_path, "m", cases=400)
    assert sum(trial.outcome is not None and trial.outcome.outcome == "passed" for trial in found["m"]) == 40
    assert len(found["m"]) == 400
    assert len(provider.requests) < 150
