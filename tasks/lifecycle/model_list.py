"""Ask an OpenAI-like provider which models it has: `GET /v1/models`."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from tasks.config import ModelConfig
from tasks.lifecycle.claims import Listing

TIMEOUT_S = 5.0
MOST_BYTES = 8_000_000
"""A longer answer is no list."""

MOST_OF_A_DATE = 64
"""Characters of a shutdown date that are kept: whatever it is, people are shown it."""

ENDPOINTS = {
    "openai": ("https://api.openai.com/v1", "OPENAI_API_KEY"),
    "mistral": ("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    "groq": ("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "deepseek": ("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    "xai": ("https://api.x.ai/v1", "XAI_API_KEY"),
}
"""Providers whose list has OpenAI's form, and where litellm looks for their key."""

OPENAI_BASES = ("OPENAI_BASE_URL", "OPENAI_API_BASE")
"""Where litellm looks for another address of OpenAI's API."""


class Source(NamedTuple):
    """Where a list is, and the key that it takes."""

    url: str
    key: str


def source_of(model: ModelConfig, env: Mapping[str, str]) -> Source | None:
    """Where a model's provider lists its models; None where it is not known to do so, or there is no key."""
    provider = model.model.partition("/")[0]
    if provider not in ENDPOINTS:
        return None
    usual, key_env = ENDPOINTS[provider]
    elsewhere = next((env[name] for name in OPENAI_BASES if env.get(name)), None) if provider == "openai" else None
    key = env.get(model.api_key_env or key_env, "")
    return Source((model.api_base or elsewhere or usual).rstrip("/"), key) if key else None


async def listings(sources: Iterable[Source]) -> dict[Source, Listing]:
    """The lists of some providers, each asked once; one that cannot be had is left out: no list is no news."""
    import aiohttp

    wanted = list(dict.fromkeys(sources))
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
        found = await asyncio.gather(*(fetch(session, source) for source in wanted))
    return {source: listing for source, listing in zip(wanted, found, strict=True) if listing}


async def fetch(session: Any, source: Source) -> Listing | None:
    """One list, or None where none came."""
    import aiohttp

    headers = {"Authorization": f"Bearer {source.key}"}
    try:
        async with session.get(f"{source.url}/models", headers=headers, allow_redirects=False) as response:
            return read_listing(json.loads(await body_of(response))) if response.status == 200 else None
    except (aiohttp.ClientError, TimeoutError, ValueError, RecursionError):  # the last for what is nested too deeply
        return None


async def body_of(response: Any) -> bytes:
    """What a provider sent; raises ValueError where that is too much."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES} bytes")
    return bytes(body)


def read_listing(body: object) -> Listing | None:
    """The models of an answer with the shutdown date of each, as written; None for what is no such list."""
    entries = body.get("data") if isinstance(body, dict) else None
    if not isinstance(entries, list):
        return None
    models = [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)]
    return {entry["id"]: as_text(entry.get("shutdown_date")) for entry in models}


def as_text(value: object) -> str | None:
    """A date as it is written, if not at any length."""
    return None if value is None else str(value)[:MOST_OF_A_DATE]
