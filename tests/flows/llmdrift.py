"""The suite of recorded answers (Chen, Zaharia, Zou 2023), built in a folder of the test's own."""

import gzip
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHARED = Path(__file__).parents[3] / "shared"
ANSWERS = SHARED / "data" / "llmdrift-prime" / "answers.jsonl.gz"
REPLAY = SHARED / "tools" / "replay.py"
MODELS = {
    "gpt-4-0314": None,
    "gpt-4-0613": "gpt-4-0314",
    "gpt-3.5-turbo-0301": None,
    "gpt-3.5-turbo-0613": "gpt-3.5-turbo-0301",
}

PAPERS_RULE = """
import re

def score(output, case):
    said = next((word for word in ("yes", "no") if re.search(rf"\\b{word}\\b", output, re.I)), None)
    return {"passed": said == case["expected"].lower(), "value": None, "reason": f"said {said}"}
"""

STRICTER_RULE = """
import re

def score(output, case):
    found = re.search(r"\\[(yes|no)\\]", output, re.I) or re.match(r"\\W*(\\w+)", output)
    said = found.group(1).lower() if found else None
    return {"passed": said == case["expected"].lower(), "reason": f"said {said}"}
"""


def recorded() -> list[dict[str, object]]:
    """All 4000 rows."""
    with gzip.open(ANSWERS, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def cases(*, kinds: bool = False) -> list[dict[str, object]]:
    """The 1000 questions as cases."""
    return [
        {
            "id": row["id"],
            "input": row["query"],
            "expected": row["reference"],
            "kind": ("primes" if row["is_prime"] else "composites") if kinds else "accuracy",
        }
        for row in recorded()
        if row["model"] == "gpt-4-0314"
    ]


def write_suite(root: Path, *, rule: str = PAPERS_RULE, kinds: bool = False) -> None:
    """A suite of the questions with a scorer by the paper's rule, or another."""
    folder = root / "datasets" / "prime"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases(kinds=kinds)))
    (folder / "score.py").write_text(rule)
    (folder / "suite.yaml").write_text(
        "scorers: [{type: python, call: 'score.py:score'}]\ngate: {baseline_trials: 1}\n"
    )


def write_config(root: Path, url: str, models: dict[str, str | None] | None = None, more: str = "") -> None:
    """A config of the four models behind one address."""
    lines = ["models:"]
    for name, compare_to in (models or MODELS).items():
        lines.append(f"  - {{name: {name}, model: openai/{name}, api_base: '{url}', api_key_env: REPLAY_KEY,")
        lines.append(f"     params: {{temperature: 0}}{f', compare_to: {compare_to}' if compare_to else ''}}}")
    (root / "deployments").mkdir(exist_ok=True)
    (root / "deployments" / "daybreak.yaml").write_text("\n".join(lines) + "\n" + more)
    (root / ".env").write_text("REPLAY_KEY=not-a-real-key\n")


@contextmanager
def replayed(*serve_as: str) -> Iterator[str]:
    """Serve the recorded answers; yields the address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    aliases = [word for alias in serve_as for word in ("--serve-as", alias)]
    command = [sys.executable, str(REPLAY), str(ANSWERS), "--port", str(port), "--speedup", "1e9", *aliases]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(10)


def wait_for(port: int) -> None:
    """Wait until something listens."""
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"nothing listens on port {port}")
