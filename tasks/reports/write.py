"""Reports on the disk."""

import os
from pathlib import Path

from tasks.errors import RunBroken
from tasks.reports.page import ReportPage
from tasks.reports.render import render, render_redirect


def write_report(results: Path, page: ReportPage) -> Path:
    """Write the page of a run to RESULTS/reports/RUN_ID/index.html, replacing an earlier one, and return its path.

    RESULTS/reports/latest.html then leads to the newest run that has a report. Raises RunBroken when the folder cannot
    be written; an earlier page is then untouched.
    """
    reports = results / "reports"
    path = reports / page.run.run_id / "index.html"
    try:
        write_durably(path, render(page))
        newest = max(other.parent.name for other in reports.glob("run-*/index.html"))
        write_durably(reports / "latest.html", render_redirect(newest))
    except OSError as error:
        raise RunBroken(
            f"{path}: cannot write the report: {error.strerror or error}; every figure is in the warehouse: "
            f"make space, then `daybreak report {page.run.run_id}`"
        ) from error
    return path


def write_durably(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all, also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
