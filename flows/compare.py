"""The comparison: one candidate against its baseline, now."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows import steps
from flows.comparing.stored_comparison import compare_stored, is_stored
from flows.planning.prepared import prepared_comparison
from flows.requests import CompareRequest
from flows.run import now, open_run
from flows.states import state_of


@flow(name="compare", validate_parameters=True)
async def compare(request: CompareRequest) -> State[Any]:
    """Run the candidate, and its baseline where that is a model, and tell whether it is worse; two runs as they are."""
    if is_stored(request):
        return state_of(compare_stored(request))
    with open_run(prepared_comparison(request, now=now())) as run:
        await steps.pull_datasets(run)
        await steps.probe_judges(run)
        await steps.evaluate_cells(run)
        await steps.store_trials(run)
        await steps.judge_baselines_again(run)
        await steps.notice(run)
        await steps.confirm_suspicions(run)
        result = await steps.compare_cells(run)
        result = await steps.report(run, result)
        if request.notify:
            result = await steps.notify(run, result)
        await steps.show_table(run, result)
    return state_of(result)
