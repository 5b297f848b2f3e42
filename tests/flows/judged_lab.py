"""The small team's folder with a judge, for tests of judged nights."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tests.fakes.judges import verdict
from tests.fakes.provider import FakeProvider, Received, Reply, said
from tests.flows.lab import GATE, Lab, right

RUBRIC = "Is this the sum of {{ input }}, {{ expected }}?\n{{ output }}\n"
JUDGED = f"scorers: [{{type: judge, judge: owl, rubric: rubric.md}}]\ngate: {GATE}\n"
JUDGE_PRICE = "price: {input_per_million: 100, output_per_million: 0}"
FENCED = re.compile(r"the sum of (.*), (.*)\?\n<<<(\w{32})\n(.*)\n\3>>>", re.DOTALL)


class Asked(NamedTuple):
    """What a judge is asked about a sum."""

    sum: str
    expected: str
    answer: str


class JudgedLab(Lab):
    """Suite `sums` on model `small`, judged by `owl`, whose requests are counted apart."""

    def __init__(self, root: Path, provider: FakeProvider, *, n: int = 10) -> None:
        super().__init__(root, provider, n=n)
        provider.answer("*", right)
        self.owl()
        self.judge(by_the_label)
        self.write("datasets/sums/rubric.md", RUBRIC)
        self.suite(JUDGED)

    def owl(self, fields: str = "", more: str = "") -> None:
        """Write the config with a judge, its further fields in YAML's flow style, and further lines."""
        prices = "price: {input_per_million: 1, output_per_million: 0}"
        key = f"api_base: '{self.provider.url}', api_key_env: LAB_KEY"
        judge = f"{{name: owl, model: openai/owl, {key}, {JUDGE_PRICE}{fields and ', ' + fields}}}"
        self.config({"small": prices}, more=f"judges: [{judge}]\n{more}")

    def judge(self, reply: Callable[[Asked], str | Reply], *, served_as: str | None = "owl-1") -> None:
        """Set what the judge replies, and as which version it answers, to its probe, too."""

        def answer(request: Received) -> str | Reply:
            text = "OK" if is_probe(request) else reply(asked_in(request))
            return said(text, served_as=served_as) if isinstance(text, str) else text  # type: ignore[arg-type]

        self.provider.answer("owl", answer)

    def asked(self) -> list[Asked]:
        """What the judge was asked since this was asked last, probes left out."""
        requests = [request for request in self.provider.requests if request.model == "owl"]
        self.provider.requests.clear()
        return [asked_in(request) for request in requests if not is_probe(request)]


def is_probe(request: Received) -> bool:
    """True for the question that only wants to know who answers."""
    return "word OK" in request.prompt


def asked_in(request: Received) -> Asked:
    """What a request to a judge is about."""
    found = FENCED.search(request.body["messages"][1]["content"])
    assert found
    return Asked(found[1], found[2], found[4])


def by_the_label(asked: Asked) -> str:
    """Pass what was expected."""
    return verdict("pass" if asked.answer == asked.expected else "fail")


def only(night: Any) -> dict[str, Any]:
    """The one comparison of a run."""
    [comparison] = night.data["comparisons"]
    return dict(comparison)
