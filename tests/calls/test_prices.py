"""Prices, limits and retirement dates from the price map, and that reading them is quick."""

import subprocess
import sys
from datetime import date

import pytest

from tasks.calls.prices import cost_usd, deprecation_date, max_output_tokens, price_map, price_of
from tasks.config import ModelConfig, Price


def model(litellm_id: str, **given: object) -> ModelConfig:
    return ModelConfig.model_validate({"name": "m", "model": litellm_id, **given})


@pytest.mark.parametrize(
    ("litellm_id", "like"),
    [
        ("gpt-4o-mini", "gpt-4o-mini"),
        ("openai/gpt-4o-mini", "gpt-4o-mini"),
        ("openai/gpt-4o-2031-01-01", "gpt-4o"),
        ("openai/ft:gpt-4o-mini-2024-07-18:our-team::x1", "ft:gpt-4o-mini-2024-07-18"),
        ("anthropic/claude-sonnet-4-5", "claude-sonnet-4-5"),
        ("gemini/gemini-2.5-flash", "gemini/gemini-2.5-flash"),
        ("vertex_ai/gemini-2.5-flash", "gemini-2.5-flash"),
        ("azure/gpt-4o", "azure/gpt-4o"),
        ("bedrock/converse/us.amazon.nova-lite-v1:0", "us.amazon.nova-lite-v1:0"),
    ],
)
def test_a_model_has_the_price_of_its_entry(litellm_id: str, like: str) -> None:
    entry, price = price_map()[like], price_of(model(litellm_id))
    assert price is not None
    assert price.input_per_million == pytest.approx(entry["input_cost_per_token"] * 1e6)
    assert price.output_per_million == pytest.approx(entry["output_cost_per_token"] * 1e6)
    assert price.input_per_million > 0
    assert max_output_tokens(model(litellm_id)) == entry["max_output_tokens"]


@pytest.mark.parametrize(
    "litellm_id",
    [
        "openai/a-model-nobody-knows",
        "azure/our-deployment",
        "openai/claude-sonnet-4-5",  # another provider's
        "volcengine/deepseek-v3-2-251201",  # in the map, with zeros for prices
        "dall-e-3",  # not priced by token
        "rehearsal/dawn",
    ],
)
def test_an_unknown_price_is_none_and_not_zero(litellm_id: str) -> None:
    assert price_of(model(litellm_id)) is None


def test_the_config_overrides_and_base_model_stands_in() -> None:
    free = Price(input_per_million=0.0, output_per_million=0.0)
    assert price_of(model("ollama/llama3", price=free)) == free
    deployment = model("azure/our-deployment", base_model="gpt-4o-mini")
    assert price_of(deployment) == price_of(model("gpt-4o-mini"))
    assert max_output_tokens(deployment) == 16384


def test_a_date_of_retirement_belongs_to_one_version_alone() -> None:
    dated = {name: entry["deprecation_date"] for name, entry in price_map().items() if "deprecation_date" in entry}
    assert len(dated) > 500
    for name in ("claude-sonnet-4-5", "azure/gpt-4o"):
        assert deprecation_date(model(name)) == dated[name]
        assert date.fromisoformat(dated[name]) > date(2025, 1, 1)
    assert deprecation_date(model("azure/gpt-4o-2031-01-01")) is None


def test_cost_is_linear_in_tokens() -> None:
    assert cost_usd(Price(input_per_million=2.0, output_per_million=8.0), 1_000, 500) == pytest.approx(0.006)


def test_prices_are_read_without_importing_litellm() -> None:
    """`daybreak plan` would take five seconds longer."""
    script = (
        "import sys; from tasks.calls import client, prices; from tasks.config import ModelConfig;"
        "assert prices.price_of(ModelConfig(name='m', model='gpt-4o-mini')); print('litellm' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
