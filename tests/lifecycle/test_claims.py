"""What each source says of a model's end, alone and against another."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks.calls.prices import deprecation_date, map_facts, price_map
from tasks.config import ModelConfig
from tasks.errors import UsageError
from tasks.lifecycle.announced import read_announced
from tasks.lifecycle.claims import (
    Announced,
    Answering,
    Claim,
    announced_claim,
    calls_claim,
    config_claim,
    list_claim,
    litellm_claim,
)
from tasks.lifecycle.model_list import Source, read_listing, source_of
from tasks.lifecycle.retirement import end_of
from tasks.lifecycle.risk import risk_level

NOW = datetime(2027, 1, 14, 2, tzinfo=UTC)
MODEL = ModelConfig(name="mini", model="openai/gpt-x-mini", retires_on=date(2027, 3, 1))
NEVER = Answering(None, None)
LONG_AGO = NOW - timedelta(days=9)
LITELLM = litellm_claim("2027-02-01", "litellm 1.0, its map as installed on 2026-11-22")
TEAM = announced_claim(
    Announced(
        "mini", date(2027, 2, 20), "deployments/retirements.yaml:2", date(2026, 12, 1), "maxi", "https://x.example"
    )
)


def listed(listing: dict[str, str | None], answering: Answering = NEVER) -> Claim | None:
    return list_claim(listing, MODEL, answering, now=NOW)


@pytest.mark.parametrize(
    ("claims", "retires_on", "source"),
    [
        ([], None, "no source"),
        ([config_claim(MODEL)], date(2027, 3, 1), "config"),
        ([LITELLM], date(2027, 2, 1), "litellm"),
        ([TEAM], date(2027, 2, 20), "team file"),
        ([listed({"gpt-x-mini": "2027-01-31"})], date(2027, 1, 31), "model list"),
        ([listed({"gpt-x-mini": None})], None, "no source"),
        ([listed({"gpt-x-maxi": None})], date(2027, 1, 14), "model list"),
        (
            [listed({"gpt-x-maxi": None}, Answering(NOW - timedelta(hours=3), None))],
            None,
            "not in the provider's model list, though it answered on 2027-01-13",
        ),
        ([listed({"gpt-x-maxi": None}, Answering(LONG_AGO, None))], date(2027, 1, 14), "model list"),
        ([listed({"gpt-x-mini": "soon"})], None, "model list's 'soon' is no date"),
        ([calls_claim(Answering(LONG_AGO, NOW - timedelta(days=1)))], date(2027, 1, 13), "calls"),
        ([calls_claim(Answering(None, NOW))], None, "not found, and it never answered: is its id right?"),
        ([calls_claim(Answering(NOW, None))], None, "no source"),
        ([TEAM, LITELLM], date(2027, 2, 1), "litellm; team file says 2027-02-20"),
        (
            [config_claim(MODEL), TEAM, LITELLM, listed({"gpt-x-mini": "2027-02-01T00:00:00Z"})],
            date(2027, 2, 1),
            "litellm and model list; team file says 2027-02-20; config says 2027-03-01",
        ),
    ],
)
def test_the_earliest_credible_date_counts_and_the_others_stand_beside_it(
    claims: list[Claim | None], retires_on: date | None, source: str
) -> None:
    assert end_of(claim for claim in claims if claim) == (retires_on, source)


def test_every_claim_says_where_it_was_read() -> None:
    assert str(LITELLM) == "litellm 1.0, its map as installed on 2026-11-22: 2027-02-01"
    assert str(TEAM) == "deployments/retirements.yaml:2, announced 2026-12-01, https://x.example: 2027-02-20"
    gone = calls_claim(Answering(LONG_AGO, NOW))
    assert str(gone) == "calls, last answered 2027-01-05: 2027-01-14"


def test_what_litellms_map_knows_is_counted_not_assumed() -> None:
    today = date(2026, 11, 22)
    facts = map_facts(today)
    name = next(name for name, entry in price_map().items() if str(entry.get("deprecation_date", ""))[:2] == "20")
    print(f"{facts.provenance}: {facts.dated} dates, {facts.past} of them past")
    assert 0 < facts.past < facts.dated < len(price_map())
    assert facts.provenance.startswith("litellm 1.")
    assert deprecation_date(ModelConfig(name="m", model=name)) == price_map()[name]["deprecation_date"]


@pytest.mark.parametrize(
    ("days_left", "ready", "risk"),
    [
        (None, False, "unknown"),
        (91, False, "low"),
        (90, False, "medium"),
        (8, False, "medium"),
        (8, True, "low"),
        (7, False, "high"),
        (7, True, "medium"),
        (0, False, "high"),
        (-1, False, "critical"),
        (-1, True, "high"),
    ],
)
def test_risk_grows_with_time_and_shrinks_with_a_measured_replacement(
    days_left: int | None, ready: Any, risk: str
) -> None:
    assert risk_level(days_left, [90, 60, 30, 7], at_risk=True, is_ready=ready) == risk
    assert risk_level(days_left, [90, 60, 30, 7], at_risk=False, is_ready=ready) == "none"


def test_a_list_is_read_as_far_as_it_is_one() -> None:
    entries = [{"id": "a"}, {"id": "b", "shutdown_date": "2027-01-01"}, {"id": 3}, "c", {"id": "d", "shutdown_date": 5}]
    assert read_listing({"data": entries}) == {"a": None, "b": "2027-01-01", "d": "5"}
    nonsense: object
    for nonsense in (None, [], {"data": None}, {"models": []}, "x"):
        assert read_listing(nonsense) is None


def test_only_providers_with_a_list_and_a_key_are_asked() -> None:
    env = {"OPENAI_API_KEY": "k1", "OTHER": "k2"}
    assert source_of(MODEL, env) == Source("https://api.openai.com/v1", "k1")
    assert source_of(MODEL, env | {"OPENAI_BASE_URL": "https://eu/v1/"}) == Source("https://eu/v1", "k1")
    own = ModelConfig(name="m", model="openai/m", api_base="http://127.0.0.1:1/v1", api_key_env="OTHER")
    assert source_of(own, env) == Source("http://127.0.0.1:1/v1", "k2")
    assert source_of(MODEL, {}) is None
    assert source_of(ModelConfig(name="m", model="anthropic/claude"), env) is None


FILE = """\
retirements:
  - model: openai/gpt-x-mini
    announced: 2026-12-01
    retires: 2027-02-20
    replacement: maxi
    link: https://x.example/deprecations
  - {model: owl, retires: 2027-05-01}
"""


def test_the_teams_file_is_read_strictly(tmp_path: Path) -> None:
    assert read_announced(tmp_path) == ()
    path = tmp_path / "retirements.yaml"
    path.write_text(FILE)
    first, second = read_announced(tmp_path)
    assert (first.model, first.retires, first.replacement) == ("openai/gpt-x-mini", date(2027, 2, 20), "maxi")
    assert second.where.endswith("retirements.yaml:7")
    path.write_text(FILE.replace("2027-02-20", "next spring").replace("link:", "url:"))
    with pytest.raises(UsageError) as raised:
        read_announced(tmp_path)
    told = [str(problem) for problem in raised.value.problems]
    assert len(told) == 2
    assert "retirements.yaml:4" in told[0]
    assert "expected a date such as 2027-01-14, got 'next spring'" in told[0]
    assert "retirements.yaml:6" in told[1]
    assert "unknown field 'url'" in told[1]
