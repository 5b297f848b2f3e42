"""Whether what was sent as system prompt is what the template renders: rules over hashes."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

CHARS_OF_HASH = 8
SHOWN = 3


class SentPrompts(NamedTuple):
    """The hashes of the system prompts that were sent for one case, each once."""

    case_id: str
    hashes: tuple[str, ...]


class PromptDrift(NamedTuple):
    """What was sent instead of what the template renders; `varying` counts cases whose calls differ."""

    cases: int
    varying: int
    sent: tuple[str, ...]

    def __str__(self) -> str:
        among = f", of {self.varying} not even the same in every call" if self.varying else ""
        other = ", ".join(one[:CHARS_OF_HASH] for one in self.sent[:SHOWN])
        more = f" and {len(self.sent) - SHOWN} more" if len(self.sent) > SHOWN else ""
        return f"the system prompt of {self.cases} cases was not what the template renders{among} (sent: {other}{more})"


def prompt_drift(prompts: Iterable[SentPrompts], rendered: Callable[[str], str]) -> PromptDrift | None:
    """Compare what was sent for each case with the hash of what its template renders."""
    drifted = [prompt for prompt in prompts if set(prompt.hashes) != {rendered(prompt.case_id)}]
    if not drifted:
        return None
    others = {one for prompt in drifted for one in prompt.hashes if one != rendered(prompt.case_id)}
    return PromptDrift(len(drifted), sum(len(prompt.hashes) > 1 for prompt in drifted), tuple(sorted(others)))
