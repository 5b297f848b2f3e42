"""Tell Slack what happened in a run, or leave it to be printed."""

from flows.result import RunResult, Told
from flows.run import Run, now
from flows.telling.alerting import hand_over, night_of, write_messages
from flows.telling.overseeing import record_delivery, why_printed
from tasks.alerts.delivery import deliver
from tasks.alerts.findings import findings_of
from tasks.alerts.incidents import changes
from tasks.alerts.message import as_text


def tell(run: Run) -> Told:
    """Send what waits and what is new; a message stays on the disk until it has arrived."""
    slack = run.config.slack
    report = deliver(run.results, slack, run.file.env.get(slack.token_env), run.messages)
    record_delivery(run, report, now())
    undelivered = tuple(run.redact(f"{one.message_id}: {one.reason}") for one in report.undelivered)
    message = "\n\n".join(map(as_text, report.to_print)) or None
    return Told(message=message, why_printed=why_printed(run.file), undelivered=undelivered)


def tell_of_comparison(run: Run, result: RunResult) -> Told:
    """Send what one comparison found: it is no incident, and nothing follows it up."""
    moment = now()
    changed = changes((), findings_of(night_of(run, result, moment)), run_id=run.id, at=moment)
    hand_over(run, list(write_messages(run, result, changed)))
    return tell(run)
