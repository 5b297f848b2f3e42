"""What a watch prints where there is no Slack."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.provider import FakeProvider
from tests.flows.lab import Lab, right
from tests.flows.night import daybreak

pytestmark = pytest.mark.usefixtures("prefect_server")
HEADING = "For Slack (no Slack channel is set):"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with FakeProvider() as provider:
        provider.answer("*", right)
        yield Lab(tmp_path, provider, n=12)


@pytest.mark.slow
def test_a_watch_prints_what_is_new_and_leads_to_what_there_is(lab: Lab) -> None:
    soon = (datetime.now(UTC) + timedelta(days=25)).date()
    lab.config({"small": f"retires_on: {soon}", "large": ""})
    night = daybreak(lab.root, "nightly")
    assert HEADING in night.out
    quiet = daybreak(lab.root, "watch")
    assert (HEADING in quiet.out, quiet.err) == (False, ""), "the night has told of the retirement"
    lab.run("compare", "--candidate", "large", "--baseline", "small")
    [finished] = [row["run_id"] for row in lab.sql("SELECT run_id FROM runs WHERE flow = 'nightly'")]
    killed = lab.root / "results/runs/run-29990101-020000-dead"
    killed.mkdir()
    (killed / "plan.json").write_bytes((lab.root / f"results/runs/{finished}/plan.json").read_bytes())
    _, heading, told = daybreak(lab.root, "watch").out.partition(HEADING)
    assert heading
    assert "The night run-29990101-020000-dead did not come to its end" in told
    assert "retire" not in told
    assert f"/{finished}/index.html" in told
    watched = {row["run_id"] for row in lab.sql("SELECT run_id FROM runs WHERE flow = 'watch'")}
    assert any(run_id in told for run_id in watched)
