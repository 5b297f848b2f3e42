"""What a person writes: deployments/daybreak.yaml and each suite.yaml, as strict schemas.

Only shapes and ranges are checked here. What needs other files or the environment (cases, templates,
`compare_to` chains, credentials) is checked where those are read.
"""

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

RUN_ID = re.compile(r"run-\d{8}-\d{6}-[0-9a-z]{4}")
"""The form of run ids, which no model name may take: `compare --baseline` accepts either."""

CONTROLLED_PARAMS = frozenset(
    {
        "acompletion", "api_base", "api_key", "base_url", "cache", "caching", "callbacks", "client",
        "context_window_fallback_dict", "cooldown_time", "custom_llm_provider", "failure_callback", "fallbacks",
        "logger_fn", "max_retries", "messages", "metadata", "mock_response", "mock_timeout", "mock_tool_calls", "model",
        "model_list", "n", "num_retries", "request_timeout", "retry_policy", "retry_strategy", "stream",
        "stream_options", "stream_timeout", "success_callback", "timeout",
    }
)  # fmt: skip
"""litellm arguments that would take pace, retries, money or the shape of an answer out of our hands."""


def of_form(pattern: str, expected: str) -> AfterValidator:
    """Accept texts of one form; `expected` says which in words."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"expected {expected}")
        return text

    return AfterValidator(check)


def day_of(value: object) -> object:
    """Read a date that stands in quotes."""
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("expected a date such as 2027-01-14") from None


Text = Annotated[str, Field(min_length=1)]
Name = Annotated[
    Text,
    Field(max_length=100),
    of_form(
        r"[^\s/\\](?:[^\\\x00-\x1f\x7f]*[^\s\\])?",
        "a name without backslashes or line breaks, that neither starts with '/' nor has blanks around it",
    ),
]
Url = Annotated[str, of_form(r"https?://\S+", "an address that starts with http:// or https://")]
EnvName = Annotated[str, of_form(r"[A-Za-z_]\w*", "the name of an environment variable")]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]


class Written(BaseModel):
    """A block of a file that a person writes: unknown fields are mistakes, values are never coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Price(Written):
    """USD per million tokens."""

    input_per_million: NotNegative
    output_per_million: NotNegative


class Limits(Written):
    """What a provider allows one key; entries with the same key share it."""

    concurrency: Count | None = None
    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None


class ModelConfig(Written):
    """One model (or judge) of the config: a name and a litellm model id with its parameters."""

    name: Name
    model: Text
    base_model: Text | None = None
    api_base: Url | None = None
    api_key_env: EnvName | None = None
    params: dict[str, Any] = {}
    price: Price | None = None
    limits: Limits = Limits()
    compare_to: str | None = None
    retires_on: date | None = None

    @field_validator("name")
    @classmethod
    def name_is_no_run_id(cls, name: str) -> str:
        if RUN_ID.fullmatch(name):
            raise ValueError("expected a name that does not look like a run id")
        return name

    @field_validator("retires_on", mode="before")
    @classmethod
    def date_as_text(cls, value: object) -> object:
        return day_of(value)

    @field_validator("params")
    @classmethod
    def params_leave_control(cls, params: dict[str, Any]) -> dict[str, Any]:
        taken = sorted(CONTROLLED_PARAMS & params.keys())
        if taken:
            raise ValueError(f"Daybreak controls {', '.join(taken)} itself; take it out of params")
        return params

    @property
    def is_rehearsal(self) -> bool:
        """True for a simulated model, which every output must say."""
        return self.model.startswith("rehearsal/")


class JudgeConfig(ModelConfig):
    """One judge of the config: asked at temperature 0, so that it says the same of the same answer."""

    params: dict[str, Any] = {"temperature": 0}

    @field_validator("params")
    @classmethod
    def temperature_is_zero(cls, params: dict[str, Any]) -> dict[str, Any]:
        temperature = params.get("temperature", 0)
        if isinstance(temperature, bool) or temperature != 0:
            raise ValueError(f"a judge is asked at temperature 0, not {temperature!r}; take it out of params")
        return {"temperature": 0, **params}


class IncidentKind(StrEnum):
    """What an incident is about."""

    REGRESSION = "regression"
    PASS_RATE = "pass rate"  # noqa: S105 (no password)
    NIGHT = "night"
    UNMEASURED = "unmeasured"
    JUDGE = "judge not trusted"
    BUDGET = "budget"
    LATENCY = "latency"
    COST = "cost"
    VERSION = "version moved"
    PROMPT = "prompt drift"
    RETIREMENT = "retirement"
    UNDELIVERED = "alert undelivered"


