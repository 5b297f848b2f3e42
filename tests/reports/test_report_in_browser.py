from pathlib import Path

import pytest
from playwright.async_api import Browser

from tasks.reports.page import anchor
from tasks.reports.write import write_report
from tests.fakes.browser import BROWSER_TESTS, DESKTOP, PHONE, Visit, visit
from tests.reports.sample_pages import LARGE, RUN, SMALL, TRIAGE, hostile_night, large_night, sample_night

pytestmark = BROWSER_TESTS

SHOWN = "details.flip:not([hidden])"


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(tmp_path_factory.mktemp("night"), sample_night())


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(tmp_path_factory.mktemp("hostile"), hostile_night())


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_the_page_opens_without_network_and_without_complaint(browser: Browser, night: Path, width: int) -> None:
    async with visit(browser, night, width=width) as visited:
        assert await visited.page.locator("h1").inner_text() == f"{TRIAGE} on {SMALL} got worse"
        assert await visited.page.get_by_text("My card was charged twice").is_visible()
        assert visited.requests == [night.as_uri()]
        assert visited.complaints == []


@pytest.mark.parametrize("width", [PHONE, 700, 1100, DESKTOP])
async def test_no_reader_has_to_scroll_sideways(browser: Browser, night: Path, hostile: Path, width: int) -> None:
    for path in (night, hostile):
        async with visit(browser, path, width=width) as visited:
            if await visited.page.locator("#fold").inner_text() == "Unfold all":
                await visited.page.locator("#fold").click()
            assert not await visited.is_wider_than_its_window(), path


async def test_the_latest_report_is_one_address(browser: Browser, night: Path) -> None:
    async with visit(browser, night.parent.parent / "latest.html") as visited:
        await visited.page.wait_for_url(night.as_uri())
        assert f"{RUN}" in await visited.page.title()


@pytest.mark.parametrize(
    ("label", "value", "ids"),
    [
        ("Direction", "lost", ["tt-1", "tt-2"]),
        ("Direction", "gained", ["tt-3", "tt-3"]),
        ("Kind", "off_topic", ["tt-3", "tt-3"]),
        ("Tag", "lang-de", ["tt-2"]),
        ("Cell", anchor(TRIAGE, LARGE), ["tt-3"]),
    ],
)
async def test_changed_answers_are_filtered(
    browser: Browser, night: Path, label: str, value: str, ids: list[str]
) -> None:
    async with visit(browser, night) as visited:
        await visited.page.get_by_label(label, exact=True).select_option(value)
        assert await visited.page.locator(f"{SHOWN} .id").all_inner_texts() == ids
        assert await visited.page.locator("#count").inner_text() == f"{len(ids)} of 4 shown"
        groups = await visited.page.locator("section.group:not([hidden])").all()
        assert all([await group.locator(SHOWN).count() for group in groups])
        await visited.page.get_by_role("button", name="Show all").click()
        await visited.page.locator("#count", has_text="4 of 4 shown").wait_for()


async def test_filters_that_nothing_fits_say_so(browser: Browser, night: Path) -> None:
    async with visit(browser, night) as visited:
        await visited.page.get_by_label("Direction").select_option("gained")
        await visited.page.get_by_label("Tag").select_option("lang-de")
        assert await visited.page.get_by_text("No changed answer fits these filters.").is_visible()
        assert await visited.page.locator("section.group:not([hidden])").count() == 0


async def test_many_answers_are_folded_until_they_are_asked_for(browser: Browser, tmp_path: Path) -> None:
    path = write_report(tmp_path, large_night(cells=2, flips=5, words=5))
    async with visit(browser, path) as visited:
        assert await visited.page.locator("details.flip[open]").count() == 4
        await visited.page.get_by_role("button", name="Unfold all").click()
        assert await visited.page.locator("details.flip[open]").count() == 10
        await visited.page.get_by_role("button", name="Fold all", exact=True).click()
        assert await visited.page.locator("details.flip[open]").count() == 4


async def test_a_link_to_an_answer_unfolds_it_whatever_is_filtered(browser: Browser, tmp_path: Path) -> None:
    path = write_report(tmp_path, large_night(cells=2, flips=5, words=5))
    last = anchor("suite-001", SMALL, "case-4")
    async with visit(browser, path) as visited:
        await visited.page.get_by_label("Cell").select_option(anchor("suite-000", SMALL))
        await visited.page.evaluate("hash => { location.hash = hash }", last)
        await visited.page.locator(f"#{last}[open]").wait_for()
        assert await visited.page.locator(f"#{last} .sides").is_visible()


async def test_without_javascript_everything_is_visible(browser: Browser, night: Path) -> None:
    async with visit(browser, night, javascript=False) as visited:
        sides = await visited.page.locator("details.flip .sides").all()
        assert len(sides) == 4
        assert all([await one.is_visible() for one in sides])
        assert not await visited.page.locator("#filters").is_visible()
        assert visited.complaints == []


async def test_the_keyboard_reaches_the_filters_and_the_answers(browser: Browser, night: Path) -> None:
    async with visit(browser, night) as visited:
        await press_tab_until(visited, "document.activeElement.name === 'direction'")
        await visited.page.keyboard.press("ArrowDown")
        await visited.page.locator("#count", has_text="2 of 4 shown").wait_for()
        assert await visited.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        await press_tab_until(visited, "document.activeElement.tagName === 'SUMMARY'")
        await visited.page.keyboard.press("Enter")
        assert await visited.page.locator(f"{SHOWN}[open]").count() == 1


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
    async with visit(browser, hostile, without_policy=policy == "ignored") as visited:
        await visited.page.locator("#fold").click()
        await visited.page.mouse.move(300, 300)
        for link in (await visited.page.locator("nav a, table a").all())[:30]:
            await link.click()
        for name in ("Cell", "Kind", "Tag"):
            await visited.page.get_by_label(name, exact=True).select_option(index=3)
        assert await visited.page.evaluate("window.pwned") is None
        assert visited.page.url.startswith(hostile.as_uri())
        assert visited.requests == [hostile.as_uri()]
        assert visited.complaints == []


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
    """A contrast of 4.5 (WCAG 2, AA) for every colour of text that the page uses."""
    async with visit(browser, night) as visited:
        await visited.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        assert await visited.page.evaluate(LOWEST_CONTRAST) >= 4.5


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
  for (const node of document.querySelectorAll("body *")) {
    const text = [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim());
    if (!text || ["SCRIPT", "STYLE"].includes(node.tagName)) continue;
    const [a, b] = [luminance(getComputedStyle(node).color), luminance(background(node))].sort((x, y) => y - x);
    lowest = Math.min(lowest, (a + .05) / (b + .05));
  }
  return lowest;
}"""
