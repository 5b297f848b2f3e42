"""The night: every suite on every model, compared with its baseline."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows import steps
from flows.planning.prepared import prepared_night
from flows.requests import NightRequest
from flows.retries import retried, take_over
from flows.run import now, open_run
from flows.states import state_of


@flow(name="nightly", validate_parameters=True)
async def nightly(request: NightRequest) -> State[Any]:
    """Run every suite on every model and tell which got worse."""
    with open_run(prepared_night(retried(request), now=now())) as run:
        await take_over(run.folder)
        await steps.pull_datasets(run)
        await steps.probe_judges(run)
        await steps.evaluate_cells(run)
        await steps.store_trials(run)
        await steps.judge_baselines_again(run)
        await steps.notice(run)
        await steps.confirm_suspicions(run)
        result = await steps.compare_cells(run)
        result = await steps.report(run, result)
        result = await steps.notify(run, result)
        await steps.show_table(run, result)
    return state_of(result)
