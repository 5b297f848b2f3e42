"""Reports on the disk."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tasks.errors import RunBroken
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
            write_durably(folder / file.name, file.text, synced=file.name == INDEX)
        write_durably(reports / "latest.html", draw_redirect(max(reported_runs(results))))
    except OSError as error:
        raise RunBroken(
            f"{folder / INDEX}: cannot write the report: {error.strerror or error}; every figure is in the warehouse: "
            f"make space, then `daybreak report {page.run.run_id}`"
        ) from error
    return folder / INDEX


def write_list(results: Path, rows: Sequence[RunRow]) -> None:
    """Write the list of all runs to RESULTS/reports/index.html; a list that cannot be written stays as it was."""
    with suppress(OSError):
        write_durably(results / "reports" / INDEX, runs_page(rows), synced=False)


def reported_runs(results: Path) -> frozenset[str]:
    """The runs that have a report."""
    return frozenset(path.parent.name for path in (results / "reports").glob(f"run-*/{INDEX}"))


def write_durably(path: Path, text: str, *, synced: bool = True) -> None:
    """Write a file so that it is there whole or not at all; if `synced`, also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            if synced:
                os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    if synced:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
