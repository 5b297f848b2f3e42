"""Nights with a judge over HTTP: what is asked and recorded, and what is never asked twice."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.judges import verdict
from tests.fakes.provider import FakeProvider, refused, said
from tests.flows.judged_lab import JUDGED, RUBRIC, JudgedLab, by_the_label, only
from tests.flows.lab import right, sums, wrong_below

pytestmark = pytest.mark.usefixtures("prefect_server")

PASS = verdict("pass")
CALL_USD = 20 * 100 / 1e6
"""What the judge costs for each answer: 20 tokens."""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[JudgedLab]:
    with FakeProvider() as provider:
        yield JudgedLab(tmp_path, provider)


def test_a_judged_suite_is_pinned_and_a_drop_is_a_regression(lab: JudgedLab) -> None:
    assert only(lab.run("nightly"))["verdict"] == "pinned"
    lab.provider.answer("*", wrong_below(6))
    night = lab.run("nightly")
    assert (night.exit_code, only(night)["verdict"], only(night)["drop_pp"]) == (1, "regressed", 60.0)
    latest = f"run_id = '{night.data['run_id']}' AND case_id = 'c000' AND phase = 'planned'"
    [score] = lab.sql(f"SELECT scorer, passed, value, reason FROM scores WHERE {latest}")
    assert score == {"scorer": "judge", "passed": False, "value": pytest.approx(0.1), "reason": "As the rubric says."}
    [counted] = lab.sql(f"SELECT count(*) AS n FROM calls WHERE run_id = '{night.data['run_id']}'")
    assert night.data["calls"] == counted["n"] > 2 * lab.n, "the trials that confirmed cost money, too"
    [note] = night.data["uncalibrated_judges"]
    assert note.startswith("owl is not calibrated on sums")


def test_judge_calls_are_recorded_like_model_calls_with_a_cost_of_their_own(lab: JudgedLab) -> None:
    night = lab.run("nightly")
    [call] = lab.sql("SELECT * FROM calls WHERE role = 'judge' AND case_id = 'c003'")
    assert (call["suite"], call["model"], call["scorer"]) == ("sums", "small", "judge")
    assert (call["requested_model"], call["served_model"]) == ("openai/owl", "owl-1")
    assert json.loads(call["params"]) == {"temperature": 0}
    assert json.loads(call["output"])["verdict"] == "pass"
    assert call["cost_usd"] == pytest.approx(CALL_USD)
    [cell] = lab.sql("SELECT cost_usd, judge_cost_usd, cost_per_action_usd FROM cells")
    assert cell["judge_cost_usd"] == pytest.approx(lab.n * CALL_USD)
    assert cell["cost_usd"] == pytest.approx(2 * lab.n * 20 / 1e6)
    assert cell["cost_per_action_usd"] == pytest.approx(20 / 1e6), "judges are not included"
    assert night.data["cost_usd"] == pytest.approx(cell["cost_usd"] + (lab.n + 1) * CALL_USD), "with the probe"
    assert night.data["calls"] == 2 * lab.n + lab.n + 1


def test_each_judge_is_probed_once_in_a_run_and_the_probe_is_recorded(lab: JudgedLab) -> None:
    lab.suite("scorers: [{type: judge, judge: owl, rubric: rubric.md}]\n", sums(3), name="more")
    lab.write("datasets/more/rubric.md", RUBRIC)
    night = lab.run("nightly")
    [probe] = lab.sql("SELECT * FROM calls WHERE role = 'probe'")
    assert (probe["run_id"], probe["phase"], probe["model"]) == (night.data["run_id"], "probe", "owl")
    assert (probe["suite"], probe["case_id"], probe["served_model"]) == ("", "", "owl-1")
    assert probe["cost_usd"] == pytest.approx(CALL_USD)
    assert lab.sql("SELECT suite FROM outcomes WHERE phase = 'probe'") == []


def test_an_answer_that_five_trials_share_is_judged_once(lab: JudgedLab) -> None:
    lab.suite(JUDGED.replace("trials: 2", "trials: 5"))
    lab.run("nightly")
    assert len(lab.asked()) == lab.n
    assert lab.sql("SELECT count(*) AS n FROM scores WHERE passed") == [{"n": 5 * lab.n}]


def test_a_night_with_the_same_answers_asks_the_judge_nothing_but_the_probe(lab: JudgedLab) -> None:
    lab.run("nightly")
    lab.asked()
    night = lab.run("nightly")
    assert lab.asked() == []
    assert (only(night)["verdict"], only(night)["pass_rate"]) == ("unchanged", 1)
    assert night.data["calls"] == lab.n + 1
    latest = f"run_id = '{night.data['run_id']}'"
    assert lab.sql(f"SELECT count(*) AS n FROM scores WHERE {latest} AND passed") == [{"n": lab.n}]
    assert lab.sql(f"SELECT judge_cost_usd FROM cells WHERE {latest}") == [{"judge_cost_usd": 0}]


def test_only_answers_that_changed_are_judged(lab: JudgedLab) -> None:
    lab.run("nightly")
    lab.asked()
    lab.provider.answer("*", wrong_below(3))
    lab.run("nightly")
    assert {asked.answer for asked in lab.asked()} == {"no idea"}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("rubric.md", RUBRIC.replace("Is this", "Is this exactly")),
        ("book.md", "Be stricter.\n"),
    ],
)
def test_one_changed_line_of_the_rubric_or_of_what_it_includes_has_everything_judged_anew(
    lab: JudgedLab, file: str, text: str
) -> None:
    lab.write("datasets/sums/book.md", "Be strict.\n")
    lab.write("datasets/sums/rubric.md", "{% include 'book.md' %}" + RUBRIC)
    lab.run("nightly")
    lab.asked()
    lab.write(f"datasets/sums/{file}", text if file == "book.md" else "{% include 'book.md' %}" + text)
    night = lab.run("nightly")
    assert len(lab.asked()) == lab.n
    assert (only(night)["verdict"], only(night)["drop_pp"]) == ("unchanged", 0), "tonight's answers are the baseline's"
    assert any("the scorers changed" in note for note in night.data["notes"])


@pytest.mark.slow
def test_another_version_of_the_judge_judges_everything_anew(lab: JudgedLab) -> None:
    lab.run("nightly")
    lab.asked()
    lab.judge(lambda asked: verdict("fail" if asked.sum == "1 + 2" else "pass"), served_as="owl-2")
    night = lab.run("nightly")
    assert len(lab.asked()) == lab.n
    assert (night.exit_code, only(night)["verdict"], only(night)["drop_pp"]) == (0, "unchanged", 0)
    assert (only(night)["baseline_pass_rate"], only(night)["pass_rate"]) == (0.9, 0.9), "the judge's move is nobody's"
    moved = "the judge owl changed from openai/owl (owl-1) to openai/owl (owl-2) since "
    assert any(moved in note for note in night.data["notes"])


@pytest.mark.slow
def test_other_params_of_the_judge_make_it_another_judge(lab: JudgedLab) -> None:
    lab.run("nightly")
    lab.asked()
    lab.owl("params: {max_tokens: 50}")
    night = lab.run("nightly")
    assert len(lab.asked()) == lab.n
    assert any("the judge owl changed" in note for note in night.data["notes"])


def test_where_a_judge_that_changed_cannot_judge_the_baselines_answers_nothing_is_said_of_the_model(
    lab: JudgedLab,
) -> None:
    lab.run("nightly")
    lab.judge(lambda asked: PASS if asked.answer.startswith("It is") else refused(400, "No."), served_as="owl-2")
    lab.provider.answer("*", lambda request: f"It is {right(request)}.")
    night = lab.run("nightly")
    assert (night.exit_code, only(night)["verdict"], only(night)["n_paired"]) == (3, "unmeasured", 0)
    assert "the judge owl changed from openai/owl (owl-1) to openai/owl (owl-2) since" in only(night)["cause"]
    assert f"promote {night.data['run_id']}, or change it back" in only(night)["cause"]

    assert lab.run("baseline", "promote", night.data["run_id"]).exit_code == 0
    assert only(lab.run("nightly"))["verdict"] == "unchanged"


@pytest.mark.slow
def test_a_changed_label_is_judged_on_both_sides_where_the_answer_is_the_same(lab: JudgedLab) -> None:
    lab.run("nightly")
    lab.suite(JUDGED, relabelled(lab.n, 4))
    night = lab.run("nightly")
    assert (only(night)["verdict"], only(night)["drop_pp"]) == ("unchanged", 0)
    assert (only(night)["baseline_pass_rate"], only(night)["n_paired"]) == (0.6, lab.n)
    assert any("4 labels changed" in note for note in night.data["notes"])


@pytest.mark.slow
def test_cases_with_a_new_label_are_all_left_out_where_one_answer_was_never_judged_by_it(lab: JudgedLab) -> None:
    """To leave out only those whose answer changed would leave out every flip, and nothing else."""
    lab.run("nightly")
    lab.suite(JUDGED, relabelled(lab.n, 2))
    lab.provider.answer("*", wrong_below(1))
    lab.judge(
        lambda asked: refused(400, "No.") if (asked.answer, asked.expected) == ("1", "odd") else by_the_label(asked)
    )
    night = lab.run("nightly")
    assert (only(night)["verdict"], only(night)["n_paired"], only(night)["drop_pp"]) == ("unchanged", lab.n - 2, 0)
    assert any("2 labels changed" in note and "left out" in note for note in night.data["notes"])


@pytest.mark.slow
def test_a_new_scorer_beside_the_judge_takes_the_judges_verdicts_from_before(lab: JudgedLab) -> None:
    """What the judge could not judge in the baseline's night stays unmeasured, and is no verdict that is missing."""
    lab.provider.answer("*", lambda request: "one" if request.prompt == "0 + 1" else right(request))
    lab.judge(lambda asked: "I cannot help with that." if asked.answer == "one" else by_the_label(asked))
    lab.suite(JUDGED.replace("100}", "100, min_coverage: 0.9}"))
    lab.run("nightly")
    lab.asked()
    lab.provider.answer("*", right)
    lab.suite(JUDGED.replace("[", "[{regex: {pattern: '^[^7]*$'}}, ").replace("100}", "100, min_coverage: 0.9}"))
    night = lab.run("nightly")
    assert [asked.sum for asked in lab.asked()] == ["0 + 1"]
    assert any("the scorers changed" in note for note in night.data["notes"])
    assert (only(night)["verdict"], only(night)["n_paired"], only(night)["drop_pp"]) == ("unchanged", lab.n - 1, 0)
    assert only(night)["pass_rate"] == pytest.approx(7 / 9), "7 and 17 fail the pattern"


