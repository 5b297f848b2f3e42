import errno
import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tasks.errors import RunBroken
from tasks.records import Verdict
from tasks.reports.page import ReportPage, anchor
from tasks.reports.site import INDEX, files
from tasks.reports.write import write_report
from tests.reports.sample_pages import (
    HOSTILE,
    INVOICES,
    LARGE,
    QUESTIONS,
    RUN,
    SMALL,
    TRIAGE,
    hostile_night,
    large_night,
    sample_cell,
    sample_comparison,
    sample_flip,
    sample_night,
    sample_run,
)

MEGABYTE = 1_000_000


class Elements(HTMLParser):
    """What a page consists of: names of elements, their attributes, and the text that a reader sees."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.texts: list[str] = []
        self.hidden = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.hidden += tag in {"style", "script"}

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in {"style", "script"}

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts))


def pages_of(page: ReportPage) -> dict[str, str]:
    """The pages of a run by name."""
    return {file.name: file.text for file in files(page) if file.name.endswith(".html")}


def first_page(page: ReportPage) -> Elements:
    return Elements(pages_of(page)[INDEX])


CELL = f"{anchor(TRIAGE, SMALL)}.html"
COMPARISON = CELL.replace("cell-", "comparison-")


@pytest.fixture(scope="module")
def night() -> dict[str, Elements]:
    return {name: Elements(html) for name, html in pages_of(sample_night()).items()}


@pytest.fixture(scope="module")
def hostile() -> dict[str, str]:
    return pages_of(hostile_night())


@pytest.fixture(scope="module")
def hostile_elements(hostile: dict[str, str]) -> list[Elements]:
    return [Elements(html) for html in hostile.values()]


SHOWN = {
    INDEX: [
        f"{TRIAGE} on {SMALL} got worse",
        "lost 11.4 pp",
        "95 % interval of the drop 6.4 to 16.4, p < 0.0001, 98 of 100 cases paired, 2 lost and 1 gained",
        "✗ 1 regressed",
        "✗ 1 gate failed",
        "7 min 41 s",
        "Simulated, not a real model",
        f"{SMALL} , {LARGE} . Answers were made up",
        "careful-judge judges support-qa: how often it is right is not known",
        "3 labels changed; stored outputs were scored again",
        "82.0 % 75.0 to 88.0",
        "$0.042 $0.00042 per sorted ticket",
        "p95 1,205 ms",
        f"{SMALL} is served as small-chat-2026-11-20 now",
        f"served model: small-chat-2026-05-01 → small-chat-2026-11-20 {TRIAGE} on {SMALL}",
        "3 of 100 97 trials: rate_limited: 429 insufficient_quota",
        "✗ failed p95_ms",
        "tt-2 access → empty",
        "All 3 changed answers",
        f"{SMALL} retires in 53 days (2027-01-14); best measured replacement: {LARGE}",
        "daybreak nightly",
        f"daybreak baseline promote {RUN}",
    ],
    CELL: [
        "✗ regressed : more than 3 pp worse",
        "Pass rate 93.4 % → 82.0 % : a drop of 11.4 pp 95 % interval 6.4 to 16.4",
        "2026-11-21 03:00:00 UTC unchanged 93.0 %",
        "3 changed answers : 2 lost, 1 gained",
        "kind off_topic 75.0 % 55.0 to 85.0",
        "model, planned rate_limited 3 12 – –",
        "312 ms 391 ms 22",
        "3f3f3f3f3f3f",
    ],
    COMPARISON: [
        "2 lost, 1 gained",
        "judge: It names the wrong department.",
        "My card was charged twice for one order.",
        '"subject": "Crash"',
        "access → empty",
        "no text → bug",
    ],
    "models.html": [
        "retires in 53 days (2027-01-14)",
        "config; litellm says 2027-02-01",
        f"{LARGE} retirement unknown",
        f"{SMALL} small-chat-2026-05-01 fp_1 2026-11-20 2026-11-20",
        f"2026-11-22 {SMALL} is served as small-chat-2026-11-20 now",
    ],
    "cost.html": [
        "$1.83 for 1,284 calls",
        f"{TRIAGE} on {SMALL} $0.00042 per sorted ticket $0.00042 0 % $0.042 – $0.13 – $0.17",
        f"{TRIAGE} $0.040 $0.084 – $0.13 – $0.21",
        "Other calls – – – $0.0010 $0.0010 In all $0.28 $1.42 $0.13 $0.0010 $1.83",
    ],
}


@pytest.mark.parametrize(("name", "shown"), [(name, text) for name, texts in SHOWN.items() for text in texts])
def test_the_pages_say(night: dict[str, Elements], name: str, shown: str) -> None:
    assert shown in night[name].text.replace("\N{NO-BREAK SPACE}", " ")


def test_both_outputs_stand_side_by_side_with_their_differences_marked() -> None:
    html = pages_of(sample_night())[COMPARISON]
    assert "question of<del> billing</del>, since the customer was charged<del> 12.50</del> EUR twice." in html
    assert "question of<ins> sales</ins>, since the customer was charged<ins> 12.40</ins> EUR twice." in html


def test_what_is_not_known_is_not_nothing() -> None:
    page = ReportPage(run=replace(sample_run(), cost_usd=None, finished_at=None), cells=(sample_cell(cost_usd=None),))
    text = first_page(page).text
    assert "Took – " in text
    assert text.count("unknown") == 2


def test_a_page_without_anything_is_a_page() -> None:
    assert "Nothing was evaluated" in first_page(ReportPage(run=sample_run())).text


def test_a_comparison_within_a_run_names_the_baselines_model() -> None:
    comparison = sample_comparison(TRIAGE, SMALL, Verdict.UNCHANGED, 1.0, baseline_run_id=RUN, baseline_model=LARGE)
    page = ReportPage(run=sample_run(), cells=(sample_cell(),), comparisons=(comparison,))
    assert f"against {LARGE}" in first_page(page).text


def test_links_lead_to_what_is_there(night: dict[str, Elements]) -> None:
    places = {f"{name}#{id}" for name, page in night.items() for id in ("", *page.ids)}
    for name, page in night.items():
        assert len(page.ids) == len(set(page.ids)), name
        targets = {value for attribute, value in page.attributes if attribute == "href"}
        inside = {one if "#" in one else f"{one}#" for one in targets if not one.startswith("../")}
        assert {f"{name}{one}" if one.startswith("#") else one for one in inside} <= places, name


def test_cells_and_flips_can_be_linked_to_by_name(night: dict[str, Elements]) -> None:
    assert anchor(TRIAGE, SMALL) in night[INDEX].ids
    assert anchor(TRIAGE, SMALL, "tt-1") in night[COMPARISON].ids
    assert anchor("a", "b-c") != anchor("a-b", "c")


def test_earlier_nights_are_linked_where_they_have_a_report(night: dict[str, Elements]) -> None:
    links = [value for name, value in night[CELL].attributes if name == "href" and value.startswith("../run-")]
    assert set(links) == {f"../run-2026-0005/index.html#{anchor(TRIAGE, SMALL)}"}


def test_nothing_that_a_model_wrote_becomes_an_element(hostile_elements: list[Elements]) -> None:
    forbidden = {"img", "iframe", "object", "base", "embed", "textarea", "animate", "link"}
    for page in hostile_elements:
        assert not page.names & forbidden
        assert not [name for name, _ in page.attributes if name.startswith("on") or name in {"src", "action", "style"}]
        links = [value for name, value in page.attributes if name in {"href", "xlink:href"}]
        assert all(re.fullmatch(r"(\.\./)?[a-z0-9-]*(\.html)?(#[a-z0-9-]+)?", link) for link in links)
        assert not [value for name, value in page.attributes if name == "http-equiv" and value == "refresh"]


@pytest.mark.parametrize("name", sorted(HOSTILE.keys() - {"direction", "control", "lines", "broken", "wide", "marks"}))
def test_hostile_texts_are_shown_as_they_were_written(hostile_elements: list[Elements], name: str) -> None:
    assert any(" ".join(HOSTILE[name].split()) in page.text for page in hostile_elements)


@pytest.mark.parametrize("character", "\u202e\u2066\u2028\u2029\x00\x1b\u200b\ufeff\ufffe\uffff")
def test_characters_that_hide_or_turn_text_never_reach_a_page(hostile: dict[str, str], character: str) -> None:
    assert not [name for name, html in hostile.items() if character in html]


def test_long_texts_are_cut_and_the_page_says_where_the_whole_is() -> None:
    night = sample_night()
    long = sample_flip("tt-1", "x" * 50_000, "y" * 50_000)
    text = Elements(pages_of(replace(night, flips=(long,)))[COMPARISON]).text
    assert "46,000 characters left out" in text
    assert f"SELECT baseline_output, output FROM flips WHERE run_id = '{RUN}' AND suite = '{TRIAGE}'" in text


def test_a_cell_shows_its_first_1000_flips_and_says_how_many_more_there_are() -> None:
    page = large_night(cells=1, flips=10_000, words=5)
    html = next(html for name, html in pages_of(page).items() if name.startswith("comparison-"))
    assert html.count('<details class="flip') == 1000
    assert "9,000 more changed answers of this cell" in Elements(html).text


def test_pages_stay_small_and_those_of_cells_that_got_worse_are_full_first() -> None:
    pages = pages_of(large_night())
    assert max(len(html.encode()) for html in pages.values()) < 3 * MEGABYTE
    shown = [html.count('<details class="flip') for name, html in pages.items() if name.startswith("comparison-")]
    assert len(shown) == 100
    assert shown[:3] == [100, 100, 100]
    assert min(shown[3:]) > 0
    assert max(shown[3:]) - min(shown[3:]) <= 1


def test_one_huge_output_does_not_swell_the_page(hostile: dict[str, str]) -> None:
    assert max(len(html.encode()) for html in hostile.values()) < 3 * MEGABYTE


def test_the_same_page_gives_the_same_bytes() -> None:
    assert pages_of(sample_night()) == pages_of(sample_night())


def test_the_policy_allows_this_style_and_this_script_and_nothing_else(night: dict[str, Elements]) -> None:
    [policy] = {
        value
        for page in night.values()
        for name, value in page.attributes
        if name == "content" and "default-src" in value
    }
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives.pop("default-src") == "'none'"
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", directives.pop("style-src"))
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", directives.pop("script-src"))
    assert directives == {"base-uri": "'none'", "form-action": "'none'"}


def test_a_report_is_written_and_the_latest_leads_to_the_newest_run(tmp_path: Path) -> None:
    night = sample_night()
    older = replace(night, run=replace(night.run, run_id="run-20261121-030000-aaaa"))
    path = write_report(tmp_path, night)
    write_report(tmp_path, older)
    assert path == tmp_path / "reports" / RUN / "index.html"
    assert path.read_bytes() == pages_of(night)[INDEX].encode()
    assert f"url={RUN}/index.html" in (tmp_path / "reports" / "latest.html").read_text()
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_report_that_cannot_be_written_leaves_the_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_report(tmp_path, sample_night())
    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", disk_is_full)
    with pytest.raises(RunBroken, match=f"No space left on device.*daybreak report {RUN}"):
        write_report(tmp_path, replace(sample_night(), notes=()))
    assert path.read_bytes() == before
    assert not list(tmp_path.rglob("*.tmp"))


def disk_is_full(descriptor: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_unmeasured_cells_have_no_chart() -> None:
    page = ReportPage(run=sample_run(), cells=(sample_cell(INVOICES, SMALL, None), sample_cell(QUESTIONS, SMALL, 0.5)))
    assert pages_of(page)[INDEX].count('<svg class="rate"') == 1
