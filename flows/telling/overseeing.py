"""What is told besides what a night measured: nights that did not begin or end, retirements, alerts that got stuck."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from flows.result import RunResult, Told, headline
from flows.run import Run
from flows.telling.alerting import news_of_nights, report_link
from tasks.alerts.delivery import NO_CHANNEL, DeliveryReport, deliver, is_set_up, keep, no_token
from tasks.alerts.findings import Night, findings_of
from tasks.alerts.incidents import Change, changes, incidents_of
from tasks.alerts.message import Message, as_text
from tasks.alerts.outbox import Outbox
from tasks.alerts.story import Link, Setting
from tasks.alerts.stuck import findings_of_delivery
from tasks.alerts.symptoms import Findings
from tasks.alerts.telling import drafts
from tasks.documents import ConfigFile
from tasks.records import Event, Lifespan
from tasks.storage import incidents as stored
from tasks.storage import reads
from tasks.storage.parts import write_part
from tasks.storage.warehouse import Warehouse


def oversee(
    run: Run, lifespans: Sequence[Lifespan], events: Sequence[Event] = (), compared: Sequence[RunResult] = ()
) -> Told:
    """Tell, as a watch, of nights that did not begin or end, of versions that moved, and of models near their end.

    `compared` are the comparisons that it started: what they found is told, and read on there.
    """
    file, moment = run.file, run.plan.created_at
    if not reads.run_ids(file.results):
        return Told()  # nobody runs nights here yet
    watch_id = f"watch-{moment:%Y%m%d-%H%M%S}"
    news = tuple(news_of_nights(file, moment, but_not=None, past=False))
    findings = findings_of(Night(run_id=watch_id, lifespans=lifespans, news=news, events=events))
    changed = record(file, findings, watch_id, moment)
    links = [comparison_link(file, one) for one in compared] or [*link_to_night(file)]
    messages = write(run, changed, f"run-{moment:%Y%m%d-%H%M%S}-watch", moment, links)
    report = deliver(file.results, file.config.slack, token_of(file), messages)
    return Told(
        message="\n\n".join(map(as_text, report.to_print)) or None,
        why_printed=why_printed(file),
        undelivered=tuple(f"{one.message_id}: {one.reason}" for one in report.undelivered),
    )


def record_delivery(run: Run, report: DeliveryReport, moment: datetime) -> None:
    """Keep as an incident that alerts did not arrive; tell it where Slack takes at least something."""
    delivery_id = f"{run.id}-delivery"
    changed = record(run.file, findings_of_delivery(report.undelivered), delivery_id, moment)
    if changed and any(one.ts for one in report.deliveries):
        messages = write(run, changed, f"{run.id}.delivery", moment, [report_link(run.file, run.id)])
        deliver(run.results, run.config.slack, token_of(run.file), messages)


def record(file: ConfigFile, findings: Findings, run_id: str, moment: datetime) -> tuple[Change, ...]:
    """Write down what was done to incidents."""
    known = incidents_of(stored.incident_events(file.results, but_not_of=run_id))
    changed = changes(known, findings, run_id=run_id, at=moment)
    if changed:
        write_part(file.results, "incident_events", run_id, [event for change in changed for event in change.events])
        Warehouse(file.results).ingest()
    return changed


def write(
    run: Run, changed: Sequence[Change], prefix: str, moment: datetime, links: Sequence[Link]
) -> tuple[Message, ...]:
    """Write the messages that tell of changes, and keep them where they can go to Slack."""
    file = run.file
    setting = Setting(
        run_id=run.id, today=moment.date(), losses={}, owners={}, links=tuple(links), options=file.options
    )
    written = list(
        drafts(
            changed,
            setting,
            acknowledged=file.config.acknowledged,
            first_message=Outbox(file.results).first_message,
            prefix=prefix,
            printed=not is_set_up(file.config.slack, token_of(file)),
        )
    )
    if is_set_up(file.config.slack, token_of(file)):
        keep(file.results, written)
    return tuple(draft.message for draft in written)


def comparison_link(file: ConfigFile, result: RunResult) -> Link:
    """The report of a comparison, with what it found."""
    return report_link(file, result.run_id)._replace(label=f"Comparison ({headline(result).lower()})")


def link_to_night(file: ConfigFile) -> Iterator[Link]:
    """The report of the newest night."""
    nights = [one.run_id for one in reads.runs_newest_first(file.results) if one.flow == "nightly"]
    yield from (report_link(file, night) for night in nights[:1])


def why_printed(file: ConfigFile) -> str:
    """Why a message for Slack is in the terminal."""
    if file.config.slack.channel is None:
        return NO_CHANNEL
    return "it was not delivered" if token_of(file) else no_token(file.config.slack)


def token_of(file: ConfigFile) -> str | None:
    """Slack's token, where there is one."""
    return file.env.get(file.config.slack.token_env)
