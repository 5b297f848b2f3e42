"""When models go away, as the config and litellm know it."""

from datetime import date

import pytest

from tasks.config import ModelConfig
from tasks.lifecycle.claims import config_claim, litellm_claim
from tasks.lifecycle.retirement import retirement_table
from tasks.lifecycle.risk import notice_level
from tasks.records import Lifespan

TODAY = date(2027, 1, 14)
NOTICE_DAYS = [90, 60, 30, 7]


def model(name: str = "m", *, litellm_id: str = "openai/m", retires_on: date | None = None) -> ModelConfig:
    return ModelConfig(name=name, model=litellm_id, retires_on=retires_on)


def only(one: ModelConfig, *, known: str | None = None, today: date = TODAY) -> Lifespan:
    [row] = retirement_table(
        [one],
        [],
        suites_by_model={},
        suites_by_judge={},
        claims_of=lambda model: [claim for claim in (config_claim(model), litellm_claim(known, "map")) if claim],
        notice_days=NOTICE_DAYS,
        today=today,
    )
    return row


@pytest.mark.parametrize(
    ("config", "litellm", "retires_on", "source"),
    [
        (None, None, None, "no source"),
        (date(2027, 3, 1), None, date(2027, 3, 1), "config"),
        (None, "2027-03-01", date(2027, 3, 1), "litellm"),
        (date(2027, 3, 1), "2027-03-01", date(2027, 3, 1), "config and litellm"),
        (date(2027, 3, 1), "2027-02-01", date(2027, 2, 1), "litellm; config says 2027-03-01"),
        (date(2027, 2, 1), "2027-03-01", date(2027, 2, 1), "config; litellm says 2027-03-01"),
        (None, "2027-13-45", None, "litellm's '2027-13-45' is no date"),
        (date(2027, 2, 1), "soon", date(2027, 2, 1), "config; litellm's 'soon' is no date"),
        (None, "", None, "litellm's '' is no date"),
    ],
)
def test_the_earliest_date_counts_and_what_others_say_stands_beside_it(
    config: date | None, litellm: str | None, retires_on: date | None, source: str
) -> None:
    row = only(model(retires_on=config), known=litellm)
    assert (row.retires_on, row.source) == (retires_on, source)


@pytest.mark.parametrize(
    ("retires_on", "notice", "when"),
    [
        (None, None, "retirement unknown"),
        (date(2027, 4, 15), None, "retires in 91 days (2027-04-15)"),
        (date(2027, 4, 14), 90, "retires in 90 days (2027-04-14)"),
        (date(2027, 1, 15), 7, "retires in 1 day (2027-01-15)"),
        (TODAY, 7, "retires today (2027-01-14)"),
        (date(2027, 1, 13), -1, "retired 1 day ago (2027-01-13)"),
        (date(2026, 11, 5), -1, "retired 70 days ago (2026-11-05)"),
    ],
)
def test_a_date_is_told_in_words_with_the_tightest_level_it_reached(
    retires_on: date | None, notice: int | None, when: str
) -> None:
    row = only(model(retires_on=retires_on))
    assert (row.notice, row.when) == (notice, when)


def test_levels_need_no_order_and_may_be_none_at_all() -> None:
    assert notice_level(45, [7, 90, 60, 30]) == 60
    assert notice_level(45, []) is None
    assert notice_level(-3, []) == -1


def test_the_table_holds_judges_too_and_begins_with_the_first_to_go() -> None:
    known = {"openai/late": "2027-12-01", "openai/judge": "2027-01-20"}
    table = retirement_table(
        [model("late", litellm_id="openai/late"), model("unknown", litellm_id="openai/other")],
        [model("judge", litellm_id="openai/judge")],
        suites_by_model={"late": ["triage"]},
        suites_by_judge={"judge": ["support-qa"]},
        claims_of=lambda one: [claim for claim in [litellm_claim(known.get(one.model), "map")] if claim],
        notice_days=NOTICE_DAYS,
        today=TODAY,
    )
    assert [(row.model, row.suites, row.judged_suites, row.risk) for row in table] == [
        ("judge", (), ("support-qa",), "high"),
        ("late", ("triage",), (), "low"),
        ("unknown", (), (), "none"),
    ]