@pytest.mark.slow
def test_a_judge_whose_version_is_not_disclosed_is_taken_for_the_same_all_day(lab: JudgedLab) -> None:
    lab.judge(by_the_label, served_as=None)
    lab.run("nightly")
    lab.asked()
    night = lab.run("nightly")
    assert lab.asked() == []
    assert only(night)["verdict"] == "unchanged"
    assert any("owl does not disclose its version" in note for note in night.data["notes"])


def test_a_judge_is_not_asked_about_what_another_scorer_has_failed(lab: JudgedLab) -> None:
    lab.provider.answer("*", wrong_below(4))
    lab.suite(JUDGED.replace("[", "[{regex: {pattern: '[0-9]'}}, ").replace("trials: 2", "trials: 1"))
    lab.run("nightly")
    assert len(lab.asked()) == lab.n - 4
    scores = lab.sql("SELECT scorer, passed, reason FROM scores WHERE case_id = 'c000' ORDER BY scorer")
    assert (scores[0]["passed"], scores[0]["reason"]) == (None, "not asked: regex had failed it already")
    assert lab.sql("SELECT outcome, reason LIKE 'regex: %' AS why FROM outcomes WHERE case_id = 'c000'") == [
        {"outcome": "failed", "why": True}
    ]


def test_two_judges_of_a_suite_are_both_asked(lab: JudgedLab) -> None:
    lab.write("datasets/sums/short.md", "Is it short, " + RUBRIC)
    second = "{type: judge, name: short, judge: owl, rubric: short.md}"
    lab.suite(JUDGED.replace("}]", f"}}, {second}]"))
    night = lab.run("nightly")
    assert len(lab.asked()) == 2 * lab.n
    assert only(night)["verdict"] == "pinned"
    assert lab.sql("SELECT DISTINCT scorer FROM calls WHERE role = 'judge' ORDER BY scorer") == [
        {"scorer": "judge"},
        {"scorer": "short"},
    ]


