"""Whatever a person writes wrong is refused before the first call, with place, expectation and what came."""

import json
import os
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from flows.cli import main
from tasks.errors import UsageError
from tests.fakes.workspace import CASES, CONFIG, Workspace

CONFIG_FILE = "deployments/daybreak.yaml"
SUITE_FILE = "datasets/sums/suite.yaml"
CASES_FILE = "datasets/sums/cases.jsonl"


class Bad(NamedTuple):
    """A file written over a sound one, and what is said of it."""

    file: str
    content: str | bytes
    said: str


def model(extra: str) -> str:
    """A config whose only model has one more field, on line 4."""
    return f"{CONFIG}    {extra}\n"


def suite(extra: str) -> str:
    """A suite with one more field, on line 2."""
    return f"scorers: [exact]\n{extra}\n"


def scorer(written: str) -> str:
    return f"scorers:\n  - {written}\n"


def case(fields: str) -> str:
    """Sound cases and one more, on line 3."""
    return f"{CASES}{fields}\n"


CONFIGS = {
    "text with NUL": Bad(
        CONFIG_FILE,
        CONFIG + 'results: "a\\0b"\n',
        ":4: results: expected text without NUL and halves of characters, got 'a\\x00b'",
    ),
    "half a character in a field's name": Bad(
        CONFIG_FILE, model('params: {"\\ud800": 1}'), ":4: models[0].params.\ud800: expected text as a field's name"
    ),
    "home of nobody": Bad(
        CONFIG_FILE,
        CONFIG + "results: ~nobody-of-that-name/x\n",
        ":4: results: expected a folder, got '~nobody-of-that-name/x': there is no such user",
    ),
    "name too long": Bad(
        CONFIG_FILE, CONFIG + f"results: {'a' * 300}\n", ":4: results: expected a folder, got 'aaaaaaaaaaaaaaaaaaaaaaaa"
    ),
    "more days than a century": Bad(
        CONFIG_FILE, CONFIG + "notice_days: [99999999999]\n", ":4: notice_days[0]: expected a number up to 3650, got 9"
    ),
    "a notice on the day itself": Bad(
        CONFIG_FILE, CONFIG + "notice_days: [0]\n", ":4: notice_days[0]: expected a number from 1 up, got 0"
    ),
    "reports in no web": Bad(
        CONFIG_FILE, CONFIG + "report_url: evals.example\n", "report_url: expected an address that starts with http"
    ),
    "kind of incident misspelt": Bad(
        CONFIG_FILE,
        CONFIG + "acknowledged: [{kind: regresion}]\n",
        ":4: acknowledged[0].kind: expected one of regression, pass rate, night, unmeasured, judge not trusted, budget",
    ),
    "endless timeout": Bad(
        CONFIG_FILE, CONFIG + "timeout_s: 1e300\n", ":4: timeout_s: expected a number up to 86400, got 1e+300"
    ),
    "number beyond 64 bits": Bad(
        CONFIG_FILE,
        model("params: {seed: 99999999999999999999}"),
        ":4: models[0].params.seed: expected a whole number of at most 64 bits, got '99999999999999999999'",
    ),
    "levels that no library takes": Bad(
        CONFIG_FILE, model(f"params: {{a: {'[' * 300 + ']' * 300}}}"), ":4: nested too deeply"
    ),
    "unknown field": Bad(
        CONFIG_FILE, model("prise: {}"), ":4: models[0].prise: unknown field 'prise' (did you mean 'price'?)"
    ),
    "unknown section": Bad(CONFIG_FILE, CONFIG + "zebra: 1\n", ":4: zebra: unknown field 'zebra' (known: results, "),
    "missing field": Bad(CONFIG_FILE, "models:\n  - name: small\n", ":2: models[0].model: this field is missing"),
    "no models": Bad(CONFIG_FILE, "models: []\n", ":1: models: expected at least 1 in the list, got []"),
    "number as text": Bad(
        CONFIG_FILE,
        CONFIG + 'workers: "3"\n',
        ":4: workers: expected a whole number, got '3' (leave the quotes away)",
    ),
    "text as number": Bad(
        CONFIG_FILE,
        "models:\n  - {name: 4, model: openai/x}\n",
        ":2: models[0].name: expected text, got 4 (put it in quotes)",
    ),
    "empty block": Bad(CONFIG_FILE, CONFIG + "slack:\n", ":4: slack: expected a mapping, got nothing"),
    "negative budget": Bad(
        CONFIG_FILE, CONFIG + "budget_usd: -1\n", ":4: budget_usd: expected a number from 0 up, got -1"
    ),
    "negative price": Bad(
        CONFIG_FILE,
        model("price: {input_per_million: -0.1, output_per_million: 1}"),
        ":4: models[0].price.input_per_million: expected a number from 0 up, got -0.1",
    ),
    "timeout of zero": Bad(CONFIG_FILE, CONFIG + "timeout_s: 0\n", ":4: timeout_s: expected a number above 0, got 0"),
    "infinity": Bad(CONFIG_FILE, CONFIG + "timeout_s: .inf\n", ":4: timeout_s: expected a finite number, got '.inf'"),
    "model name twice": Bad(
        CONFIG_FILE,
        CONFIG + "  - {name: small, model: openai/other}\n",
        ":4: models[1].name: expected a name of its own, got 'small' a second time",
    ),
    "judge name twice": Bad(
        CONFIG_FILE,
        CONFIG + "judges: [{name: j, model: openai/a}, {name: j, model: openai/b}]\n",
        ":4: judges[1].name: expected a name of its own, got 'j' a second time",
    ),
    "run id as name": Bad(
        CONFIG_FILE,
        "models:\n  - {name: run-20260101-020000-ab12, model: openai/x}\n",
        ":2: models[0].name: expected a name that does not look like a run id, got 'run-20260101-020000-ab12'",
    ),
    "compare_to nothing": Bad(
        CONFIG_FILE,
        CONFIG + "  - {name: large, model: openai/large, compare_to: smal}\n",
        ":4: models[1].compare_to: expected another model's name, got 'smal' (did you mean 'small'?)",
    ),
    "compare_to itself": Bad(
        CONFIG_FILE, model("compare_to: small"), ":4: models[0].compare_to: 'small' cannot be compared with itself"
    ),
    "compare_to in a circle": Bad(
        CONFIG_FILE,
        model("compare_to: large") + "  - {name: large, model: openai/large, compare_to: small}\n",
        ":4: models[0].compare_to: runs in a circle: small → large → small",
    ),
    "unset variable": Bad(
        CONFIG_FILE,
        model("api_base: https://${HOST}/v1"),
        ":4: models[0].api_base: the environment does not set ${HOST} (put it into the environment or into .env)",
    ),
    "param under our control": Bad(
        CONFIG_FILE,
        model("params: {stream: true}"),
        ":4: models[0].params: Daybreak controls stream itself; take it out of params",
    ),
    "key instead of its variable": Bad(
        CONFIG_FILE,
        model("api_key_env: sk-secret-1234"),
        ":4: models[0].api_key_env: expected the name of an environment variable, got something else",
    ),
    "address without scheme": Bad(
        CONFIG_FILE,
        model("api_base: localhost:8000"),
        ":4: models[0].api_base: expected an address that starts with http:// or https://, got 'localhost:8000'",
    ),
    "impossible date": Bad(
        CONFIG_FILE,
        model("retires_on: 2027-02-30"),
        ":4: models[0].retires_on: expected a date such as 2027-01-14, got '2027-02-30'",
    ),
    "object storage": Bad(
        CONFIG_FILE,
        CONFIG + "results: s3://bucket/results\n",
        ":4: results: expected a folder, got 's3://bucket/results' (object storage comes later)",
    ),
    "file as folder": Bad(
        CONFIG_FILE,
        CONFIG + "datasets: deployments/daybreak.yaml\n",
        ":4: datasets: expected a folder, got the file deployments/daybreak.yaml",
    ),
    "no datasets": Bad(
        CONFIG_FILE, CONFIG + "datasets: nowhere\n", "nowhere: expected a folder with suites, found none"
    ),
    "unknown suite": Bad(
        CONFIG_FILE, CONFIG + "suites: [sum]\n", ":4: expected a suite in datasets, got 'sum' (did you mean 'sums'?)"
    ),
    "empty config": Bad(CONFIG_FILE, "# nothing yet\n", ": the file is empty"),
    "list instead of mapping": Bad(CONFIG_FILE, "- a\n- b\n", ":1: expected a mapping, got a list"),
    "not UTF-8": Bad(CONFIG_FILE, b"models:\n  - name: caf\xe9\n", ":2: expected UTF-8 text, got byte 0xe9"),
    "broken YAML": Bad(CONFIG_FILE, "models:\n  - {name: a\n", ":3: broken YAML: while parsing a flow mapping"),
    "tab": Bad(
        CONFIG_FILE,
        "models:\n\t- name: a\n",
        ":2: broken YAML: while scanning for the next token found character '\\t' that cannot start any token "
        "(indent with blanks, not tabs)",
    ),
    "control character": Bad(
        CONFIG_FILE, "models: \x07\n", ":1: broken YAML: the character '\\x07' may not stand here"
    ),
    "key twice": Bad(
        CONFIG_FILE, CONFIG + "    name: b\n", ":4: models[0].name: the field 'name' stands here and on line 2"
    ),
    "two documents": Bad(CONFIG_FILE, CONFIG + "---\na: 1\n", ":4: broken YAML: expected a single document"),
    "YAML bomb": Bad(
        CONFIG_FILE,
        "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9)),
        ": more than 100000 values, with aliases expanded",
    ),
    "deep nesting": Bad(CONFIG_FILE, "a: " + "[" * 5000, ": nested too deeply"),
    "foreign YAML tag": Bad(
        CONFIG_FILE,
        model("base_model: !!python/name:os.system"),
        ":4: models[0].base_model: unknown YAML tag '!!python",
    ),
}
SUITES = {
    "unknown suite field": Bad(
        SUITE_FILE, suite("trails: 3"), ":2: trails: unknown field 'trails' (did you mean 'trials'?)"
    ),
    "unknown gate field": Bad(
        SUITE_FILE,
        suite("gate: {max_drop: 3}"),
        ":2: gate.max_drop: unknown field 'max_drop' (did you mean 'max_drop_pp'?)",
    ),
    "unknown policy": Bad(
        SUITE_FILE, suite("gate: {policy: lax}"), ":2: gate.policy: expected 'confirmed' or 'strict', got 'lax'"
    ),
    "share above one": Bad(
        SUITE_FILE, suite("gate: {min_pass_rate: 80}"), ":2: gate.min_pass_rate: expected a number up to 1, got 80"
    ),
    "unknown scorer": Bad(
        SUITE_FILE, scorer("exactly"), ":2: scorers[0]: unknown type 'exactly' (did you mean 'exact'?)"
    ),
    "unknown scorer option": Bad(
        SUITE_FILE,
        scorer("numeric: {abs_tolerence: 1}"),
        ":2: scorers[0].numeric.abs_tolerence: unknown field 'abs_tolerence' (did you mean 'abs_tolerance'?)",
    ),
    "scorer of two fields": Bad(
        SUITE_FILE,
        scorer("{exact: {}, name: same}"),
        ":2: scorers[0]: expected a type, got only exact, name (write NAME, NAME: {options} or {type: NAME, options})",
    ),
    "scorer name twice": Bad(
        SUITE_FILE,
        "scorers: [exact, exact]\n",
        ":1: scorers: the name 'exact' is used twice; give each scorer its own `name`",
    ),
    "cases of no kind": Bad(SUITE_FILE, suite("cases: 7"), ":2: cases: expected text or a list or a mapping, got 7"),
    "unknown model": Bad(
        SUITE_FILE,
        suite("models: [smal]"),
        ":2: models[0]: expected a model of the config, got 'smal' (did you mean 'small'?)",
    ),
    "temperature for downstream logic": Bad(
        SUITE_FILE,
        suite("feeds_logic: true"),
        ":2: feeds_logic: expected temperature 0 for 'small', got nothing (put params: {temperature: 0} into ",
    ),
    "message of nobody": Bad(
        SUITE_FILE,
        suite("messages: [{role: bot, content: hello}]"),
        ":2: messages[0].role: expected 'system', 'user' or 'assistant', got 'bot'",
    ),
    "no prompt file": Bad(
        SUITE_FILE,
        suite("prompt: prompt.txt"),
        ":2: prompt: no such file: 'prompt.txt' (known: cases.jsonl, suite.yaml)",
    ),
    "prompt outside the suite": Bad(
        SUITE_FILE,
        suite("prompt: ../../deployments/daybreak.yaml"),
        ":2: prompt: expected a file in the suite's folder, got '../../deployments/daybreak.yaml'",
    ),
    "broken template": Bad(SUITE_FILE, suite("user: '{% if %}'"), ":2: user: broken template: Expected an expression"),
    "unknown variable": Bad(
        SUITE_FILE, suite("user: '{{ inptu }}'"), ":2: user: unknown variable 'inptu' (did you mean 'input'?)"
    ),
    "template sees the label": Bad(
        SUITE_FILE, suite("user: '{{ expected }}'"), ":2: user: a template never sees 'expected'"
    ),
    "computed include": Bad(
        SUITE_FILE,
        suite("user: '{% include kind %}'"),
        ":2: user: expected the name of the included file in quotes",
    ),
    "variable that cases lack": Bad(
        SUITE_FILE,
        suite("user: '{{ group }}'"),
        ":2: user: this case has no 'group' (in 2 cases, the first is datasets/sums/cases.jsonl:1)",
    ),
    "field that inputs lack": Bad(
        SUITE_FILE, suite("user: '{{ input.question }}'"), ":2: user: there is no 'question' in '2 + 2?' (in 2 cases, "
    ),
    "kind without a scorer": Bad(
        SUITE_FILE,
        "cases: {sql: \"SELECT 'a' AS id, 'x' AS input, 'off' AS kind UNION ALL SELECT 'b', 'y', 'on'\"}\n"
        "scorers: [{refusal: {kinds: [on]}}]\n",
        ":2: no scorer applies to the kind 'off' (known: on)",
    ),
    "kind that no case has": Bad(
        SUITE_FILE,
        "scorers: [contains, {exact: {kinds: [acuracy]}}]\n",
        ":1: scorer 'exact': no case has the kind 'acuracy' (did you mean 'accuracy'?)",
    ),
    "invalid regex": Bad(
        SUITE_FILE, scorer("regex: {pattern: '('}"), ":2: scorer 'regex': pattern: '(' is not a valid"
    ),
    "invalid JSON schema": Bad(
        SUITE_FILE,
        scorer("json_schema: {schema: {type: objct}}"),
        ":2: scorer 'json_schema': schema: not a JSON schema",
    ),
    "no schema file": Bad(
        SUITE_FILE,
        scorer("json_schema: {schema: sums.json}"),
        ":2: scorer 'json_schema': no such file: 'sums.json'",
    ),
    "labels that are the same": Bad(
        SUITE_FILE,
        scorer("one_of: {labels: [Yes, 'yes ']}"),
        ":2: scorer 'one_of': labels: 'Yes' and 'yes ' are the same",
    ),
    "python scorer of no function": Bad(
        SUITE_FILE,
        scorer("python: {call: score}"),
        ":2: scorers[0].python.call: expected FILE.py:FUNCTION or MODULE:FUNCTION, got 'score'",
    ),
    "label that a scorer cannot use": Bad(
        SUITE_FILE,
        scorer("one_of: {labels: ['4', '5']}"),
        "cases.jsonl:2: scorer 'one_of': expected should be one of the labels '4', '5', got '6'",
    ),
    "no judge of that name": Bad(
        SUITE_FILE,
        scorer("judge: {judge: j, rubric: suite.yaml}"),
        ":2: scorer 'judge': expected a judge of the config, got 'j'",
    ),
    "no cases file": Bad(
        SUITE_FILE, suite("cases: case.jsonl"), ":2: cases: no such file: 'case.jsonl' (did you mean 'cases.jsonl'?)"
    ),
    "cases in another format": Bad(
        SUITE_FILE, suite("cases: suite.yaml"), ":2: cases: expected .jsonl, .csv or .parquet, got 'suite.yaml'"
    ),
    "pattern for files that is none": Bad(
        SUITE_FILE, suite("cases: '**x'"), ":2: cases: '**x': Invalid pattern: '**' can only be"
    ),
    "cases of nobody": Bad(
        SUITE_FILE, suite("cases: ~nobody-of-that-name/a.csv"), ":2: cases: '~nobody-of-that-name/a.csv': there is no "
    ),
    "prompt of a name too long": Bad(SUITE_FILE, suite(f"prompt: {'a' * 300}"), ":2: prompt: '"),
    "template that fills the memory": Bad(
        SUITE_FILE,
        suite("user: \"{{ 'x' * 10 ** 10 }}\""),
        ":2: user: a repetition of more than 1,000,000 characters or items (in 2 cases, ",
    ),
    "JSON from SQL that no library takes": Bad(
        SUITE_FILE,
        suite("cases: {sql: \"SELECT 'a' AS id, (repeat('[', 3000) || repeat(']', 3000))::JSON AS input\"}"),
        ":2: DuckDB cannot read the cases: a value is nested too deeply",
    ),
    "broken SQL": Bad(
        SUITE_FILE, suite("cases: {sql: SELEC}"), ":2: DuckDB cannot read the cases: Parser Error: syntax error"
    ),
    "SQL that writes": Bad(
        SUITE_FILE, suite("cases: {sql: COPY (SELECT 1) TO 'x.csv'}"), ":2: cases.sql: expected one SELECT, got COPY"
    ),
    "SQL of the wrong columns": Bad(
        SUITE_FILE, suite("cases: {sql: SELECT 'a' AS id}"), ":2: expected columns id and input, got no input"
    ),
    "SQL that finds nothing": Bad(
        SUITE_FILE,
        suite("cases: {sql: \"SELECT id, input FROM 'cases.jsonl' WHERE id = 'z'\"}"),
        ":2: expected cases, got none",
    ),
    "NaN from SQL": Bad(
        SUITE_FILE,
        suite("cases: {sql: \"SELECT 'a' AS id, 'x' AS input, 'nan'::DOUBLE AS expected\"}"),
        ":2: row 1: expected finite numbers, got NaN or infinity",
    ),
    "number as id in SQL": Bad(
        SUITE_FILE,
        suite("cases: {sql: \"SELECT 7 AS id, 'x' AS input, 'y' AS expected\"}"),
        ":2: row 1: id: expected text, got 7 (put ids in quotes; in SQL, CAST(id AS VARCHAR))",
    ),
}
CASE_FILES = {
    "unknown case field": Bad(
        CASES_FILE,
        case('{"id": "3", "input": "x", "expcted": "y"}'),
        ":3: unknown field 'expcted' (did you mean 'expected'?)",
    ),
    "no id": Bad(CASES_FILE, case('{"input": "x", "expected": "y"}'), ":3: the field 'id' is missing"),
    "no input": Bad(CASES_FILE, case('{"id": "3", "expected": "y"}'), ":3: the field 'input' is missing"),
    "id twice": Bad(
        CASES_FILE,
        case('{"id": "first", "input": "x", "expected": "y"}'),
        ":3: the id 'first' stands at datasets/sums/cases.jsonl:1, too",
    ),
    "id with a line break": Bad(
        CASES_FILE,
        case('{"id": "a\\nb", "input": "x", "expected": "y"}'),
        ":3: id: expected 1 to 200 characters without line breaks, tabs or other control characters, got 'a\\nb'",
    ),
    "levels that no library takes, in a case": Bad(
        CASES_FILE,
        case('{"id": "3", "input": {"a": ' + "[" * 600 + "]" * 600 + '}, "expected": "y"}'),
        ":3: input: expected at most 100 levels in each other",
    ),
    "list as input": Bad(
        CASES_FILE, case('{"id": "3", "input": [1], "expected": "y"}'), ":3: input: expected text or an object, got [1]"
    ),
    "tags as text": Bad(
        CASES_FILE,
        case('{"id": "3", "input": "x", "expected": "y", "tags": "a|b"}'),
        ":3: tags: expected a list of words, got 'a|b'",
    ),
    "messages of nobody": Bad(
        CASES_FILE,
        case('{"id": "3", "input": {"messages": [{"role": "bot", "content": "x"}]}, "expected": "y"}'),
        ":3: input: expected input.messages to be a list of {role: system | user | assistant, content: text}",
    ),
    "conversation without a question": Bad(
        CASES_FILE,
        case('{"id": "3", "input": {"messages": [{"role": "assistant", "content": "x"}]}, "expected": "y"}'),
        ":3: the conversation does not end with a turn of the user",
    ),
    "case without what its scorer needs": Bad(
        CASES_FILE, case('{"id": "3", "input": "x"}'), ":3: scorer 'exact': expected should be a text, got nothing"
    ),
    "no JSON": Bad(
        CASES_FILE, case("id,input"), ":3: expected a JSON object, got 'id,input' (JSONL has one case per line)"
    ),
    "broken JSON": Bad(CASES_FILE, case('{"id": "3",}'), ":3: broken JSON, column 12: "),
    "JSON array": Bad(
        CASES_FILE, '[{"id": "3"}]', ":1: expected a JSON object, got [{'id': '3'}] (JSONL has one case per line)"
    ),
    "JSON key twice": Bad(
        CASES_FILE,
        case('{"id": "3", "input": "x", "input": "y"}'),
        ":3: broken JSON: the field 'input' stands here twice",
    ),
    "NaN": Bad(CASES_FILE, case('{"id": "3", "input": "x", "expected": NaN}'), ":3: broken JSON: NaN is no JSON value"),
    "number beyond floats": Bad(
        CASES_FILE,
        case('{"id": "3", "input": "x", "expected": 1e999}'),
        ":3: broken JSON: the number 1e999 is too large",
    ),
    "half a character": Bad(
        CASES_FILE,
        case('{"id": "3", "input": "\\ud83d", "expected": "y"}'),
        ":3: expected Unicode text, got half of a surrogate pair",
    ),
    "cases not UTF-8": Bad(CASES_FILE, b'{"id": "1", "input": "\xfc"}\n', ":1: expected UTF-8 text, got byte 0xfc"),
    "no cases": Bad(CASES_FILE, "\n", ": expected cases, got none"),
}
CSV_FILES = {
    "empty CSV": ("", ":1: expected the names of columns, got nothing"),
    "CSV with semicolons": (
        "id;input\n1;2\n",
        ":1: expected columns id and input, got no id and no input among 'id;input' (columns are parted by commas)",
    ),
    "CSV without id": (
        "name,input\n1,2\n",
        ":1: expected columns id and input, got no id among 'name, input' (known: id)",
    ),
    "CSV of a misspelt column": (
        "id,input,expcted\n1,2,3\n",
        ":1: unknown column 'expcted' (did you mean 'expected'?)",
    ),
    "CSV column twice": ("id,input,input\na,b,c\n", ":1: the column 'input' stands here twice"),
    "CSV record too short": ("id,input,expected\na,b\n", ":2: expected 3 cells as in the header, got 2"),
    "CSV quote never closed": ('id,input,expected\na,"b,c\n', ":2: broken CSV: unexpected end of data"),
    "CSV without a label": ("id,input,expected\na,b,\n", ":2: scorer 'exact': expected should be a text, got nothing"),
}
EVERYTHING = {**CONFIGS, **SUITES, **CASE_FILES}


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.chdir(tmp_path)
    return Workspace(tmp_path)


