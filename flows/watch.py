"""The watch: which versions were served, which models and judges retire when, and whether the nights ran."""

import asyncio

from prefect import flow
from prefect.artifacts import acreate_table_artifact

from flows.overseeing import oversee
from flows.prepared import read_config, read_suites
from flows.requests import WatchRequest
from flows.retirements import lifespans
from flows.run import now
from flows.terminal.artifact import retirement_rows, version_rows
from tasks.storage import reads


@flow(name="watch", validate_parameters=True)
async def watch(request: WatchRequest) -> None:
    """Keep both tables where Prefect shows them, and tell Slack what is new. No model is called."""
    file = read_config(request)
    moment = now()
    table = lifespans(file, read_suites(file, request.suites), now=moment)
    await asyncio.to_thread(oversee, file, table, moment)
    await acreate_table_artifact(key="retirements", table=retirement_rows(table))
    await acreate_table_artifact(key="model-versions", table=version_rows(reads.model_versions(file.results)))
