"""Whatever moment a night is killed at, nothing that was paid for is lost or paid for twice."""

import random
from pathlib import Path

import pytest

from tests.fakes.provider import FakeProvider
from tests.kills.chain import KilledNights


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("prefect_server")
def test_a_night_that_is_killed_five_times_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    with FakeProvider() as provider:
        chain = KilledNights(tmp_path, provider).chain(5, random.Random(1))
    assert len(chain.kills) >= 3
    assert chain.problems == []
