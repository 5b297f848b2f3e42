"""The watch: which versions answer, which models and judges retire when, and whether the nights ran."""

from typing import Any

from prefect import flow, runtime
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows import steps
from flows.planning.prepared import prepared_watch
from flows.requests import WatchRequest
from flows.run import now, open_run


@flow(name="watch", validate_parameters=True)
async def watch(request: WatchRequest) -> State[Any]:
    """Look for what moved and what goes away, and start the comparison that it asks for.

    Where this is a deployment, an event starts it, on which the deployment of `compare` waits; else it runs at once.
    """
    with open_run(prepared_watch(request, now=now())) as run:
        if request.probe:
            await steps.probe_models(run)
            await steps.store_trials(run)
        await steps.notice(run)
        result = await steps.look_ahead(run, request)
        await steps.show_watch(result)
    try:
        result = await steps.start_comparisons(result, by_event=runtime.deployment.id is not None)
    finally:  # what moved is told even where the comparison breaks: no later watch finds it again
        result = await steps.tell_watch(run, result)
    return Completed(message=f"{len(result.events)} noticed, {len(result.wanted)} to compare", data=result)
