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
PROMPT = "Answer with one word.\n"


def write_workspace(root: Path, url: str, *, cases: int, in_flight: int, more: str = "") -> None:
    """Write it; `more` is appended to the config, whose end is its one model."""
    write(root / "deployments" / "daybreak.yaml", CONFIG.format(url=url, in_flight=in_flight) + more)
    write(root / ".env", "BENCH_KEY=not-a-real-key\n")
    suite = root / "datasets" / "bench"
    write(suite / "suite.yaml", SUITE)
    write(suite / "prompt.md", PROMPT)
    write(suite / "cases.jsonl", "".join(map(case, range(cases))))


def case(number: int) -> str:
    """One line of the dataset."""
    return f'{{"id": "case-{number}", "input": "Is question {number} fine?", "expected": "ok"}}\n'


def write(path: Path, text: str) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
