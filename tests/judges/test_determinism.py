"""Labels for which no judge is needed."""

from typing import Any

import pytest

from tasks.judges.determinism import scorer_that_would_do


@pytest.mark.parametrize(
    ("labels", "scorer"),
    [
        ([1, 2.5, "3", "1,000", 0], "numeric"),
        ([{"a": 1}, {"a": 2}, ["b"], '{"a": 3}', {}], "json_schema"),
        (["bug", "billing", "bug", "bug", "billing", "billing"], "one_of"),
        (["Name the plan and its price.", "Say that nobody knows.", "Decline.", "It is 7 days.", "Yes."], None),
        (["Paris", "Rome", "Oslo", "Bern", "Wien"], None),
        ([True, False, True, True, False, True], None),
        ([None] * 10, None),
        ([1, 2, 3], None),
        (["1", "2", "three", "4", "5"], None),
    ],
)
def test_a_scorer_is_named_where_it_would_do(labels: list[Any], scorer: str | None) -> None:
    assert scorer_that_would_do(labels) == scorer
