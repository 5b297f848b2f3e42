"""Three nights and a reader on one results folder: nobody fails, nothing is lost, nothing is doubled."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.prefect_server import PrefectServer
from tests.fakes.provider import FakeProvider, said
from tests.flows.lab import Lab

NIGHTS, CASES, TRIALS = 3, 40, 2


def start(root: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start a command as a process of its own."""
    command = [str(Path(sys.executable).with_name("daybreak")), *arguments, "--json"]
    return subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_three_nights_and_a_reader_get_along(tmp_path: Path, prefect_server: PrefectServer) -> None:
    with FakeProvider() as provider:
        provider.answer("*", said("7"))
        lab, asked = Lab(tmp_path, provider, n=CASES), 0
        nights = [start(lab.root, "nightly") for _ in range(NIGHTS)]
        while any(night.poll() is None for night in nights):
            asked += whole_nights_are_seen(lab.root)
        told = [json.loads(night.communicate()[0]) for night in nights]
    assert [night.returncode for night in nights] == [0] * NIGHTS
    assert {night["status"] for night in told} == {"finished"}
    assert asked
    rows = lab.sql("SELECT run_id, count(*) AS trials, count(DISTINCT case_id) AS cases FROM scores GROUP BY run_id")
    assert {row["run_id"] for row in rows} == {night["run_id"] for night in told}
    assert {row["cases"] for row in rows} == {CASES}
    assert sum(row["trials"] for row in rows) == len(provider.requests) == CASES * TRIALS * NIGHTS


def whole_nights_are_seen(root: Path) -> bool:
    """Ask as a person would meanwhile; every trial that is there is there whole."""
    reader = start(root, "sql", "SELECT (SELECT count(*) FROM calls) AS calls, (SELECT count(*) FROM scores) AS scores")
    out, err = reader.communicate()
    assert reader.returncode == 0, err
    [row] = json.loads(out)["rows"]
    assert row["calls"] == row["scores"]
    return True
