"""What `daybreak check` refuses and points out, as a user meets it."""

from pathlib import Path

import pytest

from tests.fakes.workspace import CASES, CONFIG, Workspace
from tests.flows.night import daybreak

KEY = {"OPENAI_API_KEY": "sk-check-0123456789"}
JUDGED = "scorers: [{judge: {judge: strict, rubric: rubric.md}}]\n"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return Workspace(tmp_path)


def told(workspace: Workspace) -> list[str]:
    """What is refused, a line for each mistake."""
    ended = daybreak(workspace.root, "check")
    assert ended.exit_code == 2
    return ended.err.splitlines()


def notes(workspace: Workspace) -> list[str]:
    """What is pointed out of a sound workspace with a key."""
    ended = daybreak(workspace.root, "check", "--json", env=KEY)
    assert ended.exit_code == 0, ended.err
    return list(ended.data["warnings"])


def test_a_missing_key_is_told_together_with_every_other_mistake(workspace: Workspace) -> None:
    workspace.write(workspace.config, CONFIG + "budget_usd: 3\n")
    workspace.write("datasets/sums/suite.yaml", "scorers: [exact]\ntrails: 3\n")
    lines = told(workspace)
    assert [line.partition(": ")[0] for line in lines] == [
        "datasets/sums/suite.yaml:2",
        "deployments/daybreak.yaml:2",
        "deployments/daybreak.yaml:2",
    ]
    assert "expected its key in OPENAI_API_KEY, which is not set" in lines[1]
    assert "has no known price" in lines[2]


@pytest.mark.parametrize("written", ["gpt-nonsense", "nobody/gpt-4o", "openai/"])
def test_a_model_id_that_litellm_cannot_place_is_refused_with_its_line(workspace: Workspace, written: str) -> None:
    workspace.write(workspace.config, CONFIG.replace("openai/small", written))
    [line] = told(workspace)
    assert line.startswith("deployments/daybreak.yaml:2: model 'small': expected a model id that litellm can place, ")
    assert f"got '{written}' (write PROVIDER/MODEL" in line


def test_a_model_without_a_known_price_is_pointed_out_and_one_of_the_price_map_is_not(workspace: Workspace) -> None:
    workspace.write(workspace.config, CONFIG + "  - {name: known, model: gpt-4o-mini}\n")
    assert notes(workspace) == ["small has no known price, so its cost will be NULL: set `price` or `base_model`"]


def test_a_config_with_no_sound_model_has_no_mistakes_that_follow_from_it(workspace: Workspace) -> None:
    workspace.write(workspace.config, "models:\n  - {name: small, modle: x}\nbudget_usd: 3\n")
    assert all("'none'" not in line and "price" not in line for line in told(workspace))


def test_a_judged_suite_without_any_judge_in_the_config_says_what_to_do(workspace: Workspace) -> None:
    workspace.suite("judged", JUDGED, rubric_md="Fine? {{ output }}", cases_jsonl=CASES)
    assert "(the config has no `judges`: add one, or narrow `suites`)" in told(workspace)[0]


def test_a_folder_with_cases_that_is_no_suite_is_pointed_out(workspace: Workspace) -> None:
    workspace.write("datasets/words/cases.jsonl", CASES)
    assert "datasets/words has cases.jsonl but no suite.yaml, so it is no suite" in notes(workspace)


def test_a_slack_channel_without_its_token_is_pointed_out(workspace: Workspace) -> None:
    workspace.write(workspace.config, CONFIG + "slack: {channel: '#evals', token_env: TEAM_TOKEN}\n")
    assert "nothing is sent to Slack: TEAM_TOKEN holds no token for #evals" in notes(workspace)


@pytest.mark.usefixtures("prefect_server")
def test_a_candidate_named_by_its_id_needs_its_key_before_anything_starts(workspace: Workspace) -> None:
    workspace.write(workspace.config, CONFIG + "    api_key_env: OTHER_KEY\n")
    ended = daybreak(
        workspace.root, "compare", "--candidate", "openai/new", "--baseline", "small", env={"OTHER_KEY": "sk-other-1"}
    )
    assert ended.exit_code == 2
    assert "model 'openai/new': expected its key in OPENAI_API_KEY, which is not set (set it in the" in ended.err
    assert not (workspace.root / "results").exists()
    assert "run-2" not in ended.err
