"""Which cases changed: the evidence beside a verdict."""

from typing import Literal

import numpy as np

from tasks.verdicts.compare import Paired

Direction = Literal["lost", "gained"]


def flips(paired: Paired) -> list[tuple[str, Direction]]:
    """Cases whose majority of measured trials changed, in the order of the cases.

    A tie on either side is no majority, and no flip: a case that passes half of its trials has not changed when it
    fails the next one.
    """
    before = np.sign(2 * paired.base_passed - paired.base_measured)
    now = np.sign(2 * paired.passed - paired.measured)
    changed = np.flatnonzero(before * now < 0)
    return [(paired.case_ids[index], "lost" if now[index] < 0 else "gained") for index in changed.tolist()]
