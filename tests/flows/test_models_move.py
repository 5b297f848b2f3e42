"""Nights on which the version behind a name moved, or the prompt was not what its template renders."""

import shlex
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks.datasets.templates import Renderer
from tests.fakes.prefect_server import PrefectServer
from tests.fakes.provider import FakeProvider, Received, Reply, refused, said
from tests.flows.judged_lab import only
from tests.flows.lab import Lab, right, wrong_below

GATE = "{baseline_trials: 3, max_detectable_drop_pp: 100}"


@pytest.fixture
def lab(tmp_path: Path, prefect_server: PrefectServer) -> Iterator[Lab]:
    with FakeProvider() as provider:
        yield Lab(tmp_path, provider, n=20, gate=GATE)


def served(answer: Any, *versions: str | None) -> Any:
    """Answer so, as these versions in turn."""
    asked = 0

    def reply(request: Received) -> Reply:
        nonlocal asked
        asked += 1
        return said(answer(request), served_as=versions[asked % len(versions)])  # type: ignore[arg-type]

    return reply


def forgetful(request: Received) -> Any:
    """Wrong on some cases, and able to answer a probe."""
    return wrong_below(8)(request) if "+" in request.prompt else "OK"


def events(night: Any) -> list[tuple[str, str]]:
    return [(event["kind"], event["text"]) for event in night.data["events"]]


def test_a_moved_version_is_told_once_and_is_the_cause_of_the_drop_it_made(
    lab: Lab, prefect_server: PrefectServer
) -> None:
    lab.provider.answer("*", served(right, "m-0314"))
    assert events(lab.run("nightly")) == []
    lab.provider.answer("*", served(wrong_below(8), "m-0613"))
    moved = lab.run("nightly")
    assert events(moved) == [("version_moved", "small moved from m-0314 to m-0613")]
    assert only(moved)["verdict"] == "regressed"
    assert only(moved)["differences"] == ["served model"]
    assert only(moved)["cause"].startswith("served model (m-0314 → m-0613); more than 3 pp worse")
    assert "served model (m-0314 → m-0613)" in moved.data["message"]
    after = lab.run("nightly")
    assert events(after) == []
    assert "moved from" not in after.data["message"]
    assert only(after)["differences"] == ["served model"], "the baseline is still what it was"
    [row] = lab.sql("SELECT model, kind, before, now FROM events")
    assert row == {"model": "small", "kind": "version_moved", "before": ["m-0314"], "now": ["m-0613"]}
    emitted = prefect_server.ask(
        "/events/filter",
        {"filter": {"event": {"name": ["daybreak.version-moved"]}, "resource": {"id": ["daybreak.model.small"]}}},
    )
    told = [event["payload"]["run_id"] for event in emitted["events"]]  # type: ignore[call-overload]
    assert told.count(moved.data["run_id"]) == 1
    assert after.data["run_id"] not in told


def test_two_versions_behind_one_alias_in_one_night_are_named(lab: Lab) -> None:
    lab.provider.answer("*", served(right, "m-0314"))
    lab.run("nightly")
    lab.provider.answer("*", served(right, "m-0314", "m-0613"))
    night = lab.run("nightly")
    [(kind, text)] = events(night)
    assert kind == "versions_mixed"
    assert "mixture of m-0" in text
    assert "(10 of 20)" in text
    assert only(night)["cause"].startswith("changed since the baseline: served model (m-0314 → m-0314 and m-0613)")


def test_a_drop_behind_the_same_version_is_called_what_it_is(lab: Lab) -> None:
    lab.provider.answer("*", served(right, "m-0314"))
    lab.run("nightly")
    lab.provider.answer("*", served(wrong_below(8), "m-0314"))
    night = only(lab.run("nightly"))
    assert night["differences"] == []
    assert night["cause"].startswith(
        "the provider changed behind the same version, or noise that passed the test: "
        "served as m-0314, fingerprint fp_fake on both sides, p = "
    )


@pytest.mark.slow
def test_two_changes_at_once_are_listed_with_the_comparisons_that_tell_them_apart(lab: Lab) -> None:
    lab.suite(f"scorers: [exact]\nprompt: prompt.md\ngate: {GATE}\n")
    lab.write("datasets/sums/prompt.md", "Add.")
    lab.provider.answer("*", served(right, "m-0314"))
    first = lab.run("nightly").data["run_id"]
    lab.write("datasets/sums/prompt.md", "Add well.")
    lab.provider.answer("m-0314", served(right, "m-0314"))
    lab.provider.answer("*", served(wrong_below(8), "m-0613"))
    night = only(lab.run("nightly"))
    assert night["differences"] == ["served model", "prompt template"]
    assert night["cause"].startswith("one of 2: served model (m-0314 → m-0613), prompt template (")
    compare = "daybreak compare --suite sums --candidate small"
    assert night["commands"] == [
        f"served model: {compare} --baseline openai/m-0314",
        f"prompt template: {compare} --prompt {first}",
    ]
    assert told_apart(lab, night) == {"served model": "regressed", "prompt template": "unchanged"}


@pytest.mark.slow
def test_of_two_models_with_other_parameters_each_command_lets_one_of_both_differ(lab: Lab) -> None:
    """One asked the other model without the candidate's parameters, and found two differences again."""
    lab.write("deployments/daybreak.yaml", two_models(lab.provider.url))
    lab.provider.answer("*", careless_when_hot)
    night = lab.run("nightly")
    [moved] = [row for row in night.data["comparisons"] if row["model"] == "new"]
    assert moved["cause"].startswith("one of 2: served model (old-1 → new-1), parameters (")
    assert told_apart(lab, moved) == {"served model": "unchanged", "parameters": "improved"}
    against = ["compare", "--candidate", "new", "--param", "temperature=0", "--baseline", night.data["run_id"]]
    assert only(lab.run(*against))["baseline_model"] == "new", "of a run with both"


