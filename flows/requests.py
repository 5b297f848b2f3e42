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

    candidate: str = Field(description="A model's name in the config, a litellm id, or a run id (nothing is called).")
    baseline: str | None = Field(
        None,
        description="A model's name, a litellm id or a run id; default: the candidate without its prompt, params and "
        "api_base where these are given, else its compare_to, else its pinned baseline.",
    )
    suites: tuple[str, ...] = Field((), description="Only these suites; empty means all of the config.")
    prompt: str | None = Field(
        None, description="Ask the candidate with this file as system prompt, or with the templates of a stored run."
    )
    params: tuple[str, ...] = Field(
        (), description="Ask the candidate with these parameters, NAME=VALUE each (null: not sent)."
    )
    api_base: str | None = Field(None, description="Ask the candidate at this address ('default': the provider's own).")
    notify: bool = Field(False, description="Tell Slack, as a night does.")


class WatchRequest(Request):
    """Parameters of `watch`."""

    suites: tuple[str, ...] = Field((), description="Only these suites; empty means all of the config.")
    probe: bool = Field(True, description="Ask each model one thing, to learn which version answers.")
    compare: bool = Field(True, description="Start the comparison where a version moved, or a replacement is unknown.")
