"""The confidence gate, the calibration behind it, and what a gate saves and wastes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import BadInput
from playground.guardrails import ConfidenceGate
from playground.guardrails.confidence import (
    MIN_OF_EACH,
    MIN_OUTCOMES,
    StageCosts,
    cross_fitted,
    expected_calibration_error,
    fit,
    gate_rows,
    reliability,
)
from playground.guardrails.gate import stated_confidence
from playground.loop import run_all
from playground.pipeline import load_shipped
from playground.records import Request, Trace
from tests.scripted import TICKET, Scripted, good, make

COSTS = StageCosts(Decimal("0.03"), Decimal("0.02"))


def run(confidence: object, gate: ConfidenceGate) -> Trace:
    def answer(request: Request) -> str:
        if request.prompt.stage != "draft":
            return good(request)
        return json.dumps({**json.loads(good(request)), "confidence": confidence})

    return run_all(replace(make(Scripted(answer)), middleware=(gate,)), TICKET, "kr-auto")


def test_below_the_threshold_check_and_answer_are_skipped() -> None:
    trace = run(0.69, ConfidenceGate(0.7))
    assert [s.stage for s in trace.steps] == ["intent", "rerank", "draft", "summarise"]
    assert trace.handover is not None
    assert trace.handover.rule == "confidence gate"
    assert trace.handover.reason == "The draft's confidence is 0.69, below the 0.70 that the gate asks for."
    assert trace.served is None


@pytest.mark.parametrize("confidence", [0.7, 0.71, 1])
def test_from_the_threshold_on_the_ticket_goes_on(confidence: float) -> None:
    assert run(confidence, ConfidenceGate(0.7)).served is not None


def test_a_calibrated_confidence_is_compared_and_both_are_said() -> None:
    trace = run(0.9, ConfidenceGate(0.7, lambda stated: stated - 0.4))
    assert trace.handover is not None
    assert "0.50 (it states 0.90), below the 0.70" in trace.handover.reason
    assert run(0.5, ConfidenceGate(0.7, lambda stated: 0.8)).served is not None


def test_figures_that_round_to_the_same_are_told_apart() -> None:
    trace = run(0.6999, ConfidenceGate(0.7))
    assert trace.handover is not None
    assert "0.6999, below the 0.7000" in trace.handover.reason


def test_a_calibration_that_gives_no_number_hands_over() -> None:
    assert run(0.9, ConfidenceGate(0.0, lambda stated: math.nan)).served is None


@pytest.mark.parametrize("threshold", [-0.01, 1.01, math.nan, math.inf, -math.inf])
def test_a_threshold_outside_0_to_1_is_refused(threshold: float) -> None:
    with pytest.raises(BadInput, match="not between 0 and 1"):
        ConfidenceGate(threshold)


def test_at_0_everything_passes_and_at_1_only_certainty() -> None:
    assert run(0.0, ConfidenceGate(0)).served is not None
    assert run(0.99, ConfidenceGate(1)).served is None
    assert run(1, ConfidenceGate(1)).served is not None


def test_a_draft_that_states_no_confidence_goes_to_a_person() -> None:
    flow = load_shipped("support")
    loose = flow.with_stage(replace(flow.stage("draft"), output=replace(flow.stage("draft").output, schema=None)))

    def answer(request: Request) -> str:
        output = json.loads(good(request)) if request.prompt.stage == "draft" else {}
        return json.dumps({k: v for k, v in output.items() if k != "confidence"}) if output else good(request)

    trace = run_all(replace(make(Scripted(answer), loose), middleware=(ConfidenceGate(0),)), TICKET, "kr-auto")
    assert trace.handover is not None
    assert "states no confidence" in trace.handover.reason


@pytest.mark.parametrize(
    "output",
    [
        "text",
        {},
        {"confidence": None},
        {"confidence": "0.9"},
        {"confidence": True},
        {"confidence": 1.1},
        {"confidence": math.nan},
    ],
)
def test_what_is_no_confidence_is_none(output: object) -> None:
    assert stated_confidence(output) is None  # type: ignore[arg-type]


def sample(n: int, truth: Callable[[np.ndarray], np.ndarray], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    stated = rng.uniform(0.3, 1, n).round(2)
    return stated, rng.random(n) < truth(stated)


def test_calibration_finds_the_true_share() -> None:
    stated, accepted = sample(20_000, lambda x: x**2)
    calibrate = fit(stated, accepted)
    assert calibrate.label == "calibrated"
    for at in (0.4, 0.6, 0.8, 0.95):
        assert calibrate(at) == pytest.approx(at**2, abs=0.05)


def test_calibration_makes_the_error_smaller_on_outcomes_that_it_has_not_seen() -> None:
    stated, accepted = sample(2_000, lambda x: x**3)
    before, after = (
        expected_calibration_error(stated, accepted),
        expected_calibration_error(cross_fitted(stated, accepted), accepted),
    )
    assert before is not None
    assert after is not None
    assert after < before / 3


def test_few_outcomes_leave_a_confidence_as_stated_and_say_so() -> None:
    calibrate = fit([0.9] * (MIN_OUTCOMES - 1), [True] * (MIN_OUTCOMES - 1))
    assert (calibrate.label, calibrate(0.9), calibrate.n) == ("uncalibrated", 0.9, MIN_OUTCOMES - 1)
    assert calibrate.why == "49 outcomes are known, and 50 are needed"


def test_too_few_of_the_rarer_kind_do_too() -> None:
    accepted = [True] * 100 + [False] * (MIN_OF_EACH - 1)
    calibrate = fit(np.linspace(0, 1, len(accepted)), accepted)
    assert (calibrate.label, calibrate.why) == ("uncalibrated", "9 answers were rejected, and 10 are needed")


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=150))
def test_a_surer_draft_is_never_calibrated_lower(pairs: list[tuple[float, bool]]) -> None:
    calibrate = fit([x for x, _ in pairs], [y for _, y in pairs])
    values = [calibrate(x) for x in np.linspace(0, 1, 21)]
    assert values == sorted(values)
    assert all(0 <= v <= 1 for v in values)


@given(st.lists(st.tuples(st.sampled_from([0.2, 0.5, 0.8]), st.booleans()), min_size=60, max_size=120), st.randoms())
def test_the_order_of_outcomes_does_not_matter(pairs: list[tuple[float, bool]], random: object) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = (fit([x for x, _ in p], [y for _, y in p]) for p in (pairs, shuffled))
    assert one.share == pytest.approx(other.share)


def test_success_alone_proves_no_certainty() -> None:
    stated = [0.2] * 30 + [0.9] * 70
    calibrate = fit(stated, [False] * 30 + [True] * 70)
    assert calibrate(0.9) == pytest.approx(1 - 1 / 102)
    assert calibrate(0.0) == pytest.approx(1 / 102)


def test_bins_hold_every_outcome_once_and_their_interval_holds_the_share() -> None:
    stated, accepted = sample(500, lambda x: x)
    bins = reliability(stated, accepted)
    assert sum(b.n for b in bins) == 500
    assert all(b.low <= b.stated <= b.high and b.lower <= b.observed <= b.upper for b in bins)
    assert [b.low for b in bins] == pytest.approx([0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])


def test_an_interval_is_wilson_s() -> None:
    """Brown, Cai and DasGupta 2001, the formula itself, for 7 of 10."""
    z, n, k = 1.959963984540054, 10, 7
    middle, half = (
        (k + z**2 / 2) / (n + z**2),
        z * math.sqrt(n) / (n + z**2) * math.sqrt(k / n * (1 - k / n) + z**2 / (4 * n)),
    )
    (only,) = reliability([0.75] * n, [True] * k + [False] * (n - k))
    assert (only.lower, only.upper) == pytest.approx((middle - half, middle + half))


def test_the_error_of_a_known_case() -> None:
    # Ten at 0.95 of which six are right, ten at 0.25 of which two are: 0.5 * 0.35 + 0.5 * 0.05.
    assert expected_calibration_error(
        [0.95] * 10 + [0.25] * 10, [1] * 6 + [0] * 4 + [1] * 2 + [0] * 8
    ) == pytest.approx(0.2)
    assert expected_calibration_error([], []) is None


def test_what_a_gate_saves_and_wastes() -> None:
    (row,) = gate_rows([0.2, 0.4, 0.6, 0.8, 0.9], [False, True, False, True, False], COSTS, [0.7])
    assert (row.handed_over, row.needless, row.passed_bad, row.n) == (3, 1, 1, 5)
    assert row.saved_usd == Decimal("0.04")
    assert row.wasted_usd == Decimal("0.09")


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=60))
def test_a_higher_threshold_hands_over_more_and_passes_less_that_is_bad(pairs: list[tuple[float, bool]]) -> None:
    rows = gate_rows([x for x, _ in pairs], [y for _, y in pairs], COSTS, [i / 10 for i in range(11)])
    for one, other in pairwise(rows):
        assert one.handed_over <= other.handed_over
        assert one.needless <= other.needless
        assert one.passed_bad >= other.passed_bad
    assert rows[0].handed_over == 0
    assert all(r.handed_over - r.needless + r.passed_bad == sum(not y for _, y in pairs) for r in rows)


@pytest.mark.parametrize(
    ("stated", "accepted", "said"),
    [
        ([0.5], [], "one outcome"),
        ([1.5], [1], "not between 0 and 1"),
        ([math.nan], [1], "not between 0 and 1"),
        ([0.5], [2], "neither accepted"),
    ],
)
def test_outcomes_that_cannot_be_used_are_refused(stated: list[float], accepted: list[int], said: str) -> None:
    for function in (fit, reliability, cross_fitted):
        with pytest.raises(BadInput, match=said):
            function(stated, accepted)
    with pytest.raises(BadInput, match="not between 0 and 1"):
        gate_rows([0.5], [1], COSTS, [1.5])
