"""Outcomes of drafts: from pairs, from a file, and what is calibrated on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import BadInput
from playground.guardrails import ConfidenceGate
from playground.logs import LogRead
from playground.loop import run_all
from playground.outcomes import (
    DraftOutcome,
    calibration_of,
    calibrations,
    counting_for,
    outcomes_for,
    outcomes_of,
    read_outcomes,
    weighed,
)
from playground.pairs import Pair, as_payload, from_payload
from tests.scripted import TICKET, make

MODELS = ("old", "new")
JUDGED = Pair("t", -1.0, kind="judge", confidences=(0.9, 0.4))


def test_the_draft_that_lost_was_not_good_and_a_tie_beats_nobody() -> None:
    assert list(outcomes_of([JUDGED], MODELS)) == [
        DraftOutcome(0.9, True, "old", "judge", "rehearsal"),
        DraftOutcome(0.4, False, "new", "judge", "rehearsal"),
    ]
    assert [o.good for o in outcomes_of([replace(JUDGED, value=0.0)], MODELS)] == [True, True]


def test_a_person_is_believed_before_the_judge() -> None:
    found = list(outcomes_of([JUDGED], MODELS, {"t": 1.0}))
    assert [(o.good, o.source) for o in found] == [(False, "people"), (True, "people")]


def test_what_compares_nothing_is_left_out() -> None:
    silent = replace(JUDGED, confidences=(None, 0.4))
    assert not list(outcomes_of([replace(JUDGED, kind="failed"), replace(JUDGED, missing=True)], MODELS))
    assert [o.model for o in outcomes_of([silent], MODELS)] == ["new"]
    assert [o.model for o in outcomes_of([JUDGED], (None, "new"))] == ["new"]
    assert len(list(outcomes_of([replace(JUDGED, missing=True)], MODELS, {"t": 0.0}))) == 2


def test_a_pair_keeps_its_confidences_and_older_ones_have_none() -> None:
    kept = as_payload(JUDGED)
    assert from_payload(kept) == JUDGED
    del kept["confidences"]
    assert from_payload(kept).confidences == (None, None)


def test_rehearsed_outcomes_count_for_rehearsal_only() -> None:
    found = [DraftOutcome(0.5, True, provenance=p) for p in ("rehearsal", "live", "recorded")]
    assert [o.provenance for o in counting_for(found, "live")] == ["live", "recorded"]
    assert len(counting_for(found, "rehearsal")) == 3


def many(model: str, right: int, wrong: int, at: float = 0.9) -> list[DraftOutcome]:
    return [DraftOutcome(at, True, model)] * right + [DraftOutcome(at, False, model)] * wrong


def test_a_model_goes_by_its_own_outcomes_then_by_those_that_name_none() -> None:
    known = calibrations([*many("a", 30, 30), *many("", 75, 25), *many("b", 3, 3)])
    assert calibration_of(known, "a")(0.9) == pytest.approx(0.5)
    assert calibration_of(known, "b")(0.9) == pytest.approx(0.75)
    assert calibration_of(known, "other")(0.9) == pytest.approx(0.75)
    assert calibration_of({}, "a")(0.9) == 0.9
    assert calibration_of(calibrations(many("b", 3, 3)), "b").why == "6 outcomes are known, and 50 are needed"


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.sampled_from(["", "a"])), max_size=80))
def test_every_outcome_is_counted_once(found: list[tuple[float, bool, str]]) -> None:
    known = calibrations([DraftOutcome(*o) for o in found])
    assert sum(c.n for c in known.values()) == len(found)


def test_the_gate_goes_by_the_calibration_of_the_model_that_drafted_and_says_so() -> None:
    agent = make()
    drafted = run_all(agent, TICKET, "kr-auto").step("draft")
    assert drafted is not None
    own = calibrations([*many(drafted.decision.chosen.key, 40, 40, 0.8)])
    gate = ConfidenceGate(0.6, by_model=own)
    trace = run_all(replace(agent, middleware=(gate,)), TICKET, "kr-auto")
    assert trace.handover is not None
    assert trace.handover.reason == (
        "The draft's confidence is 0.50 (it states 0.80; calibrated on 80 outcomes), below the 0.60 that the gate asks for."
    )
    others = ConfidenceGate(0.6, by_model={"another": own[drafted.decision.chosen.key]})
    assert run_all(replace(agent, middleware=(others,)), TICKET, "kr-auto").handover is None


def test_a_file_is_read_and_bad_rows_are_named(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    path.write_text("Confidence,Good,Model\n0.9,yes,a\n1.2,no,a\nnan,yes,\n0.5,perhaps,\n0.1,0,\n")
    read = LogRead()
    assert list(read_outcomes(path, read)) == [DraftOutcome(0.9, True, "a"), DraftOutcome(0.1, False)]
    assert read.left_out == 3
    path.write_text("a,b\n1,2\n")
    with pytest.raises(BadInput, match="confidence"):
        list(read_outcomes(path))


def test_no_outcome_vouches_for_itself() -> None:
    """The confidence says nothing of the 30% that are bad: a fit seems to find some of them, among its own drafts only."""
    rng, seen = np.random.default_rng(1), []
    for _ in range(60):
        own = tuple(
            DraftOutcome(float(c), bool(g)) for c, g in zip(rng.uniform(0.3, 1, 80), rng.random(80) < 0.7, strict=True)
        )
        known = calibrations(own)
        on_itself = map(known[""], (o.confidence for o in own))
        seen.append([_passed_and_bad(w, own) for w in (on_itself, weighed(own, known))])
    counts = np.array(seen).sum(axis=0)
    assert counts[0, 1] / counts[0, 0] < 0.25
    assert counts[1, 1] / counts[1, 0] == pytest.approx(0.3, abs=0.04)


def _passed_and_bad(sure: Iterable[float], own: Sequence[DraftOutcome]) -> tuple[int, int]:
    passed = [o.good for c, o in zip(sure, own, strict=True) if c >= 0.7]
    return len(passed), len(passed) - sum(passed)


def test_outcomes_too_few_to_fit_are_weighed_as_they_are_stated() -> None:
    own = tuple(DraftOutcome(0.9, i % 2 == 0) for i in range(20))
    assert weighed(own, calibrations(own)) == (0.9,) * 20
    assert weighed((), {}) == ()


def test_a_few_outcomes_of_a_model_are_weighed_by_a_fit_on_those_that_name_none() -> None:
    unnamed = tuple(DraftOutcome(0.9, i % 10 < 7) for i in range(100))
    own = (DraftOutcome(0.9, True, "m"),)
    assert weighed(own, calibrations((*unnamed, *own))) == pytest.approx((0.7,))


def test_the_outcomes_for_a_model_are_its_own_else_those_of_none() -> None:
    unnamed, own, other = DraftOutcome(0.9, True), DraftOutcome(0.8, True, "m"), DraftOutcome(0.7, True, "n")
    assert outcomes_for((unnamed, own, other), "m") == (own,)
    assert outcomes_for((unnamed, other), "m") == (unnamed,)
    assert outcomes_for((other,), "m") == ()
