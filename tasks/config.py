"""What a person writes: deployments/daybreak.yaml and each suite.yaml, as strict schemas.

Only shapes and ranges are checked here. What needs other files or the environment (cases, templates,
`compare_to` chains, credentials) is checked where those are read.
"""

import re
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

RUN_ID = re.compile(r"run-\d{8}-\d{6}-[0-9a-z]{4}")
"""The form of run ids, which no model name may take: `compare --baseline` accepts either."""

CONTROLLED_PARAMS = frozenset(
    {
        "acompletion", "api_base", "api_key", "base_url", "cache", "caching", "client", "context_window_fallback_dict",
        "cooldown_time", "custom_llm_provider", "fallbacks", "max_retries", "messages", "metadata", "mock_response",
        "mock_timeout", "mock_tool_calls", "model", "model_list", "n", "num_retries", "request_timeout",
        "retry_policy", "retry_strategy", "stream", "stream_options", "stream_timeout", "timeout",
    }
)  # fmt: skip
"""litellm arguments that would take pace, retries, money or the shape of an answer out of our hands."""

Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\s/\\][^\\]*$")]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


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
    model: Annotated[str, Field(min_length=1)]
    base_model: str | None = None
    api_base: str | None = None
    api_key_env: str | None = None
    params: dict[str, Any] = {}
    price: Price | None = None
    limits: Limits = Limits()
    compare_to: str | None = None
    retires_on: date | None = None

    @field_validator("name")
    @classmethod
    def name_is_no_run_id(cls, name: str) -> str:
        if RUN_ID.fullmatch(name):
            raise ValueError("a model name that has the form of a run id")
        return name

    @field_validator("params")
    @classmethod
    def params_leave_control(cls, params: dict[str, Any]) -> dict[str, Any]:
        taken = sorted(CONTROLLED_PARAMS & params.keys())
        if taken:
            raise ValueError(f"{', '.join(taken)}: Daybreak controls this itself; take it out of params")
        return params

    @property
    def is_rehearsal(self) -> bool:
        """True for a simulated model, which every output must say."""
        return self.model.startswith("rehearsal/")


class SlackConfig(Written):
    """Where alerts go. Without channel or token they are printed."""

    channel: str | None = None
    token_env: str = "SLACK_BOT_TOKEN"  # noqa: S105 (a variable's name)
    api_url: str = "https://slack.com/api/"
    excerpts: bool = True


class Config(Written):
    """deployments/daybreak.yaml. Paths are as written; `tasks.datasets` resolves them."""

    results: Annotated[str, Field(min_length=1)] = "results"
    datasets: Annotated[str, Field(min_length=1)] = "datasets"
    suites: list[Name] | None = None
    budget_usd: NotNegative | None = None
    timeout_s: Positive = 60
    concurrency: Count = 100
    workers: Count = 1
    report_url: str | None = None
    notice_days: list[Annotated[int, Field(ge=0)]] = [90, 60, 30, 7]
    auto_compare: bool = False
    models: Annotated[list[ModelConfig], Field(min_length=1)]
    judges: list[ModelConfig] = []
    slack: SlackConfig = SlackConfig()

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
    kinds: list[str] | None = None


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
    labels: Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=2)]
    pick: Literal["only", "first", "last"] = "only"


class RegexScorer(ScorerBase):
    """Passes when the pattern is found in the output; a template that may see `expected`."""

    type: Literal["regex"]
    pattern: Annotated[str, Field(min_length=1)]


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
    schema_: Annotated[str | dict[str, Any], Field(alias="schema")]
    fields: list[str] = []


class RefusalScorer(ScorerBase):
    """Passes when the model refused, or when it answered, as wanted."""

    type: Literal["refusal"]
    want: Literal["refuse", "answer"] = "refuse"


class JudgeScorer(ScorerBase):
    """Passes when a model that reads the rubric says so."""

    type: Literal["judge"]
    judge: str
    rubric: str


class PythonScorer(ScorerBase):
    """Calls a function `score(output, case)` of the suite's folder or of an import path."""

    type: Literal["python"]
    call: Annotated[str, Field(pattern=r"^[^:]+:[A-Za-z_]\w*$")]


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

    sql: Annotated[str, Field(min_length=1)]


class SuiteConfig(Written):
    """One suite.yaml."""

    description: str = ""
    owner: str | None = None
    action: str = "case"
    models: list[str] | None = None
    cases: str | list[str] | SqlCases = "cases.jsonl"
    prompt: str | None = None
    user: Annotated[str, Field(min_length=1)] = "{{ input }}"
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

    @model_validator(mode="after")
    def scorer_names_are_unique(self) -> Self:
        names = [scorer.name or scorer.type for scorer in self.scorers]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"scorers: the name {', '.join(map(repr, twice))} is used twice; give each its own `name`")
        return self


def spell_out(scorer: object) -> object:
    """Bring a scorer's short forms into the long one with `type`."""
    if isinstance(scorer, str):
        return {"type": scorer}
    if isinstance(scorer, dict) and "type" not in scorer and len(scorer) == 1:
        [(type_, options)] = scorer.items()
        if options is None or isinstance(options, dict):
            return {"type": type_, **(options or {})}
    return scorer
