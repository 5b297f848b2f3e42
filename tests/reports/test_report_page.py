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
from tasks.reports.render import render
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


@pytest.fixture(scope="module")
def night() -> Elements:
    return Elements(render(sample_night()))


@pytest.fixture(scope="module")
def hostile() -> Elements:
    return Elements(render(hostile_night()))


@pytest.mark.parametrize(
    "shown",
    [
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
        "3 of 100 97 trials: rate_limited: 429 insufficient_quota",
        "✗ failed p95_ms",
        "off_topic",
        "retires in 53 days (2027-01-14)",
        "config; litellm says 2027-02-01",
        "Of 1 more model no source names a date.",
        "judge: It names the wrong department.",
        "My card was charged twice for one order.",
        '"subject": "Crash"',
        "daybreak nightly",
        f"daybreak baseline promote {RUN}",
        "3f3f3f3f3f3f",
    ],
)
def test_the_page_says(night: Elements, shown: str) -> None:
    assert shown in night.text


def test_both_outputs_stand_side_by_side_with_their_differences_marked() -> None:
    html = render(sample_night())
    assert "question of<del> billing</del>, since the customer was charged<del> 12.50</del> EUR twice." in html
    assert "question of<ins> sales</ins>, since the customer was charged<ins> 12.40</ins> EUR twice." in html


def test_no_text_and_an_empty_text_are_told_apart(night: Elements) -> None:
    assert "access → empty" in night.text
    assert "no text → bug" in night.text


def test_what_is_not_known_is_not_nothing() -> None:
    page = ReportPage(run=replace(sample_run(), cost_usd=None, finished_at=None), cells=(sample_cell(cost_usd=None),))
    text = Elements(render(page)).text
    assert "Took – " in text
    assert text.count("unknown") == 2


def test_a_page_without_anything_is_a_page() -> None:
    assert "Nothing was evaluated" in Elements(render(ReportPage(run=sample_run()))).text


def test_a_comparison_within_a_run_names_the_baselines_model() -> None:
    comparison = sample_comparison(TRIAGE, SMALL, Verdict.UNCHANGED, 1.0, baseline_run_id=RUN, baseline_model=LARGE)
    page = ReportPage(run=sample_run(), cells=(sample_cell(),), comparisons=(comparison,))
    assert f"against {LARGE}" in Elements(render(page)).text


def test_links_lead_to_what_is_on_the_page(night: Elements) -> None:
    targets = [value.removeprefix("#") for name, value in night.attributes if name == "href"]
    assert len(targets) > 6
    assert set(targets) <= set(night.ids)
    assert len(night.ids) == len(set(night.ids))


def test_cells_and_flips_can_be_linked_to_by_name(night: Elements) -> None:
    assert {anchor(TRIAGE, SMALL), anchor(TRIAGE, SMALL, "tt-1")} <= set(night.ids)
    assert anchor("a", "b-c") != anchor("a-b", "c")


def test_nothing_that_a_model_wrote_becomes_an_element(hostile: Elements) -> None:
    assert not hostile.names & {"img", "iframe", "object", "base", "embed", "textarea", "animate", "link"}
    assert not [name for name, _ in hostile.attributes if name.startswith("on") or name in {"src", "action", "style"}]
    assert {value[:1] for name, value in hostile.attributes if name in {"href", "xlink:href"}} == {"#"}
    assert not [value for name, value in hostile.attributes if name == "http-equiv" and value == "refresh"]


@pytest.mark.parametrize("name", sorted(HOSTILE.keys() - {"direction", "control", "lines", "broken", "wide", "marks"}))
def test_hostile_texts_are_shown_as_they_were_written(hostile: Elements, name: str) -> None:
    assert " ".join(HOSTILE[name].split()) in hostile.text


@pytest.mark.parametrize("character", "\u202e\u2066\u2028\u2029\x00\x1b\u200b\ufeff\ufffe\uffff")
def test_characters_that_hide_or_turn_text_never_reach_the_page(character: str) -> None:
    assert character not in render(hostile_night())


def test_long_texts_are_cut_and_the_page_says_where_the_whole_is() -> None:
    night = sample_night()
    long = sample_flip("tt-1", "x" * 50_000, "y" * 50_000)
    text = Elements(render(replace(night, flips=(long,)))).text
    assert "46,000 characters left out" in text
    assert f"SELECT baseline_output, output FROM flips WHERE run_id = '{RUN}' AND suite = '{TRIAGE}'" in text


def test_a_cell_shows_its_first_200_flips_and_says_how_many_more_there_are() -> None:
    page = large_night(cells=1, flips=250, words=5)
    html = render(page)
    assert html.count('<details class="flip') == 200
    assert "50 more changed answers of this cell" in Elements(html).text


def test_a_large_page_stays_small_and_shows_as_much_of_every_cell_that_got_worse() -> None:
    html = render(large_night())
    assert len(html.encode()) < 3 * MEGABYTE
    shown = [group.count('<details class="flip') for group in html.split('<section class="group"')[1:]]
    assert len(shown) == 100
    assert min(shown[:3]) > 30
    assert max(shown[:3]) - min(shown[:3]) <= 1


def test_cells_that_did_not_get_worse_share_the_room_that_is_left() -> None:
    html = render(large_night(words=20))
    shown = [group.count('<details class="flip') for group in html.split('<section class="group"')[1:]]
    assert shown[:3] == [100, 100, 100]
    assert min(shown[3:]) > 5
    assert max(shown[3:]) - min(shown[3:]) <= 1


def test_one_huge_output_does_not_swell_the_page() -> None:
    assert len(render(hostile_night()).encode()) < 3 * MEGABYTE


def test_the_same_page_gives_the_same_bytes() -> None:
    assert render(sample_night()) == render(sample_night())


def test_the_policy_allows_this_style_and_this_script_and_nothing_else(night: Elements) -> None:
    [policy] = [value for name, value in night.attributes if name == "content" and "default-src" in value]
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
    assert path.read_bytes() == render(night).encode()
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
    assert render(page).count('<svg class="rate"') == 1
