"""Whole nights against a scripted provider, as the command line shows them."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.prefect_server import PrefectServer
from tests.fakes.provider import FakeProvider, Received, Reply, refused, said
from tests.flows.lab import GATE, KEY, Lab, broken_below, killed_when, right, sums, wrong_below

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with FakeProvider() as provider:
        provider.answer("*", right)
        yield Lab(tmp_path, provider)


def only(night: Any) -> dict[str, Any]:
    """The one comparison of a run."""
    [comparison] = night.data["comparisons"]
    return dict(comparison)


def test_the_first_night_pins_itself_and_a_drop_on_the_second_is_a_regression_with_its_flips(lab: Lab) -> None:
    first = lab.run("nightly")
    assert (first.exit_code, only(first)["verdict"]) == (0, "pinned")
    assert len(lab.provider.requests) == 2 * lab.n, "the first night asks baseline_trials"

    lab.provider.answer("*", wrong_below(8))
    second = lab.run("nightly")
    assert second.exit_code == 1
    row = only(second)
    assert (row["verdict"], row["drop_pp"], row["n_paired"]) == ("regressed", 40.0, 20)
    assert row["baseline_run_id"] == first.data["run_id"]
    assert row["ci_low_pp"] < 40 < row["ci_high_pp"]
    assert row["p_value"] < 0.001
    flips = lab.sql("SELECT case_id, direction, baseline_output, output FROM flips ORDER BY case_id")
    assert [flip["case_id"] for flip in flips] == [f"c{i:03}" for i in range(8)]
    assert flips[0] == {"case_id": "c000", "direction": "lost", "baseline_output": "1", "output": "no idea"}


def test_an_unchanged_night_says_which_drop_it_would_have_found(lab: Lab) -> None:
    lab.run("nightly")
    night = lab.run("nightly")
    assert (night.exit_code, only(night)["verdict"], only(night)["drop_pp"]) == (0, "unchanged", 0)
    assert 0 < only(night)["detectable_drop_pp"] < 100


def test_failed_calls_leave_a_cell_unmeasured_and_never_score_a_case_as_failed(lab: Lab) -> None:
    lab.run("nightly")
    lab.provider.answer("*", broken_below(6, refused(400, "Bad luck.")))
    night = lab.run("nightly")
    assert (night.exit_code, only(night)["verdict"]) == (3, "unmeasured")
    assert "14 of 20 cases were measured" in only(night)["cause"]
    assert "; 6 × bad request; mostly HTTP 400 (invalid_request_error): Bad luck." in only(night)["cause"]
    latest = f"run_id = '{night.data['run_id']}'"
    outcomes = lab.sql(f"SELECT outcome, count(*) AS n FROM outcomes WHERE {latest} GROUP BY outcome ORDER BY outcome")
    assert outcomes == [{"outcome": "passed", "n": 14}, {"outcome": "unmeasured", "n": 6}]
    assert lab.sql(f"SELECT count(*) AS n FROM calls WHERE {latest} AND status = 'bad_request'") == [{"n": 6}]
    promoted = lab.run("baseline", "promote", night.data["run_id"])
    assert promoted.exit_code == 2
    assert "14 of 20 cases were measured" in promoted.data["problems"][0]["message"]


def test_what_most_failed_calls_said_is_told_of_a_cell_that_could_be_judged_without_them(lab: Lab) -> None:
    lab.provider.answer("*", broken_below(1, refused(400, "Bad\x1b[31m luck.")))
    lab.run("nightly")
    night = lab.run("nightly")
    assert only(night)["verdict"] != "unmeasured"
    told = "sums on small: 1 of 20 cases not measured; 1 × bad request; mostly HTTP 400 (invalid_request_error): Bad"
    assert [note for note in night.data["notes"] if note.startswith(told)]
    assert "\x1b" not in night.out + night.err


def test_a_refused_key_stops_that_model_after_a_few_calls_and_the_night_goes_on_with_the_rest(lab: Lab) -> None:
    lab.config({"small": "", "locked": "limits: {concurrency: 2}"})
    lab.provider.answer("locked", refused(401, "Incorrect API key provided."))
    night = lab.run("nightly")
    verdicts = {row["model"]: (row["verdict"], row["cause"]) for row in night.data["comparisons"]}
    assert night.exit_code == 3
    assert verdicts["small"][0] == "pinned"
    assert verdicts["locked"][0] == "unmeasured"
    assert "unauthorized" in verdicts["locked"][1]
    assert sum(request.model == "locked" for request in lab.provider.requests) <= 4


def test_every_call_leaves_a_record_with_what_was_observed_of_it(lab: Lab) -> None:
    lab.suite("scorers: [exact]\nprompt: prompt.md\nparams: {max_tokens: 9}\n", name="sums")
    lab.write("datasets/sums/prompt.md", "Add. Case {{ id }}.")
    lab.provider.answer("*", lambda request: said(right(request), served_as="small-2026-01-01", fingerprint="fp_9"))
    lab.run("nightly")
    [call] = lab.sql("SELECT * FROM calls WHERE case_id = 'c003' AND trial = 1")
    assert call["requested_model"] == "openai/small"
    assert call["served_model"] == "small-2026-01-01"
    assert call["system_fingerprint"] == "fp_9"
    assert (call["prompt_tokens"], call["completion_tokens"], call["attempts"]) == (20, 5, 1)
    assert (call["status"], call["finish_reason"], call["output"]) == ("answered", "stop", "7")
    assert json.loads(call["params"]) == {"max_tokens": 9, "temperature": 0}
    assert call["latency_ms"] > 0
    assert call["cost_usd"] is None, "an unknown price is unknown, not free"
    [other] = lab.sql("SELECT prompt_hash FROM calls WHERE case_id = 'c004' AND trial = 1")
    assert other["prompt_hash"] != call["prompt_hash"], "the hash is of the system prompt as sent"
    [cells] = lab.sql("SELECT count(DISTINCT prompt_hash) AS hashes FROM cells")
    assert cells == {"hashes": 1}


def test_a_changed_label_is_not_a_changed_model(lab: Lab) -> None:
    lab.run("nightly")
    cases = sums(lab.n)
    for case in cases[:5]:
        case["expected"] = "odd"
    lab.suite(f"scorers: [exact]\ngate: {GATE}\n", cases)
    night = lab.run("nightly")
    assert (only(night)["verdict"], only(night)["drop_pp"]) == ("unchanged", 0)
    assert (only(night)["baseline_pass_rate"], only(night)["pass_rate"]) == (0.75, 0.75)
    assert any("5 labels changed" in note for note in night.data["notes"])


def test_a_dataset_that_changed_by_more_than_a_fifth_asks_for_a_promotion(lab: Lab) -> None:
    lab.run("nightly")
    lab.suite(
        f"scorers: [exact]\ngate: {GATE}\n", [*sums(15), *({**case, "id": f"new-{case['id']}"} for case in sums(10))]
    )
    night = lab.run("nightly")
    assert (night.exit_code, only(night)["verdict"]) == (3, "unmeasured")
    assert "the dataset changed: promote" in only(night)["cause"]

    assert lab.run("baseline", "promote", night.data["run_id"]).exit_code == 0
    assert only(lab.run("nightly"))["verdict"] == "unchanged"


def test_a_promoted_run_is_what_the_next_night_is_compared_with(lab: Lab) -> None:
    lab.run("nightly")
    lab.provider.answer("*", wrong_below(8))
    second = lab.run("nightly")
    assert lab.run("baseline", "promote", second.data["run_id"]).exit_code == 0
    [listed] = lab.run("baseline", "list").data["baselines"]
    assert (listed["run_id"], listed["pinned_by"]) == (second.data["run_id"], "promoted")
    third = lab.run("nightly")
    assert (third.exit_code, only(third)["verdict"]) == (0, "unchanged")
    assert only(lab.run("nightly"))["baseline_run_ids"] == [third.data["run_id"]], "also on the same day"


def test_a_candidate_is_compared_with_a_model_a_pin_or_a_run(lab: Lab) -> None:
    lab.config({"small": "", "large": ""})
    lab.provider.answer("large", wrong_below(9))
    night = lab.run("nightly", "--model", "small")
    beside = lab.run("compare", "--candidate", "large", "--baseline", "small")
    assert (beside.exit_code, only(beside)["verdict"], only(beside)["baseline_model"]) == (1, "regressed", "small")
    assert only(lab.run("compare", "--candidate", "small"))["baseline_run_id"] == night.data["run_id"]
    with_run = lab.run("compare", "--candidate", "large", "--baseline", night.data["run_id"])
    assert (only(with_run)["verdict"], only(with_run)["baseline_run_id"]) == ("regressed", night.data["run_id"])
    assert lab.sql("SELECT DISTINCT model FROM baselines") == [{"model": "small"}], "a comparison pins nothing"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare", "--candidate", "large"], "expected a model of the config, got 'large'"),
        (["compare", "--candidate", "small"], "nothing is pinned for small on sums"),
        (["compare", "--candidate", "small", "--baseline", "small"], "a baseline other than the candidate"),
        (["compare", "--candidate", "small", "--baseline", "run-20260101-000000-abcd"], "no trials of that suite"),
        (["nightly", "--model", "smal"], "did you mean 'small'?"),
        (["baseline", "promote", "run-20260101-000000-abcd"], "found none"),
        (["nightly", "--frobnicate"], "No such option"),
        (["sql", "DELETE FROM calls"], ""),
        (["judge", "calibrate"], "expected a suite with a scorer of type judge"),
        (["alerts", "ack", "7"], "expected an open incident, got '7'"),
        (["compare", "--candidate", "small", "--prompt", "new.md"], "no such file"),
    ],
)
def test_wrong_usage_is_refused_in_one_json_object_and_nothing_is_called(
    lab: Lab, arguments: list[str], message: str
) -> None:
    ended = lab.run(*arguments)
    assert ended.exit_code == 2
    assert ended.data["status"] == "refused"
    problem = ended.data["problems"][0]
    assert message in f"{problem['message']} {problem['hint']}"
    assert lab.provider.requests == []
    assert "Traceback" not in ended.err


def test_a_cell_that_breaks_leaves_the_night_to_the_others(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.suite("scorers: [exact]\n", sums(5), name="other")
    from flows.evaluating import evaluation

    build = evaluation.build_scorers  # type: ignore[attr-defined]

    def break_one(suite: Any) -> Any:
        if suite.name == "other":
            raise ZeroDivisionError("a bug")
        return build(suite)

    monkeypatch.setattr(evaluation, "build_scorers", break_one)
    night = lab.run("nightly")
    verdicts = {row["suite"]: (row["verdict"], row["cause"]) for row in night.data["comparisons"]}
    assert verdicts["sums"][0] == "pinned"
    assert verdicts["other"][0] == "unmeasured"
    assert "a bug" in verdicts["other"][1]
    assert night.exit_code == 3


def test_no_secret_reaches_a_file_or_the_terminal(lab: Lab) -> None:
    lab.provider.answer("*", [refused(400, f"The key {KEY} is fine, the rest is not."), right])
    night = lab.run("nightly")
    assert lab.provider.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    written = b"".join(path.read_bytes() for path in (lab.root / "results").rglob("*") if path.is_file())
    assert KEY.encode() not in written
    assert KEY not in night.out + night.err
    errors = lab.sql("SELECT error FROM calls WHERE error IS NOT NULL")
    assert errors
    assert all(KEY not in row["error"] for row in errors)


def test_secrets_that_the_config_does_not_name_and_those_in_params_stay_out_of_every_file(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    found_by_litellm, in_params = "sk-found-0123456789", 'quo"ted-\\secret-0123456789'
    monkeypatch.setenv("OPENAI_API_KEY", found_by_litellm)
    monkeypatch.setenv("TEAM_HEADER", in_params)
    lab.config({"small": ""})
    config = (lab.root / "deployments/daybreak.yaml").read_text()
    config = config.replace("api_key_env: LAB_KEY, ", "").replace(
        "params: {temperature: 0}", "params: {temperature: 0, extra_headers: {X-Team: '${TEAM_HEADER}'}}"
    )
    lab.write("deployments/daybreak.yaml", config)
    lab.provider.answer("*", [refused(400, f"Incorrect API key provided: {found_by_litellm}."), right])
    assert lab.run("nightly").data["status"] == "finished"
    assert lab.provider.requests[0].headers["X-Team"] == in_params
    for path in (lab.root / "results").rglob("*"):
        written = path.read_bytes() if path.is_file() else b""
        for secret in (found_by_litellm, in_params, json.dumps(in_params)[1:-1]):
            assert secret.encode() not in written, path


def test_a_provider_that_writes_nonsense_into_its_fields_does_not_break_the_night(lab: Lab) -> None:
    odd = {"system_fingerprint": 7, "usage": {"prompt_tokens": 2**63, "completion_tokens": -1, "total_tokens": 0}}

    def answer(request: Received) -> Reply:
        reply = said(right(request))
        return replace(reply, body=json.dumps({**json.loads(reply.body), **odd}).encode())

    lab.provider.answer("*", answer)
    night = lab.run("nightly")
    assert (night.exit_code, only(night)["verdict"]) == (0, "pinned")
    [call] = lab.sql("SELECT DISTINCT system_fingerprint, prompt_tokens, cost_usd FROM calls")
    assert call == {"system_fingerprint": "7", "prompt_tokens": None, "cost_usd": None}


def test_prefect_shows_the_run_its_tasks_and_the_table(lab: Lab, prefect_server: PrefectServer) -> None:
    results = str(lab.root / "here")
    lab.run("nightly", "--results", results)
    lab.provider.answer("*", wrong_below(8))
    lab.run("nightly", "--results", results)
    runs = [run for run in prefect_server.flow_runs() if results in json.dumps(run["parameters"])]
    named = {run["state"]["name"]: run for run in runs}
    assert set(named) == {"Nothing regressed", "1 regressed"}
    assert {run["state"]["type"] for run in runs} == {"COMPLETED"}
    run = named["1 regressed"]
    tasks = {task["name"]: task["state"]["type"] for task in prefect_server.task_runs(run["id"])}
    assert tasks["sums on small, planned, cases 1–20"] == "COMPLETED"
    [artifact] = prefect_server.artifacts(run["id"])
    [row] = json.loads(artifact["data"])
    assert (row["suite"], row["verdict"], row["drop pp"]) == ("sums", "regressed", "+40.0")
    assert KEY not in json.dumps(runs)


def test_ctrl_c_keeps_what_is_finished_and_ends_with_130(tmp_path: Path) -> None:
    with FakeProvider() as provider:
        provider.answer("*", lambda request: said(right(request), delay_s=0.05 if "1 +" in request.prompt else 60))
        lab = Lab(tmp_path, provider)
        command = [sys.executable, "-c", "from flows.cli import main; main(['nightly', '--json'])"]
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while len(provider.requests) < 2 * lab.n or not any(journal.read_bytes() for journal in journals(tmp_path)):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert json.loads(out)["status"] == "interrupted"
    assert lab.sql("SELECT count(*) > 0 AS kept FROM calls") == [{"kept": True}]
    [run] = lab.run("runs").data["runs"]
    assert run["status"] == "interrupted"


def test_the_same_cases_in_four_formats_give_the_same_hash_and_result(lab: Lab) -> None:
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    lab.provider.answer("*", wrong_below(3))
    cases = sums(20)
    folder = lab.root / "datasets" / "sums"
    table = pa.Table.from_pylist(cases)
    pyarrow.parquet.write_table(table, folder / "cases.parquet")
    pyarrow.csv.write_csv(table.take(list(reversed(range(20)))), folder / "cases.csv")
    found: dict[str, tuple[Any, ...]] = {}
    for cases_from in ("cases.jsonl", "cases.csv", "cases.parquet", "{sql: \"SELECT * FROM 'cases.parquet'\"}"):
        lab.suite(f"scorers: [exact]\ncases: {cases_from}\ngate: {{baseline_trials: 1}}\n")
        night = lab.run("nightly", "--results", f"results-{len(found)}")
        asked = f"SELECT dataset_hash, pass_rate, n_cases FROM cells WHERE run_id = '{night.data['run_id']}'"
        [cell] = lab.run("sql", asked, "--results", f"results-{len(found)}").data["rows"]
        found[cases_from] = tuple(cell.values())
    assert len(set(found.values())) == 1
    assert next(iter(found.values()))[1:] == (0.85, 20)


def test_an_interrupted_night_is_resumed_and_only_what_was_in_flight_is_asked_again(
    tmp_path: Path, prefect_server: PrefectServer
) -> None:
    with FakeProvider() as provider:
        lab = Lab(tmp_path, provider)
        assert lab.run("nightly").exit_code == 0
        provider.requests.clear()
        provider.answer("*", lambda request: said(right(request), delay_s=0.05 if "1" in request.prompt else 60))
        killed_when(lambda: answered(provider) >= 10, lab, "nightly")
        asked_before = [request.prompt for request in provider.requests]
        provider.requests.clear()
        provider.answer("*", wrong_below(8))
        lab.write("datasets/sums/cases.jsonl", "")
        flow_run_id = max(tmp_path.glob("results/runs/*/flow-run")).read_text()
        [killed] = prefect_server.flow_runs(id={"any_": [flow_run_id]})
        assert killed["state_type"] == "RUNNING"

        resumed = lab.run("nightly", "--resume", "latest")

    assert resumed.exit_code in {0, 1}, resumed.err
    [killed] = prefect_server.flow_runs(id={"any_": [flow_run_id]})
    assert killed["state_type"] == "CRASHED"
    assert resumed.data["run_id"] in killed["state"]["message"]
    in_flight = {prompt for prompt in asked_before if "1" not in prompt}
    shown = re.findall(r"^(\d+)/(\d+) trials", resumed.err, re.MULTILINE)
    assert shown[0] == (str(len(in_flight)),) * 2, "it tells of what this attempt does"
    assert shown[-1][0] == shown[-1][1]
    assert {request.prompt for request in provider.requests} == in_flight
    latest = f"run_id = '{resumed.data['run_id']}'"
    assert lab.sql(f"SELECT count(*) AS n, count(DISTINCT case_id) AS cases FROM outcomes WHERE {latest}") == [
        {"n": 20, "cases": 20}
    ]
    assert any("of its answers were kept" in note for note in resumed.data["notes"])
    assert any("mistakes by now" in note or "was edited since" in note for note in resumed.data["notes"])
    again = lab.run("nightly", "--resume", resumed.data["run_id"])
    assert again.exit_code == 2
    assert "is finished" in again.data["problems"][0]["message"]


def test_a_night_killed_before_its_last_parts_were_brought_in_is_finished_for_every_command(lab: Lab) -> None:
    """`runs` called it interrupted, while `--resume` refused it as finished."""
    run_id = lab.run("nightly").data["run_id"]
    part = lab.root / f"results/parts/runs/{run_id}.parquet"
    aside = part.rename(lab.root / "aside.parquet")
    lab.run("rebuild")
    aside.rename(part)
    [run] = lab.run("runs").data["runs"]
    assert run["status"] == "finished"
    assert "is finished" in lab.run("nightly", "--resume", run_id).data["problems"][0]["message"]


def journals(root: Path) -> Iterator[Path]:
    """What runs have written down of their calls."""
    return root.glob("results/runs/*/journal-*.jsonl")


def answered(provider: FakeProvider) -> int:
    """Requests that the scripts above answer at once, and a little time ago."""
    return sum("1" in request.prompt and time.monotonic() - request.at > 0.5 for request in provider.requests)
