"""What a panel of judges finds: the majority of those that could say; a tie leaves the case unscored."""

from collections.abc import Mapping

from tasks.records import Finding
from tasks.scoring.findings import one_line, unscored


def majority(findings: Mapping[str, Finding]) -> Finding:
    """One finding of the judges' own, by name; that of a judge alone stands as it is.

    `value` is the share of the votes that pass: between 0 and 1 where the panel did not agree.
    """
    if len(findings) == 1:
        [finding] = findings.values()
        return finding
    votes = {name: finding.passed for name, finding in findings.items() if finding.passed is not None}
    told = one_line(", ".join(f"{name}: {spoken(finding)}" for name, finding in findings.items()))
    passes = sum(votes.values())
    if not votes:
        return unscored(told)
    if 2 * passes == len(votes):
        return unscored(one_line(f"the panel is tied: {told}"))
    return Finding(2 * passes > len(votes), told, passes / len(votes))


def is_settled(findings: Mapping[str, Finding | None]) -> bool:
    """True where the judges that have spoken decide, whatever the others (None) would say."""
    passes = sum(finding is not None and finding.passed is True for finding in findings.values())
    fails = sum(finding is not None and finding.passed is False for finding in findings.values())
    return None not in findings.values() or max(passes, fails) > len(findings) / 2


def spoken(finding: Finding) -> str:
    """One judge's part of a reason."""
    word = {True: "pass", False: "fail", None: "could not say"}[finding.passed]
    return f"{word} ({finding.reason})" if finding.reason else word