@pytest.mark.parametrize("bad", EVERYTHING.values(), ids=EVERYTHING)
def test_what_is_wrong_is_named_with_its_place(workspace: Workspace, bad: Bad) -> None:
    workspace.write(bad.file, bad.content)
    before = files_in(workspace.root)
    said = complaint(workspace)
    place = "" if re.match(r"\w", bad.said) else bad.file
    assert f"{place}{bad.said}" in said
    assert files_in(workspace.root) == before


@pytest.mark.parametrize(("content", "said"), CSV_FILES.values(), ids=CSV_FILES)
def test_what_is_wrong_in_a_csv_is_named_with_its_line(workspace: Workspace, content: str, said: str) -> None:
    workspace.write(SUITE_FILE, suite("cases: sums.csv"))
    workspace.write("datasets/sums/sums.csv", content)
    assert f"datasets/sums/sums.csv{said}" in complaint(workspace)


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more", b"id,input\n"], ids=["empty", "torn", "other format"])
def test_a_parquet_file_that_is_none_is_refused(workspace: Workspace, content: bytes) -> None:
    workspace.write(SUITE_FILE, suite("cases: sums.parquet"))
    workspace.write("datasets/sums/sums.parquet", content)
    assert "datasets/sums/sums.parquet: DuckDB cannot read the cases: " in complaint(workspace)


