"""The parameters of the flows: what a person asks for, without secrets, as Prefect shows and stores it."""

from pydantic import BaseModel, ConfigDict, Field


class Request(BaseModel):
    """What every flow wants to know: which config, and where results go."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    config: str = Field("deployments/daybreak.yaml", description="The config file, relative to the working folder.")
    results: str | None = Field(None, description="Where results go, instead of the config's folder.")


class NightRequest(Request):
    """Parameters of `nightly`."""

    suites: tuple[str, ...] = Field((), description="Only these suites; empty means all of the config.")
    models: tuple[str, ...] = Field((), description="Only these models; empty means all of the config.")
    resume: str | None = Field(None, description="Go on with this run (or 'latest') instead of starting one.")


class CompareRequest(Request):
    """Parameters of `compare`."""

    candidate: str = Field(description="A model's name in the config, or a litellm id.")
    baseline: str | None = Field(
        None, description="A model's name or a run id; default: the candidate's compare_to, else its pinned baseline."
    )
    suites: tuple[str, ...] = Field((), description="Only these suites; empty means all of the config.")
    notify: bool = Field(False, description="Tell Slack, as a night does.")


class WatchRequest(Request):
    """Parameters of `watch`."""

    suites: tuple[str, ...] = Field((), description="Only these suites; empty means all of the config.")
