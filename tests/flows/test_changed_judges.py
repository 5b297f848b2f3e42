"""Nights on which the judge is another than the baseline's: what it moved is never taken for the model's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.judges import verdict
from tests.fakes.provider import FakeProvider, Reply, said
from tests.flows.judged_lab import JUDGED, RUBRIC, Asked, JudgedLab, by_the_label, only
from tests.flows.lab import right, wrong_below
from tests.flows.night import pages

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[JudgedLab]:
    with FakeProvider() as provider:
        yield JudgedLab(tmp_path, provider)


def strict_below(limit: int, asked: Asked) -> str:
    """A judge that fails the first sums whatever the answer, and else goes by the number in it."""
    is_right = asked.expected in asked.answer
    return verdict("pass" if is_right and int(asked.sum.split(" + ")[0]) >= limit else "fail")


def as_a_sentence(lab: JudgedLab) -> None:
    """Let the model say the same in other words."""
    lab.provider.answer("*", lambda request: f"It is {right(request)}.")


def test_a_swapped_judge_alerts_nobody_and_the_movement_is_its_own(lab: JudgedLab) -> None:
    lab.run("nightly")
    lab.judge(lambda asked: strict_below(4, asked), served_as="owl-2")
    night = lab.run("nightly")
    found = only(night)
    assert (night.exit_code, found["verdict"], found["drop_pp"]) == (0, "unchanged", 0)
    assert (found["scoring_drop_pp"], found["raw_drop_pp"]) == (pytest.approx(40), pytest.approx(40))
    assert "of a raw drop of +40.0 pp, +40.0 pp came from how answers are scored now" in found["cause"]
    assert lab.sql("SELECT scoring_drop_pp FROM comparisons WHERE verdict = 'unchanged'")[0]["scoring_drop_pp"] == 40
    page = pages(lab.root / night.data["report"])
    assert "+40.0 pp came from how answers are scored now" in page


@pytest.mark.slow
def test_a_baseline_whose_answers_differ_is_judged_again_by_the_new_judge(lab: JudgedLab) -> None:
    lab.run("nightly")
    lab.asked()
    lab.judge(lambda asked: strict_below(0, asked), served_as="owl-2")
    as_a_sentence(lab)
    night = lab.run("nightly")
    asked = lab.asked()
    assert sorted(len(one.answer) for one in asked[: lab.n]) > [5] * lab.n, "tonight's answers first"
    assert {one.answer for one in asked[lab.n :]} == {one.expected for one in asked}, "then the baseline's, each once"
    assert (night.exit_code, only(night)["verdict"], only(night)["n_paired"]) == (0, "unchanged", lab.n)
    calls = lab.sql("SELECT count(*) AS n, sum(cost_usd) AS usd FROM calls WHERE phase = 'rejudged' AND role = 'judge'")
    assert calls[0]["n"] == lab.n
    assert calls[0]["usd"] > 0

    lab.run("nightly")
    assert lab.asked() == [], "and never again"


def test_where_judge_and_model_both_changed_the_models_part_is_found(lab: JudgedLab) -> None:
    lab.run("nightly")
    lab.judge(lambda asked: strict_below(3, asked), served_as="owl-2")
    lab.provider.answer("*", wrong_below(5))
    found = only(lab.run("nightly"))
    assert (found["scoring_drop_pp"], found["raw_drop_pp"]) == (pytest.approx(30), pytest.approx(50))
    assert found["drop_pp"] == pytest.approx(20)
    assert found["ci_low_pp"] <= 20 <= found["ci_high_pp"]


@pytest.mark.slow
def test_another_rubric_is_asked_about_the_baselines_answers_too(lab: JudgedLab) -> None:
    lab.run("nightly")
    lab.asked()
    lab.write("datasets/sums/rubric.md", RUBRIC + "Be kind.\n")
    lab.judge(lambda asked: strict_below(0, asked))
    as_a_sentence(lab)
    night = lab.run("nightly")
    assert len(lab.asked()) == 2 * lab.n
    assert (only(night)["verdict"], only(night)["n_paired"]) == ("unchanged", lab.n)


def test_a_budget_that_does_not_pay_for_judging_again_leaves_the_cell_unmeasured(lab: JudgedLab) -> None:
    lab.suite(JUDGED + "params: {max_tokens: 20}\n")
    lab.owl("params: {max_tokens: 50}", more="budget_usd: 0.5\n")
    lab.run("nightly")

    def dear_about_the_baseline(asked: Asked) -> Reply:
        tokens = 20 if asked.answer.startswith("It is") else 900
        return said(strict_below(0, asked), served_as="owl-2", prompt_tokens=tokens)

    lab.judge(dear_about_the_baseline, served_as="owl-2")
    as_a_sentence(lab)
    night = lab.run("nightly")
    assert 0.2 < night.data["cost_usd"] <= 0.5
    assert (night.exit_code, only(night)["verdict"]) == (3, "unmeasured")
    assert "the judge owl changed" in only(night)["cause"]


@pytest.mark.slow
def test_what_the_new_judge_cannot_say_of_an_answer_leaves_that_case_out(lab: JudgedLab) -> None:
    lab.suite(JUDGED.replace("100}", "100, min_coverage: 0.8}"))
    lab.run("nightly")
    as_a_sentence(lab)
    lab.judge(lambda asked: "Hm." if asked.answer == "1" else strict_below(0, asked), served_as="owl-2")
    found = only(lab.run("nightly"))
    assert (found["verdict"], found["n_paired"]) == ("unchanged", lab.n - 1)


def test_a_night_with_the_same_judge_judges_no_baseline_again(lab: JudgedLab) -> None:
    lab.run("nightly")
    lab.asked()
    as_a_sentence(lab)
    lab.judge(lambda asked: by_the_label(asked._replace(answer=asked.answer[6:-1])))
    night = lab.run("nightly")
    assert len(lab.asked()) == lab.n
    assert only(night)["scoring_drop_pp"] is None