@pytest.mark.parametrize("name", [CONFIG_FILE, SUITE_FILE, CASES_FILE, ".env"])
def test_a_pipe_that_nobody_writes_to_is_refused_instead_of_waited_for(workspace: Workspace, name: str) -> None:
    workspace.root.joinpath(name).unlink(missing_ok=True)
    os.mkfifo(workspace.root / name)
    assert complaint(workspace) == f"{name}: expected a file, got a pipe or device"


def test_a_device_that_never_ends_and_a_huge_text_are_refused(workspace: Workspace) -> None:
    workspace.write(SUITE_FILE, suite("cases: zeros.csv"))
    workspace.root.joinpath("datasets/sums/zeros.csv").symlink_to("/dev/zero")
    assert complaint(workspace) == "datasets/sums/zeros.csv: expected a file, got a pipe or device"
    workspace.write(SUITE_FILE, b"#" * 10_000_001)
    assert complaint(workspace) == f"{SUITE_FILE}: larger than 10,000,000 bytes"


LOOP = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (suite(f"user: '{LOOP}'"), f"{CASES_FILE}:1: templates and patterns take longer than 0.1 s on this case"),
        (scorer(f"regex: {{pattern: '{LOOP}'}}"), f"{SUITE_FILE}:2: scorer 'regex': it takes longer than 0.1 s"),
        (scorer("python: {call: 'hangs.py:score'}"), f"{SUITE_FILE}:2: scorer 'python': it takes longer than 0.1 s"),
        (
            suite('cases: {sql: "SELECT sum(a.i * b.i) AS id FROM range(10000000) a(i), range(10000000) b(i)"}'),
            f"{SUITE_FILE}:2: DuckDB cannot read the cases: INTERRUPT Error",
        ),
    ],
    ids=["prompt", "pattern", "Python scorer", "SQL"],
)
def test_what_would_never_end_is_stopped(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, written: str, said: str
) -> None:
    for limit in ("checks.CASE_S", "suite_file.CASE_S", "suite_file.IMPORT_S", "tables.SQL_S"):
        monkeypatch.setattr(f"tasks.datasets.{limit}", 0.1)
    workspace.write("datasets/sums/hangs.py", "while True:\n    pass\n")
    workspace.write(SUITE_FILE, written)
    assert said in complaint(workspace)


