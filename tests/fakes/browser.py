"""A real browser that opens files and writes down what they ask for and complain about.

In a test module:

    pytestmark = BROWSER_TESTS

    async def test_…(browser: Browser) -> None:
        async with visit(browser, path) as visited:
            await visited.page.get_by_label("Kind").select_option("refusal")
            assert visited.requests == [path.as_uri()]

`browser` is a fixture; a package's conftest imports it.
"""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

CHROMIUM = shutil.which("chromium")

ARGUMENTS = (
    "--no-sandbox",  # which a container forbids, and root cannot have
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)

BROWSER_TESTS = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH"),
    pytest.mark.asyncio(loop_scope="session"),  # the loop that the browser was started in
    pytest.mark.xdist_group("browser"),
]

PHONE, DESKTOP = 375, 1280
"""Widths in CSS pixels."""

PATIENCE_MS = 10_000
"""For one step on a page."""


@dataclass
class Visit:
    """A page that was opened, with the addresses it asked for and what went wrong on it."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    async def is_wider_than_its_window(self) -> bool:
        """True when a reader has to scroll sideways."""
        return bool(await self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Start Debian's chromium once for all tests."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        await started.close()


@asynccontextmanager
async def visit(
    browser: Browser, path: Path, *, width: int = DESKTOP, javascript: bool = True, without_policy: bool = False
) -> AsyncIterator[Visit]:
    """Open a file; `without_policy` ignores its Content-Security-Policy."""
    context = await browser.new_context(
        viewport={"width": width, "height": 800}, java_script_enabled=javascript, bypass_csp=without_policy
    )
    context.set_default_timeout(PATIENCE_MS)
    visited = Visit(await context.new_page())
    visited.page.on("request", lambda request: visited.requests.append(request.url))
    visited.page.on("pageerror", lambda error: visited.complaints.append(str(error)))
    visited.page.on("console", lambda message: visited.complaints.append(message.text))
    visited.page.on("dialog", lambda dialog: visited.complaints.append(dialog.message))
    try:
        await visited.page.goto(path.as_uri())
        yield visited
    finally:
        await context.close()
