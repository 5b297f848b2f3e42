"""Report pages for tests: a night as it may be, one in which every text is hostile, and one that is very large."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tasks.config import ExactScorer, SuiteConfig
from tasks.records import (
    Cell,
    Comparison,
    Event,
    Flip,
    GateResult,
    Interval,
    Lifespan,
    Run,
    RunStatus,
    StoredCase,
    Suite,
    Verdict,
)
from tasks.reports.page import CallCount, LatencyBin, PastCell, ReportPage, SliceRate, UnmeasuredReason, Version

RUN, BASELINE = "run-20261122-030000-k3x9", "run-20261115-030000-a1b2"
TRIAGE, INVOICES, QUESTIONS = "ticket-triage", "invoice-extract", "support-qa"
SMALL, LARGE = "small-chat", "large-chat"

HOSTILE = {
    "script": "<script>window.pwned = 1</script>",
    "end of everything": "</title></style></script></option></select></details><script>window.pwned = 2</script>",
    "event handler": '<img src=x onerror="window.pwned = 3">',
    "end of an attribute": "\" autofocus onfocus='window.pwned = 4' x=\"' onmouseover=window.pwned=4 ",
    "drawing": "<svg onload=window.pwned=5><animate onbegin=window.pwned=5 attributeName=x dur=1s></svg>",
    "frame": '<iframe srcdoc="<script>parent.pwned = 6</script>"></iframe>',
    "data address": '<iframe src="data:text/html,<script>parent.pwned=7</script>"></iframe><object data="data:,x">',
    "link": '<a href="javascript:window.pwned=8">read more</a><base href="https://example.invalid/">',
    "redirect": '<meta http-equiv="refresh" content="0; url=https://example.invalid/">',
    "style": "<style>* { display: none !important; background: url(https://example.invalid/) }</style>",
    "form": '<form action="https://example.invalid/"><button autofocus>OK</button></form>',
    "template": "{{ 6 * 7 }}{% for x in y %}{{ x.__class__.__mro__ }}{# gone #}",
    "comment": "]]><!-- <![CDATA[ --!> <!--",
    "direction": "report-\u202egnp.exe \u2066isolated\u2069 \u200fmark",
    "control": "a\x00b\x07c\x1b[31md\x7fe\u200bf\ufeffg",
    "lines": "one\u2028two\u2029three\rfour",
    "broken": "half of a pair: \ud83d, no character: \uffff",
    "wide": "W" * 1_000_000,
    "marks": "Z" + "\u0301\u0330" * 300,
}  # fmt: skip
"""What a model may answer to break a page."""


def sample_run(status: RunStatus = "finished", *, flow: str = "nightly") -> Run:
    finished = datetime(2026, 11, 22, 3, 7, 41, tzinfo=UTC)
    return Run(
        run_id=RUN, flow=flow, started_at=datetime(2026, 11, 22, 3, tzinfo=UTC), finished_at=finished,
        status=status, calls=1284, cost_usd=1.8312, recorded_at=finished,
    )  # fmt: skip


def sample_cell(suite: str = TRIAGE, model: str = SMALL, rate: float | None = 0.82, **changed: Any) -> Cell:
    known: dict[str, Any] = {
        "run_id": RUN, "suite": suite, "model": model, "dataset_hash": "3f" * 32, "prompt_hash": "91" * 32,
        "scorers_hash": "77" * 32, "params_hash": "ab" * 32, "n_cases": 100, "n_measured": 100, "trials": 1,
        "pass_rate": rate, "ci_low": None if rate is None else max(0.0, rate - 0.07),
        "ci_high": None if rate is None else min(1.0, rate + 0.06), "p50_ms": 412.3, "p95_ms": 1204.9,
        "cost_usd": 0.0421, "judge_cost_usd": None, "cost_per_action_usd": 0.000421, "verdict": None,
        "covered": rate is not None, "simulated": True,
    }  # fmt: skip
    return Cell(**(known | changed))


def sample_comparison(suite: str, model: str, verdict: Verdict, drop_pp: float | None, **changed: Any) -> Comparison:
    known: dict[str, Any] = {
        "run_id": RUN, "suite": suite, "model": model, "verdict": verdict, "cause": "as far as the cases can tell",
        "baseline_run_id": BASELINE, "baseline_model": model, "n_paired": 98, "n_cases": 100,
        "baseline_pass_rate": 0.934, "pass_rate": 0.82, "drop_pp": drop_pp,
        "ci_low_pp": None if drop_pp is None else drop_pp - 5, "ci_high_pp": None if drop_pp is None else drop_pp + 5,
        "p_value": None if drop_pp is None else 2.1e-5, "detectable_drop_pp": 4.3, "rate_ci_low": 0.75,
        "rate_ci_high": 0.88,
    }  # fmt: skip
    return Comparison(**(known | changed))


def sample_flip(case_id: str, before: str | None, now: str | None, **changed: Any) -> Flip:
    known: dict[str, Any] = {
        "run_id": RUN, "suite": TRIAGE, "model": SMALL, "baseline_run_id": BASELINE, "case_id": case_id,
        "direction": "lost", "baseline_output": before, "output": now,
    }  # fmt: skip
    return Flip(**(known | changed))


def sample_case(case_id: str, input: object, expected: object, **changed: Any) -> StoredCase:
    known: dict[str, Any] = {
        "suite": TRIAGE, "dataset_hash": "3f" * 32, "case_id": case_id, "input": json.dumps(input),
        "expected": json.dumps(expected), "kind": "accuracy", "tags": (), "group": None, "case_hash": "",
        "input_hash": "",
    }  # fmt: skip
    return StoredCase(**(known | changed))


def sample_suite(name: str, action: str) -> Suite:
    return Suite(
        name=name, folder="datasets", config=SuiteConfig(action=action, scorers=[ExactScorer(type="exact")]), files={},
        n_cases=100, kinds={}, tags={}, dataset_hash="", prompt_hash="", scorers_hash="",
    )  # fmt: skip


def sample_gate(gate: str, limit: float, value: float | None, state: Any, *, model: str = LARGE) -> GateResult:
    return GateResult(
        run_id=RUN, suite=TRIAGE, model=model, gate=gate, limit_value=limit, value=value, ci_low=None, ci_high=None,
        state=state,
    )  # fmt: skip


def sample_slice(name: str, rate: float | None, *, suite: str = TRIAGE, model: str = SMALL) -> SliceRate:
    return SliceRate(
        suite=suite, model=model, slice=name, n_cases=12, n_measured=11, pass_rate=rate,
        interval=None if rate is None else Interval(rate - 0.2, rate + 0.1), baseline_pass_rate=0.9,
    )  # fmt: skip


def sample_lifespan(model: str, **changed: Any) -> Lifespan:
    known: dict[str, Any] = {"retires_on": None, "days_left": None, "source": "no source", "notice": None}
    return Lifespan(model=model, **(known | changed))


def sample_history(suite: str = TRIAGE, model: str = SMALL, *, nights: int = 30) -> tuple[PastCell, ...]:
    """A month of a cell, one night of it missing, that ends with the sample's run."""
    last = sample_run().started_at
    rates = [0.93 + 0.01 * (night % 3 - 1) for night in range(nights - 1)] + [0.82]
    return tuple(
        PastCell(
            suite=suite, model=model, run_id=RUN if night == nights - 1 else f"run-2026-{night:04}",
            started_at=last - timedelta(days=nights - 1 - night),
            verdict=Verdict.REGRESSED if night == nights - 1 else Verdict.UNCHANGED, pass_rate=rate,
            ci_low=rate - 0.06, ci_high=min(1.0, rate + 0.05), n_measured=100, p95_ms=1200.0, cost_usd=0.04,
            judge_cost_usd=None, cost_per_action_usd=0.0004 + 0.00001 * (night % 5),
        )
        for night, rate in enumerate(rates)
        if night != 12
    )  # fmt: skip