def test_plan_counts_what_the_judge_may_be_asked_and_calls_nobody(lab: JudgedLab) -> None:
    lab.owl("params: {max_tokens: 99}")
    lab.suite(JUDGED + "params: {max_tokens: 9}\n")
    planned = lab.run("plan").data
    [cell] = planned["cells"]
    assert (cell["judge_calls"], planned["calls"]) == (2 * lab.n, 4 * lab.n)
    tokens = planned["cost_usd"] / (2 * lab.n) * 1e6 / 100
    assert 200 < tokens < 300, "of the instructions, the rubric and the answer; the model itself costs next to nothing"
    assert lab.provider.requests == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("params: {temperature: 0.7}", "judges[0].params: a judge is asked at temperature 0, not 0.7"),
        ("params: {temperature: null}", "judges[0].params: a judge is asked at temperature 0, not None"),
    ],
)
def test_a_judge_that_cannot_be_one_is_refused_before_anything_is_called(
    lab: JudgedLab, fields: str, message: str
) -> None:
    lab.owl(fields)
    for command in ("check", "nightly"):
        ended = lab.run(command)
        assert ended.exit_code == 2
        assert message in ended.data["problems"][0]["message"]
    assert lab.provider.requests == []


def test_a_judge_without_a_key_is_refused_only_where_a_suite_asks_it(lab: JudgedLab) -> None:
    config = (lab.root / "deployments/daybreak.yaml").read_text()
    before, judge = config.split("judges:")
    lab.write("deployments/daybreak.yaml", f"{before}judges:{judge.replace('LAB_KEY', 'NO_SUCH_KEY')}")
    [problem] = lab.run("nightly").data["problems"]
    assert problem["message"] == "model 'owl': expected its key in NO_SUCH_KEY, which is not set"
    lab.suite("scorers: [exact]\n")
    assert lab.run("check").exit_code == 0


