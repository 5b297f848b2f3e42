"""Labels of a night's own outputs: drawn, filled in, and read back, with the better correction that they allow."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.judges.auditing import as_file, read_sample
from tasks.errors import UsageError
from tasks.judges.blinding import Hidden, opened, sealed
from tests.fakes.judges import verdict
from tests.fakes.provider import FakeProvider
from tests.flows.judged_lab import JUDGED, JudgedLab
from tests.flows.lab import right, sums
from tests.flows.night import daybreak

pytestmark = pytest.mark.usefixtures("prefect_server")

N = 60


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgedLab]:
    """A night of 60 answers: every third is wrong and begins like a formula; the judge fails one in five."""
    monkeypatch.chdir(tmp_path)
    with FakeProvider() as provider:
        lab = JudgedLab(tmp_path, provider, n=N)
        lab.suite(JUDGED, sums(N))
        provider.answer(
            "*", lambda request: f"=1+{first(request.prompt)}" if first(request.prompt) % 3 == 0 else right(request)
        )
        lab.judge(lambda asked: verdict("fail" if first(asked.sum) % 5 == 0 else "pass"))
        yield lab


def first(text: str) -> int:
    return int(text.split(" + ")[0])


def filled_in(path: Path) -> list[dict[str, Any]]:
    """Let a careful person label a sample."""
    with path.open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["verdict"] = "pass" if row["output"] == json.loads(row["expected"]) else "fail"
    with path.open("w") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return rows


def test_labels_of_tonights_outputs_correct_tonights_rate(lab: JudgedLab) -> None:
    night = lab.run("nightly")
    assert night.data["corrections"][0]["pass_rate"] is None
    drawn = lab.run("judge", "sample", "--n", "40", "--out", "sample.csv")
    assert (drawn.exit_code, drawn.data["rows"]) == (0, 40)
    rows = filled_in(lab.root / "sample.csv")
    assert len({row["case"] for row in rows}) == 40
    assert {row["output"][:2] for row in rows if row["verdict"] == "fail"} == {"'="}, "no cell is a formula"
    assert list(rows[0]) == ["suite", "origin", "scorer", "case", "id", "input", "expected", "output", "verdict"]
    assert "small" not in (lab.root / "sample.csv").read_text(), "people do not see which model wrote an output"
    assert len({row["id"] for row in rows}) == 40
    assert {len(row["id"]) for row in rows} == {64}, "nor by the id what the judge said"

    done = lab.run("judge", "label", "sample.csv", "--annotator", "ann")
    assert (done.exit_code, done.data["added"], done.data["left"]) == (0, 40, 0)
    [found] = done.data["corrections"]
    assert (found["method"], found["n_labels"], found["raw_pass_rate"]) == ("stratified", 40, 0.8)
    assert found["ci_low"] < found["pass_rate"] < found["ci_high"]
    assert abs(found["pass_rate"] - 2 / 3) < 0.2, "four standard errors"
    assert lab.sql("SELECT method FROM corrections") == [{"method": "stratified"}]
    kept = [json.loads(line) for line in (lab.root / "datasets/sums/calibration.jsonl").read_text().splitlines()]
    assert len(kept) == 40
    assert sum(line["weight"] for line in kept) == pytest.approx(N)
    assert {line["output"][0] for line in kept if line["verdicts"] == {"ann": "fail"}} == {"="}, "as the model wrote it"

    calibrated = lab.run("judge", "calibrate").data["calibrations"][0]
    assert (calibrated["n_rows"], calibrated["right_passed"] > 0) == (40, True)


def test_labels_are_taken_once_and_a_second_annotator_joins_them(lab: JudgedLab) -> None:
    lab.run("nightly")
    lab.run("judge", "sample", "--out", "sample.csv")
    filled_in(lab.root / "sample.csv")
    assert [lab.run("judge", "label", "sample.csv").data["added"] for _ in range(2)] == [40, 0]
    assert lab.run("judge", "label", "sample.csv", "--annotator", "ben").data["added"] == 40
    whole = lab.run("judge", "calibrate").data["calibrations"][0]
    assert (whole["n_rows"], whole["n_annotated_twice"], whole["annotator_agreement"]) == (40, 40, 1)


def test_a_sample_of_everything_needs_no_weights(lab: JudgedLab) -> None:
    lab.run("nightly")
    lab.run("judge", "sample", "--n", "1000", "--out", "sample.csv")
    filled_in(lab.root / "sample.csv")
    [found] = lab.run("judge", "label", "sample.csv").data["corrections"]
    assert (found["method"], found["n_labels"]) == ("ppi++", N)
    assert found["pass_rate"] == pytest.approx(2 / 3)


def test_json_lines_do_as_well_and_what_is_left_is_told(lab: JudgedLab) -> None:
    lab.run("nightly")
    lab.run("judge", "sample", "--out", "sample.jsonl", "--n", "10")
    path = lab.root / "sample.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[0]["verdict"] = "Pass"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = lab.run("judge", "label", "sample.jsonl")
    assert (done.data["added"], done.data["left"]) == (1, 9)
    [found] = done.data["corrections"]
    assert found["pass_rate"] is None
    assert found["why"].endswith("Labels of its own outputs (1 for judge) correct a run from 20 on.")
    again = daybreak(lab.root, "judge", "label", "sample.jsonl").out
    assert "sums on small: not corrected." in again
    assert "takes them in" not in again


def test_a_row_that_was_changed_and_a_file_that_is_not_there_are_told(lab: JudgedLab) -> None:
    [problem] = lab.run("judge", "label", "nofile.csv").data["problems"]
    assert (problem["where"], problem["message"]) == ("nofile.csv", "no such file")
    lab.run("nightly")
    lab.run("judge", "sample", "--out", "sample.jsonl", "--n", "1")
    path = lab.root / "sample.jsonl"
    path.write_text(json.dumps({**json.loads(path.read_text()), "case": "c999", "verdict": "pass"}) + "\n")
    [problem] = lab.run("judge", "label", "sample.jsonl").data["problems"]
    assert problem["message"] == "expected suite, origin, scorer, case and id as they were drawn"


def test_labels_in_a_file_are_never_overwritten_and_mistakes_have_their_line(lab: JudgedLab) -> None:
    lab.run("nightly")
    lab.run("judge", "sample", "--out", "sample.csv", "--n", "3")
    [problem] = lab.run("judge", "sample", "--out", "sample.csv").data["problems"]
    assert (problem["where"], problem["message"]) == ("sample.csv", "the file is there already, and may hold labels")

    rows = filled_in(lab.root / "sample.csv")
    rows[1]["verdict"] = "maybe"
    with (lab.root / "sample.csv").open("w") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    ended = lab.run("judge", "label", "sample.csv")
    [problem] = ended.data["problems"]
    assert ended.exit_code == 2
    assert (problem["where"], problem["message"]) == ("sample.csv:3", "verdict: expected pass or fail, got 'maybe'")
    assert not (lab.root / "datasets/sums/calibration.jsonl").exists()


def test_what_the_calibration_file_could_not_be_read_with_is_refused_before_a_label_is_added(lab: JudgedLab) -> None:
    lab.run("nightly")
    lab.run("judge", "sample", "--out", "sample.jsonl", "--n", "3")
    drawn, *others = [
        {**json.loads(line), "verdict": "pass"} for line in (lab.root / "sample.jsonl").read_text().splitlines()
    ]
    place = " ".join(drawn[name] for name in ("suite", "origin", "scorer", "case"))
    hidden = opened(drawn["id"], place)
    kept = lab.root / "datasets/sums/calibration.jsonl"

    def refused(*rows: dict[str, Any], annotator: str = "ann") -> str:
        before = kept.read_bytes() if kept.exists() else None
        (lab.root / "sample.jsonl").write_text("".join(json.dumps(row) + "\n" for row in (*others, *rows)))
        ended = lab.run("judge", "label", "sample.jsonl", "--annotator", annotator)
        [problem] = ended.data["problems"]
        assert ended.exit_code == 2
        assert (kept.read_bytes() if kept.exists() else None) == before
        return f"{problem['where']}: {problem['message']}".strip(": ")

    forged = {**drawn, "id": sealed(hidden._replace(weight=float("nan")), place)}
    assert refused(forged) == "sample.jsonl:3: weight: expected a number from 1e-09 to 1e+09, got nan"
    opposite = {**drawn, "verdict": "fail"}
    assert refused(drawn, opposite) == "sample.jsonl:4: 'ann' said the opposite at sample.jsonl:3"
    assert refused(drawn, annotator=" ") == "expected the name of who labelled, got ' '"

    (lab.root / "sample.jsonl").write_text(json.dumps(drawn) + "\n" + json.dumps(drawn) + "\n")
    assert lab.run("judge", "label", "sample.jsonl", "--annotator", "ann").data["added"] == 1
    assert refused(opposite) == "sample.jsonl:3: 'ann' said the opposite at datasets/sums/calibration.jsonl:1"


def test_a_sample_as_csv_comes_back_as_it_was_drawn(tmp_path: Path) -> None:
    """A bare carriage return once broke a row, a name like a formula made it foreign, a long cell broke the reader."""
    hidden = Hidden("small", 0, 1.0)
    names = ["=1", "+1", "-1", "@a", "'=1", "'a", "a,b", 'a"b']
    rows = []
    for name in names:
        place = dict.fromkeys(("suite", "origin", "scorer", "case"), name)
        shown = {"input": "a\rb", "expected": "a\r\nb", "output": "\r" + "x" * 200_000, "verdict": "fail"}
        rows.append({**place, "id": sealed(hidden, " ".join(place.values())), **shown})
    (tmp_path / "sample.csv").write_text(as_file(rows, ".csv"), "utf-8", newline="")
    labels, left = read_sample(tmp_path / "sample.csv")
    assert [label.case for label in labels] == [label.suite for label in labels] == names
    assert labels[0].row.fields == rows[0]
    assert left == 0

    (tmp_path / "sample.csv").write_text('"suite","case"\n"sums","c1', "utf-8")
    with pytest.raises(UsageError, match=r"sample\.csv:1: broken CSV"):
        read_sample(tmp_path / "sample.csv")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"case": ["c1"]}, r"case: expected text, got \['c1'\]"),
        ({"origin": 7}, "origin: expected text, got 7"),
        ({"id": {}}, "id: expected text, got {}"),
        ({"verdict": False}, "verdict: expected pass or fail, got False"),
        ({"verdict": ["pass"]}, r"verdict: expected pass or fail, got \['pass'\]"),
        ({"id": sealed(Hidden("small", 0, 10**400), "a a a a")}, "expected suite, origin, scorer, case and id as"),
    ],
)
def test_a_cell_that_is_no_text_is_told_with_its_line(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    place = dict.fromkeys(("suite", "origin", "scorer", "case"), "a")
    row = {**place, "id": sealed(Hidden("small", 0, 1.0), "a a a a"), "verdict": "pass", **change}
    (tmp_path / "sample.jsonl").write_text(json.dumps(row))
    with pytest.raises(UsageError, match=rf"sample\.jsonl:1: {message}"):
        read_sample(tmp_path / "sample.jsonl")


def test_without_a_night_there_is_nothing_to_sample(lab: JudgedLab) -> None:
    [problem] = lab.run("judge", "sample").data["problems"]
    assert problem["message"].startswith("expected a run with judged suites in")
