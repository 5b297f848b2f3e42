"""Reports on the disk."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tasks.errors import RunBroken
from tasks.files import write_whole
from tasks.reports.page import ReportPage
from tasks.reports.render import draw_redirect
from tasks.reports.site import INDEX, RunRow, files, runs_page


def write_report(results: Path, page: ReportPage) -> Path:
    """Write the pages of a run to RESULTS/reports/RUN_ID, replacing earlier ones, and return the path of the first.

    RESULTS/reports/latest.html then leads to the newest run that has a report. The first page is written last, so that
    whoever sees it sees what it links to. Raises RunBroken when the folder cannot be written; an earlier first page is
    then untouched.
    """
    reports = results / "reports"
    folder = reports / page.run.run_id
    try:
        for file in files(page):
            write_whole(folder / file.name, file.text.encode(), synced=file.name == INDEX)
        write_whole(reports / "latest.html", draw_redirect(max(reported_runs(results))).encode())
    except OSError as error:
        raise RunBroken(
            f"{folder / INDEX}: cannot write the report: {error.strerror or error}; every figure is in the warehouse: "
            f"make space, then `daybreak report {page.run.run_id}`"
        ) from error
    return folder / INDEX


def write_list(results: Path, rows: Sequence[RunRow]) -> None:
    """Write the list of all runs to RESULTS/reports/index.html; a list that cannot be written stays as it was."""
    with suppress(OSError):
        write_whole(results / "reports" / INDEX, runs_page(rows).encode(), synced=False)


def reported_runs(results: Path) -> frozenset[str]:
    """The runs that have a report."""
    return frozenset(path.parent.name for path in (results / "reports").glob(f"run-*/{INDEX}"))
