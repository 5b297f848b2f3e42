"""Models that are compared with another model of the same run: `compare_to`, and `compare --baseline MODEL`."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.provider import FakeProvider, Received, refused
from tests.flows.lab import Lab, broken_below, right, sums, wrong_below
from tests.flows.night import daybreak

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with FakeProvider() as provider:
        provider.answer("*", right)
        lab = Lab(tmp_path, provider, n=12)
        lab.config({"old": "", "new": "compare_to: old"})
        yield lab


def test_a_model_asked_alone_brings_the_one_it_is_compared_to_and_says_so(lab: Lab) -> None:
    """It used to pin itself, and to be compared with that from then on."""
    planned = lab.run("plan", "--model", "new").data
    assert [cell["model"] for cell in planned["cells"]] == ["old", "new"]
    assert planned["notes"] == ["old is asked too: new is compared to it"]

    night = lab.run("nightly", "--model", "new")
    compared = {row["model"]: row["baseline_model"] for row in night.data["comparisons"]}
    assert compared == {"old": None, "new": "old"}
    assert lab.sql("SELECT model FROM baselines") == [{"model": "old"}]


def test_a_suite_that_does_not_run_on_the_reference_is_pointed_out(lab: Lab) -> None:
    lab.suite("scorers: [exact]\nmodels: [new]\n")
    assert lab.run("plan").data["notes"] == ["sums does not run on old: new has a baseline of its own there"]


def test_what_is_compared_in_the_same_run_has_no_baseline_to_list_or_promote(lab: Lab) -> None:
    run_id = lab.run("nightly").data["run_id"]
    listed = lab.run("baseline", "list").data
    assert [pin["model"] for pin in listed["baselines"]] == ["old"]
    assert listed["compared_in_the_same_run"] == [{"suite": "sums", "model": "new", "compare_to": "old"}]

    named = lab.run("baseline", "promote", run_id, "--model", "new")
    assert named.exit_code == 2
    assert named.data["problems"][0]["message"] == "sums on new is compared with old in the same run"
    promoted = lab.run("baseline", "promote", run_id).data["promoted"]
    assert [pin["model"] for pin in promoted] == ["old"]


def test_a_gate_that_the_reference_of_a_comparison_fails_says_nothing_of_the_candidate(lab: Lab) -> None:
    lab.suite("scorers: [exact]\ngate: {min_pass_rate: 0.9, max_detectable_drop_pp: 100}\n")
    lab.provider.answer("old", wrong_below(12))
    compared = lab.run("compare", "--candidate", "new")
    assert compared.exit_code == 0, compared.err
    assert {gate["model"] for gate in compared.data["gates"]} == {"new"}


def test_the_pass_rate_gate_holds_the_rate_and_interval_that_are_shown(lab: Lab) -> None:
    """It once took the planned trials alone, and cases of one group for independent ones."""
    cases = [{**case, "group": f"g{number // 4}"} for number, case in enumerate(sums(20))]
    lab.suite("scorers: [exact]\ngate: {min_pass_rate: 0.7, baseline_trials: 2, max_detectable_drop_pp: 100}\n", cases)
    lab.config({"old": ""})
    lab.run("nightly")
    asked: Counter[str] = Counter()

    def hesitant(request: Received) -> str:
        asked[request.prompt] += 1
        return "no idea" if asked[request.prompt] == 1 and int(request.prompt.split()[0]) < 12 else right(request)

    lab.provider.answer("old", hesitant)
    night = lab.run("nightly").data
    [row], [gate] = night["comparisons"], night["gates"]
    assert row["fresh_trials"] > 0
    assert row["pass_rate"] == pytest.approx(1 - 12 / 20 / row["trials"])
    shown = row["pass_rate"], row["rate_ci_low"], row["rate_ci_high"]
    assert (gate["value"], gate["ci_low"], gate["ci_high"]) == pytest.approx(shown)


def test_no_gate_is_decided_where_too_little_was_measured(lab: Lab) -> None:
    lab.suite("scorers: [exact]\ngate: {min_pass_rate: 0.99, min_coverage: 1}\n")
    lab.config({"old": ""})
    lab.provider.answer("old", lambda request: refused(400, "no") if request.prompt == "0 + 1" else "no idea")
    night = lab.run("nightly")
    assert [row["verdict"] for row in night.data["comparisons"]] == ["unmeasured"]
    assert [gate["state"] for gate in night.data["gates"]] == ["undecided"]
    assert night.exit_code == 3


def test_cells_of_a_first_night_without_enough_answers_each_say_why_and_nobody_is_told_to_promote(lab: Lab) -> None:
    lab.provider.answer("old", broken_below(10, refused(400, "Bad luck.")))
    night = daybreak(lab.root, "nightly")
    assert "  ! sums on old: 2 of 12 cases were measured; the gate asks for 95%; 20 × bad request" in night.out
    assert "  ! sums on new: the baseline measured only 2 of these 12 cases\n" in night.out
    assert "promote" not in night.out
    assert "36/36 trials, 16 passed, 0 failed, 20 unmeasured\n" in night.err
