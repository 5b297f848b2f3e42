"""From the journal to the warehouse."""

import logging

from flows.run import Run
from tasks.calls.journal import read_trials
from tasks.storage.ingest import IngestReport
from tasks.storage.parts import write_part, write_trials
from tasks.storage.warehouse import Warehouse

log = logging.getLogger(__name__)


def store_trials(run: Run) -> None:
    """Write what the journal holds as parts of this run, and bring them in."""
    torn: list[str] = []
    trials = read_trials(run.folder.journals(), torn)
    write_trials(run.results, f"{run.id}-trials", ((trial.calls, trial.scores, trial.outcome) for trial in trials))
    if torn:
        run.notes.append(f"{len(torn)} torn journal line(s) were left out: {', '.join(torn[:5])}")
    report_damage(run, Warehouse(run.results).ingest())


def store_records(run: Run, records: dict[str, tuple[object, ...]]) -> None:
    """Write what was found as parts of this run, and bring them in."""
    for table, rows in records.items():
        write_part(run.results, table, run.id, rows)
    report_damage(run, Warehouse(run.results).ingest())


def report_damage(run: Run, report: IngestReport) -> None:
    """Tell of parts that could not be read."""
    for problem in report.damaged:
        log.warning("%s", problem)
        if str(problem) not in run.notes:
            run.notes.append(str(problem))
