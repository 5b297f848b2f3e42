"""A whole night on what four model versions really answered, against the figures of the paper."""

import json
from pathlib import Path

import pytest

from tests.fakes.slack import FakeSlack
from tests.flows.llmdrift import ANSWERS, STRICTER_RULE, replayed, write_config, write_suite
from tests.flows.night import daybreak

pytestmark = [
    pytest.mark.skipif(not ANSWERS.exists(), reason="the recorded answers are not beside the checkout"),
    pytest.mark.slow,
]

PAPER = {"gpt-4-0314": 0.840, "gpt-4-0613": 0.511, "gpt-3.5-turbo-0301": 0.496, "gpt-3.5-turbo-0613": 0.762}


@pytest.mark.timeout(240)
def test_four_models_get_the_papers_figures_twice_and_a_stricter_scorer_is_no_change_of_model(
    tmp_path: Path, prefect_server: str
) -> None:
    write_suite(tmp_path)
    with replayed() as url, FakeSlack(token="not-a-real-key") as slack:
        told = f"slack: {{channel: '#llm-evals', token_env: REPLAY_KEY, api_url: '{slack.url}'}}\n"
        write_config(tmp_path, url, more=told)
        first = daybreak(tmp_path, "nightly", "--json")
        [message] = [one for one in slack.messages if one["text"].startswith("prime on")]
        second = daybreak(tmp_path, "nightly", "--json")
        write_suite(tmp_path, rule=STRICTER_RULE)
        third = daybreak(tmp_path, "nightly", "--json", "--model", "gpt-3.5-turbo-0301")

    for words in ("prime on gpt-4-0613", "32.9 points lost", "95% interval", "1000 of 1000", "84.0%", "51.1%"):
        assert words in json.dumps(message, ensure_ascii=False)
    assert "gpt-3.5-turbo-0613" not in json.dumps(message), "an improvement wakes nobody"

    for night in (first, second):
        assert night.exit_code == 1, night.err
        verdicts = {row["model"]: row for row in night.data["comparisons"]}
        assert verdicts["gpt-4-0613"]["verdict"] == "regressed"
        assert round(verdicts["gpt-4-0613"]["drop_pp"], 1) == 32.9
        assert verdicts["gpt-3.5-turbo-0613"]["verdict"] == "improved"
        assert rates(tmp_path, night.data["run_id"]) == PAPER
    assert {row["model"]: row["verdict"] for row in first.data["comparisons"]}["gpt-4-0314"] == "pinned"
    assert {row["model"]: row["verdict"] for row in second.data["comparisons"]}["gpt-4-0314"] == "unchanged"

    [row] = third.data["comparisons"]
    assert rates(tmp_path, third.data["run_id"]) == {"gpt-3.5-turbo-0301": 0.519}
    assert (row["verdict"], row["drop_pp"]) == ("unchanged", 0)
    assert (row["baseline_pass_rate"], row["pass_rate"]) == (0.519, 0.519)
    assert third.exit_code == 0


@pytest.mark.timeout(240)
def test_gpt_4_is_told_by_both_slices_that_moved_against_each_other(tmp_path: Path, prefect_server: str) -> None:
    write_suite(tmp_path, kinds=True)
    with replayed() as url:
        write_config(tmp_path, url)
        ended = daybreak(tmp_path, "compare", "--candidate", "gpt-4-0613", "--baseline", "gpt-4-0314", "--json")
    [row] = ended.data["comparisons"]
    assert (ended.exit_code, row["verdict"], row["lost"], row["gained"]) == (1, "regressed", 476, 147)
    assert "primes 97.6 → 2.4 %, composites 70.4 → 99.8 %" in row["cause"]


def rates(root: Path, run_id: str) -> dict[str, float]:
    """Pass rates as the warehouse has them."""
    asked = daybreak(root, "sql", "--json", f"SELECT model, pass_rate FROM cells WHERE run_id = '{run_id}'")
    return {row["model"]: round(row["pass_rate"], 3) for row in asked.data["rows"]}


@pytest.mark.timeout(400)
def test_an_alias_that_moves_to_the_next_snapshot_is_found_by_the_night_told_and_named_as_the_cause_once(
    tmp_path: Path, prefect_server: str
) -> None:
    write_suite(tmp_path)
    with replayed("gpt-4=gpt-4-0314") as url:
        write_config(tmp_path, url, {"gpt-4": None})
        pinned = daybreak(tmp_path, "nightly", "--json")
    with replayed("gpt-4=gpt-4-0613") as url:
        write_config(tmp_path, url, {"gpt-4": None})
        moved, after = (daybreak(tmp_path, "nightly", "--json") for _ in range(2))

    assert pinned.data["events"] == []
    assert [event["text"] for event in moved.data["events"]] == ["gpt-4 moved from gpt-4-0314 to gpt-4-0613"]
    [row] = moved.data["comparisons"]
    assert (row["verdict"], round(row["drop_pp"], 1), moved.exit_code) == ("regressed", 32.9, 1)
    assert "served model (gpt-4-0314 → gpt-4-0613)" in row["cause"]
    assert "gpt-4 moved from gpt-4-0314 to gpt-4-0613" in str(moved.data["message"])
    assert after.data["events"] == []
