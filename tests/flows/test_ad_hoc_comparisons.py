"""One candidate against another, now: models, prompts, parameters and endpoints, on a provider of known truth."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.prefect_server import PrefectServer
from tests.fakes.provider import FakeProvider, Received, Reply, said
from tests.flows.judged_lab import only
from tests.flows.lab import KEY, Lab, killed_when, right, sums
from tests.flows.night import pages

pytestmark = pytest.mark.usefixtures("prefect_server")
GATE = "{baseline_trials: 3, max_detectable_drop_pp: 100}"
N = 24
TOLD = ("verdict", "n_paired", "baseline_pass_rate", "pass_rate", "drop_pp", "ci_low_pp", "ci_high_pp", "fresh_trials")


def knowing(request: Received) -> Reply | str:
    """Right, except that a careless prompt or a high temperature fails a third of the cases."""
    system = request.body["messages"][0]["content"]
    careless = "Guess" in system or request.body.get("temperature", 0) > 0.5
    wrong = careless and int(request.prompt.split(" + ")[0]) % 3 == 0
    return said("no idea" if wrong else right(request), completion_tokens=5)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with FakeProvider() as provider:
        lab = Lab(tmp_path, provider, n=N)
        lab.suite(f"scorers: [exact]\nprompt: prompt.md\ngate: {GATE}\n")
        lab.write("datasets/sums/prompt.md", "Add.")
        provider.answer("*", knowing)
        yield lab


def systems(lab: Lab) -> list[str]:
    return [request.body["messages"][0]["content"] for request in lab.provider.requests]


def test_a_worse_prompt_ends_with_1_and_is_named_as_the_cause(lab: Lab) -> None:
    lab.write("new.md", "Guess.")
    ended = lab.run("compare", "--candidate", "small", "--prompt", "new.md")
    assert ended.exit_code == 1
    row = only(ended)
    assert (row["model"], row["baseline_model"]) == ("small with new.md", "small")
    assert (row["verdict"], row["differences"]) == ("regressed", ["prompt template"])
    assert row["cause"].startswith("prompt template (")
    asked = systems(lab)[: 2 * 3 * N]
    assert asked.count("Add.") == asked.count("Guess.") == 3 * N, "as many trials on both sides as the rule wants"
    assert 0 < systems(lab)[: 3 * N].count("Guess.") < 3 * N, "in turns"
    assert "baseline promote" not in pages(Path(ended.data["report"]))
    refused = lab.run("baseline", "promote", ended.data["run_id"], "--model", "small with new.md")
    assert refused.exit_code == 2
    assert "the config has no model of that name" in refused.data["problems"][0]["message"]
    assert lab.sql("SELECT count(*) AS n FROM baselines") == [{"n": 0}]


@pytest.mark.slow
def test_two_workers_find_what_one_process_finds_and_confirm_what_it_confirms(lab: Lab) -> None:
    lab.suite(f"scorers: [exact]\nprompt: prompt.md\ngate: {GATE}\n", sums(96))
    lab.write("new.md", "Guess.")
    found = []
    for workers in (1, 2):
        lab.config(more=f"workers: {workers}\n")
        lab.provider.requests.clear()
        row = only(lab.run("compare", "--candidate", "small", "--prompt", "new.md"))
        asked = sorted((request.body["messages"][0]["content"], request.prompt) for request in lab.provider.requests)
        found.append((asked, {name: value for name, value in row.items() if name in TOLD}))
    alone, shared = found
    assert shared == alone
    assert alone[1]["verdict"] == "regressed"
    assert len(alone[0]) == 96 * (3 + 3 + alone[1]["fresh_trials"])
    assert alone[1]["fresh_trials"] > 0


def test_an_equal_prompt_ends_with_0(lab: Lab) -> None:
    lab.write("new.md", "Add, please.")
    ended = lab.run("compare", "--candidate", "small", "--prompt", "new.md")
    assert (ended.exit_code, only(ended)["verdict"]) == (0, "unchanged")


def test_what_befell_the_provider_since_an_earlier_night_is_not_the_candidates_doing(lab: Lab) -> None:
    """Stored nights of the baseline once counted on its side alone."""
    lab.run("nightly")
    lab.provider.answer("*", "no idea")
    lab.write("new.md", "Add, please.")
    ended = lab.run("compare", "--candidate", "small", "--prompt", "new.md")
    row = only(ended)
    assert (ended.exit_code, row["verdict"], row["drop_pp"]) == (0, "unchanged", 0)
    assert row["baseline_run_ids"] == [ended.data["run_id"]]


def test_the_prompt_of_a_stored_run_tells_whether_it_was_the_prompt(lab: Lab) -> None:
    first = lab.run("nightly").data["run_id"]
    lab.write("datasets/sums/prompt.md", "Guess.")
    ended = lab.run("compare", "--candidate", "small", "--prompt", first)
    assert (ended.exit_code, only(ended)["verdict"]) == (0, "improved")
    assert only(ended)["differences"] == ["prompt template"]


def test_parameters_against_parameters(lab: Lab) -> None:
    lab.suite(f"scorers: [exact]\nprompt: prompt.md\nparams: {{temperature: 0, max_tokens: 9}}\ngate: {GATE}\n")
    ended = lab.run("compare", "--candidate", "small", "--param", "temperature=0.9", "--param", "max_tokens=null")
    assert ended.exit_code == 1
    assert only(ended)["differences"] == ["parameters"]
    assert only(ended)["cause"].startswith(
        "parameters (max_tokens=9, temperature=0 → max_tokens=null, temperature=0.9)"
    )
    sent = {(request.body.get("temperature"), request.body.get("max_tokens")) for request in lab.provider.requests}
    assert sent == {(0, 9), (0.9, None)}


@pytest.mark.slow
def test_another_endpoint_is_asked_and_named(lab: Lab) -> None:
    with FakeProvider() as other:
        other.answer("*", knowing)
        ended = lab.run("compare", "--candidate", "small", "--api-base", other.url)
        assert len(other.requests) == 3 * N
    assert (ended.exit_code, only(ended)["differences"]) == (0, ["provider endpoint"])


@pytest.mark.slow
def test_a_budget_asks_both_sides_less_often(lab: Lab) -> None:
    price = "price: {input_per_million: 1000, output_per_million: 0}, limits: {concurrency: 1}"
    lab.config({"small": price}, more="budget_usd: 0.2\n")
    lab.suite(f"scorers: [exact]\nprompt: prompt.md\nparams: {{max_tokens: 9}}\ngate: {GATE}\n")
    lab.write("new.md", "Add, please.")
    ended = lab.run("compare", "--candidate", "small", "--prompt", "new.md")
    assert any("budget_usd pays for no more" in note for note in ended.data["notes"])
    assert systems(lab).count("Add.") < 3 * N


def test_a_run_against_a_run_calls_nothing_and_names_scorers_that_changed(lab: Lab) -> None:
    first = lab.run("nightly").data["run_id"]
    again = lab.run("nightly").data["run_id"]
    lab.suite(f"scorers: [{{type: regex, pattern: '^no'}}]\nprompt: prompt.md\ngate: {GATE}\n")
    strict = lab.run("nightly").data["run_id"]
    lab.provider.requests.clear()
    same = lab.run("compare", "--candidate", again, "--baseline", first)
    assert (same.exit_code, only(same)["verdict"], only(same)["differences"]) == (0, "unchanged", [])
    worse = lab.run("compare", "--candidate", strict, "--baseline", first)
    assert (worse.exit_code, only(worse)["verdict"], only(worse)["drop_pp"]) == (1, "regressed", 100.0)
    assert only(worse)["cause"].startswith("scorers (")
    assert lab.run("compare", "--candidate", strict, "--baseline", "small").exit_code == 2
    assert lab.run("compare", "--candidate", strict, "--baseline", "run-20260101-000000-abcd").exit_code == 2
    assert lab.provider.requests == []


def test_the_commands_that_are_printed_of_a_changed_candidate_can_be_run(lab: Lab) -> None:
    """They named the candidate as tables do: no model of the config has such a name."""
    lab.write("new.md", "Guess.")
    (lab.root / "deployments/daybreak.yaml").rename(lab.root / "deployments/other.yaml")
    other = ("--config", "deployments/other.yaml")
    ended = lab.run("compare", "--candidate", "small", "--prompt", "new.md", "--param", "seed=1", *other)
    [parameters, prompt] = [shlex.split(line.partition(": ")[2]) for line in only(ended)["commands"]]
    run_id = ended.data["run_id"]
    asked = ["daybreak", "compare", "--suite", "sums", "--candidate", "small"]
    assert parameters == [*asked, "--param", "seed=1", *other]
    assert prompt == [*asked, "--prompt", "new.md", *other]
    page = (lab.root / f"results/reports/{run_id}/index.html").read_text("utf-8")
    assert "daybreak compare --candidate small --prompt new.md --param seed=1 --baseline small --suite sums" in page
    again = [lab.run(*command[1:]) for command in (parameters, prompt)]
    assert [(one.exit_code, only(one)["differences"]) for one in again] == [
        (0, ["parameters"]),
        (1, ["prompt template"]),
    ]


def test_a_baseline_may_be_a_litellm_id_and_is_asked_where_the_candidate_is(lab: Lab) -> None:
    ended = lab.run("compare", "--candidate", "small", "--baseline", "openai/m-0314")
    assert (ended.exit_code, only(ended)["baseline_model"]) == (0, "openai/m-0314")
    assert {request.model for request in lab.provider.requests} == {"small", "m-0314"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--prompt", "nowhere.md"], "no such file"),
        (["--prompt", "run-20270101-020000-aaaa"], "expected a file or a stored run"),
        (["--prompt", "bad.md"], "a template never sees 'expected'"),
        (["--prompt", "lacking.md"], "lacking.md:1"),
        (["--param", "temperature"], "expected NAME=VALUE"),
        (["--param", "stream=true"], "Daybreak controls stream itself"),
        (["--param", 'callbacks=["x"]'], "Daybreak controls callbacks itself"),
        (["--param", "temperature=1e999"], "a finite number"),
        (["--param", "user=\udcff"], "halves of characters"),
        (["--api-base", "http://[::1"], "expected an address"),
        (["--api-base", "http://\udcff"], "halves of characters"),
        (["--api-base", "elsewhere"], "an address that starts with http"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_called(lab: Lab, options: Any, message: str) -> None:
    lab.write("bad.md", "{{ expected }}")
    lab.write("lacking.md", "{{ input.question }}")
    ended = lab.run("compare", "--candidate", "small", *options)
    assert ended.exit_code == 2
    assert message in str(ended.data["problems"])
    assert lab.provider.requests == []


def test_what_may_be_secret_reaches_the_provider_and_nothing_that_is_kept(
    lab: Lab, prefect_server: PrefectServer
) -> None:
    """A candidate's name once held its parameters as they were typed."""
    headers = '{"X-Team": "Bearer sk-typed-1", "X-Auth": "sk-typed-2"}'
    options = ["--param", f"extra_headers={headers}", "--param", f"stop={KEY}"]
    ended = lab.run("compare", "--candidate", "small", *options)
    assert ended.exit_code == 0, ended.err
    assert "Bearer sk-typed-1" in {request.headers.get("x-team") for request in lab.provider.requests}
    assert KEY in {request.body.get("stop") for request in lab.provider.requests}
    flow_runs = prefect_server.flow_runs()
    assert "extra_headers=#" in str(flow_runs)
    kept = [path.read_bytes() for path in lab.root.glob("results/**/*") if path.is_file()]
    kept += [cell.encode() for cell in map(str, lab.sql("SELECT * FROM calls") + lab.sql("SELECT * FROM cells"))]
    for secret in ("sk-typed-1", "sk-typed-2", KEY):
        assert not any(secret.encode() in content for content in kept)
        assert secret not in f"{flow_runs} {ended.out} {ended.err}"


def test_a_comparison_with_what_was_not_stored_is_not_resumed_with_less(lab: Lab) -> None:
    lab.provider.answer("*", lambda request: said(right(request), delay_s=0.05))
    options = ["--param", "user=" + "x" * 41]
    killed_when(lambda: len(lab.provider.requests) >= 5, lab, "compare", "--candidate", "small", *options)
    asked = len(lab.provider.requests)
    resumed = lab.run("nightly", "--resume", "latest")
    assert resumed.exit_code == 2
    assert "was asked with user, which may be secret" in resumed.data["problems"][0]["message"]
    assert len(lab.provider.requests) == asked


def test_a_changed_candidate_has_a_name_of_its_own(lab: Lab) -> None:
    """One whose name was taken, or cut off, once broke the run."""
    lab.config({"small": "", "small with seed=1": "", "s" * 100: ""})
    for candidate in ("small", "s" * 100):
        ended = lab.run("compare", "--candidate", candidate, "--param", "seed=1")
        assert ended.exit_code == 0, ended.err
        assert only(ended)["baseline_model"] == candidate
        assert only(ended)["model"] not in {candidate, "small with seed=1"}
