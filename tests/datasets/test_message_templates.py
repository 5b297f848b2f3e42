from pathlib import Path
from typing import Any

import pytest

from tasks.config import SuiteConfig
from tasks.datasets.templates import FAULTS, Renderer
from tasks.errors import UsageError
from tasks.records import Case, Suite
from tests.fakes.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.chdir(tmp_path)
    return Workspace(tmp_path)


def suite_of(files: dict[str, str] | None = None, **fields: Any) -> Suite:
    return Suite(
        name="sums",
        folder="",
        config=SuiteConfig.model_validate({"scorers": ["exact"], **fields}),
        files=files or {},
        n_cases=1,
        kinds={},
        tags={},
        dataset_hash="",
        prompt_hash="",
        scorers_hash="",
    )


def asked(input: Any, *, group: str | None = None, files: dict[str, str] | None = None, **fields: Any) -> list[Any]:
    case = Case(id="a", input=input, expected="the label", kind="accuracy", tags=("t", "u"), group=group)
    return [tuple(message.values()) for message in Renderer(suite_of(files, **fields)).messages(case)]


def rendered(template: str, input: Any, **fields: Any) -> str:
    [(_, content)] = asked(input, user=template, **fields)
    return str(content)


def test_a_case_alone_is_one_message_of_the_user() -> None:
    assert asked("2 + 2?") == [("user", "2 + 2?")]


def test_system_prompt_few_shot_own_turns_and_question_come_in_this_order() -> None:
    own = [{"role": "user", "content": "{{ hello }}"}, {"role": "assistant", "content": "hi"}]
    assert asked(
        {"messages": own, "question": "and now?"},
        files={"prompt.md": "Sort {{ kind }}.\n"},
        prompt="prompt.md",
        messages=[{"role": "user", "content": "{{ id }}"}, {"role": "assistant", "content": "b"}],
        user="{{ input.question }}",
    ) == [
        ("system", "Sort accuracy."),
        ("user", "{{ id }}"),
        ("assistant", "b"),
        ("user", "{{ hello }}"),
        ("assistant", "hi"),
        ("user", "and now?"),
    ]


@pytest.mark.parametrize("template", ["{{ input }}", "{{input}}"])
def test_a_conversation_is_asked_as_it_is_where_the_suite_adds_no_message(template: str) -> None:
    assert asked({"messages": [{"role": "user", "content": "hello"}]}, user=template) == [("user", "hello")]


@pytest.mark.parametrize(
    ("template", "input", "text"),
    [
        ("{{ input }}", {"n": 1, "ok": True, "none": None}, '{"n": 1, "ok": true, "none": null}'),
        ("{{ input.ok }} {{ input.none }} {{ input.n }}", {"n": 1.5, "ok": False, "none": None}, "false null 1.5"),
        ("{{ input.items }}", {"items": ["<b>", "é"]}, '["<b>", "é"]'),
        ("{{ input | tojson }}", "a & 'b' <c>", "\"a & 'b' <c>\""),
        ("{% for tag in tags %}{{ tag }};{% endfor %}", "x", "t;u;"),
        ("{% set a = input %}{{ a }}{% if group is defined %}{{ group }}{% endif %}", "x", "x"),
        ("a\n{{ input }}\n", "<&>", "a\n<&>"),
    ],
)
def test_values_stand_in_text_as_json_has_them(template: str, input: Any, text: str) -> None:
    assert rendered(template, input) == text


def test_a_group_is_seen_where_there_is_one() -> None:
    assert rendered("{{ group }}", "x", group="g") == "g"


def test_templates_include_files_of_their_suite(workspace: Workspace) -> None:
    folder = workspace.suite(
        "sums", "prompt: prompt.md\nscorers: [exact]\n", prompt_md="{% set a = 1 %}{% include 'parts/rules.md' %}"
    )
    workspace.write("datasets/sums/parts/rules.md", "{% include 'parts/last.md' %}\nAdd {{ a }}.")
    last = workspace.write("datasets/sums/parts/last.md", "Be exact with {{ id }}.\n")
    [suite] = workspace.load()
    assert set(suite.files) == {"prompt.md", "parts/rules.md", "parts/last.md"}
    assert Renderer(suite).messages(Case(id="a", input="x"))[0]["content"] == "Be exact with a.\nAdd 1."
    last.write_text("Be quick.\n")
    [changed] = workspace.load()
    assert (changed.prompt_hash == suite.prompt_hash, changed.scorers_hash == suite.scorers_hash) == (False, True)
    (folder / "prompt.md").rename(folder / "system.md")
    workspace.suite("sums", "prompt: system.md\nscorers: [exact]\n")
    assert workspace.load()[0].prompt_hash == changed.prompt_hash


def test_an_include_that_leaves_the_suite_by_a_link_is_refused(workspace: Workspace) -> None:
    workspace.suite("sums", "user: \"{% include 'outside.md' %}\"\nscorers: [exact]\n")
    outside = workspace.write("outside.md", "secret")
    (workspace.root / "datasets/sums/outside.md").symlink_to(outside)
    with pytest.raises(UsageError, match=r"user: expected a file in the suite's folder, got 'outside.md'"):
        workspace.load()


def test_includes_in_a_circle_are_refused(workspace: Workspace) -> None:
    workspace.suite(
        "sums", "prompt: a.md\nscorers: [exact]\n", a_md="{% include 'b.md' %}", b_md="{% include 'a.md' %}"
    )
    with pytest.raises(UsageError, match=r"\.md:1: includes itself"):
        workspace.load()


@pytest.mark.parametrize(
    "template",
    [
        "{{ input.__class__.__mro__ }}",
        "{{ ''.__class__ }}",
        "{{ id.__init__.__globals__ }}",
        "{{ tags.append('x') }}",
        "{% for i in range(10 ** 9) %}{% endfor %}",
    ],
)
def test_a_template_cannot_leave_its_sandbox(template: str) -> None:
    with pytest.raises(FAULTS):
        rendered(template, "x")


@pytest.mark.parametrize("template", ["{{ tags | random }}", "{{ lipsum() }}"])
def test_a_template_is_never_random(workspace: Workspace, template: str) -> None:
    workspace.suite("sums", f"user: {template!r}\nscorers: [exact]\n")
    with pytest.raises(UsageError, match=r"suite.yaml:1: user: (broken template: No filter named|unknown variable)"):
        workspace.load()
