"""The command that looks between nights: watch."""

import asyncio
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from flows import runtime
from flows.answer import OK, REGRESSED, UNMEASURED, Answered
from flows.commands.evaluate import as_data as as_data_of_run
from flows.commands.evaluate import flow_named
from flows.models.watching import WatchResult
from flows.planning.prepared import hand_over, prepare_watch
from flows.requests import WatchRequest
from flows.result import exit_code
from flows.run import now
from flows.terminal.figures import plain, usd
from flows.terminal.lifespans import shown_ends, shown_versions
from flows.terminal.result import shown_result, shown_told
from tasks.calls import provider
from tasks.calls.prices import map_facts
from tasks.errors import RunBroken


def watch(**options: Any) -> Answered:
    """Run the watch and show what it found."""
    request = WatchRequest(**options)
    prepared = prepare_watch(request, now=now())
    runtime.prepare(provider.load)
    hand_over(request, replace(prepared, say=lambda _: None))
    state = runtime.run_flow(flow_named("watch"), request)
    found = asyncio.run(state.aresult(raise_on_failure=True))
    if not isinstance(found, WatchResult):
        raise RunBroken(f"the flow ended as {state.name}: {state.message}")
    return Answered(exit_code=code_of(found), data=as_data(found), text=shown(found))


def code_of(result: WatchResult) -> int:
    """1 where a comparison found a regression, 3 where a model did not answer or Slack was not reached, else 0."""
    codes = {exit_code(one) for one in result.compared}
    if REGRESSED in codes:
        return REGRESSED
    return UNMEASURED if result.silent or result.told.undelivered or codes - {OK} else OK


def as_data(result: WatchResult) -> dict[str, Any]:
    """The JSON object of a watch."""
    return {
        "status": "ok",
        "run_id": result.run_id,
        "calls": result.calls,
        "cost_usd": result.cost_usd,
        "events": [asdict(event) for event in result.events],
        "versions": {state.model: str(state) for state in result.states},
        "retirements": [asdict(one) for one in result.lifespans],
        "litellm_map": map_facts(datetime.now(UTC).date())._asdict(),
        "model_versions": [one._asdict() for one in result.versions],
        "silent": result.silent,
        "comparisons_wanted": [request.model_dump() for request in result.wanted],
        "compared": [as_data_of_run(one) for one in result.compared],
        "message": result.told.message,
        "undelivered": result.told.undelivered,
    }


def shown(result: WatchResult) -> str:
    """What the watch found, as text."""
    facts = map_facts(datetime.now(UTC).date())
    lines = [*shown_ends(result.lifespans), shown_versions(result.versions)]
    lines += [f"{plain(state.model)}: {plain(str(state))}" for state in result.states]
    lines += [f"Noticed: {plain(event.text)}." for event in result.events]
    lines += [f"Not answered: {plain(one)}" for one in result.silent]
    lines.append(f"{facts.provenance}: it dates the end of {facts.dated} models, of which {facts.past} are past.")
    lines.append(f"{result.run_id}: {result.calls} calls, {usd(result.cost_usd)}.")
    lines += [shown_result(one) for one in result.compared]
    return "\n".join([*lines, *shown_told(result.told)])
