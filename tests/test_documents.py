from pathlib import Path

import pytest

from tasks.documents import load_config, open_config, read_yaml
from tasks.errors import UsageError
from tests.fakes.workspace import CONFIG, Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def yaml_of(path: Path, text: str) -> dict[str, object]:
    path.write_text(text)
    return read_yaml(path).data


def test_paths_start_at_the_parent_of_a_folder_called_deployments(workspace: Workspace) -> None:
    file = workspace.open()
    assert (file.root, file.results, file.datasets) == (
        workspace.root,
        workspace.root / "results",
        workspace.root / "datasets",
    )


def test_paths_start_at_the_folder_of_any_other_config(workspace: Workspace) -> None:
    path = workspace.write("team/night.yaml", CONFIG + "results: ../kept\n")
    file = load_config(path, env={})
    assert file.root == path.parent
    assert file.results.resolve() == workspace.root / "kept"


def test_results_of_the_command_line_start_at_the_working_folder(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace.root / "datasets")
    file = load_config(workspace.root / workspace.config, env={}, results=Path("mine"))
    assert file.results == workspace.root / "datasets" / "mine"


def test_object_storage_on_the_command_line_is_refused(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match=r"^--results: expected a folder, got 's3:/bucket'"):
        load_config(workspace.root / workspace.config, env={}, results=Path("s3://bucket"))


def test_variables_come_from_the_environment_and_then_from_dotenv(workspace: Workspace) -> None:
    workspace.write(".env", 'HOST=dotenv.example\nPORT="8000"\n# COMMENT=1\nexport PLAIN=$HOST\n')
    workspace.write(workspace.config, CONFIG + "    api_base: https://${HOST}:${PORT}/v1\n    base_model: ${PLAIN}\n")
    [model] = workspace.open({"HOST": "real.example"}).config.models
    assert (model.api_base, model.base_model) == ("https://real.example:8000/v1", "$HOST")


def test_a_line_of_dotenv_that_sets_nothing_is_refused(workspace: Workspace) -> None:
    workspace.write(".env", "A=1\n\nB 2\n")
    with pytest.raises(UsageError, match=r"\.env:3: expected NAME=value"):
        workspace.open()
    workspace.write(".env", b"A=a\0b\n")
    with pytest.raises(UsageError, match=r"\.env:1: expected NAME=value"):
        workspace.open()


def test_a_variable_without_quotes_is_read_as_yaml_reads_its_value(workspace: Workspace) -> None:
    workspace.write(workspace.config, CONFIG + 'workers: ${WORKERS}\nslack: {channel: "${WORKERS}"}\n')
    config = workspace.open({"WORKERS": "4"}).config
    assert (config.workers, config.slack.channel) == (4, "4")


def test_what_may_be_stored_holds_no_value_of_the_environment(workspace: Workspace) -> None:
    workspace.write(workspace.config, CONFIG + "    api_base: https://${HOST}\nslack: {channel: '${CHANNEL}'}\n")
    file = workspace.open({"HOST": "inner.example", "CHANNEL": "#evals"})
    assert file.raw["models"][0]["api_base"] == "https://${HOST}"
    assert file.raw["slack"] == {"channel": "${CHANNEL}"}
    assert "inner.example" not in repr(file.raw)


def test_secrets_are_the_values_that_the_config_takes_from_the_environment(workspace: Workspace) -> None:
    workspace.write(
        workspace.config, CONFIG + "    api_key_env: KEY\n    base_model: ${BASE}\nslack: {channel: '${SHORT}'}\n"
    )
    env = {"KEY": "sk-12345", "SLACK_BOT_TOKEN": "xoxb-1", "BASE": "base-model", "SHORT": "abc", "OTHER": "unused-1"}
    file = workspace.open(env)
    assert file.secrets == {"sk-12345", "xoxb-1", "base-model"}
    assert not any(secret in repr(file) for secret in ("sk-12345", "xoxb-1"))


def test_a_config_is_read_the_same_from_everywhere(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workspace.root / "deployments")
    assert load_config(Path("daybreak.yaml"), env={}) == workspace.open()


def test_models_and_judges_may_share_a_name_and_names_may_differ_by_case(workspace: Workspace) -> None:
    workspace.write(
        workspace.config,
        CONFIG + "  - {name: SMALL, model: openai/x, compare_to: small}\njudges: [{name: small, model: openai/x}]\n",
    )
    assert workspace.open().problems == ()


def test_every_mistake_of_a_config_is_told_in_the_order_of_its_lines(workspace: Workspace) -> None:
    workspace.write(
        workspace.config, "workers: none\n" + CONFIG + "    prise: 1\n    compare_to: big\nconcurrency: 0\n"
    )
    with pytest.raises(UsageError) as refused:
        load_config(workspace.root / workspace.config, env={})
    assert [problem.where.rpartition(":")[2] for problem in refused.value.problems] == ["1", "5", "6", "7"]


def test_what_is_sound_in_a_config_remains(workspace: Workspace) -> None:
    workspace.write(workspace.config, "workers: none\nbudget_usd: 3\n" + CONFIG + "  - {name: other, modle: x}\n")
    file = open_config(workspace.root / workspace.config, env={})
    assert len(file.problems) == 2
    assert (file.config.workers, file.config.budget_usd) == (1, 3)
    assert [model.name for model in file.config.models] == ["small"]
    assert file.model_names == ("small", "other")


def test_yaml_means_what_it_looks_like(tmp_path: Path) -> None:
    text = "words: [yes, no, on, off, y]\nnumbers: [1e-3, 010, 0x1F, 1_000, .5, 5.]\ntexts: [12:30, 2027-01-14, '3']\n"
    assert yaml_of(tmp_path / "a.yaml", text) == {
        "words": ["yes", "no", "on", "off", "y"],
        "numbers": [0.001, "010", 31, 1000, 0.5, 5.0],
        "texts": ["12:30", "2027-01-14", "3"],
    }


def test_yaml_can_share_and_merge_blocks(tmp_path: Path) -> None:
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {y: 4, <<: [{z: 5}, *a]}\n"
    assert yaml_of(tmp_path / "a.yaml", text) == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 3},
        "c": {"x": 1, "y": 4, "z": 5},
    }


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    assert yaml_of(tmp_path / "a.yaml", "\ufeffa: 1\n") == {"a": 1}


def test_a_key_that_is_no_text_and_a_merge_of_no_mapping_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("1: one\nb: {<<: 3}\n")
    messages = [problem.message for problem in read_yaml(path).problems.values()]
    assert messages == ["1: expected text as a field's name", "b: expected a mapping to merge"]


def test_a_malformed_variable_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: ${NAME:-x}\n")
    [problem] = read_yaml(path, env={"NAME": "y"}).problems.values()
    assert problem.message == "a: expected ${NAME}, got '${NAME:-x}'"
