"""How a plan is cut into pieces."""

import pytest

from tasks.plan import Shard, most_at_once


def pieces(model: str, sizes: list[int]) -> list[Shard]:
    return [Shard("triage", model, "planned", 0, size, 1, 1) for size in sizes]


@pytest.mark.parametrize("sizes", [[256] * 400, [50] * 400, [3] * 400, [256, 256, 4] * 20, [1]])
@pytest.mark.parametrize("concurrency", [1, 100, 1000])
@pytest.mark.parametrize("workers", [1, 3])
def test_as_many_pieces_are_under_way_as_fill_every_place_and_hardly_more(
    sizes: list[int], concurrency: int, workers: int
) -> None:
    [shards] = most_at_once(pieces("small", sizes), concurrency=concurrency, workers=workers).values()
    typical = sum(sizes) / len(sizes)
    assert (shards - workers) * typical >= 2 * concurrency
    assert shards * typical <= 2 * concurrency + 2 * workers * typical


def test_each_model_has_pieces_under_way() -> None:
    work = pieces("small", [50] * 9) + pieces("large", [200] * 9)
    assert most_at_once(work, concurrency=100, workers=1) == {"small": 5, "large": 2}
