"""Tell Slack what happened in a run, or leave it to be printed."""

from flows.result import RunResult, Told
from flows.retirements import news
from flows.run import Run, now
from tasks.alerts.delivery import send_digest
from tasks.alerts.digest import digest_of
from tasks.alerts.message import as_text
from tasks.lifecycle.retirement import retirement_records
from tasks.storage.parts import write_part
from tasks.storage.warehouse import Warehouse


def notify(run: Run, result: RunResult) -> Told:
    """Send what waits and what is new; a message is kept before it is sent, and until it has arrived."""
    config = run.config
    crossed = news(run.results, result.lifespans, config.notice_days)
    digest = digest_of(
        run.id,
        cells=result.cells,
        comparisons=result.comparisons,
        gates=result.gates,
        flips=result.flips,
        retirements=crossed,
        events=result.events,
        simulated=result.simulated,
        excerpts=config.slack.excerpts,
        report=report_link(run, result),
    )
    report = send_digest(run.results, config.slack, run.file.env.get(config.slack.token_env), digest)
    write_part(run.results, "retirements", run.id, retirement_records(result.lifespans, recorded_at=now()))
    Warehouse(run.results).ingest()
    undelivered = tuple(run.redact(f"{one.message_id}: {one.reason}") for one in report.undelivered)
    return Told(message=as_text(report.to_print) if report.to_print else None, undelivered=undelivered)


def report_link(run: Run, result: RunResult) -> str | None:
    """Where the report is found: under the config's address, else on this machine."""
    if run.config.report_url:
        return f"{run.config.report_url.rstrip('/')}/{run.id}/index.html"
    return str(result.report) if result.report else None
