"""Turn what a run found into incidents and messages, both kept before the run counts as finished."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from flows.result import RunResult
from flows.run import Run, now
from flows.run_folder import is_alive
from flows.telling.incident_chart import picture_of
from tasks.alerts.delivery import Draft, is_set_up, keep
from tasks.alerts.findings import Night, findings_of
from tasks.alerts.incidents import Change, Incident, changes, incidents_of
from tasks.alerts.losses import losses_of
from tasks.alerts.nights import broken_nights, missed_nights
from tasks.alerts.outbox import Outbox
from tasks.alerts.quiet import is_due, quiet_draft, quiet_line
from tasks.alerts.story import Link, Setting
from tasks.alerts.symptoms import Symptom
from tasks.alerts.telling import drafts
from tasks.documents import ConfigFile
from tasks.lifecycle.retirement import retirement_records
from tasks.plan import Plan, RunFolder
from tasks.records import Run as RunRecord
from tasks.storage import incidents as stored
from tasks.storage import reads
from tasks.storage.parts import write_part


def raise_alerts(run: Run, result: RunResult) -> None:
    """Write down what a night did to incidents, and the messages that tell of it."""
    moment = now()
    known = incidents_of(stored.incident_events(run.results, but_not_of=run.id))
    changed = changes(known, findings_of(night_of(run, result, moment)), run_id=run.id, at=moment)
    events = [event for change in changed for event in change.events]
    write_part(run.results, "incident_events", run.id, events)
    write_part(run.results, "retirements", run.id, retirement_records(result.lifespans, recorded_at=moment))
    written = list(write_messages(run, result, changed))
    if not any(draft.message.action == "post" for draft in written):
        now_known = {incident.id: incident for incident in (*known, *(change.incident for change in changed))}
        written += quiet_drafts(run, now_known.values(), moment)
    hand_over(run, written)


def write_messages(run: Run, result: RunResult, changed: tuple[Change, ...]) -> Iterator[Draft]:
    """The messages of a run, with their charts."""
    yield from drafts(
        changed,
        setting_of(run, result),
        acknowledged=run.config.acknowledged,
        first_message=Outbox(run.results).first_message,
        printed=not is_set_up(run.config.slack, run.file.env.get(run.config.slack.token_env)),
        draw=lambda story: picture_of(run.results, story),
    )


def hand_over(run: Run, written: list[Draft]) -> None:
    """Keep messages for their delivery, on the disk where they can go to Slack."""
    run.messages = tuple(draft.message for draft in written)
    if is_set_up(run.config.slack, run.file.env.get(run.config.slack.token_env)):
        keep(run.results, written)


def night_of(run: Run, result: RunResult, moment: datetime) -> Night:
    """The records of a run that alerts are about; of a comparison only what it compared."""
    is_night = run.plan.flow == "nightly"
    return Night(
        run_id=run.id,
        cells=result.cells,
        comparisons=result.comparisons,
        gates=result.gates,
        lifespans=result.lifespans if is_night else None,
        whole=run.plan.whole,
        out_of_budget=stored.out_of_budget(run.results, run.id),
        events=result.events,
        news=tuple(news_of_nights(run.file, moment, but_not=run.id, past=True)) if is_night else (),
    )


def news_of_nights(file: ConfigFile, moment: datetime, *, but_not: str | None, past: bool) -> Iterator[Symptom]:
    """Nights that did not end or did not begin since the last one that did."""
    runs = [one for one in reads.runs_newest_first(file.results) if one.run_id != but_not]
    broken = nights_without_end(file.results, runs, but_not)
    yield from broken_nights(broken, past=past, options=file.options)
    starts = [one.started_at for one in runs if one.flow == "nightly"]
    yield from missed_nights(starts, moment, past=past)


def nights_without_end(results: Path, runs: list[RunRecord], but_not: str | None) -> list[str]:
    """Nights that began after the last finished one, of which nothing is recorded, and which no process is at."""
    finished = max((run.run_id for run in runs if run.flow == "nightly" and run.status == "finished"), default="")
    recorded = {run.run_id for run in runs}
    begun = sorted(path.parent.name for path in (results / "runs").glob("run-*/plan.json"))
    return [
        run_id
        for run_id in begun
        if finished < run_id < (but_not or "~")
        and run_id not in recorded
        and is_broken_night(RunFolder(results, run_id))
    ]


def is_broken_night(folder: RunFolder) -> bool:
    """True for a night that no process is at."""
    try:
        return Plan.from_json(folder.plan.read_bytes()).flow == "nightly" and not is_alive(folder)
    except (OSError, ValueError):
        return False


def setting_of(run: Run, result: RunResult) -> Setting:
    """What all messages of a run share."""
    excerpts = run.config.slack.excerpts
    return Setting(
        run_id=run.id,
        today=run.plan.created_at.date(),
        losses=losses_of(result.comparisons, result.flips, with_excerpts=excerpts),
        owners={suite.name: suite.config.owner for suite in run.plan.suites if suite.config.owner},
        simulated=result.simulated,
        links=(report_link(run.file, run.id), *prefect_link()),
        with_excerpts=excerpts,
        candidate=run.plan.candidate,
        options=run.file.options,
    )


def report_link(file: ConfigFile, run_id: str) -> Link:
    """Where to read on: the report, under the config's address or on this machine."""
    page, base = f"{run_id}/index.html", file.config.report_url
    return Link("Report", f"{base.rstrip('/')}/{page}" if base else str(file.results / "reports" / page))


def prefect_link() -> Iterator[Link]:
    """The page of this flow run, unless its server is one that only this machine reaches."""
    from prefect.runtime import flow_run

    url = flow_run.ui_url
    if url and urlsplit(url).hostname not in {"127.0.0.1", "::1", "localhost"}:
        yield Link("Prefect", url)


def quiet_drafts(run: Run, incidents: Iterable[Incident], moment: datetime) -> Iterator[Draft]:
    """The line of a quiet night, when it is due."""
    slack = run.config.slack
    earlier = [one for one in reads.runs_newest_first(run.results) if one.flow == "nightly" and one.run_id != run.id]
    nights = [one.started_at for one in earlier]
    if is_set_up(slack, run.file.env.get(slack.token_env)) and is_due(slack.quiet, nights, moment):
        line = quiet_line(tuple(incidents), nights, moment, how_often=slack.quiet)
        yield quiet_draft(line, run.id)
