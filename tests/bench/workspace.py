"""A folder with one suite of many cases on one model, as the benchmarks run it."""

from pathlib import Path

CONFIG = """\
concurrency: {in_flight}
models:
  - name: bench
    model: openai/bench
    api_base: '{url}'
    api_key_env: BENCH_KEY
    params: {{temperature: 0}}
"""
SUITE = """\
prompt: prompt.md
scorers: [exact]
gate: {baseline_trials: 1}
"""
JUDGES = """\
judges:
  - {{name: judge, model: openai/judge, api_base: '{url}', api_key_env: BENCH_KEY}}
"""
JUDGED_SUITE = SUITE.replace("[exact]", "[{type: judge, judge: judge, rubric: rubric.md}]")
RUBRIC = "Is this a good answer to {{ input }}?\n\n{{ output }}\n"
PROMPT = "Answer with one word.\n"


def write_workspace(root: Path, url: str, *, cases: int, in_flight: int, before: str = "", more: str = "") -> None:
    """Write it; the config begins with `before`, and ends with its one model and `more`."""
    write(root / "deployments" / "daybreak.yaml", before + CONFIG.format(url=url, in_flight=in_flight) + more)
    write(root / ".env", "BENCH_KEY=not-a-real-key\n")
    suite = root / "datasets" / "bench"
    write(suite / "suite.yaml", SUITE)
    write(suite / "prompt.md", PROMPT)
    write(suite / "cases.jsonl", "".join(map(case, range(cases))))


def write_judged_workspace(root: Path, url: str, *, cases: int, in_flight: int) -> None:
    """The same with a judge that is asked about each answer."""
    write_workspace(root, url, cases=cases, in_flight=in_flight, more=JUDGES.format(url=url))
    write(root / "datasets" / "bench" / "suite.yaml", JUDGED_SUITE)
    write(root / "datasets" / "bench" / "rubric.md", RUBRIC)


def case(number: int) -> str:
    """One line of the dataset."""
    return f'{{"id": "case-{number}", "input": "Is question {number} fine?", "expected": "ok"}}\n'


def write(path: Path, text: str) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
