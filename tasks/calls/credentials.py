"""Which models could not be asked at all, found out before any is called."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tasks.calls import provider
from tasks.config import ModelConfig
from tasks.documents.wording import brief
from tasks.errors import Problem


def unusable_models(
    models: Iterable[ModelConfig], env: Mapping[str, str], *, where: Callable[[ModelConfig], str]
) -> Iterator[Problem]:
    """Name every model that litellm or its provider would refuse; simulated models need nothing."""
    for model in models:
        if model.is_rehearsal:
            continue
        if not has_provider(model):
            message = f"model {model.name!r}: expected a model id that litellm can place, got {brief(model.model)}"
            hint = (
                "write PROVIDER/MODEL, such as openai/gpt-4o-mini; for a server of your own openai/NAME with api_base"
            )
            yield Problem(where(model), message, hint)
        elif missing := missing_keys(model, env):
            message = f"model {model.name!r}: expected its key in {' and '.join(missing)}, which is not set"
            hint = "set it in the environment or in .env, or name another with api_key_env"
            yield Problem(where(model), message, hint)


def has_provider(model: ModelConfig) -> bool:
    """Whether litellm knows whom to ask; the name after the provider may be anyone's own deployment."""
    litellm = provider.load()
    try:
        name = litellm.get_llm_provider(model=model.model, api_base=model.api_base)[0]
    except litellm.BadRequestError:
        return False
    return bool(name)


def missing_keys(model: ModelConfig, env: Mapping[str, str]) -> list[str]:
    """The environment variables that are not set, by the config's rule, else by litellm's."""
    if model.api_key_env:
        return [] if env.get(model.api_key_env) else [model.api_key_env]
    found: dict[str, Any] = provider.load().validate_environment(model=model.model, api_base=model.api_base)
    return [] if found["keys_in_environment"] else list(found["missing_keys"])