Severity = Literal["alarm", "warning", "notice"]


class SlackChannels(Written):
    """Channels by severity, where they differ from the one channel."""

    alarm: Text | None = None
    warning: Text | None = None
    notice: Text | None = None


class SlackConfig(Written):
    """Where alerts go. Without channel or token they are printed."""

    channel: Text | None = None
    channels: SlackChannels = SlackChannels()
    quiet: Literal["weekly", "nightly", "never"] = "weekly"
    token_env: EnvName = "SLACK_BOT_TOKEN"  # noqa: S105 (a variable's name)
    api_url: Url = "https://slack.com/api/"
    excerpts: bool = True

    def channel_for(self, severity: Severity) -> str:
        """Where incidents of a severity go."""
        routes = {"alarm": self.channels.alarm, "warning": self.channels.warning, "notice": self.channels.notice}
        return routes[severity] or self.channel or ""


class Acknowledged(Written):
    """What the team knows of: incidents of this kind, suite and model are kept, but not told, up to and with a day."""

    kind: IncidentKind | None = None
    suite: Name | None = None
    model: Name | None = None
    until: date | None = None

    @field_validator("kind", mode="before")
    @classmethod
    def kind_as_text(cls, value: object) -> object:
        if isinstance(value, str) and value not in set(IncidentKind):
            raise ValueError(f"expected one of {', '.join(IncidentKind)}")
        return IncidentKind(value) if isinstance(value, str) else value

    @field_validator("until", mode="before")
    @classmethod
    def date_as_text(cls, value: object) -> object:
        return day_of(value)

    def covers(self, kind: IncidentKind, suite: str | None, model: str | None) -> bool:
        """True for what it names; what it leaves open, it leaves open for all."""
        return all(
            mine in {None, theirs} for mine, theirs in ((self.kind, kind), (self.suite, suite), (self.model, model))
        )


class Config(Written):
    """deployments/daybreak.yaml. Paths are as written; `tasks.documents` resolves them."""

    results: Text = "results"
    datasets: Text = "datasets"
    suites: Annotated[list[Name], Field(min_length=1)] | None = None
    budget_usd: NotNegative | None = None
    timeout_s: Annotated[Positive, Field(le=86_400)] = 60
    concurrency: Count = 100
    workers: Count = 1
    report_url: Url | None = None
    notice_days: list[Annotated[int, Field(ge=1, le=3650)]] = [90, 60, 30, 7]
    auto_compare: bool = False
    model_lists: bool = True
    models: Annotated[list[ModelConfig], Field(min_length=1)]
    judges: list[JudgeConfig] = []
    slack: SlackConfig = SlackConfig()
    acknowledged: list[Acknowledged] = []

    def model_named(self, name: str) -> ModelConfig | None:
        """Find a model by its name in tables and alerts."""
        return next((model for model in self.models if model.name == name), None)


class Gate(Written):
    """What a cell must keep; `max_drop_pp` in percentage points, `min_*` as shares."""

    policy: Literal["confirmed", "strict"] = "confirmed"
    max_drop_pp: NotNegative = 3
    min_pass_rate: Share | None = None
    p95_ms: Positive | None = None
    max_cost_per_action_usd: Positive | None = None
    min_coverage: Share = 0.95
    baseline_trials: Count = 5
    max_confirm_trials: Count = 8
    max_detectable_drop_pp: Positive = 10


class ScorerBase(Written):
    """What every scorer may say: its name in tables, and the kinds of case it applies to (default: all)."""

    name: Name | None = None
    kinds: Annotated[list[Text], Field(min_length=1)] | None = None


class ExactScorer(ScorerBase):
    """Passes when the output is the expected text."""

    type: Literal["exact"]
    ignore_case: bool = False
    strip: bool = True


class ContainsScorer(ScorerBase):
    """Passes when the output contains the expected text, or all (or any) of a list of texts."""

    type: Literal["contains"]
    ignore_case: bool = True
    all: bool = True


class OneOfScorer(ScorerBase):
    """Passes when the label that the output names is the expected one."""

    type: Literal["one_of"]
    labels: Annotated[list[Text], Field(min_length=2)]
    pick: Literal["only", "first", "last"] = "only"