@pytest.mark.slow
def test_a_resumed_night_judges_what_was_answered_without_asking_the_model_again(lab: JudgedLab) -> None:
    lab.judge(lambda asked: by_the_label(asked) if asked.sum < "5" else said(PASS, served_as="owl-1", delay_s=60))
    command = [sys.executable, "-c", "from flows.cli import main; main(['nightly', '--json'])"]
    process = subprocess.Popen(command, cwd=lab.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while sum(request.model == "owl" for request in lab.provider.requests) < lab.n + 1:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130

    lab.judge(by_the_label)
    lab.asked()
    night = lab.run("nightly", "--resume", "latest")
    assert (night.exit_code, only(night)["verdict"], only(night)["pass_rate"]) == (0, "pinned", 1)
    assert lab.sql("SELECT count(*) AS n FROM calls WHERE role = 'model'") == [{"n": 2 * lab.n}]
    assert lab.sql("SELECT count(*) AS n FROM calls WHERE role = 'probe'") == [{"n": 1}]
    assert lab.sql("SELECT outcome, count(*) AS n FROM outcomes GROUP BY outcome") == [
        {"outcome": "passed", "n": 2 * lab.n}
    ]


def relabelled(n: int, changed: int) -> list[dict[str, object]]:
    """The sums, of which the first are said to be something else."""
    return [{**case, "expected": "odd"} if i < changed else case for i, case in enumerate(sums(n))]


def test_check_points_out_where_a_judge_is_not_needed(lab: JudgedLab) -> None:
    [warning] = lab.run("check").data["warnings"]
    assert warning.startswith("sums: 'judge' asks a judge about labels that the scorer numeric compares")
    lab.suite(JUDGED, [{**case, "expected": f"It must say {case['expected']}."} for case in sums(lab.n)])
    assert lab.run("check").data["warnings"] == []
