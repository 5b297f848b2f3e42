"""What a run produces, as plain data that stages hand to each other and storage writes down."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple

from tasks.config import IncidentKind, SuiteConfig

Phase = Literal["planned", "baseline", "confirm", "probe", "rejudged", "calibration"]
Role = Literal["model", "judge", "probe"]
OutcomeState = Literal["passed", "failed", "unmeasured"]
GateState = Literal["ok", "failed", "undecided"]
Trust = Literal["calibrated", "uncalibrated", "outdated", "refused"]
CorrectionMethod = Literal["rogan-gladen", "ppi++", "stratified"]
RunStatus = Literal["running", "finished", "interrupted", "broken"]
Risk = Literal["none", "unknown", "low", "medium", "high", "critical"]
IncidentStep = Literal["opened", "worse", "ongoing", "resolved", "closed", "acknowledged"]
EventKind = Literal["version_moved", "versions_mixed", "prompt_drifted", "comparison_started"]


class Verdict(StrEnum):
    """What a comparison says of a cell; DESIGN's section on the public contract words each."""

    PINNED = "pinned"
    REGRESSED = "regressed"
    IMPROVED = "improved"
    UNCHANGED = "unchanged"
    INCONCLUSIVE = "inconclusive"
    UNMEASURED = "unmeasured"

    @property
    def mark(self) -> str:
        """The symbol that stands for it in tables and pages."""
        return MARKS[self]


MARKS: Mapping[Verdict, str] = {
    Verdict.REGRESSED: "✗",
    Verdict.UNMEASURED: "!",
    Verdict.INCONCLUSIVE: "?",
    Verdict.IMPROVED: "✓",
    Verdict.PINNED: "⚑",
    Verdict.UNCHANGED: "=",
}
"""In the order in which they matter to a reader."""


class CallStatus(StrEnum):
    """How a call ended. Only the first two say something about the model; the rest leave the case unmeasured."""

    ANSWERED = "answered"
    REFUSED_BY_PROVIDER = "refused_by_provider"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXHAUSTED = "quota_exhausted"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    BAD_RESPONSE = "bad_response"
    CONTEXT_OVERFLOW = "context_overflow"
    BAD_REQUEST = "bad_request"
    UNAUTHORIZED = "unauthorized"
    MODEL_NOT_FOUND = "model_not_found"
    MODEL_STOPPED = "model_stopped"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One labelled example. `input` and `expected` are JSON values."""

    id: str
    input: Any
    expected: Any = None
    kind: str = "accuracy"
    tags: tuple[str, ...] = ()
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCase:
    """A case as it is stored, once per content of its dataset: `input` and `expected` are JSON texts.

    Hashes are hex SHA-256: `input_hash` of what a model may see of the case, `case_hash` of all of it.
    """

    suite: str
    dataset_hash: str
    case_id: str
    input: str
    expected: str
    kind: str
    tags: tuple[str, ...]
    group: str | None
    case_hash: str
    input_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A suite as read and checked: self-contained, so that a stored plan does not depend on later edits.

    `files` maps paths relative to `folder` to the texts that the prompt and the scorers use (templates and what they
    include, JSON schemas, rubrics, Python scorers). Hashes are hex SHA-256: `dataset_hash` of the cases' content alone,
    `prompt_hash` of the template texts, `scorers_hash` of the scorers' options and files.
    """

    name: str
    folder: str
    config: SuiteConfig
    files: Mapping[str, str]
    n_cases: int
    kinds: Mapping[str, int]
    tags: Mapping[str, int]
    dataset_hash: str
    prompt_hash: str
    scorers_hash: str


class TrialKey(NamedTuple):
    """One attempt of a case by one model in one run."""

    run_id: str
    suite: str
    model: str
    case_id: str
    trial: int
    phase: Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to a model or judge, with everything that was observed of it.

    `model` is the config's name of the model under test, also where a judge was asked; `scorer` names the judge
    scorer that asked. `prompt_hash` is of the system prompt as sent; `params` is JSON of what was really sent.
    `latency_ms` is of the successful attempt alone. What is unknown is None, never 0.
    """

    key: TrialKey
    role: Role
    requested_model: str
    prompt_hash: str
    params: str
    attempts: int
    status: CallStatus
    started_at: datetime
    scorer: str | None = None
    served_model: str | None = None
    system_fingerprint: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    latency_ms: float | None = None
    cost_usd: float | None = None
    finish_reason: str | None = None
    error: str | None = None
    output: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What one scorer says of one output; `passed` is None when it could not say, with the reason."""

    passed: bool | None
    reason: str
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """A finding with the trial and the scorer it belongs to."""

    key: TrialKey
    scorer: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial counts as."""

    key: TrialKey
    outcome: OutcomeState
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What scorers see of a model's answer. A provider that refused on the model's behalf leaves no text."""

    text: str
    finish_reason: str | None = None
    refused_by_provider: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledOutput:
    """An output of which people said whether it passes, by annotator; `where` is its line.

    `model` wrote it. `scorer` names the judge scorer that it is for, where it is not for each that applies. `weight` is
    how many outputs it stands for where not each was as likely to be labelled, `origin` the run it was sampled from.
    """

    where: str
    case: Case
    output: str
    verdicts: Mapping[str, bool]
    model: str
    scorer: str | None = None
    weight: float = 1.0
    origin: str | None = None


