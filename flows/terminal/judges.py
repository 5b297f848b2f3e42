"""How judges agree with people, as tables and sentences."""

from collections.abc import Iterable, Iterator, Sequence

from flows.judges.trust import UNEQUAL
from flows.terminal.figures import plain, share, shares
from flows.terminal.tables import table
from tasks.records import Calibration, Correction

COLUMNS = ("suite", "judge", "rows", "sensitivity", "specificity", "J", "κ", "right", "changed its mind", "when")


def shown_calibrations(found: Sequence[Calibration]) -> str:
    """A line for each judge scorer and slice, then what is to be said of them."""
    rows = [calibration_row(one) for one in found]
    return "\n".join([table(COLUMNS, rows, right={"rows", "κ"}), *remarks(found)])


def calibration_row(one: Calibration) -> list[object]:
    """One line of the table; a slice stands below what it is a slice of."""
    who = " + ".join(one.judges) + (" (simulated)" if one.simulated else "")
    return [
        f"  {one.slice}" if one.slice else one.suite,
        "" if one.slice else who,
        one.n_rows,
        spread(one.sensitivity, one.sensitivity_low, one.sensitivity_high),
        spread(one.specificity, one.specificity_low, one.specificity_high),
        spread(one.youden, one.youden_low, one.youden_high),
        "–" if one.kappa is None else f"{one.kappa:.2f}",
        "–" if one.prevalence is None else f"{100 * one.prevalence:.0f} %",
        f"{one.retest_changed}/{one.n_retested}",
        "" if one.slice else f"{one.calibrated_at:%Y-%m-%d}",
    ]


def spread(value: float | None, low: float, high: float) -> str:
    """A share with its interval."""
    return f"{'–' if value is None else f'{value:.2f}'} ({low:.2f}–{high:.2f})"


def remarks(found: Sequence[Calibration]) -> Iterator[str]:
    """What the table does not show of each judge scorer."""
    for one in found:
        if one.slice:
            continue
        who = f"{plain(' + '.join(one.judges))} on {plain(one.suite)}"
        yield f"{who}: {', '.join(map(plain, one.judge_versions))}."
        if one.annotator_agreement is not None:
            alpha = "" if one.annotator_alpha is None else f", α {one.annotator_alpha:.2f}"
            agreed = f"{100 * one.annotator_agreement:.0f} %{alpha}"
            yield f"{who}: annotators agree on {agreed} ({one.n_annotated_twice} rows with two or more)."
        if one.homogeneity_p is not None and one.homogeneity_p < UNEQUAL:
            yield (
                f"{who}: it errs more on some models' outputs than on others' (p {one.homogeneity_p:.2g}): label 20 to "
                "50 outputs of the model in question (`daybreak judge sample`)."
            )
        if one.n_tied or one.n_unscored:
            yield f"{who}: left out are {one.n_tied} ties of annotators and {one.n_unscored} rows without a verdict."


def uncorrected(corrections: Iterable[Correction]) -> Iterator[str]:
    """A line for each cell whose pass rate could not be corrected, and why."""
    return (f"{one.suite} on {one.model}: not corrected. {one.why}" for one in corrections if one.pass_rate is None)


def where_shown(corrections: Iterable[Correction]) -> Iterator[str]:
    """Where to find corrections that came after their night, if there are any."""
    if any(one.pass_rate is not None for one in corrections):
        yield "The pages of that night stay as they were told; these rates are in the view `corrections`."


def corrected_rates(corrections: Iterable[Correction]) -> Iterator[str]:
    """A line for each cell whose pass rate could be corrected for its judge's errors."""
    for one in corrections:
        if one.pass_rate is not None and one.ci_low is not None and one.ci_high is not None:
            panel = "" if one.unanimous is None else f" The panel agreed on {100 * one.unanimous:.0f} %."
            youden = "" if one.youden is None else f", J {one.youden:.2f}"
            yield (
                f"{one.suite} on {one.model}: {share(one.raw_pass_rate)} as judged, {share(one.pass_rate)} "
                f"({shares(one.ci_low, one.ci_high)}) corrected for the judge's errors ({one.method}, "
                f"{one.n_labels} labels{youden}; {one.why}).{panel}"
            )
