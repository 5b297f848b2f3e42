from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tasks.records import Verdict
from tasks.reports import figures
from tasks.reports.cells import cell_views
from tasks.reports.commands import again, select
from tasks.reports.headline import finding, headline
from tasks.reports.page import ReportPage
from tasks.reports.scales import Scale, rate_scale
from tests.reports import sample_pages as sample
from tests.reports.sample_pages import BASELINE, LARGE, QUESTIONS, RUN, SMALL, TRIAGE


def page_of(*standings: tuple[str, Verdict | None, float], **changed: Any) -> ReportPage:
    """A page of cells on one model: suite, verdict and drop of each."""
    return ReportPage(
        run=sample.sample_run(),
        cells=tuple(sample.sample_cell(suite) for suite, _, _ in standings),
        comparisons=tuple(
            sample.sample_comparison(suite, SMALL, verdict, drop) for suite, verdict, drop in standings if verdict
        ),
        **changed,
    )


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (figures.share(0.9345), "93.5 %"),
        (figures.share(None), "–"),
        (figures.shares(0.7, 0.885), "70.0 to 88.5"),
        (figures.points(-6.04), "−6.0 pp"),
        (figures.points(-0.04), "0.0 pp"),
        (figures.points_interval(-1.25, 7.0), "−1.2 to 7.0"),
        (figures.p_value(2.1e-5), "< 0.0001"),
        (figures.p_value(0.0123), "0.012"),
        (figures.p_value(1.0), "1"),
        (figures.usd(None), "unknown"),
        (figures.usd(0), "$0"),
        (figures.usd(0.0000021), "$0.0000021"),
        (figures.usd(0.9999), "$1.00"),
        (figures.usd(1234.5), "$1,234.50"),
        (figures.change(0.125), "+12 %"),
        (figures.change(-0.3), "−30 %"),
        (figures.change(-0.004), "0 %"),
        (figures.change(0.004), "0 %"),
        (figures.milliseconds(1204.9), "1,205 ms"),
        (figures.gate_value(sample.sample_gate("min_pass_rate", 0.7, 0.9, "ok"), 0.9), "90.0 %"),
        (figures.gate_value(sample.sample_gate("p95_ms", 800, 900, "failed"), 900), "900 ms"),
        (figures.gate_value(sample.sample_gate("max_cost_per_action_usd", 0.02, None, "undecided"), None), "–"),
    ],
)
def test_figures_read_well(shown: str, expected: str) -> None:
    assert shown.replace(figures.NBSP, " ") == expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [(4.4, "4 s"), (461, "7 min 41 s"), (7_260, "2 h 1 min"), (59.7, "1 min 0 s")]
)
def test_durations_show_two_units(seconds: float, expected: str) -> None:
    start = datetime(2026, 11, 22, tzinfo=UTC)
    assert figures.duration(start, start + timedelta(seconds=seconds)).replace(figures.NBSP, " ") == expected


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (page_of(), "Nothing was evaluated"),
        (page_of(("a", Verdict.UNCHANGED, 0.0), ("b", None, 0.0)), "Nothing got worse"),
        (page_of(("a", Verdict.REGRESSED, 9.0), ("b", Verdict.UNMEASURED, 0.0)), f"a on {SMALL} got worse"),
        (page_of(("a", Verdict.REGRESSED, 9.0), ("b", Verdict.REGRESSED, 8.0)), "2 of 2 cells got worse"),
        (page_of(("a", Verdict.UNMEASURED, 0.0), ("b", Verdict.IMPROVED, -5.0)), f"a on {SMALL} could not be measured"),
        (page_of(("a", Verdict.INCONCLUSIVE, 2.0)), "Nothing got worse for certain, 1 inconclusive"),
        (page_of(("a", Verdict.IMPROVED, -5.0)), "Nothing got worse, 1 improved"),
        (page_of(("a", Verdict.PINNED, 0.0), ("b", Verdict.PINNED, 0.0)), "First night: 2 baselines pinned"),
        (
            page_of(
                (TRIAGE, Verdict.UNCHANGED, 0.0), gates=(sample.sample_gate("p95_ms", 1, 2, "failed", model=SMALL),)
            ),
            f"{TRIAGE} on {SMALL} failed a gate",
        ),
    ],
)
def test_the_headline_says_the_worst_first(page: ReportPage, expected: str) -> None:
    assert finding(cell_views(page)) == expected


def test_a_run_that_did_not_finish_says_so_first() -> None:
    views = cell_views(page_of(("a", Verdict.UNCHANGED, 0.0)))
    assert headline("interrupted", views) == "Interrupted. Nothing got worse"


def test_cells_are_ordered_by_what_matters() -> None:
    page = page_of(
        ("reference", None, 0.0), ("same", Verdict.UNCHANGED, 0.0), ("less worse", Verdict.REGRESSED, 4.0),
        ("unknown", Verdict.UNMEASURED, 0.0), ("better", Verdict.IMPROVED, -4.0), ("worse", Verdict.REGRESSED, 9.0),
    )  # fmt: skip
    assert [view.suite for view in cell_views(page)] == [
        "worse",
        "less worse",
        "unknown",
        "better",
        "same",
        "reference",
    ]


def test_a_failed_gate_comes_right_after_what_got_worse() -> None:
    page = sample.sample_night()
    assert [(view.suite, view.model) for view in cell_views(page)][:2] == [(TRIAGE, SMALL), (TRIAGE, LARGE)]


def test_one_scale_holds_every_rate_of_the_page() -> None:
    scale = rate_scale([0.82, 0.97, 0.701])
    assert scale == Scale(0.7, 1.0)
    assert [scale.x(value) for value in (0.7, 0.85, 1.0, 0.2)] == ["0.00%", "50.00%", "100.00%", "0.00%"]
    assert rate_scale([1.0]).low == 0.9
    assert rate_scale([]).low == 0.0


def test_the_command_to_do_it_again_names_candidate_and_baseline() -> None:
    page = page_of(("two words", Verdict.UNCHANGED, 0.0), (QUESTIONS, Verdict.UNCHANGED, 0.0))
    assert list(again("nightly", cell_views(page))) == ["daybreak nightly"]
    assert list(again("nightly", cell_views(page), whole=False)) == [
        f"daybreak nightly --suite {QUESTIONS} --suite 'two words' --model {SMALL}"
    ]
    assert list(again("compare", cell_views(page))) == [
        f"daybreak compare --candidate {SMALL} --baseline {BASELINE} --suite {QUESTIONS} --suite 'two words'"
    ]


@pytest.mark.parametrize(
    ("case_id", "expected"),
    [
        ("tt-1", "daybreak sql \"SELECT output FROM flips WHERE case_id = 'tt-1'\""),
        ("it's", "daybreak sql \"SELECT output FROM flips WHERE case_id = 'it''s'\""),
        ("$(id)", "daybreak sql 'SELECT output FROM flips WHERE case_id = '\"'\"'$(id)'\"'\"''"),
    ],
)
def test_commands_can_be_pasted_whatever_a_name_holds(case_id: str, expected: str) -> None:
    assert select("output", "flips", case_id=case_id) == expected


def test_a_run_is_named_in_full() -> None:
    assert RUN in select("*", "comparisons", run_id=RUN)


def test_commands_end_with_what_finds_the_config_and_the_results() -> None:
    views, options = cell_views(page_of((TRIAGE, Verdict.UNCHANGED, 0.0))), ("--results", "two words")
    assert select("output", "flips", options=options, suite="a").endswith("WHERE suite = 'a'\" --results 'two words'")
    assert list(again("nightly", views, options=options)) == ["daybreak nightly --results 'two words'"]
