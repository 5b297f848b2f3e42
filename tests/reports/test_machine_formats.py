"""A run for machines: JUnit XML and Markdown."""

from xml.etree import ElementTree

import pytest

from tasks.reports.page import ReportPage
from tasks.reports.site import JUNIT, SUMMARY, files
from tests.reports.sample_pages import INVOICES, LARGE, QUESTIONS, SMALL, TRIAGE, hostile_night, sample_night


def in_form(name: str, page: ReportPage) -> str:
    return next(file.text for file in files(page) if file.name == name)


def test_a_regression_fails_an_unmeasured_cell_is_an_error_and_gates_are_tests_of_their_own() -> None:
    tests = {
        (test.get("classname"), test.get("name")): [child.tag for child in test]
        for test in ElementTree.fromstring(in_form(JUNIT, sample_night())).iter("testcase")
    }
    assert tests == {
        (TRIAGE, SMALL): ["failure"],
        (TRIAGE, LARGE): ["system-out"],
        (TRIAGE, f"{LARGE}: min_pass_rate"): [],
        (TRIAGE, f"{LARGE}: p95_ms"): ["failure"],
        (INVOICES, SMALL): ["error"],
        (QUESTIONS, SMALL): ["system-out"],
    }


def test_counts_of_a_suite_are_those_of_its_tests() -> None:
    for suite in ElementTree.fromstring(in_form(JUNIT, sample_night())).iter("testsuite"):
        tests = list(suite.iter("testcase"))
        assert suite.get("tests") == str(len(tests))
        for tag, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert suite.get(name) == str(sum(test.find(tag) is not None for test in tests))


def test_the_summary_has_the_worst_first() -> None:
    shown = in_form(SUMMARY, sample_night()).replace("\N{NO-BREAK SPACE}", " ")
    assert shown.startswith(f"## {TRIAGE} on {SMALL} got worse\n".replace("-", "\\-"))
    rows = [line for line in shown.splitlines() if line.startswith("| ")]
    assert rows[1].startswith(
        "| ✗ regressed | ticket\\-triage | small\\-chat | 82.0 % | 93.4 % | 11.4 pp | 6.4 to 16.4 |"
    )
    assert "p95\\_ms is 1,205 ms, limit 800 ms" in shown


@pytest.mark.parametrize("name", [JUNIT, SUMMARY])
def test_hostile_texts_stay_texts(name: str) -> None:
    shown = in_form(name, hostile_night())
    if name == JUNIT:
        tags = {element.tag for element in ElementTree.fromstring(shown).iter()}
        assert tags <= {"testsuites", "testsuite", "testcase", "failure", "error", "skipped", "system-out"}
    else:
        table = [line for line in shown.splitlines() if line.startswith("|")]
        assert {line.replace("\\|", "").count("|") for line in table} == {10}
        assert "<script" not in shown.replace("\\<", "")
