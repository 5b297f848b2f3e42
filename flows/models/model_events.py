"""What happened to the models of a run: versions that moved and prompts that drifted, each recorded once."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from flows.run import Run, now
from flows.storing import store_records
from tasks.calls.endings import prompt_hash
from tasks.datasets.stored import read_stored
from tasks.datasets.templates import Renderer
from tasks.lifecycle.prompt_drift import SentPrompts, prompt_drift
from tasks.lifecycle.versions import moves
from tasks.plan import stored_cases
from tasks.records import Event, Suite
from tasks.storage.sightings import events, sent_prompts, sightings


def notice(run: Run) -> tuple[Event, ...]:
    """Record what no other run has recorded yet, also of runs that ended before they could."""
    known = {key_of(event) for event in events(run.results, but_not_of=run.id)}
    found = [*moved(run, at=now()), *drifted(run, at=now())]
    news = tuple({key_of(event): event for event in found if key_of(event) not in known}.values())
    store_records(run, {"events": news})
    return news


def key_of(event: Event) -> tuple[object, ...]:
    """What makes two events the same one: a drift is news once for each template."""
    at = event.before if event.kind == "prompt_drifted" else event.run_id
    return event.kind, event.model, event.suite, at


def moved(run: Run, *, at: datetime) -> Iterator[Event]:
    """Every move of a version, in whatever run."""
    for move in moves(sightings(run.results)):
        yield Event(**move._asdict(), suite=None, noticed_at=at)


def drifted(run: Run, *, at: datetime) -> Iterator[Event]:
    """The cells of this run whose system prompt was not what their template renders."""
    for planned in run.plan.cells:
        suite = run.plan.suite_as_asked(planned)
        sent = sent_prompts(run.results, run.id, suite.name, planned.model, cases=suite.n_cases)
        found = prompt_drift((SentPrompts(*one) for one in sent), rendered_hashes(run, suite).__getitem__)
        if found:
            yield Event(
                run_id=run.id,
                model=planned.model,
                suite=suite.name,
                kind="prompt_drifted",
                before=(suite.prompt_hash,),
                now=found.sent,
                text=f"{suite.name} on {planned.model}: {found}",
                noticed_at=at,
            )


def rendered_hashes(run: Run, suite: Suite) -> Mapping[str, str]:
    """The hash of the system prompt that each case should have been sent; equal ones are one object."""
    renderer, shared = Renderer(suite), dict[str, str]()
    hashes = (
        (case.id, prompt_hash(renderer.messages(case)))
        for case in read_stored(stored_cases(run.results, suite), 0, suite.n_cases)
    )
    return {case_id: shared.setdefault(rendered, rendered) for case_id, rendered in hashes}
