"""Models that go away, through the whole product: what every source says, the risk, and what may replace them."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.provider import FakeProvider, Received, refused, said
from tests.flows.lab import Lab, right, sums
from tests.flows.llmdrift import ANSWERS, recorded, replayed
from tests.flows.night import daybreak

pytestmark = pytest.mark.usefixtures("prefect_server")
TODAY = datetime.now(UTC).date()
GONE = refused(404, "The model `small` does not exist.", code="model_not_found")


def in_days(days: int) -> str:
    return (TODAY + timedelta(days=days)).isoformat()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with FakeProvider() as provider:
        provider.answer("*", right)
        yield Lab(tmp_path, provider, n=12, gate="{baseline_trials: 1, max_detectable_drop_pp: 100, max_drop_pp: 30}")


def ends(answer: Any) -> dict[str, dict[str, Any]]:
    """The retirement table by model."""
    return {row["model"]: row for row in answer.data["retirements"]}


def test_every_source_is_heard_in_a_night_and_the_earliest_counts(lab: Lab) -> None:
    lab.config({"small": f"retires_on: {in_days(80)}", "large": ""})
    lab.write("deployments/retirements.yaml", f"retirements: [{{model: openai/small, retires: {in_days(50)}}}]")
    lab.provider.models = [{"id": "small", "shutdown_date": in_days(20)}, {"id": "other"}]
    night = lab.run("nightly")
    small, large = (ends(night)[name] for name in ("small", "large"))
    assert (small["days_left"], small["risk"]) == (20, "low"), "large was measured in the same night, and holds"
    assert small["source"] == f"model list; team file says {in_days(50)}; config says {in_days(80)}"
    assert any("retirements.yaml:1: " in claim for claim in small["claims"])
    assert large["source"].startswith("not in the provider's model list, though it answered on ")
    assert "retires in 20 days" in night.data["message"]
    [row] = lab.sql("SELECT model, days_left FROM retirements")
    assert row == {"model": "small", "days_left": 20}


@pytest.mark.slow
def test_a_list_is_not_asked_for_where_nobody_wants_it(lab: Lab) -> None:
    lab.config(more="model_lists: false\n")
    lab.provider.models = []
    assert ends(lab.run("nightly"))["small"]["source"] == "no source"


def test_a_model_that_is_not_found_any_more_has_gone(lab: Lab) -> None:
    lab.run("nightly")
    lab.provider.answer("small", GONE)
    night = lab.run("nightly")
    assert night.exit_code == 3
    assert ends(night)["small"]["source"] == "calls"
    assert ends(night)["small"]["days_left"] == 0


def test_a_mistake_in_the_teams_file_is_refused_with_its_line(lab: Lab) -> None:
    lab.write("deployments/retirements.yaml", "retirements:\n  - {model: small, retires: soon}\n")
    refusal = lab.run("nightly")
    assert refusal.exit_code == 2
    [problem] = refusal.data["problems"]
    assert problem["where"].endswith("deployments/retirements.yaml:2")
    assert lab.provider.requests == []


def test_a_replacement_is_advised_where_it_was_measured_and_a_comparison_planned_where_not(lab: Lab) -> None:
    price = "price: {input_per_million: 10, output_per_million: 10}"
    cheap = "price: {input_per_million: 5, output_per_million: 5}"
    lab.config({"small": f"{price}, retires_on: {in_days(40)}", "large": cheap})
    lab.suite(
        "models: [small]\nscorers: [exact]\nparams: {max_tokens: 100}\n",
        [{"id": "x", "input": "1 + 1", "expected": "2"}],
        name="more",
    )
    first = ends(lab.run("nightly", "--model", "small"))["small"]
    assert (first["replacement"], first["risk"]) == (None, "medium")
    assert len(first["advice"]) == 2, "nothing is measured, so there is no advice but to measure"
    lab.provider.answer("large", lambda request: said(right(request), completion_tokens=5))
    row = ends(lab.run("nightly"))["small"]
    assert (row["replacement"], row["risk"]) == ("large", "medium")
    measured, planned = row["advice"]
    assert measured.startswith("Best measured replacement: large, sums drop +0.0 pp (")
    assert "0.5 × the cost per action" in measured
    assert planned.startswith("Nothing measured yet for more: comparison with large planned, $0.0")
    assert "daybreak compare --candidate large --baseline small --suite more" in planned


def test_what_a_comparison_found_is_what_the_advice_says_whichever_suite_was_asked_for(lab: Lab) -> None:
    """The confirming trials count in both, and a suite that was left out of the run is at risk all the same."""
    lab.suite("scorers: [exact]\ngate: {max_drop_pp: 3, max_detectable_drop_pp: 100}\n", sums(30))
    lab.suite("scorers: [exact]\n", sums(2), name="more")
    lab.config({"small": f"retires_on: {in_days(40)}", "large": ""})
    asked: Counter[str] = Counter()

    def failing_often_at_first(request: Received) -> str:
        asked[request.prompt] += 1
        return right(request) if asked[request.prompt] > 1 or int(request.prompt.split()[0]) >= 12 else "no"

    lab.provider.answer("large", failing_often_at_first)
    done = lab.run("compare", "--candidate", "large", "--baseline", "small", "--suite", "sums")
    [found] = done.data["comparisons"]
    small = ends(done)["small"]
    assert small["suites"] == ["more", "sums"]
    phases = [row["phase"] for row in lab.sql("SELECT DISTINCT trial, phase FROM calls WHERE model = 'large'")]
    assert "confirm" in phases
    assert 0 < found["drop_pp"] == pytest.approx(40 / len(phases))
    assert f"large, sums drop +{found['drop_pp']:.1f} pp (" in small["advice"][0]


@pytest.mark.slow
@pytest.mark.skipif(not ANSWERS.exists(), reason="the recorded answers are not beside the checkout")
@pytest.mark.timeout(240)
def test_of_four_recorded_models_the_right_one_is_advised_and_its_slices_are_named(tmp_path: Path) -> None:
    write_prime_suite(tmp_path)
    with replayed() as url:
        config(tmp_path, url, retiring=("gpt-3.5-turbo-0301",))
        first = ends(daybreak(tmp_path, "nightly", "--model", "gpt-3.5-turbo-0301", "--json"))
        rows = ends(daybreak(tmp_path, "nightly", "--json"))
        config(tmp_path, url, retiring=("gpt-4-0314",))
        none = ends(daybreak(tmp_path, "watch", "--no-probe", "--json"))
    assert first["gpt-3.5-turbo-0301"]["replacement"] is None
    old = rows["gpt-3.5-turbo-0301"]
    assert old["replacement"] == "gpt-3.5-turbo-0613", "it holds the gate, and gpt-4-0314 costs twenty times as much"
    assert "prime drop −26.6 pp" in old["advice"][0]
    assert none["gpt-4-0314"]["replacement"] is None
    assert none["gpt-4-0314"]["advice"][0].startswith("Nearest measured: gpt-3.5-turbo-0613, prime drop +7.8 pp")
    assert "it loses on is-prime" in none["gpt-4-0314"]["advice"][0]


def write_prime_suite(root: Path) -> None:
    """The recorded questions, tagged by whether the number is prime, scored by the paper's rule."""
    from tests.flows.llmdrift import PAPERS_RULE

    folder = root / "datasets" / "prime"
    folder.mkdir(parents=True)
    rows = [row for row in recorded() if row["model"] == "gpt-4-0314"]
    cases = [
        {
            "id": row["id"],
            "input": row["query"],
            "expected": row["reference"],
            "tags": ["is-prime" if row["is_prime"] else "composite"],
        }
        for row in rows
    ]
    (folder / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))
    (folder / "score.py").write_text(PAPERS_RULE)
    (folder / "suite.yaml").write_text(
        "scorers: [{type: python, call: 'score.py:score'}]\ngate: {baseline_trials: 1}\n"
    )


def config(root: Path, url: str, *, retiring: tuple[str, ...]) -> None:
    """Four models, of which some retire soon."""
    lines = ["models:"]
    for name in ("gpt-4-0314", "gpt-4-0613", "gpt-3.5-turbo-0301", "gpt-3.5-turbo-0613"):
        price = (
            "{input_per_million: 30, output_per_million: 60}"
            if "gpt-4" in name
            else "{input_per_million: 1.5, output_per_million: 2}"
        )
        end = f", retires_on: {in_days(40)}" if name in retiring else ""
        lines.append(
            f"  - {{name: {name}, model: openai/{name}, base_model: none, api_base: '{url}', api_key_env: REPLAY_KEY,"
        )
        lines.append(f"     params: {{temperature: 0}}, price: {price}{end}}}")
    (root / "deployments").mkdir(exist_ok=True)
    (root / "deployments" / "daybreak.yaml").write_text("\n".join(lines) + "\nmodel_lists: false\n")
    (root / ".env").write_text("REPLAY_KEY=not-a-real-key\n")