class RegexScorer(ScorerBase):
    """Passes when the pattern is found in the output; a template that may see `expected`."""

    type: Literal["regex"]
    pattern: Text


class NumericScorer(ScorerBase):
    """Passes when the picked number lies within the tolerances of the expected one."""

    type: Literal["numeric"]
    pick: Literal["last", "first", "only"] = "last"
    abs_tolerance: NotNegative = 0
    rel_tolerance: NotNegative = 0


class JsonSchemaScorer(ScorerBase):
    """Passes when the output is JSON of the schema and the named fields equal the expected ones."""

    model_config = ConfigDict(protected_namespaces=())
    type: Literal["json_schema"]
    schema_: Annotated[Text | dict[str, Any], Field(alias="schema")]
    fields: list[str] = []


class RefusalScorer(ScorerBase):
    """Passes when the model refused, or when it answered, as wanted."""

    type: Literal["refusal"]
    want: Literal["refuse", "answer"] = "refuse"


class JudgeScorer(ScorerBase):
    """Passes when a model that reads the rubric says so, or most of several.

    `min_youden` is what the lower bound of sensitivity + specificity − 1 must reach once the judge was calibrated.
    """

    type: Literal["judge"]
    judge: Text | Annotated[list[Text], Field(min_length=2)]
    rubric: Text
    min_youden: Share = 0.4

    @field_validator("judge")
    @classmethod
    def judges_are_different(cls, judge: str | list[str]) -> str | list[str]:
        if isinstance(judge, list) and len(set(judge)) < len(judge):
            raise ValueError("expected different judges: one that is named twice has two votes")
        return judge

    @property
    def judges(self) -> tuple[str, ...]:
        """The judges that are asked: one, or a panel."""
        return (self.judge,) if isinstance(self.judge, str) else tuple(self.judge)


class PythonScorer(ScorerBase):
    """Calls a function `score(output, case)` of the suite's folder or of an import path."""

    type: Literal["python"]
    call: Annotated[str, of_form(r"[^:]+:[A-Za-z_]\w*", "FILE.py:FUNCTION or MODULE:FUNCTION")]


ScorerConfig = Annotated[
    ExactScorer
    | ContainsScorer
    | OneOfScorer
    | RegexScorer
    | NumericScorer
    | JsonSchemaScorer
    | RefusalScorer
    | JudgeScorer
    | PythonScorer,
    Field(discriminator="type"),
]
SCORER_TYPES = ("exact", "contains", "one_of", "regex", "numeric", "json_schema", "refusal", "judge", "python")


class Message(Written):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class SqlCases(Written):
    """Cases that DuckDB selects; columns are the fields of a case."""

    sql: Text


class SuiteConfig(Written):
    """One suite.yaml."""

    description: str = ""
    owner: str | None = None
    action: Text = "case"
    models: Annotated[list[Text], Field(min_length=1)] | None = None
    cases: Text | Annotated[list[Text], Field(min_length=1)] | SqlCases = "cases.jsonl"
    prompt: Text | None = None
    user: Text = "{{ input }}"
    messages: list[Message] = []
    params: dict[str, Any] = {}
    feeds_logic: bool = False
    scorers: Annotated[list[ScorerConfig], Field(min_length=1)]
    trials: Count = 1
    gate: Gate = Gate()

    @field_validator("scorers", mode="before")
    @classmethod
    def scorers_in_any_form(cls, scorers: object) -> object:
        """Accept `exact`, `{exact: {…}}` and `{type: exact, …}` alike."""
        return [spell_out(scorer) for scorer in scorers] if isinstance(scorers, list) else scorers

    @field_validator("params")
    @classmethod
    def params_leave_control(cls, params: dict[str, Any]) -> dict[str, Any]:
        return ModelConfig.params_leave_control(params)

    @field_validator("scorers")
    @classmethod
    def scorer_names_are_unique(cls, scorers: list[ScorerConfig]) -> list[ScorerConfig]:
        names = [scorer.name or scorer.type for scorer in scorers]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"the name {', '.join(map(repr, twice))} is used twice; give each scorer its own `name`")
        return scorers


def spell_out(scorer: object) -> object:
    """Bring a scorer's short forms into the long one with `type`."""
    if isinstance(scorer, str):
        return {"type": scorer}
    if isinstance(scorer, dict) and "type" not in scorer and len(scorer) == 1:
        [(type_, options)] = scorer.items()
        if options is None or isinstance(options, dict):
            return {"type": type_, **(options or {})}
    return scorer
