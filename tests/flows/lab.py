"""A small team's folder in front of a scripted provider, for tests that run whole nights."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.fakes.provider import FakeProvider, Received, Reply
from tests.flows.night import Ended, daybreak

GATE = "{baseline_trials: 2, max_detectable_drop_pp: 100}"
KEY = "sk-lab-0123456789abcdef"


class Lab:
    """Suite `sums` of `n` cases ("3 + 4" → "7") on model `small`, in `root`; more can be written over it."""

    def __init__(self, root: Path, provider: FakeProvider, *, n: int = 20, gate: str = GATE) -> None:
        self.root = root
        self.provider = provider
        self.n = n
        self.config()
        self.suite(f"scorers: [exact]\ngate: {gate}\n", sums(n))
        (root / ".env").write_text(f"LAB_KEY={KEY}\n")

    def config(self, models: Mapping[str, str] | None = None, more: str = "") -> None:
        """Models by name with further fields in YAML's flow style."""
        lines = ["models:"]
        for name, fields in (models or {"small": ""}).items():
            lines.append(f"  - {{name: {name}, model: openai/{name}, api_base: '{self.provider.url}',")
            lines.append(f"     api_key_env: LAB_KEY, params: {{temperature: 0}}{fields and ', ' + fields}}}")
        self.write("deployments/daybreak.yaml", "\n".join(lines) + "\n" + more)

    def suite(self, text: str, cases: Sequence[Mapping[str, Any]] | None = None, *, name: str = "sums") -> None:
        """Write a suite, with cases unless they stay as they are."""
        self.write(f"datasets/{name}/suite.yaml", text)
        if cases is not None:
            lines = "".join(json.dumps(case) + "\n" for case in cases)
            self.write(f"datasets/{name}/cases.jsonl", lines)

    def write(self, name: str, text: str) -> None:
        """Write a file below the root."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, *arguments: str) -> Ended:
        """Run a command with --json."""
        return daybreak(self.root, *arguments, "--json")

    def sql(self, statement: str) -> list[dict[str, Any]]:
        """Ask the warehouse as a user would."""
        rows: list[dict[str, Any]] = daybreak(self.root, "sql", "--json", statement).data["rows"]
        return rows


def sums(n: int) -> list[dict[str, Any]]:
    """Additions with their results."""
    return [{"id": f"c{i:03}", "input": f"{i} + {i + 1}", "expected": str(2 * i + 1)} for i in range(n)]


def right(request: Received) -> str:
    """Add as asked, and answer a probe."""
    if "word OK" in request.prompt:
        return "OK"
    return str(sum(int(number) for number in request.prompt.split(" + ")))


def wrong_below(limit: int) -> Callable[[Received], str]:
    """Right, except for the first `limit` cases."""
    return lambda request: "no idea" if int(request.prompt.split(" + ")[0]) < limit else right(request)


def broken_below(limit: int, fault: Reply) -> Callable[[Received], str | Reply]:
    """Right, except that the first `limit` cases meet a fault."""
    return lambda request: fault if int(request.prompt.split(" + ")[0]) < limit else right(request)


def killed_when(condition: Callable[[], bool], lab: Lab, *arguments: str) -> None:
    """Run a command in a process of its own and kill it as no program can prevent."""
    command = [sys.executable, "-c", f"from flows.cli import main; main({list(arguments)!r})"]
    process = subprocess.Popen(command, cwd=lab.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not condition():
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    process.wait()