def test_a_python_scorer_that_raises_what_no_program_expects_is_refused(workspace: Workspace) -> None:
    workspace.write("datasets/sums/score.py", "class End(BaseException): ...\nraise End('of it')\n")
    workspace.write(SUITE_FILE, scorer("python: {call: 'score.py:score'}"))
    assert "scorer 'python': call: score.py cannot be imported: End: of it" in complaint(workspace)


def test_results_that_can_be_no_folder_are_refused_by_what_only_reads_them(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["runs", "--results", "a" * 300])
    assert (ended.value.code, "--results: expected a folder" in capsys.readouterr().err) == (2, True)


def test_a_config_that_is_not_there_is_named(workspace: Workspace) -> None:
    (workspace.root / CONFIG_FILE).unlink()
    assert complaint(workspace) == f"{CONFIG_FILE}: no such file"


def test_a_suite_asked_for_by_a_wrong_name_is_named(workspace: Workspace) -> None:
    with pytest.raises(UsageError) as refused:
        workspace.load("smus")
    assert str(refused.value) == "--suite: expected a suite in datasets, got 'smus' (did you mean 'sums'?)"


def test_mistakes_in_several_files_come_in_one_answer(workspace: Workspace) -> None:
    workspace.write(CONFIG_FILE, model("prise: {}") + "budget_usd: -1\n")
    workspace.write(SUITE_FILE, suite("gaet: {}") + "prompt: prompt.md\n")
    workspace.write("datasets/sums/prompt.md", "Add.\n{{ sum }}\n")
    workspace.write(CASES_FILE, case('{"id": "first", "input": "x"}\n{"id": 3, "input": "x", "expected": "y"}'))
    workspace.suite("words", "scorers: [exactly]\n", cases_jsonl='{"id": "1"}\n')
    assert complaint(workspace).splitlines() == [
        f"{CONFIG_FILE}:4: models[0].prise: unknown field 'prise' (did you mean 'price'?)",
        f"{CONFIG_FILE}:5: budget_usd: expected a number from 0 up, got -1",
        f"{SUITE_FILE}:2: gaet: unknown field 'gaet' (did you mean 'gate'?)",
        "datasets/sums/prompt.md:2: unknown variable 'sum' (known: id, input, kind, tags, group)",
        f"{CASES_FILE}:3: scorer 'exact': expected should be a text, got nothing",
        f"{CASES_FILE}:4: id: expected text, got 3 (put ids in quotes; in SQL, CAST(id AS VARCHAR))",
        f"{CASES_FILE}:3: the id 'first' stands at {CASES_FILE}:1, too",
        "datasets/words/suite.yaml:1: scorers[0]: unknown type 'exactly' (did you mean 'exact'?)",
        "datasets/words/cases.jsonl:1: the field 'input' is missing",
    ]


