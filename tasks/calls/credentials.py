"""Which models have no key, found out before any is called."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.calls import provider
from tasks.config import ModelConfig
from tasks.errors import Problem


def missing_credentials(
    models: Sequence[ModelConfig], env: Mapping[str, str], *, where: str | Path
) -> Iterator[Problem]:
    """Name every model whose provider would refuse it; simulated models need nothing."""
    for model in models:
        missing = [] if model.is_rehearsal else missing_keys(model, env)
        if missing:
            message = f"model {model.name!r}: expected its key in {' and '.join(missing)}, which is not set"
            yield Problem(str(where), message, "set it in the environment or in .env, or name another with api_key_env")


def missing_keys(model: ModelConfig, env: Mapping[str, str]) -> list[str]:
    """The environment variables that are not set, by the config's rule, else by litellm's."""
    if model.api_key_env:
        return [] if env.get(model.api_key_env) else [model.api_key_env]
    found: dict[str, Any] = provider.load().validate_environment(model=model.model, api_base=model.api_base)
    return [] if found["keys_in_environment"] else list(found["missing_keys"])