def sample_latencies(suite: str = TRIAGE, model: str = SMALL) -> tuple[LatencyBin, ...]:
    counts = [2, 9, 22, 31, 17, 9, 5, 0, 3, 2]
    return tuple(
        LatencyBin(suite, model, 200 * 1.25**place, 200 * 1.25 ** (place + 1), count)
        for place, count in enumerate(counts)
        if count
    )


def sample_night() -> ReportPage:
    """One cell got worse, one better, one could not be measured, one is new."""
    cases = [
        sample_case("tt-1", "My card was charged twice for one order.", "billing", tags=("billing", "lang-en")),
        sample_case("tt-2", "Das Passwort geht nicht mehr.", "access", tags=("access", "lang-de")),
        sample_case("tt-3", {"subject": "Crash", "body": "since 6.2.1"}, "bug", kind="off_topic", tags=("lang-en",)),
    ]
    answer = "This is a question of billing, since the customer was charged 12.50 EUR twice."
    return ReportPage(
        run=sample_run(),
        cells=(
            sample_cell(QUESTIONS, SMALL, 0.88),
            sample_cell(TRIAGE, LARGE, 0.95),
            sample_cell(TRIAGE, SMALL, 0.82),
            sample_cell(INVOICES, SMALL, None, n_measured=3, cost_usd=None, cost_per_action_usd=None, p50_ms=None),
        ),
        comparisons=(
            sample_comparison(QUESTIONS, SMALL, Verdict.PINNED, None, baseline_run_id=None, baseline_pass_rate=None),
            sample_comparison(TRIAGE, LARGE, Verdict.IMPROVED, -6.0),
            sample_comparison(
                TRIAGE,
                SMALL,
                Verdict.REGRESSED,
                11.4,
                cause="more than 3 pp worse",
                differences=("served model: small-chat-2026-05-01 → small-chat-2026-11-20",),
            ),
            sample_comparison(INVOICES, SMALL, Verdict.UNMEASURED, None, cause="3 of 100 cases were measured"),
        ),
        gates=(
            sample_gate("min_pass_rate", 0.7, 0.95, "ok"),
            sample_gate("p95_ms", 800, 1204.9, "failed"),
        ),
        flips=(
            sample_flip(
                "tt-1",
                answer,
                answer.replace("12.50", "12.40").replace("billing", "sales"),
                baseline_reason="judge: It names the right department.",
                reason="judge: It names the wrong department.",
            ),
            sample_flip("tt-2", "access", ""),
            sample_flip("tt-3", None, "bug", direction="gained"),
            sample_flip("tt-3", "sales", "bug", model=LARGE, direction="gained"),
        ),
        cases={(case.suite, case.case_id): case for case in cases},
        suites=(sample_suite(TRIAGE, "sorted ticket"),),
        unmeasured=(UnmeasuredReason(INVOICES, SMALL, "rate_limited: 429 insufficient_quota", 97),),
        slices=(sample_slice("kind off_topic", 0.75),),
        retirements=(
            sample_lifespan(
                SMALL,
                retires_on=date(2027, 1, 14),
                days_left=53,
                source="config; litellm says 2027-02-01",
                notice=60,
                suites=(TRIAGE, INVOICES),
                replacement=LARGE,
            ),
            sample_lifespan(LARGE),
        ),
        notes=("ticket-triage: 3 labels changed; stored outputs were scored again",),
        history=sample_history(),
        nights=tuple(
            replace(sample_run(), run_id=one.run_id, started_at=one.started_at, cost_usd=1.8 + night % 4 / 10)
            for night, one in enumerate(sample_history())
        )[::-1],
        latencies=sample_latencies(),
        calls=(
            CallCount(TRIAGE, SMALL, "model", "planned", "answered", 97, 99, 12_340, 1_024, 0.0421),
            CallCount(TRIAGE, SMALL, "model", "planned", "rate_limited", 3, 12, None, None, 0.0),
            CallCount(TRIAGE, SMALL, "model", "confirm", "answered", 300, 300, 37_000, 3_100, 0.126),
            CallCount(TRIAGE, LARGE, "model", "planned", "answered", 100, 100, 12_600, 1_050, 0.0421),
            CallCount(QUESTIONS, SMALL, "model", "baseline", "answered", 500, 500, 41_000, 22_000, 0.2),
            CallCount(QUESTIONS, SMALL, "judge", "baseline", "answered", 500, 500, 98_000, 11_000, 1.42),
            CallCount("", "careful-judge", "probe", "probe", "answered", 1, 1, 12, 1, 0.001),
        ),
        versions=(
            Version(
                SMALL, "small-chat-2026-11-20", "fp_2", datetime(2026, 11, 21, tzinfo=UTC), sample_run().started_at
            ),
            Version(SMALL, "small-chat-2026-05-01", "fp_1", *[datetime(2026, 11, 20, tzinfo=UTC)] * 2),
        ),
        events=(
            Event(
                run_id=RUN,
                model=SMALL,
                suite=None,
                kind="version_moved",
                before=("small-chat-2026-05-01",),
                now=("small-chat-2026-11-20",),
                text=f"{SMALL} is served as small-chat-2026-11-20 now",
                noticed_at=sample_run().started_at,
            ),
        ),
        reported=frozenset({"run-2026-0005"}),
        simulated=(SMALL, LARGE),
        uncalibrated=("careful-judge judges support-qa: how often it is right is not known",),
    )