class Interval(NamedTuple):
    """A 95 % interval, in the unit of what it bounds."""

    low: float
    high: float


class Setting(NamedTuple):
    """What must stay for trials to be of one behaviour: who answered, who judged, and hashes as in `Cell`.

    Versions that are not disclosed are not there, so their change goes unseen.
    """

    served_models: tuple[str, ...]
    judges: tuple[str, ...]
    params_hash: str
    prompt_hash: str
    dataset_hash: str
    scorers_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One suite on one model in one run; rates are shares of planned (or baseline) trials that were measured.

    `verdict` is None for a cell that is only there to be compared with. `covered` says whether enough of its cases were
    measured for it to be judged, or to become a baseline. `flip_rate` is the chance that two trials of a case disagree.

    The last fields are the conditions under which it was asked: `params` as JSON of what was sent, `endpoint` without
    credentials ("default": the provider's own), `judges` with the version of each; None where nothing was recorded.
    """

    run_id: str
    suite: str
    model: str
    dataset_hash: str
    prompt_hash: str
    scorers_hash: str
    params_hash: str
    n_cases: int
    n_measured: int
    trials: int
    pass_rate: float | None
    ci_low: float | None
    ci_high: float | None
    p50_ms: float | None
    p95_ms: float | None
    cost_usd: float | None
    judge_cost_usd: float | None
    cost_per_action_usd: float | None
    verdict: Verdict | None
    covered: bool
    simulated: bool
    model_id: str | None = None
    served_models: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    params: str | None = None
    endpoint: str | None = None
    judges: tuple[str, ...] | None = None
    litellm_version: str | None = None
    flip_rate: float | None = None
    flip_rate_low: float | None = None
    flip_rate_high: float | None = None

    @property
    def setting(self) -> Setting:
        """What its trials were made under."""
        return Setting(
            self.served_models,
            self.judges or (),
            self.params_hash,
            self.prompt_hash,
            self.dataset_hash,
            self.scorers_hash,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A cell against its baseline, paired by case. A positive drop is a loss, in percentage points.

    Where judges, scorers or labels changed, `drop_pp` is against the baseline's outputs as they are scored tonight;
    `scoring_drop_pp` is what that change alone did to them, and `raw_drop_pp` both together.
    `differences` names what is not the same on both sides, `commands` what would tell apart which of several counts.
    `baseline_run_id` names the baseline, `baseline_run_ids` the runs whose trials it is made of by now. `lost` and
    `gained` count the cases whose majority of trials changed. `fresh_trials` were asked of every case to confirm.
    `night_sd_pp` is what nights are known to differ by beyond run-to-run noise (standard deviation); the test allows
    for it.

    Rates are of the paired cases, over `trials` of each on this side: those planned, and fresh ones that confirmed.
    `rate_ci_low` and `rate_ci_high` bound `pass_rate` as one of a population of such cases.
    """

    run_id: str
    suite: str
    model: str
    verdict: Verdict
    cause: str
    baseline_run_id: str | None = None
    baseline_model: str | None = None
    n_paired: int = 0
    n_cases: int = 0
    baseline_pass_rate: float | None = None
    pass_rate: float | None = None
    drop_pp: float | None = None
    ci_low_pp: float | None = None
    ci_high_pp: float | None = None
    p_value: float | None = None
    detectable_drop_pp: float | None = None
    raw_drop_pp: float | None = None
    scoring_drop_pp: float | None = None
    differences: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    baseline_run_ids: tuple[str, ...] = ()
    lost: int | None = None
    gained: int | None = None
    fresh_trials: int | None = None
    night_sd_pp: float | None = None
    trials: int = 1
    rate_ci_low: float | None = None
    rate_ci_high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """One gate of a cell: the limit, what was measured with its interval, and whether it holds."""

    run_id: str
    suite: str
    model: str
    gate: str
    limit_value: float
    value: float | None
    ci_low: float | None
    ci_high: float | None
    state: GateState


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A case whose outcome changed against the baseline, with an output of either side, and what scorers said of it."""

    run_id: str
    suite: str
    model: str
    baseline_run_id: str
    case_id: str
    direction: Literal["lost", "gained"]
    baseline_output: str | None
    output: str | None
    baseline_reason: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How a judge scorer agreed with people when it was last asked about labelled outputs, on all or one slice of them.

    `judge_key` is the same as long as the judges' versions, their parameters and the rubric are. `slice` is empty for
    all rows, else "kind …", "tag …" or "model …" (which wrote the output). Counts are sums of weights over `n_rows`
    rows with a label and a verdict; shares are None where no row can show them. `retest_changed` of `n_retested`
    verdicts were others when the same was asked twice. `homogeneity_p` tests that the judge errs alike on the outputs
    of all models.
    """

    run_id: str
    suite: str
    scorer: str
    slice: str
    judges: tuple[str, ...]
    judge_key: str
    judge_versions: tuple[str, ...]
    calibrated_at: datetime
    n_rows: int
    n_tied: int
    n_unscored: int
    right_passed: float
    right_failed: float
    wrong_passed: float
    wrong_failed: float
    n_right: float
    n_wrong: float
    sensitivity: float | None
    sensitivity_low: float
    sensitivity_high: float
    specificity: float | None
    specificity_low: float
    specificity_high: float
    youden: float | None
    youden_low: float
    youden_high: float
    kappa: float | None
    prevalence: float | None
    n_annotated_twice: int
    annotator_agreement: float | None
    annotator_alpha: float | None
    n_retested: int
    retest_changed: int
    homogeneity_p: float | None
    simulated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A cell's pass rate corrected for its judges' errors, as known at `recorded_at`; the latest of a cell counts.

    `trust` says what is known of the judges, `why` what the corrected rate assumes, or why there is none. `youden` and
    its lower bound are the smallest of the suite's judge scorers. A true drop shows as about `slope` times as much.
    `unanimous` is the share of answers on which a panel agreed.
    """

    run_id: str
    suite: str
    model: str
    trust: Trust
    why: str
    method: CorrectionMethod | None
    raw_pass_rate: float | None
    pass_rate: float | None
    ci_low: float | None
    ci_high: float | None
    n_labels: int
    youden: float | None
    youden_low: float | None
    slope: float | None
    unanimous: float | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A baseline: the run whose trials a cell is compared with from now on."""

    suite: str
    model: str
    run_id: str
    pinned_at: datetime
    pinned_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One execution of a flow as it stood at `recorded_at`; the latest record of a run counts."""

    run_id: str
    flow: str
    started_at: datetime
    finished_at: datetime | None
    status: RunStatus
    calls: int
    cost_usd: float | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentEvent:
    """A step in the life of one row of an incident: of one suite on one model, or of a model, or of neither.

    Rows that share a cause share an incident. `level` says how bad it is in the kind's own unit; `headline` and `line`
    tell it in words, short and whole. `cause` is what rows of several nights have in common, where that is known.
    An acknowledgement is of the whole incident, up to and with the day `until`, or to its end.
    """

    incident_id: str
    step: IncidentStep
    kind: IncidentKind
    suite: str | None
    model: str | None
    recorded_at: datetime
    run_id: str | None = None
    level: float = 0
    headline: str = ""
    line: str = ""
    cause: str = ""
    until: date | None = None


class Sighting(NamedTuple):
    """A version that answered for a model (or for a judge's probe) in a run, and how often."""

    model: str
    run_id: str
    requested_model: str
    served_model: str | None
    system_fingerprint: str | None
    calls: int
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a model, recorded once: `run_id` is the run that saw it, `text` says it in a sentence.

    `before` and `now` are served versions where a version moved, and hashes of system prompts where a prompt drifted.
    """

    run_id: str
    model: str
    suite: str | None
    kind: EventKind
    before: tuple[str, ...]
    now: tuple[str, ...]
    text: str
    noticed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirement:
    """When a model goes away, as known at `recorded_at`; the latest record of a model counts."""

    model: str
    retires_on: date
    source: str
    replacement: str | None
    recorded_at: datetime


class WantedComparison(NamedTuple):
    """A comparison that has not been made, and what it would cost; None where a price is unknown."""

    suite: str
    candidate: str
    cost_usd: float | None
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifespan:
    """What is known today of a model's (or judge's) end.

    `retires_on` None is unknown, never safe. `source` says where the date comes from, what another source says, and
    which date could not be read. `notice` is the tightest of `notice_days` that was reached, in days: -1 once retired.
    `claims` is every source with its provenance. `replacement` is the best one that was measured, `advice` says in
    sentences how it compares, and `wanted` is what is still to be measured.
    """

    model: str
    retires_on: date | None
    days_left: int | None
    source: str
    notice: int | None
    suites: tuple[str, ...] = ()
    judged_suites: tuple[str, ...] = ()
    replacement: str | None = None
    claims: tuple[str, ...] = ()
    risk: Risk = "unknown"
    advice: tuple[str, ...] = ()
    wanted: tuple[WantedComparison, ...] = ()

    @property
    def when(self) -> str:
        """The date in words."""
        match self.days_left:
            case None:
                return "retirement unknown"
            case 0:
                return f"retires today ({self.retires_on})"
            case days if days < 0:
                return f"retired {days_in_words(-days)} ago ({self.retires_on})"
            case days:
                return f"retires in {days_in_words(days)} ({self.retires_on})"


def days_in_words(days: int) -> str:
    """A number of days."""
    return "1 day" if days == 1 else f"{days} days"
