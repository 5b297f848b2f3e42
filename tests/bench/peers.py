"""The same work by promptfoo and by Inspect AI, for who has them: each asks a bench model about every case once.

Their programs are found on PATH, or where the variables `PROMPTFOO` and `INSPECT` say; without them their rows are left
out. Both get the same cases, the same server, temperature 0, the same number of requests in flight, no cache, and a
scorer that compares texts.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.bench.workspace import PROMPT, write

INSPECT_TASK = """\
from inspect_ai import Task, task
from inspect_ai.dataset import json_dataset
from inspect_ai.scorer import exact
from inspect_ai.solver import generate, system_message


@task
def bench():
    return Task(
        dataset=json_dataset("cases.jsonl"),
        solver=[system_message("Answer with one word."), generate(temperature=0)],
        scorer=exact(),
    )
"""


class Peer(NamedTuple):
    """A program, how a folder is laid out for it, and what is run there."""

    name: str
    write: Callable[[Path, str, int, int], None]
    arguments: Callable[[int], list[str]]

    def program(self) -> str | None:
        """Where it is on this machine, if it is."""
        return os.environ.get(self.name.upper()) or shutil.which(self.name)


def write_promptfoo(root: Path, url: str, cases: int, in_flight: int) -> None:
    """One prompt, one provider, a test per case."""
    settings = {"apiBaseUrl": url, "apiKey": "not-a-real-key", "temperature": 0}
    config = {
        "prompts": [f"{PROMPT}\n{{{{question}}}}"],
        "providers": [{"id": "openai:chat:bench", "config": settings}],
        "tests": [
            {"vars": {"question": question(number)}, "assert": [{"type": "equals", "value": "ok"}]}
            for number in range(cases)
        ],
        "evaluateOptions": {"maxConcurrency": in_flight},
    }
    write(root / "promptfooconfig.json", json.dumps(config))


def write_inspect(root: Path, url: str, cases: int, in_flight: int) -> None:
    """One task; the address and the key are in the environment."""
    lines = (json.dumps({"input": question(number), "target": "ok"}) for number in range(cases))
    write(root / "cases.jsonl", "".join(f"{line}\n" for line in lines))
    write(root / "bench.py", INSPECT_TASK)


def question(number: int) -> str:
    """What is asked of a case, as our own dataset has it."""
    return f"Is question {number} fine?"


def environment_of_peers(root: Path, url: str) -> dict[str, str]:
    """No telemetry, no look for updates, no state outside the folder."""
    return {
        "OPENAI_BASE_URL": url,
        "OPENAI_API_KEY": "not-a-real-key",
        "PROMPTFOO_CONFIG_DIR": str(root / "state"),
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
        "PROMPTFOO_DISABLE_UPDATE": "1",
    }


PROMPTFOO = Peer(
    "promptfoo",
    write_promptfoo,
    lambda in_flight: [
        "eval", "-c", "promptfooconfig.json", "-o", "out.json", "--no-cache", "--no-table", "--no-progress-bar",
        "--max-concurrency", str(in_flight),
    ],
)  # fmt: skip
INSPECT = Peer(
    "inspect",
    write_inspect,
    lambda in_flight: [
        "eval", "bench.py", "--model", "openai/bench", "-M", "responses_api=false", "--display", "none",
        "--max-connections", str(in_flight),
    ],
)  # fmt: skip
PEERS = (PROMPTFOO, INSPECT)