def hostile_night() -> ReportPage:
    """Every text that a model, a dataset, a config or a provider can bring in is hostile."""
    texts = list(HOSTILE.values())
    named = [(text[:100], text) for text in texts]
    names = [name for name, _ in named]
    return ReportPage(
        run=sample_run(),
        cells=tuple(sample_cell(name, name) for name in names),
        comparisons=tuple(
            sample_comparison(
                name,
                name,
                Verdict.REGRESSED,
                5.0,
                cause=text,
                baseline_model=name,
                baseline_run_id=RUN,
                differences=(text,),
                commands=(text,),
            )
            for name, text in named
        ),
        gates=tuple(replace(sample_gate(name, 1, 2, "failed", model=name), suite=name) for name in names),
        flips=tuple(
            sample_flip(text, text, f"other {text}", suite=name, model=name, reason=text) for name, text in named
        ),
        cases={
            (name, text): sample_case(text, {"q": text}, [text], suite=name, kind=text, tags=(text, *names))
            for name, text in named
        },
        suites=tuple(sample_suite(name, text.encode(errors="replace").decode()) for name, text in named),
        unmeasured=tuple(UnmeasuredReason(name, name, text, 1) for name, text in named),
        slices=tuple(sample_slice(text, None, suite=name, model=name) for name, text in named),
        retirements=tuple(
            sample_lifespan(
                name,
                retires_on=date(2027, 1, 14),
                days_left=53,
                source=text,
                suites=(name,),
                judged_suites=(name,),
                replacement=name,
            )
            for name, text in named
        ),
        versions=tuple(Version(name, text, text, *[sample_run().started_at] * 2) for name, text in named),
        events=tuple(
            Event(
                run_id=RUN,
                model=name,
                suite=name,
                kind="version_moved",
                before=(text,),
                now=(text,),
                text=text,
                noticed_at=sample_run().started_at,
            )
            for name, text in named
        ),
        history=tuple(night for name in names for night in sample_history(name, name, nights=3)),
        latencies=tuple(one for name in names for one in sample_latencies(name, name)),
        notes=tuple(texts),
        simulated=tuple(names),
        uncalibrated=tuple(texts),
    )


