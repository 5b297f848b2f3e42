"""A command in small: `python -m tests.flows.small_run NAME WAIT_S` runs three tasks that wait, and an artifact.

`--stubborn` makes the tasks deaf to the first Ctrl-C.
"""

import asyncio
import logging
import sys

from flows import runtime
from flows.signals import stop_event

logger = logging.getLogger("tasks.calls")


def main(name: str, wait_s: str, *options: str) -> None:
    """Run the flow and say on stdout how it ended, with nothing else there."""
    runtime.prepare()
    from prefect import flow, task
    from prefect.artifacts import acreate_table_artifact
    from prefect.client.schemas.objects import State
    from prefect.states import Cancelled, Completed

    @task
    async def wait() -> State[None]:
        logger.info("waiting")
        stop = asyncio.Event() if "--stubborn" in options else stop_event()
        try:
            await asyncio.wait_for(stop.wait(), float(wait_s))
        except TimeoutError:
            return Completed()
        return Cancelled()

    @flow(flow_run_name=name)
    async def small() -> State[None]:
        await asyncio.gather(*(wait() for _ in range(3)), return_exceptions=True)
        await acreate_table_artifact(key="result", table=[{"cell": 1}])
        return Cancelled() if stop_event().is_set() else Completed()

    try:
        state = runtime.run_flow(small)
    except KeyboardInterrupt:
        print("insisted")
        sys.exit(130)
    print(state.type.value)
    sys.exit(130 if state.is_cancelled() else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
