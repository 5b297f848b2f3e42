"""What judging a cell may take, told before anything is called."""

from itertools import islice
from typing import NamedTuple

from tasks.calls.prices import max_output_tokens, price_of
from tasks.config import Config, ModelConfig
from tasks.datasets.cases import cases_of
from tasks.plan import PlannedCell
from tasks.records import Suite
from tasks.scoring.judge import RubricJudge, build_judges
from tasks.scoring.judge_prompt import pose

CHARS_PER_TOKEN = 4
SAMPLED_CASES = 20
NONCE = "0" * 32


class Judging(NamedTuple):
    """Calls to judges and USD if no verdict is known, no reply needs repair, and each is as long as it may be."""

    calls: int
    cost_usd: float | None


def judging_of(config: Config, suite: Suite, cell: PlannedCell, *, answer_tokens: int | None) -> Judging:
    """What judging a cell takes at most; the cost is None where a price or a length is unknown."""
    calls, cost_usd = 0, 0.0
    unknown = False
    for scorer in build_judges(suite):
        asked = cell.trials * sum(n for kind, n in suite.kinds.items() if scorer.kinds is None or kind in scorer.kinds)
        for judge in (judge for judge in config.judges if judge.name in scorer.judges):
            per_call = cost_of_verdict(judge, scorer, suite, answer_tokens)
            calls += asked
            cost_usd += asked * (per_call or 0)
            unknown |= per_call is None
    return Judging(calls, None if unknown else cost_usd)


def cost_of_verdict(judge: ModelConfig, scorer: RubricJudge, suite: Suite, answer_tokens: int | None) -> float | None:
    """USD of one question to a judge."""
    price, longest = price_of(judge), judge.params.get("max_tokens") or max_output_tokens(judge)
    if price is None or answer_tokens is None or not isinstance(longest, int):
        return None
    tokens = rubric_tokens(scorer, suite) + answer_tokens
    return (tokens * price.input_per_million + longest * price.output_per_million) / 1e6


def rubric_tokens(scorer: RubricJudge, suite: Suite) -> float:
    """Tokens of a mean question but the answer, guessed from the length of some."""
    judged = (case for case in cases_of(suite) if scorer.applies_to(case))
    questions = [pose(scorer.rubric, case, "", nonce=NONCE).messages(NONCE) for case in islice(judged, SAMPLED_CASES)]
    sizes = [sum(len(message["content"]) for message in question) for question in questions]
    return sum(sizes) / len(sizes) / CHARS_PER_TOKEN
