"""A hundred cells over a fortnight through the whole product: whom unchanged nights wake, and what a real drop does."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes.calendar import Calendar
from tests.fakes.provider import FakeProvider, Received
from tests.flows.lab import Lab
from tests.study.suites import flaky, stopped

pytestmark = [pytest.mark.usefixtures("prefect_server"), pytest.mark.slow]

SUITES, MODELS, N_CASES, QUIET_NIGHTS = 10, 10, 50, 10
SEED = 20261122
DROPPED = [(f"suite-{number}", f"model-{2 * number}") for number in range(5)]
LOST = 4
"""Of 50 cases, 8 pp."""


class Models:
    """Answer each case right with a chance of its own.

    An answer hangs on the seed, the night, the case and how often it was asked that night, and not on what came first.
    """

    def __init__(self) -> None:
        self.generator = np.random.default_rng(SEED)
        names = [(f"suite-{suite}", f"model-{model}") for suite in range(SUITES) for model in range(MODELS)]
        self.rates = {name: flaky(0.15)(self.generator, N_CASES) for name in names}
        self.night = 0
        self.asked: Counter[str] = Counter()

    def next_night(self) -> None:
        """Begin another night."""
        self.night += 1
        self.asked.clear()

    def answer(self, request: Received) -> str:
        """Say yes, which is right, or no."""
        suite, number = request.prompt.split()
        who = f"{request.model} {request.prompt}"
        self.asked[who] += 1
        drawn = hashlib.sha256(f"{SEED} {self.night} {who} {self.asked[who]}".encode()).digest()
        chance = self.rates[suite, request.model][int(number)]
        return "yes" if int.from_bytes(drawn[:8]) < chance * 2**64 else "no"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with FakeProvider() as provider:
        lab = Lab(tmp_path, provider, n=1)
        (tmp_path / "datasets/sums/suite.yaml").unlink()
        (tmp_path / "datasets/sums/cases.jsonl").unlink()
        (tmp_path / "datasets/sums").rmdir()
        for suite in range(SUITES):
            cases = [{"id": f"c{i:02}", "input": f"suite-{suite} {i}", "expected": "yes"} for i in range(N_CASES)]
            lab.suite("scorers: [exact]\n", cases, name=f"suite-{suite}")
        lab.config({f"model-{model}": "" for model in range(MODELS)})
        yield lab


def regressed(night: dict[str, Any]) -> set[tuple[str, str]]:
    """The cells that a night names."""
    return {(row["suite"], row["model"]) for row in night["comparisons"] if row["verdict"] == "regressed"}


@pytest.mark.timeout(3600)
def test_quiet_nights_wake_hardly_anybody_and_real_drops_are_named_by_the_second_night(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    calendar, models = Calendar(monkeypatch), Models()
    lab.provider.answer("*", models.answer)

    def night() -> set[tuple[str, str]]:
        calendar.turn()
        models.next_night()
        ended = lab.run("nightly")
        lab.provider.requests.clear()
        assert ended.exit_code in {0, 1}, ended.err
        return regressed(ended.data)

    night()
    quiet = [night() for _ in range(QUIET_NIGHTS)]
    assert len(set().union(*quiet)) <= 3, quiet

    for cell in DROPPED:
        models.rates[cell] = stopped(models.generator, models.rates[cell], LOST)
    named = night() | night()
    assert named >= set(DROPPED), set(DROPPED) - named
    assert len(named - set(DROPPED) - set().union(*quiet)) <= 1
