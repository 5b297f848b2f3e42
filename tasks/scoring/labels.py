"""`one_of`: which of the labels an output names."""

import re
from collections.abc import Iterable

from tasks.config import OneOfScorer
from tasks.records import Case, Finding
from tasks.scoring.findings import Rule, excerpt, failed, passed

WITHOUT_SPACES = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
"""Thai, Lao, Burmese, Khmer, kana and Chinese characters: scripts in which no space tells where a word ends."""

NOT_BEFORE_A_WORD = r"(?![^\W_])(?!_[^\W_])"


def one_of(config: OneOfScorer) -> Rule:
    """Pass when the label that the output names is the expected one.

    Labels count as whole words, in any case and with any white space between their words: "[Yes]", "**yes**" and
    "Yes." all name `yes`; "yesterday" and "not_yes" do not. Where one label contains another the longer one wins:
    "not spam" does not name `spam` if both are labels. `pick` says what counts when several places name labels:
    `only` wants exactly one distinct label (two are a wrong answer, and so is none: the model did answer), `first`
    and `last` go by position.
    """
    spelled = {normalised(label): label for label in config.labels}
    finder = label_finder(spelled)

    def named(text: str) -> list[str]:
        found = [normalised(place[0]) for place in finder.finditer(text.casefold())]
        match config.pick:
            case "first":
                return found[:1]
            case "last":
                return found[-1:]
            case "only":
                return list(dict.fromkeys(found))

    def score(text: str, case: Case) -> Finding:
        labels = named(text)
        if labels == [normalised(case.expected)]:
            return passed()
        got = " and ".join(excerpt(spelled[label]) for label in labels) or f"none of the labels in {excerpt(text)}"
        return failed(f"expected {excerpt(case.expected)}, got {got}")

    return score


def normalised(label: str) -> str:
    """How labels are compared: case-folded, with single spaces."""
    return " ".join(label.casefold().split())


def label_finder(labels: Iterable[str]) -> re.Pattern[str]:
    """A pattern for normalised labels in case-folded text, the longest first."""
    return re.compile("|".join(map(label_pattern, sorted(labels, key=len, reverse=True))))


def label_pattern(label: str) -> str:
    """A pattern for one label as whole words. Its first letter comes first, which is several times faster."""
    first, rest = re.escape(label[0]), r"\s+".join(map(re.escape, label[1:].split(" ")))
    before = "" if WITHOUT_SPACES.match(label[0]) else rf"(?<![^\W_]{first})(?<![^\W_]_{first})"
    after = "" if WITHOUT_SPACES.match(label[-1]) else NOT_BEFORE_A_WORD
    return first + before + rest + after
