"""litellm, imported once, quietly, and without a word to the network."""

import functools
import importlib
import logging
import os
import warnings
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

ENVIRONMENT = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # the bundled price map, not one fetched at import
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_MODE": "PRODUCTION",  # otherwise it reads a .env file of its own accord
    "EXPERIMENTAL_OPENAI_BASE_LLM_HTTP_HANDLER": "true",  # a third less CPU per call than through OpenAI's SDK
}

CANCELLED_EARLY = r"coroutine '\w+\.(async_completion|acompletion)' was never awaited"
"""What Python says when a call is cancelled before its request is sent."""


@functools.cache
def load() -> Any:
    """Import litellm and take it under control; about 5 s and 190 MB the first time."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if os.environ.get("OPENAI_ORGANIZATION"):  # which that handler does not send
        os.environ["EXPERIMENTAL_OPENAI_BASE_LLM_HTTP_HANDLER"] = "false"
    litellm: Any = importlib.import_module("litellm")
    litellm.suppress_debug_info = True
    litellm.drop_params = False
    litellm.modify_params = False
    logging.getLogger("LiteLLM").disabled = True  # what it has to say is in the exceptions
    warnings.filterwarnings("ignore", CANCELLED_EARLY, RuntimeWarning)
    forbid_resending()
    register_rehearsal(litellm)
    return litellm


@functools.cache
def completer() -> Callable[..., Awaitable[Any]]:
    """litellm.acompletion without its bookkeeping for loggers, of which there are none: a sixth less CPU."""
    acompletion = load().acompletion
    is_internal_call = importlib.import_module("litellm._internal_context").is_internal_call

    async def complete(**arguments: Any) -> Any:
        is_internal_call.set(True)
        return await acompletion(**arguments)

    return complete


async def warm_up() -> None:
    """Make a call within the process, so that the first real one does not take 0.3 s of CPU longer than the others."""
    await completer()(model="rehearsal/warm-up", messages=[{"role": "user", "content": ""}], latency_ms=0, timeout=60)


def params_sent(model: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The params as they go to the provider, in its words: renamed, and without those that `drop_params` drops.

    Raises what litellm raises for a param that the model does not take.
    """
    litellm = load()
    name, provider, _, _ = litellm.get_llm_provider(model=model)
    optional_params = importlib.import_module("litellm.utils").get_optional_params
    sent: dict[str, Any] = optional_params(model=name, custom_llm_provider=provider, **params)
    return sent


def forbid_resending() -> None:
    """Keep litellm from sending a request anew when its connection was reset: the first may have been answered.

    It resends on httpx.ConnectError, to which it maps resets (aiohttp.ClientOSError) as well as refused connections.
    """
    import aiohttp
    import httpx

    transport: Any = importlib.import_module("litellm.llms.custom_httpx.aiohttp_transport")
    transport.AIOHTTP_EXC_MAP[aiohttp.ClientOSError] = httpx.ReadError


def register_rehearsal(litellm: Any) -> None:
    """Serve `rehearsal/…` in process, through litellm's interface for custom providers."""
    from tasks.calls.rehearsal import perform

    class Rehearsal(litellm.CustomLLM):  # type: ignore[misc]  # the base is loaded at run time
        async def acompletion(self, model: str, messages: Any, **given: Any) -> Any:
            performance = await perform(model, messages, given["optional_params"])
            response = given["model_response"]
            response.model = performance.served_as
            response.choices[0].message.content = performance.text
            response.choices[0].finish_reason = performance.finish_reason
            response.usage = litellm.Usage(
                prompt_tokens=performance.prompt_tokens, completion_tokens=performance.completion_tokens
            )
            return response

    litellm.custom_provider_map = [{"provider": "rehearsal", "custom_handler": Rehearsal()}]
