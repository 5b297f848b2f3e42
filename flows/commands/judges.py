"""The commands on judges: calibrate and show."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from flows.answer import INTERRUPTED, OK, UNMEASURED, Answered
from flows.evaluating.probing import judges_used
from flows.judges import calibrating
from flows.judges.calibrating import Calibrated, Labels
from flows.judges.correcting import correct_stored
from flows.judges.trust import trend
from flows.planning.cells import plan_without_cells
from flows.planning.payers import budget_problems
from flows.planning.prepared import read_config, read_suites
from flows.requests import Request
from flows.run import Run, now
from flows.run_folder import held
from flows.signals import Interruption, stop_event
from flows.terminal.figures import plain, usd
from flows.terminal.judges import corrected_rates, shown_calibrations, where_shown
from tasks.calls import provider
from tasks.calls.credentials import unusable_models
from tasks.datasets.calibration import FILE, read_labels
from tasks.documents import ConfigFile
from tasks.errors import UsageError
from tasks.plan import RunFolder
from tasks.records import Calibration, Correction, Suite
from tasks.scoring.judge import build_judges
from tasks.storage import judged, reads

FROM_NOW_ON = "From the next night on, pages show this calibration."


def calibrate(*, config: str, results: str | None, suites: tuple[str, ...]) -> Answered:
    """Ask the judges about labelled outputs and tell how far they agree with people."""
    file = read_config(Request(config=config, results=results))
    labels = {suite.name: read_labels(suite) for suite in judged_suites(file, suites)}
    labelled = [suite for suite in judged_suites(file, suites) if labels[suite.name]]
    if not labelled:
        raise UsageError.single(
            f"expected a {FILE} in the folder of a judged suite, found none", hint="datasets/README.md shows its lines"
        )
    refuse_what_cannot_be_asked(file, labelled)
    rows = sum(len(labels[suite.name]) for suite in labelled)
    names = ", ".join(one.config.name for one in judges_used(file.config, labelled))
    click.echo(f"Asking {names} about {rows} labelled outputs, each twice.", err=True)
    provider.load()
    run, found = asyncio.run(interruptibly(file, labelled, labels))
    return answer(run, found, correct_newest(file, found))


def correct_newest(file: ConfigFile, found: Calibrated) -> list[Correction]:
    """Correct the newest night anew, as far as the same judges spoke in it."""
    suites = {
        suite.name: suite for suite in read_suites(file) if any(one.suite == suite.name for one in found.calibrations)
    }
    for run_id in reads.run_ids(file.results):
        if cells := [cell for cell in reads.cells_of(file.results, run_id) if cell.suite in suites]:
            return correct_stored(file.results, suites, [(run_id, c.suite, c.model) for c in cells], at=now())
    return []


def judged_suites(file: ConfigFile, only: tuple[str, ...]) -> list[Suite]:
    """The suites that ask judges; raises UsageError where there are none."""
    found = [suite for suite in read_suites(file, only) if build_judges(suite)]
    if not found:
        raise UsageError.single("expected a suite with a scorer of type judge, found none", where=file.path)
    return found


def refuse_what_cannot_be_asked(file: ConfigFile, suites: Sequence[Suite]) -> None:
    """Raise UsageError for judges without a key, and for a budget that could not be kept."""
    judges = [one.config for one in judges_used(file.config, suites)]
    wrong = [*unusable_models(judges, file.env, where=file.place_of), *budget_problems(file, suites, set())]
    if wrong:
        raise UsageError(wrong)


async def interruptibly(file: ConfigFile, suites: Sequence[Suite], labels: Labels) -> tuple[Run, Calibrated]:
    """Calibrate as a run of its own, which Ctrl-C ends early; it cannot be resumed, but kept verdicts stay."""
    Interruption().take_signals()
    plan = plan_without_cells(file, "calibrate", suites, now=now())
    folder = RunFolder(file.results, plan.run_id)
    with held(folder):
        run = Run(plan=plan, folder=folder, file=file, stop=stop_event())
        return run, await calibrating.calibrate(run, labels)


def answer(run: Run, found: Calibrated, corrections: Sequence[Correction]) -> Answered:
    """What was found, with what it cost; what could not be asked is told and changes the exit code."""
    cost = f"{run.id}: {found.calls} calls, {usd(found.cost_usd)}."
    told = [*found.unasked, *run.notes]
    data = {
        "status": "interrupted" if run.stop.is_set() else "ok",
        "run_id": run.id,
        "calls": found.calls,
        "cost_usd": found.cost_usd,
        "calibrations": [asdict(one) for one in found.calibrations],
        "corrections": [asdict(one) for one in corrections],
        "notes": told,
    }
    if run.stop.is_set():
        return Answered(exit_code=INTERRUPTED, data=data, text=f"Interrupted; what was said is kept. {cost}")
    whole = {one.suite for one in found.calibrations if one.n_rows}
    missing = [suite.name for suite in run.plan.suites if suite.name not in whole]
    told += [f"{name}: no judge gave a verdict" for name in missing]
    parts = [shown_calibrations(found.calibrations)] if found.calibrations else []
    shown = [*corrected_rates(corrections), *where_shown(corrections), *told]
    shown += [FROM_NOW_ON] if found.calibrations else []
    text = "\n".join([*parts, *map(plain, shown), cost])
    return Answered(exit_code=UNMEASURED if missing else OK, data=data, text=text)


def show(*, config: str, results: str | None, suites: tuple[str, ...]) -> Answered:
    """Show the latest calibration of each judge scorer, with those before it."""
    file = read_config(Request(config=config, results=results))
    names = [suite.name for suite in judged_suites(file, suites)]
    found = judged.calibrations(file.results, names)
    latest = latest_of(found)
    data = {"status": "ok", "calibrations": [asdict(one) for one in latest], "history": [history(one) for one in found]}
    text = shown_calibrations(latest) if latest else "No judge was calibrated yet: `daybreak judge calibrate`."
    return Answered(exit_code=OK, data=data, text="\n".join([text, *trend(found)]))


def latest_of(found: Sequence[Calibration]) -> list[Calibration]:
    """The rows of each scorer's latest calibration, of all that are given in order of time."""
    newest = {(one.suite, one.scorer): one.run_id for one in found}
    return [one for one in found if newest[one.suite, one.scorer] == one.run_id]


def history(one: Calibration) -> dict[str, Any]:
    """A point of the trend."""
    names = ("suite", "scorer", "slice", "calibrated_at", "judge_versions", "n_rows", "youden", "youden_low")
    return {name: getattr(one, name) for name in names}
