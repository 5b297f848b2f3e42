"""The commands that read what runs left: runs, sql, export, report, rebuild."""

import csv
import io
import json
import webbrowser
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from flows.answer import OK, Answered
from flows.commands.baselines import results_of
from flows.run_folder import is_alive
from flows.terminal.figures import usd
from flows.terminal.tables import table
from tasks.documents.wording import shown
from tasks.errors import UsageError
from tasks.plan import Plan, RunFolder
from tasks.reports.site import INDEX, JUNIT, SUMMARY
from tasks.storage import reads
from tasks.storage.export import Form, export_views
from tasks.storage.warehouse import Rows, Warehouse


def runs(*, config: str, results: str | None) -> Answered:
    """List runs, newest first; those without an end are told from those still alive."""
    folder = results_of(config, results)
    Warehouse(folder).catch_up()
    finished = [asdict(run) for run in reads.runs_newest_first(folder)]
    known = {run["run_id"] for run in finished}
    unfinished = [unfinished_run(RunFolder(folder, path.name)) for path in (folder / "runs").glob("run-*")]
    rows = finished + [run for run in unfinished if run and run["run_id"] not in known]
    rows.sort(key=lambda run: run["run_id"], reverse=True)
    columns = ["run_id", "flow", "started_at", "finished_at", "status", "calls", "cost_usd"]
    lines = [[*(moment(run[column]) for column in columns[:-1]), usd(run["cost_usd"])] for run in rows]
    text = table(columns, lines, right={"calls", "cost_usd"}) if rows else f"No run yet in {shown(folder)}."
    return Answered(exit_code=OK, data={"status": "ok", "runs": rows}, text=text)


def moment(value: object) -> object:
    """A time to the second; anything else as it is."""
    return f"{value:%Y-%m-%d %H:%M:%S} UTC" if isinstance(value, datetime) else value


def unfinished_run(folder: RunFolder) -> dict[str, Any] | None:
    """What is known of a run that has not come to its end."""
    try:
        plan = Plan.from_json(folder.plan.read_bytes())
    except (OSError, ValueError):
        return None
    status = "running" if is_alive(folder) else "interrupted"
    facts = {"started_at": plan.created_at, "finished_at": None, "calls": None, "cost_usd": None}
    return {"run_id": folder.run_id, "flow": plan.flow, "status": status, **facts}


def sql(*, config: str, results: str | None, statement: str, form: str) -> Answered:
    """Run one read-only statement."""
    found = Warehouse(results_of(config, results)).read_only(statement)
    names = distinct(found.columns)
    rows = [dict(zip(names, row, strict=True)) for row in found.rows]
    if form == "json":
        text = json.dumps(rows, default=str, ensure_ascii=False, indent=1)
    else:
        text = as_csv(found) if form == "csv" else table(found.columns, found.rows)
    return Answered(exit_code=OK, data={"status": "ok", "columns": names, "rows": rows}, text=text)


def export(*, config: str, results: str | None, folder: str, form: Form) -> Answered:
    """Write every view to a file."""
    target = Path(folder)
    rows = export_views(results_of(config, results), target, form)
    text = f"Wrote {len(rows)} views with {sum(rows.values()):,} rows to {shown(target)}."
    return Answered(exit_code=OK, data={"status": "ok", "folder": str(target), "rows": rows}, text=text)


def distinct(columns: Sequence[str]) -> list[str]:
    """Names of their own for columns, so that an object can hold all: the second `n` is `n_2`."""
    return [
        name if name not in columns[:index] else f"{name}_{columns[: index + 1].count(name)}"
        for index, name in enumerate(columns)
    ]


def report(*, config: str, results: str | None, run_id: str | None, opened: bool, form: str) -> Answered:
    """Find the pages of a run and open them, or print the run in a form for machines."""
    folder = results_of(config, results) / "reports"
    written = sorted(path.parent.name for path in folder.glob("run-*/index.html"))
    if not written:
        raise UsageError.single(
            f"expected a report in {shown(folder)}, found none", hint="`daybreak nightly` writes one"
        )
    if run_id is not None and run_id not in written:
        raise UsageError.single(f"expected a run with a report, got {run_id!r}", hint=f"the newest is {written[-1]}")
    page = folder / (run_id or written[-1]) / INDEX
    paths = {"report": str(page), "junit": str(page.with_name(JUNIT)), "summary": str(page.with_name(SUMMARY))}
    if opened:
        webbrowser.open(page.as_uri())
    return Answered(exit_code=OK, data={"status": "ok", **paths}, text=in_form(page, form))


def in_form(page: Path, form: str) -> str:
    """Where a run's pages are, or the run itself for machines."""
    if form == "html":
        return str(page)
    try:
        return page.with_name(JUNIT if form == "junit" else SUMMARY).read_text("utf-8").rstrip("\n")
    except FileNotFoundError as error:
        raise UsageError.single(f"{page.parent.name} was reported without {form}", hint="later runs have it") from error


def as_csv(found: Rows) -> str:
    """Rows as CSV with a header."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(found.columns)
    writer.writerows(found.rows)
    return out.getvalue().rstrip("\n")


def rebuild(*, config: str, results: str | None) -> Answered:
    """Build the warehouse anew."""
    report = Warehouse(results_of(config, results)).rebuild()
    damaged = [str(problem) for problem in report.damaged]
    text = "\n".join([f"Rebuilt the warehouse: {report.rows} rows from {report.parts} parts.", *damaged])
    data = {"status": "ok", "parts": report.parts, "rows": report.rows, "damaged": damaged}
    return Answered(exit_code=OK, data=data, text=text)