def two_models(url: str) -> str:
    """A config in which the model that is compared to another one has parameters of its own."""
    at = f"api_base: '{url}', api_key_env: LAB_KEY"
    return (
        f"models:\n  - {{name: old, model: openai/old, {at}, params: {{temperature: 0, max_tokens: 9}}}}\n"
        f"  - {{name: new, model: openai/new, {at}, params: {{temperature: 1, seed: 5}}, compare_to: old}}\n"
    )


def careless_when_hot(request: Received) -> Reply:
    """Right unless the temperature is high, whichever model is asked."""
    answer = wrong_below(8) if request.body["temperature"] else right
    return said(answer(request), served_as=f"{request.model}-1")


def told_apart(lab: Lab, row: Any) -> dict[str, str]:
    """The verdict of each printed command, which names one factor."""
    found = {}
    for line in row["commands"]:
        factor, _, command = line.partition(": ")
        ended = only(lab.run(*shlex.split(command)[1:]))
        assert ended["differences"] == [factor]
        found[factor] = ended["verdict"]
    return found


@pytest.mark.slow
def test_the_commands_of_the_shipped_night_tell_its_simulated_models_apart(lab: Lab) -> None:
    """They led in a circle: a bare version of a simulated model has none of its manners."""
    root = Path(__file__).parents[2]
    shutil.copy(root / "deployments/daybreak.yaml", lab.root / "deployments/daybreak.yaml")
    shutil.copytree(root / "datasets/invoice-extract", lab.root / "datasets/invoice-extract")
    night = lab.run("nightly", "--suite", "invoice-extract")
    [moved] = [row for row in night.data["comparisons"] if row["model"] == "dawn-2"]
    assert told_apart(lab, moved) == {"served model": "unchanged", "parameters": "improved"}


def test_a_prompt_that_is_not_what_its_template_renders_is_an_event_of_its_own(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stamping(Renderer):
        """Puts a number into each system prompt, as a proxy that stamps requests would."""

        asked = 0

        def messages(self, case: Any) -> list[dict[str, str]]:
            Stamping.asked += 1
            return [{"role": "system", "content": f"Add. ({Stamping.asked})"}, *super().messages(case)[1:]]

    lab.suite(f"scorers: [exact]\nprompt: prompt.md\ngate: {GATE}\n")
    lab.write("datasets/sums/prompt.md", "Add.")
    lab.provider.answer("*", right)
    monkeypatch.setattr("flows.evaluating.evaluation.Renderer", Stamping)
    [(kind, text)] = events(lab.run("nightly"))
    assert kind == "prompt_drifted"
    assert "the system prompt of 20 cases was not what the template renders, of 20 not even the same" in text
    assert events(lab.run("nightly")) == []
    monkeypatch.undo()


@pytest.mark.slow
def test_the_watch_finds_a_move_with_one_call_compares_at_once_and_only_once(lab: Lab) -> None:
    lab.provider.answer("*", served(right, "m-0314"))
    lab.run("nightly")
    quiet = lab.run("watch")
    assert (quiet.exit_code, quiet.data["calls"], quiet.data["events"], quiet.data["compared"]) == (0, 1, [], [])
    assert quiet.data["versions"]["small"].startswith("m-0314 since ")
    lab.provider.answer(
        "*", served(lambda request: wrong_below(8)(request) if "+" in request.prompt else "OK", "m-0613")
    )
    watch = lab.run("watch")
    assert watch.exit_code == 1, watch.err
    assert events(watch) == [("version_moved", "small moved from m-0314 to m-0613")]
    [compared] = watch.data["compared"]
    assert compared["comparisons"][0]["verdict"] == "regressed"
    assert compared["comparisons"][0]["cause"].startswith("served model (m-0314 → m-0613)")
    assert compared["events"] == []
    assert f"Comparison (1 regressed): {lab.root}/results/reports/{compared['run_id']}/" in watch.data["message"]
    again = lab.run("watch")
    assert (events(again), again.data["compared"], again.exit_code) == ([], [], 0)
    assert events(lab.run("nightly")) == [], "the night is silent about what the watch has told"


def test_a_model_that_does_not_answer_its_probe_ends_the_watch_with_3(lab: Lab) -> None:
    lab.provider.answer("*", refused(401, "No such key.", code="invalid_api_key"))
    watch = lab.run("watch")
    assert watch.exit_code == 3
    assert "small: its probe ended as unauthorized" in watch.data["silent"][0]
    assert lab.run("watch", "--no-probe").data["calls"] == 0


@pytest.mark.slow
def test_a_replacement_that_was_never_measured_is_compared_once_if_the_team_wants_it(lab: Lab) -> None:
    soon = (datetime.now(UTC) + timedelta(days=25)).date()
    price = "price: {input_per_million: 1, output_per_million: 1}"
    small = f"{price}, retires_on: {soon}"
    lab.suite(f"scorers: [exact]\nparams: {{max_tokens: 9}}\nmodels: [small]\ngate: {GATE}\n")
    lab.provider.answer("*", right)
    lab.config({"small": small, "large": price}, more="budget_usd: 5\nauto_compare: true\n")
    lab.run("nightly")
    watch = lab.run("watch")
    [compared] = watch.data["compared"]
    assert (compared["comparisons"][0]["model"], compared["comparisons"][0]["baseline_model"]) == ("large", "small")
    again = lab.run("watch")
    assert again.data["compared"] == []
    [row] = [row for row in again.data["retirements"] if row["model"] == "small"]
    assert "large" in row["advice"][0]
