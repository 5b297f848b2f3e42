"""Under which conditions a cell was asked: what a later comparison needs to know to name a cause."""

from importlib.metadata import version
from typing import NamedTuple
from urllib.parse import urlsplit

from flows.evaluating.probing import kept_probes
from flows.run import Run
from tasks.calls.judge_version import version_of
from tasks.config import JudgeScorer, ModelConfig
from tasks.plan import PlannedCell
from tasks.records import Suite
from tasks.storage.counts import CellTotals


class Conditions(NamedTuple):
    """The last fields of a Cell."""

    model_id: str
    served_models: tuple[str, ...]
    fingerprints: tuple[str, ...]
    params: str | None
    endpoint: str
    judges: tuple[str, ...]
    litellm_version: str


def conditions_of(run: Run, suite: Suite, planned: PlannedCell, total: CellTotals | None) -> Conditions:
    """What was recorded of a cell's calls, and what they were made with."""
    model = run.model_named(planned.model)
    return Conditions(
        model_id=model.model,
        served_models=tuple(total.served_models) if total else (),
        fingerprints=tuple(total.fingerprints) if total else (),
        params=total.params if total else None,
        endpoint=run.redact(endpoint_of(model)),
        judges=judges_of(run, suite),
        litellm_version=version("litellm"),
    )


def endpoint_of(model: ModelConfig) -> str:
    """Where a model is asked, without what may be secret in an address."""
    if model.api_base is None:
        return "default"
    address = urlsplit(model.api_base)
    return f"{address.scheme}://{address.netloc.rpartition('@')[2]}{address.path.rstrip('/')}"


def judges_of(run: Run, suite: Suite) -> tuple[str, ...]:
    """The judges of a suite with the version that their probe found, and parameters that are not the usual ones."""
    asked = {name for one in suite.config.scorers if isinstance(one, JudgeScorer) for name in one.judges}
    versions = {name: version_of(probe) for name, probe in kept_probes(run.folder).items() if name in asked}
    usual = '{"temperature": 0}'
    return tuple(
        f"{name}: {one}{'' if one.params == usual else f' with {one.params}'}" for name, one in sorted(versions.items())
    )
