"""A folder with a config and suites, as a user would have it, that a test can spoil."""

from collections.abc import Mapping
from pathlib import Path

from tasks.datasets.suites import load_suites
from tasks.documents import ConfigFile, open_config
from tasks.records import Suite
from tasks.scoring.requirements import problem_of_case, problems_of_scorer

CONFIG = """\
models:
  - name: small
    model: openai/small
"""
SUITE = """\
scorers: [exact]
"""
CASES = """\
{"id": "first", "input": "2 + 2?", "expected": "4"}
{"id": "second", "input": "3 + 3?", "expected": "6"}
"""


class Workspace:
    """A sound config and a sound suite `sums`, until something else is written over them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = "deployments/daybreak.yaml"
        self.write(self.config, CONFIG)
        self.write("datasets/sums/suite.yaml", SUITE)
        self.write("datasets/sums/cases.jsonl", CASES)

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file; returns where it is."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def suite(self, name: str, suite: str, **files: str) -> Path:
        """Write a suite with further files (`cases_jsonl` is cases.jsonl)."""
        for file, text in files.items():
            self.write(f"datasets/{name}/{file.replace('_', '.')}", text)
        return self.write(f"datasets/{name}/suite.yaml", suite).parent

    def open(self, env: Mapping[str, str] | None = None) -> ConfigFile:
        """Read the config, whatever is wrong with it."""
        return open_config(self.root / self.config, env=env or {})

    def load(self, *only: str, env: Mapping[str, str] | None = None) -> tuple[Suite, ...]:
        """Read config and suites as a run does; raises UsageError."""
        return load_suites(self.open(env), check_scorer=problems_of_scorer, check_case=problem_of_case, only=only)
