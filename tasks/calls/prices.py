"""What litellm's bundled price map says of a model, read without importing litellm.

The map writes 0 where it knows no price, so 0 counts as unknown; who runs a free model says so in the config.
"""

import functools
import importlib.util
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from tasks.config import ModelConfig, Price

MAP_FILE = "model_prices_and_context_window_backup.json"
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
DATED = re.compile(r"-\d{4}-\d{2}-\d{2}$")
TIERS = ("_priority", "_balanced", "_flex", "_batches")
FINE_TUNED = re.compile(r"(:[^:]*){3}$")


def price_of(model: ModelConfig) -> Price | None:
    """USD per million tokens: the config's, else that of `base_model` or the model; None where nobody knows.

    Long prompts, cached tokens and the like may cost otherwise; what a call cost is litellm's own calculation.
    """
    if model.price is not None:
        return model.price
    entry = entry_of(model.base_model or model.model, versions_alike=True)
    match entry.get("input_cost_per_token"), entry.get("output_cost_per_token"):
        case (int() | float() as asked, int() | float() as answered) if asked or answered:
            return Price(input_per_million=round(asked * 1e6, 9), output_per_million=round(answered * 1e6, 9))
    return None


def highest_price_of(model: ModelConfig, *, tiered: bool) -> Price | None:
    """The most that tokens may cost: the config's price, else the dearest of the map, as of long prompts or reasoning.

    `tiered` says that a service tier is asked for, which has prices of its own.
    """
    if model.price is not None or price_of(model) is None:
        return model.price
    entry = entry_of(model.base_model or model.model, versions_alike=True)
    return Price(
        input_per_million=round(1e6 * dearest(entry, "input_cost_per_token", tiered=tiered), 9),
        output_per_million=round(
            1e6
            * max(
                dearest(entry, "output_cost_per_token", tiered=tiered),
                dearest(entry, "output_cost_per_reasoning_token", tiered=tiered),
            ),
            9,
        ),
    )


def dearest(entry: Mapping[str, Any], what: str, *, tiered: bool) -> float:
    """The highest of an entry's prices of one thing."""
    prices = (
        float(price)
        for name, price in entry.items()
        if name.startswith(what) and isinstance(price, int | float) and (tiered or not name.endswith(TIERS))
    )
    return max(prices, default=0.0)


def cost_usd(price: Price, prompt_tokens: int, completion_tokens: int) -> float:
    """What a call of so many tokens costs."""
    return (prompt_tokens * price.input_per_million + completion_tokens * price.output_per_million) / 1e6


def max_output_tokens(model: ModelConfig) -> int | None:
    """The longest answer that the model can give."""
    entry = entry_of(model.base_model or model.model, versions_alike=True)
    limit = entry.get("max_output_tokens") or entry.get("max_tokens")
    return limit if isinstance(limit, int) else None


def deprecation_date(model: ModelConfig) -> str | None:
    """The day (YYYY-MM-DD) from which that very version may be gone."""
    entry = entry_of(model.base_model or model.model)
    day = entry.get("deprecation_date")
    return day if isinstance(day, str) else None


class MapFacts(NamedTuple):
    """Which map litellm brought along, and how many entries of it say when they retire; `past` by the given day."""

    provenance: str
    dated: int
    past: int


def map_facts(today: date) -> MapFacts:
    """What there is to know of the map."""
    days = [entry.get("deprecation_date") for entry in price_map().values() if isinstance(entry, dict)]
    known = [day for day in days if isinstance(day, str) and DAY.fullmatch(day)]
    return MapFacts(map_provenance(), len(known), sum(day < today.isoformat() for day in known))


def map_provenance() -> str:
    """Which litellm's map it is, and since when it lies here: the map itself bears no date."""
    installed = datetime.fromtimestamp(map_file().stat().st_mtime, UTC).date() if map_file().exists() else "never"
    return f"litellm {version('litellm')}, its map as installed on {installed}"


def entry_of(model_id: str, *, versions_alike: bool = False) -> Mapping[str, Any]:
    """What the map holds of a litellm model id, empty if nothing.

    `versions_alike` lets a dated snapshot or a fine-tuned model that has no entry of its own take that of its family.
    """
    known = price_map()
    prefix, _, bare = model_id.partition("/")
    for name in names_of(model_id, versions_alike=versions_alike):
        entry = known.get(name)
        if isinstance(entry, dict) and (not bare or name.startswith(f"{prefix}/") or is_of_provider(entry, prefix)):
            return entry
    return {}


def names_of(model_id: str, *, versions_alike: bool) -> Iterator[str]:
    """The names under which the map may hold a model, the most specific first."""
    bare = model_id.partition("/")[2]
    names = [model_id, *([bare] if bare else [])]
    if model_id.startswith("bedrock/"):
        names.append(bare.rpartition("/")[2])  # after a region or a route: bedrock/us-east-1/…, bedrock/converse/…
    yield from names
    if versions_alike:
        yield from (FINE_TUNED.sub("", DATED.sub("", name)) for name in names)


def is_of_provider(entry: Mapping[str, Any], prefix: str) -> bool:
    """True when a bare name's entry belongs to the provider that a model id starts with."""
    provider = str(entry.get("litellm_provider", ""))
    return provider == prefix or (prefix in {"vertex_ai", "fireworks_ai", "bedrock"} and provider.startswith(prefix))


@functools.cache
def price_map() -> Mapping[str, Any]:
    """Every entry; empty where litellm is not installed."""
    if not map_file().exists():
        return {}
    entries: dict[str, Any] = orjson.loads(map_file().read_bytes())
    return entries


@functools.cache
def map_file() -> Path:
    """Where litellm keeps its map; found without importing litellm."""
    spec = importlib.util.find_spec("litellm")
    folders = spec.submodule_search_locations if spec else None
    return Path(folders[0] if folders else "no litellm") / MAP_FILE