def test_a_mistake_on_many_lines_is_told_five_times(workspace: Workspace) -> None:
    workspace.write(CASES_FILE, "".join(f'{{"id": "{i}", "input": "x"}}\n' for i in range(42)))
    lines = complaint(workspace).splitlines()
    assert [line.partition(": ")[0] for line in lines[:5]] == [f"{CASES_FILE}:{number}" for number in range(1, 6)]
    assert lines[5:] == [f"{CASES_FILE}: and 37 more like this"]


FOLLOWED = {
    "scorers under a misspelt name": Bad(SUITE_FILE, "scorer: [exact]\n", ":1: scorer: unknown field 'scorer' (did"),
    "scorer of a misspelt kind": Bad(SUITE_FILE, "scorers: [{exact: {kinds: [acuracy]}}]\n", ":1: scorer 'exact': no "),
    "misspelt field `kind`": Bad(
        SUITE_FILE,
        "scorers: [exact, {refusal: {kinds: [odd]}}]\n"
        "cases: {sql: \"SELECT 'a' AS id, 'x' AS input, 'y' AS expected, 'odd' AS knd\"}\n",
        ":2: unknown column 'knd' (did you mean 'kind'?)",
    ),
    "variable that each case lacks": Bad(
        SUITE_FILE, suite("user: '{{ group }}'"), ":2: user: this case has no 'group'"
    ),
    "rubric's variable that each input lacks": Bad(
        SUITE_FILE,
        "scorers: [{regex: {pattern: '{{ input.sum }}'}}]\n",
        ":1: scorer 'regex': the pattern cannot be made: 'str object' has no attribute 'sum' (in 2 cases, ",
    ),
    "no cases": Bad(SUITE_FILE, "scorers: [exact, {refusal: {kinds: [odd]}}]\ncases: none.csv\n", ":2: cases: no such"),
}


