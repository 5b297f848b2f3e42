"""One comparison of 10,000 cases with 5 trials on either side and 12 slices, from counts to verdict; at most 1 s.

`python -m tests.bench.comparison`.
"""

import time

import numpy as np

from tasks.config import Gate
from tasks.verdicts.compare import Paired
from tasks.verdicts.decide import decide
from tasks.verdicts.evidence import open_case
from tests.study.suites import NOISES

CASES, TRIALS, ROUNDS = 10_000, 5, 5


def main() -> None:
    """Print the slowest of some comparisons, half of them of a side that got worse."""
    generator = np.random.default_rng(20261122)
    rates, five = NOISES["30 % flaky"](generator, CASES), np.full(CASES, TRIALS)
    kinds, tags = [f"kind {number % 4}" for number in range(CASES)], [[f"tag {number % 8}"] for number in range(CASES)]
    seconds = []
    for number in range(ROUNDS):
        before, now = generator.binomial(TRIALS, rates), generator.binomial(TRIALS, rates * (1 - 0.02 * (number % 2)))
        began = time.perf_counter()
        pairs = Paired(list(map(str, range(CASES))), before, five, now, five, CASES, CASES, trials=TRIALS)
        decide(open_case(pairs, kinds=kinds, tags=tags), Gate(), may_ask=False)
        seconds.append(time.perf_counter() - began)
    print(f"a comparison of {CASES} cases x {TRIALS} trials, 12 slices: {max(seconds):.2f} s at most (asked: 1 s)")


if __name__ == "__main__":
    main()
