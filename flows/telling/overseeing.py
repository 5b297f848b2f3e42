"""What is told besides what a night measured: nights that did not begin or end, retirements, alerts that got stuck."""

from collections.abc import Sequence
from datetime import datetime

from flows.result import RunResult, Told, headline
from flows.run import Run
from flows.telling.alerting import news_of_nights, report_link
from tasks.alerts.delivery import DeliveryReport, deliver, is_set_up, keep
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
    file: ConfigFile,
    lifespans: Sequence[Lifespan],
    moment: datetime,
    events: Sequence[Event] = (),
    compared: Sequence[RunResult] = (),
) -> Told:
    """Tell, as a watch, of nights that did not begin or end, of versions that moved, and of models near their end.

    `compared` are the comparisons that it started: what they found is told, and read on there.
    """
    if not reads.run_ids(file.results):
        return Told()  # nobody runs nights here yet
    watch_id = f"watch-{moment:%Y%m%d-%H%M%S}"
    news = tuple(news_of_nights(file, moment, but_not=None, past=False))
    findings = findings_of(Night(run_id=watch_id, lifespans=lifespans, news=news, events=events))
    changed = record(file, findings, watch_id, moment)
    messages = write(file, changed, watch_id, f"run-{moment:%Y%m%d-%H%M%S}-watch", moment, compared)
    report = deliver(file.results, file.config.slack, token_of(file), messages)
    return Told(
        message="\n\n".join(map(as_text, report.to_print)) or None,
        undelivered=tuple(f"{one.message_id}: {one.reason}" for one in report.undelivered),
    )


def record_delivery(run: Run, report: DeliveryReport, moment: datetime) -> None:
    """Keep as an incident that alerts did not arrive; tell it where Slack takes at least something."""
    delivery_id = f"{run.id}-delivery"
    changed = record(run.file, findings_of_delivery(report.undelivered), delivery_id, moment)
    if changed and any(one.ts for one in report.deliveries):
        messages = write(run.file, changed, delivery_id, f"{run.id}.delivery", moment)
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
    file: ConfigFile,
    changed: Sequence[Change],
    run_id: str,
    prefix: str,
    moment: datetime,
    compared: Sequence[RunResult] = (),
) -> tuple[Message, ...]:
    """Write the messages that tell of changes, and keep them where they can go to Slack."""
    newest = next(iter(reads.run_ids(file.results)), run_id)
    setting = Setting(
        run_id=run_id,
        today=moment.date(),
        losses={},
        owners={},
        links=tuple(comparison_link(file, one) for one in compared) or (report_link(file, newest),),
        options=file.options,
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


def token_of(file: ConfigFile) -> str | None:
    """Slack's token, where there is one."""
    return file.env.get(file.config.slack.token_env)
