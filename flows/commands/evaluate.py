"""The commands that ask models: nightly and compare."""

import asyncio
import os
import sys
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows import runtime
from flows.answer import Answered
from flows.comparing.stored_comparison import compare_stored, is_stored
from flows.evaluating.probing import judges_used
from flows.planning.candidates import without_secrets
from flows.planning.prepared import Prepared, hand_over, prepare_comparison, prepare_night
from flows.requests import CompareRequest, NightRequest, Request
from flows.result import RunResult, exit_code
from flows.run import now
from flows.terminal.plan import shown_start
from flows.terminal.progress import shown_progress
from flows.terminal.result import shown_result
from flows.workers.crew import hired
from tasks.calls import provider
from tasks.calls.credentials import unusable_models
from tasks.errors import RunBroken, UsageError
from tasks.reports.site import SUMMARY

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State


def nightly(
    *, config: str, results: str | None, suites: tuple[str, ...], models: tuple[str, ...], resume: str | None
) -> Answered:
    """Run the night and show what it found."""
    if resume and (suites or models):
        raise UsageError.single("--resume goes on by the stored plan: it takes neither --suite nor --model")
    request = NightRequest(config=config, results=results, suites=suites, models=models, resume=resume)
    return run(request, prepare_night(request, now=now()), "nightly")


def compare(**options: Any) -> Answered:
    """Run the comparison and show what it found."""
    request = CompareRequest(**options)
    if is_stored(request):
        found = compare_stored(request)
        return Answered(exit_code=exit_code(found), data=as_data(found), text=shown_result(found))
    prepared = prepare_comparison(request, now=now())
    return run(without_secrets(request, prepared.file.secrets), prepared, "compare")


def run(request: Request, prepared: Prepared, flow: str) -> Answered:
    """Start the flow in this process, with its own Prefect server unless one is named."""
    total = sum(cell.trials * prepared.plan.suite_named(cell.suite).n_cases for cell in prepared.plan.cells)
    with hired(prepared.file.config) as crew:
        runtime.prepare(provider.load)
        refuse_unusable_models(prepared)
        print(shown_start(prepared), file=sys.stderr)
        with shown_progress(total) as progress:
            shown = replace(prepared, tell=progress.tell, expect=progress.expect, say=lambda _: None)
            hand_over(request, replace(shown, crew=crew))
            result = result_of(runtime.run_flow(flow_named(flow), request))
    add_to_job_summary(result)
    return Answered(exit_code=exit_code(result), data=as_data(result), text=shown_result(result))


def add_to_job_summary(result: RunResult) -> None:
    """Show the run beside the job, where GitHub runs it; a summary that cannot be written is no fault of the run."""
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    if place and result.report:
        with suppress(OSError), Path(place).open("a", encoding="utf-8") as file:
            file.write(result.report.with_name(SUMMARY).read_text("utf-8"))


def flow_named(name: str) -> Any:
    """Import a flow, and Prefect with it, only now."""
    from flows import compare, nightly, watch

    return {"nightly": nightly.nightly, "compare": compare.compare, "watch": watch.watch}[name]


def refuse_unusable_models(prepared: Prepared) -> None:
    """Raise UsageError for models that would refuse every call."""
    used = {cell.model for cell in prepared.plan.cells}
    models = [model for model in prepared.file.config.models if model.name in used]
    models += [judge.config for judge in judges_used(prepared.file.config, prepared.plan.suites)]
    if unusable := list(unusable_models(models, prepared.file.env, where=prepared.file.place_of)):
        raise UsageError(unusable)


def result_of(state: "State[Any]") -> RunResult:
    """What the flow found; raises what broke it."""
    if state.is_cancelled():
        found = getattr(state.data, "result", state.data)  # Prefect has no other way to a cancelled run's data
    else:
        found = asyncio.run(state.aresult(raise_on_failure=True))
    if not isinstance(found, RunResult):
        raise RunBroken(f"the flow ended as {state.name}: {state.message}")
    return found


def as_data(result: RunResult) -> dict[str, Any]:
    """The JSON object of a run."""
    return {
        "run_id": result.run_id,
        "status": result.status,
        "cost_usd": result.cost_usd,
        "costs_usd": result.costs,
        "calls": result.calls,
        "report": result.report,
        "simulated_models": result.simulated,
        "uncalibrated_judges": result.uncalibrated,
        "corrections": [asdict(correction) for correction in result.corrections],
        "comparisons": [asdict(comparison) for comparison in result.comparisons],
        "gates": [asdict(gate) for gate in result.gates],
        "retirements": [asdict(one) for one in result.lifespans],
        "events": [asdict(event) for event in result.events],
        "notes": result.notes,
        "message": result.told.message,
        "undelivered": result.told.undelivered,
    }
