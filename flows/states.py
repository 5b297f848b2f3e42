"""Terminal states of a flow run, named after what was found."""

from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed

from flows.result import RunResult, headline


def state_of(result: RunResult) -> State[Any]:
    """Completed, and named so, whatever was found; only an interrupted run is Cancelled."""
    if result.status == "interrupted":
        return Cancelled(message=f"{result.run_id} was interrupted; what finished is kept.", data=result)
    return Completed(name=headline(result), message=f"{result.run_id}: {headline(result)}", data=result)
