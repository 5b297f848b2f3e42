"""`regex`: a regular expression that is searched in the output, with a limit on time."""

from functools import lru_cache

import regex

from tasks.config import RegexScorer
from tasks.records import Case, Finding
from tasks.scoring.findings import Rule, excerpt, failed, one_line, passed, unscored
from tasks.scoring.templates import FAULTS, is_template, pattern_template, variables_of

SEARCH_S = 0.5
"""Seconds of CPU that one search may take; ordinary patterns need a tenth of that for 10 MB."""

PROBE_S = 0.1
"""Seconds of CPU that a search in a short text may take, which ordinary patterns do in microseconds."""


def regex_search(config: RegexScorer) -> Rule:
    r"""Pass when the pattern is found anywhere in the output.

    The syntax is Python's; flags go into the pattern: `(?i)`. A pattern with doubled braces is a Jinja2 template that
    sees the case: `(?i)\btotal:?\s*{{ expected }}\b`. What it inserts is escaped, so that `1.50` finds just that;
    `{{ expected | pattern }}` inserts a pattern as it is.

    A search that takes longer than SEARCH_S leaves the case unscored. That is why the `regex` package is used: the
    standard library's `re` cannot be stopped.
    """
    fixed = None if is_template(config.pattern) else config.pattern

    def score(text: str, case: Case) -> Finding:
        try:
            found = compile_pattern(fixed or rendered(config.pattern, case)).search(text, timeout=SEARCH_S)
        except TimeoutError:
            return unscored(f"the pattern took longer than {SEARCH_S} s on {len(text)} characters")
        except (*FAULTS, regex.error) as error:
            return unscored(one_line(f"the pattern cannot be used with this case: {error}"))
        if found is None:
            return failed(f"not found in {excerpt(text)}")
        return passed(f"found {excerpt(found[0])}")

    return score


def rendered(pattern: str, case: Case) -> str:
    """The pattern for one case; raises one of FAULTS."""
    return pattern_template(pattern).render(variables_of(case))


@lru_cache(maxsize=4096)
def compile_pattern(pattern: str) -> "regex.Pattern[str]":
    """A pattern ready to search; raises regex.error."""
    return regex.compile(pattern)


def is_catastrophic(pattern: str) -> bool:
    """True when a search in a short text would take longer than PROBE_S, as `(a|aa)+$` does on "aaaa…!".

    The texts repeat each character of the pattern and some others, and end in one that does not fit.
    """
    search = compile_pattern(pattern).search
    repeated = dict.fromkeys(["a", "A", "1", " ", "-", ",", "a ", "a1", *pattern])
    try:
        for unit in repeated:
            search(unit * 60 + "\x00", timeout=PROBE_S)
    except TimeoutError:
        return True
    return False
