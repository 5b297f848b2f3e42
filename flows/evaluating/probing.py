"""The judges of a run: which they are, which version of each answers tonight, and what is to be said of them."""

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from flows.evaluating.budgeting import RunBudget, open_budget
from flows.news import news_of
from flows.run import Run
from tasks.calls.client import ModelClient
from tasks.calls.connections import connections
from tasks.calls.engine import MEASURED
from tasks.calls.gate import Gatekeeper
from tasks.calls.journal import Journal, Trial, read_lines
from tasks.calls.judge_version import version_of
from tasks.calls.lanes import Gates
from tasks.config import Config, JudgeScorer, ModelConfig
from tasks.plan import RunFolder
from tasks.records import Call, CallStatus, Suite, TrialKey

if TYPE_CHECKING:
    import aiohttp

PROBE = [{"role": "user", "content": "Reply with the word OK."}]


class UsedJudge(NamedTuple):
    """A judge of the config with the suites that ask it."""

    config: ModelConfig
    suites: tuple[str, ...]


def judges_used(config: Config, suites: Iterable[Suite]) -> list[UsedJudge]:
    """The judges that suites ask, in the config's order."""
    asked_by: dict[str, dict[str, None]] = {}
    for suite in suites:
        for scorer in suite.config.scorers:
            for judge in scorer.judges if isinstance(scorer, JudgeScorer) else ():
                asked_by.setdefault(judge, {})[suite.name] = None
    return [UsedJudge(judge, tuple(asked_by[judge.name])) for judge in config.judges if judge.name in asked_by]


async def probe_judges(run: Run) -> None:
    """Ask each judge one thing, to learn which version of it answers tonight, and note what is to be known of it."""
    earlier = kept_probes(run.folder)  # by an attempt that was interrupted
    known = {name for name, probe in earlier.items() if not why_not_asked(probe)}
    judges = [one for one in judges_used(run.config, run.plan.suites) if one.config.name not in known]
    probes = await probed(run, [judge.config for judge in judges], open_budget(run, run.ledger))
    run.notes += [note for probe in probes if (note := note_on(probe))]


async def probed(run: Run, models: Sequence[ModelConfig], budget: RunBudget | None = None) -> list[Call]:
    """Ask each model one thing, paid from a budget if there is one, and keep what came."""
    if not models:
        return []
    gates = Gates(run.config.concurrency, ledger=run.ledger)
    async with connections(len(models)) as session:
        clients = []
        for model in models:
            gate = gates.of(model, budget.purse(model) if budget else None)
            clients.append(judge_client(run, model, session=session, gate=gate))
        probes = await asyncio.gather(
            *(client.ask(PROBE, key=probe_key(run, client.model.name), role="probe") for client in clients)
        )
    keep(run, probes)
    return list(probes)


def judge_client(run: Run, judge: ModelConfig, *, session: "aiohttp.ClientSession", gate: Gatekeeper) -> ModelClient:
    """Who asks a judge, the same for every suite."""
    return ModelClient(
        judge,
        timeout_s=run.config.timeout_s,
        gate=gate,
        session=session,
        redact=run.redact,
        environ=run.file.env,
    )


def probe_key(run: Run, judge: str) -> TrialKey:
    """A probe belongs to no suite."""
    return TrialKey(run.id, "", judge, "", 1, "probe")


def keep(run: Run, probes: Iterable[Call]) -> None:
    """Bring probes to the disk, for every process of the run and for the warehouse."""
    journal = Journal(journal_of_probes(run.folder))
    for probe in probes:
        trial = Trial(probe.key, (probe,))
        journal.append(trial)
        run.tell(news_of(trial))
    journal.close()


def journal_of_probes(folder: RunFolder) -> Path:
    """One more of the run's journals."""
    return folder.path / "journal-probes.jsonl"


def kept_probes(folder: RunFolder) -> dict[str, Call]:
    """The latest probe of each judge, by its name; none in a run without judges."""
    journals = [path for path in [journal_of_probes(folder)] if path.exists()]
    return {trial.key.model: trial.calls[0] for trial in read_lines(journals, torn=[])}


def why_not_asked(probe: Call) -> str | None:
    """Why a judge with that probe is not asked at all, if so: nobody would know whose verdicts they are."""
    if probe.status in MEASURED or probe.served_model:
        return None
    if probe.status is CallStatus.BUDGET:
        return probe.error
    return f"its probe ended as {probe.status.value.replace('_', ' ')}: {probe.error}"


def note_on(probe: Call) -> str | None:
    """What is to be said of a judge with that probe, if anything."""
    name = probe.key.model
    if reason := why_not_asked(probe):
        return f"{name} was not asked: {reason}"
    if version_of(probe).served_model is None:
        return f"{name} does not disclose its version: a change of the judge would not be noticed"
    return None
