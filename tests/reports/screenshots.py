"""Pictures of the pages at both widths, to look at: `python -m tests.reports.screenshots [FOLDER]`."""

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from tasks.records import Verdict
from tasks.reports.page import ReportPage
from tasks.reports.site import RunRow
from tasks.reports.write import write_list, write_report
from tests.fakes.browser import ARGUMENTS, CHROMIUM, DESKTOP, PHONE, visit
from tests.reports.sample_pages import hostile_night, sample_night

MOST_OF_A_KIND = 2
"""Pages of cells, and of changed answers."""


MOST_HIGH, PATIENCE_MS = 8_000, 60_000


async def photograph(folder: Path) -> None:
    """Write NAME-PAGE-WIDTH.png for each page of a night and of a hostile one."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for name, page in (("night", sample_night()), ("hostile", hostile_night())):
            with tempfile.TemporaryDirectory() as results:
                for path in pages_of(Path(results), page):
                    await photograph_page(browser, path, folder, name)
        await browser.close()


def pages_of(results: Path, page: ReportPage) -> list[Path]:
    """Write a report and give its pages, of cells and changed answers the largest."""
    first = write_report(results, page)
    write_list(
        results, [RunRow(run, {Verdict.REGRESSED: 1, Verdict.UNCHANGED: 3}) for run in page.nights or [page.run]]
    )
    found = [first, first.with_name("models.html"), first.with_name("cost.html"), results / "reports/index.html"]
    for kind in ("cell", "comparison"):
        largest = sorted(first.parent.glob(f"{kind}-*.html"), key=lambda path: -path.stat().st_size)
        found += largest[:MOST_OF_A_KIND]
    return found


async def photograph_page(browser: Browser, path: Path, folder: Path, name: str) -> None:
    """Take a page on a phone and on a desk, as far down as anyone will look."""
    page = "runs" if path.parent.name == "reports" else path.stem
    for width in (PHONE, DESKTOP):
        async with visit(browser, path, width=width) as visited:
            height = min(await visited.page.evaluate("document.documentElement.scrollHeight"), MOST_HIGH)
            await visited.page.screenshot(
                path=folder / f"{name}-{page}-{width}.png",
                full_page=True,
                clip={"x": 0, "y": 0, "width": width, "height": height},
                timeout=PATIENCE_MS,
            )


def main(folder: str | None = None) -> None:
    """Take them all and say where they are."""
    if CHROMIUM is None:
        sys.exit("expected chromium on the PATH, found none: apt-get install chromium")
    target = Path(folder or Path(tempfile.gettempdir()) / "daybreak-screenshots")
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(photograph(target))
    print(f"{len(list(target.glob('*.png')))} pictures in {target}")


if __name__ == "__main__":
    main(*sys.argv[1:])
