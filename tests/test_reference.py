"""What the reference says there is: every field, option and view, and none that is not there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from tasks import config
from tasks.storage.warehouse import Warehouse

ROOT = Path(__file__).parent.parent
CONFIG = (ROOT / "deployments/README.md").read_text("utf-8")
SUITES = (ROOT / "datasets/README.md").read_text("utf-8").partition("## Reference")[2].partition("## Writing cases")[0]
OF_EVERY_SCORER = {"type", *config.ScorerBase.model_fields}

TABLES: list[tuple[str, str, type[BaseModel]]] = [
    (CONFIG, "## Config", config.Config),
    (CONFIG, "## Models and judges", config.ModelConfig),
    (CONFIG, "| field of `price` |", config.Price),
    (CONFIG, "| field of `limits` |", config.Limits),
    (CONFIG, "| field of `slack` |", config.SlackConfig),
    (CONFIG, "| field of `channels` |", config.SlackChannels),
    (CONFIG, "| field of `acknowledged` |", config.Acknowledged),
    (SUITES, "| field | default |", config.SuiteConfig),
    (SUITES, "| field of `gate` |", config.Gate),
]


def rows(text: str, after: str) -> Iterator[list[str]]:
    """The cells of the first table that follows some words."""
    table = re.search(r"^\|.*\n\|[-|]+\n((?:\|.*\n)+)", text[text.index(after) :], re.MULTILINE)
    assert table, after
    for line in table[1].splitlines():
        yield [cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def names_of(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


@pytest.mark.parametrize(("text", "after", "model"), TABLES, ids=[model.__name__ for _, _, model in TABLES])
def test_the_reference_has_every_field_and_no_other(text: str, after: str, model: type[BaseModel]) -> None:
    assert sorted(first for first, *_ in rows(text, after)) == sorted(names_of(model))


def test_the_reference_has_every_option_of_every_scorer_and_no_other() -> None:
    [union] = [part for part in get_args(config.ScorerConfig) if get_args(part)]
    options = [
        (get_args(scorer.model_fields["type"].annotation)[0], name)
        for scorer in get_args(union)
        for name in names_of(scorer)
        if name not in OF_EVERY_SCORER
    ]
    assert sorted((scorer, option) for scorer, option, *_ in rows(SUITES, "| scorer | option |")) == sorted(options)
    assert all(f"`{name}" in SUITES for name in config.ScorerBase.model_fields)


def test_the_reference_has_every_view_with_its_columns(tmp_path: Path) -> None:
    found = Warehouse(tmp_path).query(
        "SELECT table_name, string_agg(column_name, ', ' ORDER BY column_index) FROM duckdb_columns() "
        "WHERE table_name IN (SELECT view_name FROM duckdb_views() WHERE NOT internal) AND schema_name = 'main' "
        "GROUP BY table_name"
    )
    assert sorted(tuple(row) for row in rows(CONFIG, "| view | columns |")) == sorted(found)


def test_the_readme_names_every_view() -> None:
    listed = re.search(r"The views are (.*?):\n", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert listed
    assert sorted(re.findall(r"`(\w+)`", listed[1])) == sorted(view for view, _ in rows(CONFIG, "| view | columns |"))


def test_links_between_the_documents_lead_somewhere() -> None:
    for page in ("README.md", "deployments/README.md", "datasets/README.md"):
        text = (ROOT / page).read_text("utf-8")
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (ROOT / page).parent.joinpath(target).exists(), f"{page}: {target}"
