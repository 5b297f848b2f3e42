"""`daybreak judge calibrate` over HTTP: how far a judge agrees with people, and what a night makes of it."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.comparing.verdicts import in_truth
from tasks.config import Gate
from tasks.records import Correction, Verdict
from tasks.verdicts.compare import Judged
from tests.fakes.judges import verdict
from tests.fakes.provider import FakeProvider, refused
from tests.flows.judged_lab import JUDGED, RUBRIC, Asked, JudgedLab, by_the_label, only
from tests.flows.lab import sums, wrong_below
from tests.flows.night import daybreak, pages

pytestmark = pytest.mark.usefixtures("prefect_server")

N_ROWS = 60


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[JudgedLab]:
    with FakeProvider() as provider:
        yield JudgedLab(tmp_path, provider)


def labelled(n: int = N_ROWS) -> list[dict[str, Any]]:
    """Outputs of two models about sums: in turn one that people pass, and one that they fail."""
    return [
        {
            "input": f"{i} + 1",
            "expected": str(i + 1),
            "output": str(i + 1) if i % 2 == 0 else f"about {i}",
            "verdicts": {"ann": "pass" if i % 2 == 0 else "fail"},
            "model": f"old-{i % 4 // 2}",
        }
        for i in range(n)
    ]


def write_labels(lab: JudgedLab, rows: Sequence[dict[str, Any]]) -> None:
    lab.write("datasets/sums/calibration.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def erring(asked: Asked, *, every: int) -> str:
    """A judge that is wrong about each so many."""
    is_right = asked.answer == asked.expected
    return verdict("pass" if is_right != (int(asked.sum.split(" + ")[0]) // 2 % every == 0) else "fail")


def at_random(asked: Asked) -> str:
    """A judge that passes half of everything."""
    return verdict("pass" if int(asked.sum.split(" + ")[0]) // 2 % 2 else "fail")


def test_a_calibration_tells_both_kinds_of_errors_and_keeps_them(lab: JudgedLab) -> None:
    write_labels(lab, labelled())
    lab.judge(lambda asked: erring(asked, every=10))
    done = lab.run("judge", "calibrate")
    assert done.exit_code == 0
    whole = done.data["calibrations"][0]
    assert (whole["slice"], whole["n_rows"], whole["prevalence"]) == ("", N_ROWS, 0.5)
    assert (whole["right_passed"], whole["right_failed"]) == (27, 3)
    assert (whole["sensitivity"], whole["specificity"]) == (0.9, 0.9)
    assert whole["youden"] == pytest.approx(0.8)
    assert whole["youden_low"] < 0.8 < whole["youden_high"]
    assert whole["kappa"] == pytest.approx(0.8)
    assert (whole["n_retested"], whole["retest_changed"]) == (N_ROWS, 0)
    assert {one["slice"] for one in done.data["calibrations"][1:]} == {"model old-0", "model old-1"}
    assert len(lab.asked()) == 2 * N_ROWS
    assert done.data["calls"] == 2 * N_ROWS + 1
    assert lab.sql("SELECT round(youden, 2) AS j FROM calibrations WHERE slice = ''") == [{"j": 0.8}]
    assert lab.sql("SELECT flow, status, calls FROM runs") == [
        {"flow": "calibrate", "status": "finished", "calls": 2 * N_ROWS + 1}
    ]


def test_what_was_asked_before_is_not_asked_again(lab: JudgedLab) -> None:
    write_labels(lab, labelled())
    first = lab.run("judge", "calibrate")
    lab.asked()
    second = lab.run("judge", "calibrate")
    assert lab.asked() == []
    assert second.data["calibrations"][0]["youden"] == first.data["calibrations"][0]["youden"] == 1
    shown = lab.run("judge", "show")
    assert len(shown.data["history"]) == 2 * len(shown.data["calibrations"])


def test_a_judge_that_changes_its_mind_is_caught_at_it(lab: JudgedLab) -> None:
    write_labels(lab, labelled(20))
    seen: set[Asked] = set()

    def moody(asked: Asked) -> str:
        is_new = asked not in seen
        seen.add(asked)
        return by_the_label(asked) if is_new or asked.sum != "4 + 1" else verdict("fail")

    lab.judge(moody)
    whole = lab.run("judge", "calibrate").data["calibrations"][0]
    assert (whole["n_retested"], whole["retest_changed"]) == (20, 1)


def test_an_output_that_was_labelled_often_is_one_observation(lab: JudgedLab) -> None:
    """Three outputs labelled on 20 nights once passed for 60 rows, and made a judge look well known."""
    rows = [{**row, "model": f"old-{night}"} for night in range(20) for row in labelled(3)]
    rows[-1]["verdicts"] = {"ben": "fail"}
    write_labels(lab, rows)
    [whole] = lab.run("judge", "calibrate").data["calibrations"]
    assert (whole["n_rows"], whole["n_retested"], whole["n_tied"], whole["n_annotated_twice"]) == (2, 3, 1, 1)
    assert (whole["n_right"], whole["n_wrong"]) == (1, 1)
    assert whole["youden_low"] < 0


def test_annotators_who_disagree_are_told_and_their_ties_left_out(lab: JudgedLab) -> None:
    rows = labelled(20)
    rows[0]["verdicts"] = {"ann": "pass", "ben": "fail"}
    rows[2]["verdicts"] = {"ann": "pass", "ben": "pass"}
    rows.append({**rows[4], "verdicts": {"ben": "pass"}})
    write_labels(lab, rows)
    whole = lab.run("judge", "calibrate").data["calibrations"][0]
    assert (whole["n_rows"], whole["n_tied"], whole["n_annotated_twice"]) == (19, 1, 3)
    assert whole["annotator_agreement"] == pytest.approx(2 / 3)


def test_a_judge_that_favours_one_model_is_found_out(lab: JudgedLab) -> None:
    write_labels(lab, labelled(120))
    lab.judge(
        lambda asked: verdict("pass" if asked.answer == asked.expected or int(asked.sum.split()[0]) % 4 > 1 else "fail")
    )
    whole = lab.run("judge", "calibrate").data["calibrations"][0]
    assert whole["homogeneity_p"] < 0.01


def test_a_judge_that_cannot_be_asked_leaves_no_calibration(lab: JudgedLab) -> None:
    write_labels(lab, labelled(20))
    lab.provider.answer("owl", refused(401, "Incorrect API key provided."))
    done = lab.run("judge", "calibrate")
    assert (done.exit_code, done.data["calibrations"]) == (3, [])
    assert any(note.startswith("owl was not asked: its probe ended as ") for note in done.data["notes"])


MISTAKES: dict[str, tuple[str, str]] = {
    "not JSON": ("{", "broken JSON"),
    "no verdict": ('{"case": "c000", "output": "1", "model": "m"}', "the field 'verdicts' is missing"),
    "another word": (
        '{"case": "c000", "output": "1", "model": "m", "verdicts": {"ann": "good"}}',
        'verdicts: expected {"annotator": "pass" or "fail"}',
    ),
    "an unknown case": (
        '{"case": "c999", "output": "1", "model": "m", "verdicts": {"ann": "pass"}}',
        "expected the id of a case of the suite, got 'c999'",
    ),
    "no case at all": ('{"output": "1", "model": "m", "verdicts": {"ann": "pass"}}', "expected the id of a `case`"),
    "both": (
        '{"case": "c000", "input": "0 + 1", "output": "1", "model": "m", "verdicts": {"ann": "pass"}}',
        "expected either a `case` or fields of its own, got both: input",
    ),
    "an unknown field": (
        '{"case": "c000", "output": "1", "model": "m", "verdict": {"ann": "pass"}, "verdicts": {"ann": "pass"}}',
        "unknown field 'verdict'",
    ),
    "no weight": (
        '{"case": "c000", "output": "1", "model": "m", "weight": 0, "verdicts": {"ann": "pass"}}',
        "weight: expected a number from 1e-09 to 1e+09, got 0",
    ),
    "a weight that no float can hold": (
        f'{{"case": "c000", "output": "1", "model": "m", "weight": 1{"0" * 400}, "verdicts": {{"ann": "pass"}}}}',
        "weight: expected a number from 1e-09 to 1e+09, got 1000",
    ),
    "a weight below 0": (
        '{"case": "c000", "output": "1", "model": "m", "weight": -1, "verdicts": {"ann": "pass"}}',
        "weight: expected a number from 1e-09 to 1e+09, got -1",
    ),
    "a list of words": (
        '{"case": "c000", "output": "1", "model": "m", "verdicts": {"ann": ["pass"]}}',
        """verdicts: expected {"annotator": "pass" or "fail"}, got {'ann': ['pass']}""",
    ),
    "an object for a word": (
        '{"case": "c000", "output": "1", "model": "m", "verdicts": {"ann": {}}}',
        """verdicts: expected {"annotator": "pass" or "fail"}, got {'ann': {}}""",
    ),
    "another scorer": (
        '{"case": "c000", "output": "1", "model": "m", "scorer": "jury", "verdicts": {"ann": "pass"}}',
        "expected a judge scorer for the kind 'accuracy', got 'jury'",
    ),
}


def test_every_mistake_in_the_labels_is_told_with_its_line(lab: JudgedLab) -> None:
    lab.write("datasets/sums/calibration.jsonl", "".join(line + "\n" for line, _ in MISTAKES.values()))
    for command in (("judge", "calibrate"), ("check",)):
        ended = lab.run(*command)
        assert ended.exit_code == 2
        told = {problem["where"].rpartition(":")[2]: problem["message"] for problem in ended.data["problems"]}
        for number, (_, message) in enumerate(MISTAKES.values(), 1):
            assert told[str(number)].startswith(message)
    assert lab.provider.requests == []


def test_an_annotator_who_says_both_is_named(lab: JudgedLab) -> None:
    row = {"case": "c000", "output": "1", "model": "m"}
    write_labels(lab, [{**row, "verdicts": {"ann": word}} for word in ("pass", "fail")])
    [problem] = lab.run("judge", "calibrate").data["problems"]
    assert problem["message"].startswith("'ann' said the opposite at ")
    assert problem["message"].endswith("calibration.jsonl:1")


def test_without_labels_calibrate_says_where_they_belong(lab: JudgedLab) -> None:
    [problem] = lab.run("judge", "calibrate").data["problems"]
    assert problem["message"] == "expected a calibration.jsonl in the folder of a judged suite, found none"


def test_a_calibrated_judges_pass_rates_are_corrected_with_an_interval_and_an_assumption(lab: JudgedLab) -> None:
    """Of 20 answers 4 are wrong; the judge passes a tenth of wrong ones and fails a tenth of right ones."""
    lab.suite(JUDGED, sums(20))
    write_labels(lab, labelled(100))
    lab.judge(lambda asked: erring(asked, every=10))
    lab.run("judge", "calibrate")
    lab.provider.answer("*", wrong_below(4))
    night = lab.run("nightly")
    assert night.data["uncalibrated_judges"] == []
    [found] = night.data["corrections"]
    assert (found["trust"], found["method"]) == ("calibrated", "rogan-gladen")
    assert found["raw_pass_rate"] == pytest.approx(only(night)["pass_rate"])
    assert found["pass_rate"] == pytest.approx((found["raw_pass_rate"] - 0.1) / 0.8)
    assert found["ci_low"] < 0.8 < found["ci_high"]
    assert found["why"] == "assuming that the judge errs on these outputs as often as on the calibration's"
    [stored] = lab.sql("SELECT pass_rate, ci_low, method, youden FROM corrections")
    assert (stored["pass_rate"], stored["method"]) == (found["pass_rate"], "rogan-gladen")
    page = pages(lab.root / night.data["report"])
    assert "corrected" in page
    assert "rogan-gladen" in page


def test_without_calibration_nothing_is_corrected_and_that_is_said(lab: JudgedLab) -> None:
    night = lab.run("nightly")
    [found] = night.data["corrections"]
    assert (found["trust"], found["pass_rate"]) == ("uncalibrated", None)
    [note] = night.data["uncalibrated_judges"]
    assert note.startswith("owl is not calibrated on sums")


@pytest.mark.parametrize(
    "change",
    [pytest.param(change, marks=pytest.mark.slow) for change in ("version", "rubric", "params")],
)
def test_a_calibration_of_another_judge_counts_as_none(lab: JudgedLab, change: str) -> None:
    write_labels(lab, labelled())
    lab.run("judge", "calibrate")
    match change:
        case "version":
            lab.judge(by_the_label, served_as="owl-2")
        case "rubric":
            lab.write("datasets/sums/rubric.md", RUBRIC + "Be kind.\n")
        case "params":
            lab.owl("params: {max_tokens: 50}")
    night = lab.run("nightly")
    assert night.data["corrections"][0]["trust"] == "outdated"
    [note] = night.data["uncalibrated_judges"]
    assert note.startswith("The calibration of owl on sums is older than the judge or its rubric and counts as none")

    lab.run("judge", "calibrate")
    assert lab.run("nightly").data["corrections"][0]["trust"] == "calibrated"


def test_a_judge_at_random_is_refused_although_it_passes_the_right_share(lab: JudgedLab) -> None:
    write_labels(lab, labelled(100))
    lab.judge(at_random)
    whole = lab.run("judge", "calibrate").data["calibrations"][0]
    passed = whole["right_passed"] + whole["wrong_passed"]
    assert passed / whole["n_rows"] == pytest.approx(whole["prevalence"]), "their rates agree"
    assert abs(whole["youden"]) < 0.05
    night = lab.run("nightly")
    assert (night.exit_code, only(night)["verdict"]) == (3, "unmeasured")
    assert only(night)["cause"].startswith("judge not trusted: owl reaches J 0.00, at least -0.1")
    assert night.data["corrections"][0]["trust"] == "refused"
    assert lab.sql("SELECT * FROM baselines") == []
    assert lab.run("baseline", "promote", night.data["run_id"]).exit_code == 2


@pytest.mark.slow
def test_a_judge_that_is_no_longer_trusted_makes_no_comparison_and_asks_nothing_again(lab: JudgedLab) -> None:
    lab.run("nightly")
    write_labels(lab, labelled(100))
    unsure = lambda asked: erring(asked, every=3) if " + 1" in asked.sum else by_the_label(asked)  # noqa: E731
    lab.judge(unsure, served_as="owl-2")
    lab.run("judge", "calibrate")
    lab.provider.answer("*", wrong_below(6))
    night = lab.run("nightly")
    assert (night.exit_code, only(night)["verdict"]) == (3, "unmeasured")
    asked = lab.sql(f"SELECT DISTINCT phase FROM calls WHERE run_id = '{night.data['run_id']}' AND role <> 'probe'")
    assert asked == [{"phase": "planned"}], "neither confirmed, nor the baseline judged again"

    lab.suite(JUDGED.replace("rubric: rubric.md", "rubric: rubric.md, min_youden: 0.1"))
    assert only(lab.run("nightly"))["verdict"] != "unmeasured", "whoever asks for less gets it"


@pytest.mark.slow
def test_of_a_true_drop_an_erring_judge_shows_a_part_so_the_detectable_one_is_larger(lab: JudgedLab) -> None:
    lab.run("nightly")
    before = only(lab.run("nightly"))["detectable_drop_pp"]
    write_labels(lab, labelled(120))
    lab.judge(lambda asked: erring(asked, every=5) if " + 1" in asked.sum else by_the_label(asked))
    lab.run("judge", "calibrate")
    night = lab.run("nightly")
    slope = night.data["corrections"][0]["slope"]
    assert slope == pytest.approx(0.6, abs=0.02)
    assert only(night)["detectable_drop_pp"] == pytest.approx(before / slope)


def test_calibrating_in_the_morning_corrects_the_night_before(lab: JudgedLab) -> None:
    lab.run("nightly")
    write_labels(lab, labelled(100))
    [found] = lab.run("judge", "calibrate").data["corrections"]
    assert (found["trust"], found["method"], found["raw_pass_rate"]) == ("calibrated", "rogan-gladen", 1)
    assert [row["trust"] for row in lab.sql("SELECT trust FROM corrections")] == ["calibrated"]
    said = daybreak(lab.root, "judge", "calibrate").out
    assert "The pages of that night stay as they were told; these rates are in the view `corrections`." in said
    assert "From the next night on, pages show this calibration." in said


@pytest.mark.slow
def test_between_two_models_a_partial_judge_is_told(lab: JudgedLab) -> None:
    config = (lab.root / "deployments/daybreak.yaml").read_text()
    large = config[config.index("  - {") : config.index("judges:")].replace("small", "large")
    lab.write("deployments/daybreak.yaml", config.replace("judges:", f"{large}judges:"))
    write_labels(lab, labelled(120))
    lab.judge(lambda asked: verdict("pass" if asked.answer == asked.expected or first(asked) % 8 == 3 else "fail"))
    lab.run("judge", "calibrate")
    compared = lab.run("compare", "--candidate", "large", "--baseline", "small")
    assert any(note.startswith("sums: owl errs more on some models' outputs") for note in compared.data["notes"])


def first(asked: Asked) -> int:
    return int(asked.sum.split(" + ")[0])


@pytest.mark.parametrize(("slope", "verdict"), [(0.9, "unchanged"), (0.5, "inconclusive"), (None, "unchanged")])
def test_a_judge_that_shows_half_of_a_drop_may_be_too_weak_to_exclude_one(slope: float | None, verdict: str) -> None:
    judged = Judged(verdict=Verdict.UNCHANGED, cause="", n_paired=100, detectable_drop_pp=6.0)
    correction = Correction(
        run_id="run",
        suite="sums",
        model="small",
        trust="calibrated",
        why="",
        method="rogan-gladen",
        raw_pass_rate=0.9,
        pass_rate=0.95,
        ci_low=0.9,
        ci_high=1.0,
        n_labels=100,
        youden=slope,
        youden_low=slope,
        slope=slope,
        unanimous=None,
        recorded_at=datetime(2026, 11, 1, tzinfo=UTC),
    )
    found = in_truth(judged, correction, Gate(max_detectable_drop_pp=10))
    assert found.verdict == Verdict(verdict)
    assert found.detectable_drop_pp == pytest.approx(6 / (slope or 1))
