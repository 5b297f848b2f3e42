"""`exact` and `contains`: the output's text against the expected one."""

from collections.abc import Callable

from tasks.config import ContainsScorer, ExactScorer
from tasks.records import Case, Finding
from tasks.scoring.findings import Rule, excerpt, failed, passed

LEAD_IN = 20


def exact(config: ExactScorer) -> Rule:
    """Pass when output and `expected` are the same text, character by character.

    `strip` ignores white space around both; `ignore_case` compares case-folded ("Straße" is "STRASSE").
    """

    def plain(text: str) -> str:
        text = text.strip() if config.strip else text
        return text.casefold() if config.ignore_case else text

    def score(text: str, case: Case) -> Finding:
        wanted, got = plain(case.expected), plain(text)
        return passed() if wanted == got else failed(difference(wanted, got))

    return score


def difference(wanted: str, got: str) -> str:
    """Both texts, from shortly before the place where they part when they share a long beginning."""
    pairs = enumerate(zip(wanted, got, strict=False))
    shared = next((place for place, (one, other) in pairs if one != other), min(len(wanted), len(got)))
    start = shared - LEAD_IN if shared > 3 * LEAD_IN else 0
    after = f"after {start} equal characters: " if start else ""
    return f"{after}expected {excerpt(wanted[start:])}, got {excerpt(got[start:])}"


def contains(config: ContainsScorer) -> Rule:
    """Pass when the output contains `expected`: a text, or all texts of a list (one is enough with `all: false`).

    Texts are looked for as they stand, inside words too. The value is the share of texts that were found.
    """
    fold: Callable[[str], str] = str.casefold if config.ignore_case else str

    def score(text: str, case: Case) -> Finding:
        wanted = [case.expected] if isinstance(case.expected, str) else case.expected
        folded = fold(text)
        missing = [one for one in wanted if fold(one) not in folded]
        share = 1 - len(missing) / len(wanted)
        if not missing or (share and not config.all):
            return passed(value=share)
        return failed(f"does not contain {' or '.join(map(excerpt, missing))}; got {excerpt(text)}", value=share)

    return score