@pytest.mark.parametrize("bad", FOLLOWED.values(), ids=FOLLOWED)
def test_one_mistake_is_one_line_and_hides_behind_nothing_that_follows_from_it(workspace: Workspace, bad: Bad) -> None:
    workspace.write(bad.file, bad.content)
    [line] = complaint(workspace).splitlines()
    assert line.startswith(f"{bad.file}{bad.said}")


def test_a_scorer_that_is_wrong_in_itself_is_told_once_and_not_for_each_case(workspace: Workspace) -> None:
    workspace.write(SUITE_FILE, scorer("one_of: {labels: [Yes, 'yes ']}"))
    assert len(complaint(workspace).splitlines()) == 1


def test_the_secret_in_a_wrong_field_is_not_told(workspace: Workspace) -> None:
    workspace.write(CONFIG_FILE, model("price: ${KEY}") + '    compare_to: "${KEY}"\n')
    with pytest.raises(UsageError) as refused:
        workspace.load(env={"KEY": "hush-hush-1234"})
    assert "hush" not in str(refused.value)
    assert "models[0].price: expected a mapping, got '${KEY}' from the environment" in str(refused.value)


@pytest.mark.parametrize("command", ["check", "plan", "nightly", "compare --candidate small"])
@pytest.mark.parametrize("name", ["unknown field", "broken YAML", "not UTF-8", "unknown variable", "broken JSON"])
def test_the_command_line_refuses_it_and_writes_nothing(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], command: str, name: str
) -> None:
    bad = EVERYTHING[name]
    workspace.write(bad.file, bad.content)
    before = files_in(workspace.root)
    with pytest.raises(SystemExit) as ended:
        main(command.split())
    told = capsys.readouterr()
    assert ended.value.code == 2
    assert f"{bad.file}{bad.said}" in told.err
    assert (told.out, told.err.count("Traceback")) == ("", 0)
    assert files_in(workspace.root) == before


def test_the_command_line_tells_machines_what_is_wrong_and_where(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.write(CONFIG_FILE, model("prise: {}"))
    workspace.write(CASES_FILE, case('{"id": "3"}'))
    with pytest.raises(SystemExit) as ended:
        main(["nightly", "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert ended.value.code == 2
    assert answer["problems"] == [
        {
            "where": f"{CONFIG_FILE}:4",
            "message": "models[0].prise: unknown field 'prise'",
            "hint": "did you mean 'price'?",
        },
        {"where": f"{CASES_FILE}:3", "message": "the field 'input' is missing", "hint": ""},
    ]


def complaint(workspace: Workspace) -> str:
    with pytest.raises(UsageError) as refused:
        workspace.load()
    return str(refused.value)


def files_in(root: Path) -> set[Path]:
    return set(root.rglob("*"))