def large_night(*, cells: int = 100, flips: int = 100, words: int = 2_000) -> ReportPage:
    """Every case of every cell flipped, with long outputs."""
    names = [f"suite-{number:03}" for number in range(cells)]
    ids = [f"case-{number}" for number in range(flips)]
    before = " ".join(f"word{number % 97}" for number in range(words))
    now = before.replace("word13", "another")
    gates = ("min_pass_rate", "p95_ms", "min_coverage", "max_cost_per_action_usd")
    return ReportPage(
        run=sample_run(),
        cells=tuple(sample_cell(name) for name in names),
        comparisons=tuple(
            sample_comparison(name, SMALL, Verdict.REGRESSED if place < 3 else Verdict.INCONCLUSIVE, 5.0)
            for place, name in enumerate(names)
        ),
        gates=tuple(
            replace(sample_gate(gate, 1, 2, "ok", model=SMALL), suite=name) for name in names for gate in gates
        ),
        flips=tuple(sample_flip(id, before, now, suite=name) for name in names for id in ids),
        cases={
            (name, id): sample_case(id, before[:500], "yes", suite=name, tags=("lang-en", id))
            for name in names
            for id in ids
        },
        slices=tuple(sample_slice(kind, 0.8, suite=name) for name in names for kind in "abcde"),
    )
