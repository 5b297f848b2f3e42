"""Nights with a budget, as the command line shows them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.judges import verdict
from tests.fakes.provider import FakeProvider, Received, Reply, hanging, said
from tests.flows.judged_lab import JudgedLab
from tests.flows.lab import Lab, killed_when, right

pytestmark = pytest.mark.usefixtures("prefect_server")

DEAR = "price: {input_per_million: 0, output_per_million: 10000}"
CHEAP = "price: {input_per_million: 0, output_per_million: 100}"


def ten_tokens(request: Received) -> Reply:
    return said(right(request), completion_tokens=10)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with FakeProvider() as provider:
        provider.answer("*", ten_tokens)
        lab = Lab(tmp_path, provider, gate="{baseline_trials: 1}")
        lab.suite("scorers: [exact]\ngate: {baseline_trials: 1}\nparams: {max_tokens: 16}\n")
        yield lab


def test_what_the_budget_does_not_pay_for_is_unmeasured_and_a_cheap_model_is_not_starved(lab: Lab) -> None:
    lab.config({"dear": DEAR, "cheap": CHEAP}, more="budget_usd: 1.0\n")
    for command, notes in (("check", "warnings"), ("plan", "notes")):
        assert any("budget_usd is 1, the night may cost" in note for note in lab.run(command).data[notes])
    assert "every run came to its end" in str(lab.run("nightly", "--resume", "latest").data["problems"])
    night = lab.run("nightly")
    rows = {row["model"]: row for row in night.data["comparisons"]}
    assert night.exit_code == 3
    assert rows["cheap"]["verdict"] == "pinned"
    assert rows["dear"]["verdict"] == "unmeasured"
    assert "budget: what is left of 1 USD does not pay for it" in rows["dear"]["cause"]
    [asked] = lab.sql("SELECT count(*) AS calls, sum(cost_usd) AS usd FROM calls WHERE model = 'dear'")
    assert 0.7 <= asked["usd"] <= 1.0
    assert asked["calls"] == sum(request.model == "dear" for request in lab.provider.requests) < 20
    assert night.data["cost_usd"] <= 1.0


@pytest.mark.slow
def test_what_was_under_way_when_a_night_was_killed_counts_as_spent(lab: Lab) -> None:
    lab.config({"dear": f"{DEAR}, limits: {{concurrency: 3}}"}, more="budget_usd: 1.0\n")
    lab.provider.answer("dear", hanging())
    killed_when(lambda: len(lab.provider.requests) == 3, lab, "nightly")
    lab.provider.answer("dear", ten_tokens)
    night = lab.run("nightly", "--resume", "latest")
    left_usd = 1.0 - 3 * 0.16
    assert 0.3 < night.data["cost_usd"] <= left_usd
    assert len(lab.provider.requests) - 3 <= left_usd / 0.1


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("", "'small' has no known price"),
        (DEAR, "'small' may answer at any length"),
    ],
)
def test_a_budget_that_could_not_be_kept_is_refused(lab: Lab, fields: str, message: str) -> None:
    lab.config({"small": fields}, more="budget_usd: 1\n")
    lab.suite("scorers: [exact]\n")
    for command in ("check", "plan", "nightly"):
        ended = lab.run(command)
        assert ended.exit_code == 2
        assert message in ended.data["problems"][0]["message"]
    assert lab.provider.requests == []


def test_answers_without_a_limit_are_warned_of(lab: Lab) -> None:
    lab.config({"gpt-4o-mini": ""}, more="budget_usd: 1\n")
    lab.suite("scorers: [exact]\n")
    checked = lab.run("check")
    assert checked.exit_code == 0
    assert checked.data["warnings"] == [
        "gpt-4o-mini has no max_tokens: the budget reserves 16384 tokens for each answer"
    ]


def test_no_answer_is_bought_that_the_budget_cannot_have_judged(tmp_path: Path) -> None:
    with FakeProvider() as provider:
        lab = JudgedLab(tmp_path, provider, n=40)
        provider.answer("small", ten_tokens)
        lab.judge(lambda asked: verdict("pass" if asked.answer == asked.expected else "fail"))
        price = "price: {input_per_million: 0, output_per_million: 1000}"
        judge = f"{{name: owl, model: openai/owl, api_base: '{provider.url}', api_key_env: LAB_KEY, {DEAR},"
        lab.config({"small": price}, more=f"judges: [{judge} params: {{max_tokens: 16}}}}]\nbudget_usd: 1.0\n")
        lab.suite("scorers: [{type: judge, judge: owl, rubric: rubric.md}]\nparams: {max_tokens: 16}\n")
        night = lab.run("nightly", "--suite", "sums")
        [answers] = lab.sql("SELECT count(*) AS n FROM calls WHERE role = 'model' AND status = 'answered'")
        [judged] = lab.sql("SELECT count(*) AS n FROM outcomes WHERE outcome <> 'unmeasured'")
        assert 0 < answers["n"] == judged["n"] < 200
        assert night.data["cost_usd"] <= 1.0
        assert "budget: budget" not in night.out
