import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tasks.reports.page import anchor
from tasks.reports.write import write_report
from tests.fakes.browser import BROWSER_TESTS, DESKTOP, PHONE, Visit, visit
from tests.reports.sample_pages import RUN, SMALL, TRIAGE, hostile_night, large_night, sample_night

pytestmark = BROWSER_TESTS

SHOWN = "details.flip:not([hidden])"
CELL = f"{anchor(TRIAGE, SMALL)}.html"
COMPARISON = CELL.replace("cell-", "comparison-")


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(tmp_path_factory.mktemp("night"), sample_night())


@pytest.fixture(scope="module")
def flips(night: Path) -> Path:
    return night.with_name(COMPARISON)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(tmp_path_factory.mktemp("hostile"), hostile_night())


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The changed answers of a cell, 50 of them."""
    page = write_report(tmp_path_factory.mktemp("many"), large_night(cells=1, flips=50, words=5))
    return page.with_name(f"{anchor('suite-000', SMALL)}.html".replace("cell-", "comparison-"))


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_pages_open_without_network_and_without_complaint(browser: Browser, night: Path, width: int) -> None:
    for page in sorted(night.parent.glob("*.html")):
        async with visit(browser, page, width=width) as visited:
            assert await visited.page.locator("h1").is_visible()
            assert visited.requests == [page.as_uri()]
            assert visited.complaints == []
            assert not await visited.is_wider_than_its_window(), page


async def test_a_reader_goes_from_the_verdict_to_the_cell_to_its_answers(browser: Browser, night: Path) -> None:
    async with visit(browser, night) as visited:
        assert await visited.page.locator("h1").inner_text() == f"{TRIAGE} on {SMALL} got worse"
        await visited.page.locator("#verdicts").get_by_role("link", name=f"{TRIAGE} on {SMALL}").click()
        await visited.page.get_by_role("link", name="3 changed answers").click()
        assert await visited.page.get_by_text("My card was charged twice").is_visible()
        await visited.page.get_by_role("link", name="Night", exact=True).click()
        assert visited.page.url == night.as_uri()


@pytest.mark.parametrize("width", [PHONE, 700, 1100, DESKTOP])
async def test_no_reader_has_to_scroll_sideways(browser: Browser, hostile: Path, width: int) -> None:
    for path in one_of_each(hostile):
        async with visit(browser, path, width=width) as visited:
            if await visited.page.locator("#fold").count():
                await visited.page.locator("#fold").click()
            assert not await visited.is_wider_than_its_window(), path


def one_of_each(page: Path) -> list[Path]:
    """A page of each kind; of cells and comparisons the largest, which shows most."""
    folder = page.parent
    largest = [
        max(folder.glob(f"{kind}-*.html"), key=lambda path: path.stat().st_size) for kind in ("cell", "comparison")
    ]
    return [page, folder / "models.html", folder / "cost.html", *largest]


async def test_a_trend_tells_its_nights_by_touch_and_by_keyboard(browser: Browser, night: Path) -> None:
    pytest.importorskip("matplotlib")
    async with visit(browser, night.with_name(CELL)) as visited:
        chart = visited.page.get_by_role("group", name="Pass rate by night")
        box = await chart.locator("path.line").bounding_box()
        assert box
        assert box["width"] > 600
        assert await chart.locator("circle.dot").count() == 28
        titles = await chart.locator("title").all_text_contents()
        assert titles[-1].replace("\N{NO-BREAK SPACE}", " ") == "2026-11-22: 82.0 % (76.0 to 87.0), regressed"
        await press_tab_until(visited, "document.activeElement.closest('svg.plot') !== null")
        assert await visited.page.evaluate("document.activeElement.getAttribute('href')") == (
            f"../run-2026-0005/index.html#{anchor(TRIAGE, SMALL)}"
        )


async def test_a_chart_is_also_a_table(browser: Browser, night: Path) -> None:
    async with visit(browser, night.with_name(CELL)) as visited:
        details = visited.page.locator("#trend details")
        await details.locator("summary").click()
        assert await details.locator("tbody tr").count() == 29


async def test_the_shapes_of_charts_are_told_apart_without_colour(browser: Browser, night: Path) -> None:
    pytest.importorskip("matplotlib")
    async with visit(browser, night.with_name(CELL)) as visited:
        style = "node => [getComputedStyle(node).strokeDasharray, getComputedStyle(node).fill !== 'none'].join()"
        plot = visited.page.locator("#trend .plot")
        found = [await plot.locator(f"path.{kind}").first.evaluate(style) for kind in ("band", "line", "baseline")]
        assert found == ["none,true", "none,false", "6px, 4px,false"]
        assert await plot.locator(".worse path").count() == 1


async def test_the_latest_report_is_one_address(browser: Browser, night: Path) -> None:
    async with visit(browser, night.parent.parent / "latest.html") as visited:
        await visited.page.wait_for_url(night.as_uri())
        assert f"{RUN}" in await visited.page.title()


@pytest.mark.parametrize(
    ("label", "value", "ids"),
    [
        ("Direction", "lost", ["tt-1", "tt-2"]),
        ("Direction", "gained", ["tt-3"]),
        ("Kind", "off_topic", ["tt-3"]),
        ("Tag", "lang-de", ["tt-2"]),
    ],
)
async def test_changed_answers_are_filtered(
    browser: Browser, flips: Path, label: str, value: str, ids: list[str]
) -> None:
    async with visit(browser, flips) as visited:
        await visited.page.get_by_label(label, exact=True).select_option(value)
        assert await visited.page.locator(f"{SHOWN} .id").all_inner_texts() == ids
        assert await visited.page.locator("#count").inner_text() == f"{len(ids)} of 3 fit"
        await visited.page.get_by_role("button", name="Show all").click()
        await visited.page.locator("#count", has_text="3 of 3 fit").wait_for()


async def test_filters_that_nothing_fits_say_so(browser: Browser, flips: Path) -> None:
    async with visit(browser, flips) as visited:
        await visited.page.get_by_label("Direction").select_option("gained")
        await visited.page.get_by_label("Tag").select_option("lang-de")
        assert await visited.page.get_by_text("No changed answer fits these filters.").is_visible()


async def test_both_answers_stand_side_by_side_or_one_below_the_other(browser: Browser, flips: Path) -> None:
    for width, is_wide in ((DESKTOP, True), (PHONE, False)):
        async with visit(browser, flips, width=width) as visited:
            first, second = [await side.bounding_box() for side in (await visited.page.locator(".side").all())[:2]]
            assert first
            assert second
            assert (second["x"] > first["x"]) is is_wide
            assert (second["y"] > first["y"]) is not is_wide
            marked = [await visited.page.locator(f"{SHOWN} {tag}").all_inner_texts() for tag in ("del", "ins")]
            assert [texts[:2] for texts in marked] == [[" billing", " 12.50"], [" sales", " 12.40"]]


async def test_many_answers_are_shown_page_by_page(browser: Browser, many: Path) -> None:
    async with visit(browser, many) as visited:
        seen: list[str] = []
        for page in (1, 2, 3):
            assert await visited.page.locator("#page").inner_text() == f"Page {page} of 3"
            seen += await visited.page.locator(f"{SHOWN} .id").all_inner_texts()
            if page < 3:
                await visited.page.get_by_role("button", name="Next").click()
        assert sorted(seen) == sorted(f"case-{number}" for number in range(50))
        assert await visited.page.get_by_role("button", name="Next").is_disabled()
        await visited.page.get_by_role("button", name="Previous").click()
        assert await visited.page.locator("#page").inner_text() == "Page 2 of 3"
        await visited.page.get_by_label("Tag").select_option("case-7")
        assert await visited.page.locator(f"{SHOWN} .id").all_inner_texts() == ["case-7"]
        assert not await visited.page.locator("#pager").is_visible()


async def test_many_answers_are_folded_until_they_are_asked_for(browser: Browser, many: Path) -> None:
    async with visit(browser, many) as visited:
        assert await visited.page.locator(f"{SHOWN}[open]").count() == 2
        await visited.page.get_by_role("button", name="Unfold all").click()
        assert await visited.page.locator(f"{SHOWN}[open]").count() == 20
        await visited.page.get_by_role("button", name="Fold all", exact=True).click()
        assert await visited.page.locator(f"{SHOWN}[open]").count() == 2


async def test_a_link_to_an_answer_unfolds_it_whatever_is_filtered(browser: Browser, many: Path) -> None:
    last = anchor("suite-000", SMALL, "case-49")
    async with visit(browser, many) as visited:
        await visited.page.get_by_label("Tag").select_option("case-7")
        await visited.page.evaluate("hash => { location.hash = hash }", last)
        await visited.page.locator(f"#{last}[open]").wait_for()
        await asyncio.sleep(0.1)
        assert await visited.page.locator(f"#{last} .sides").is_visible()
        assert await visited.page.locator("#page").inner_text() == "Page 3 of 3"


async def test_without_javascript_everything_is_visible(browser: Browser, flips: Path) -> None:
    async with visit(browser, flips, javascript=False) as visited:
        sides = await visited.page.locator("details.flip .sides").all()
        assert len(sides) == 3
        assert all([await one.is_visible() for one in sides])
        assert not await visited.page.locator("#filters").is_visible()
        assert visited.complaints == []


async def test_the_keyboard_reaches_filters_answers_and_pages(browser: Browser, many: Path) -> None:
    async with visit(browser, many) as visited:
        await press_tab_until(visited, "document.activeElement.name === 'direction'")
        await visited.page.keyboard.press("ArrowDown")
        await visited.page.locator("#count", has_text="50 of 50 fit").wait_for()
        assert await visited.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        await press_tab_until(visited, "document.activeElement.tagName === 'SUMMARY'")
        await visited.page.keyboard.press("Enter")
        assert await visited.page.locator(f"{SHOWN}[open]").count() == 1
        await press_tab_until(visited, "document.activeElement.id === 'next'")
        await visited.page.keyboard.press("Enter")
        assert await visited.page.locator("#page").inner_text() == "Page 2 of 3"


async def press_tab_until(visited: Visit, reached: str) -> None:
    for _ in range(40):
        await visited.page.keyboard.press("Tab")
        if await visited.page.evaluate(reached):
            return
    pytest.fail(f"40 steps by Tab did not lead to {reached}")


async def test_the_skip_link_leads_to_the_verdicts(browser: Browser, night: Path) -> None:
    async with visit(browser, night) as visited:
        await visited.page.keyboard.press("Tab")
        assert await visited.page.get_by_text("Skip to the verdicts").is_visible()
        await visited.page.keyboard.press("Enter")
        assert await visited.page.evaluate("document.activeElement.id") == "verdicts"


@pytest.mark.parametrize("policy", ["kept", "ignored"])
async def test_nothing_that_a_model_wrote_runs_or_is_fetched(browser: Browser, hostile: Path, policy: str) -> None:
    """Escaping alone holds, and so does the policy above it."""
    for path in one_of_each(hostile):
        async with visit(browser, path, without_policy=policy == "ignored") as visited:
            await visited.page.mouse.move(300, 300)
            for summary in (await visited.page.locator("summary").all())[:3]:
                await summary.click()
            for name in ("Kind", "Tag"):
                if await visited.page.get_by_label(name, exact=True).count():
                    await visited.page.get_by_label(name, exact=True).select_option(index=1)
            assert await visited.page.evaluate("window.pwned") is None
            assert visited.requests == [path.as_uri()]
            assert visited.complaints == []
            for link in (await visited.page.locator("nav.sections a").all())[:30]:
                await link.click()
            assert visited.page.url.startswith(path.as_uri())


async def test_text_from_right_to_left_leaves_its_surroundings_in_place(browser: Browser, hostile: Path) -> None:
    async with visit(browser, hostile) as visited:
        assert await visited.page.get_by_text("report-⟨U+202E⟩gnp.exe").first.is_visible()
        assert "\u202e" not in await visited.page.content()


async def test_the_verdict_can_be_read_without_colour(browser: Browser, night: Path) -> None:
    async with visit(browser, night) as visited:
        verdicts = await visited.page.locator("#verdicts .verdict").all_inner_texts()
        assert verdicts == ["✗ regressed", "✓ improved", "! unmeasured", "⚑ pinned"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_stands_out_from_its_background(browser: Browser, night: Path, scheme: str) -> None:
    """A contrast of 4.5 (WCAG 2, AA) for every colour of text that the pages use."""
    for path in sorted(night.parent.glob("*.html")):
        async with visit(browser, path) as visited:
            await visited.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            assert await visited.page.evaluate(LOWEST_CONTRAST) >= 4.5, path


LOWEST_CONTRAST = """() => {
  const channels = color => color.match(/[0-9.]+/g).map(Number);
  const luminance = color => {
    const linear = c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
    const [r, g, b] = channels(color).slice(0, 3).map(channel => linear(channel / 255));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const background = node => {
    for (; node; node = node.parentElement) {
      const color = getComputedStyle(node).backgroundColor;
      if (channels(color)[3] !== 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  let lowest = 21;
  for (const node of document.querySelectorAll("body *:not(svg *):not(button:disabled)")) {
    const text = [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim());
    if (!text || ["SCRIPT", "STYLE"].includes(node.tagName)) continue;
    const [a, b] = [luminance(getComputedStyle(node).color), luminance(background(node))].sort((x, y) => y - x);
    lowest = Math.min(lowest, (a + .05) / (b + .05));
  }
  return lowest;
}"""
