"""Verdicts, guardrails and the first day outlive a session as notes, and what was withdrawn is gone."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.ledger import Ledger
from playground.records import PlanNote, Proof
from playground.remembered import Memory, remembered, verdict_note, withdrawn_note

AT = datetime(2026, 11, 26, 9, tzinfo=UTC)
PROOF = Proof(
    "intent", "gpt-5.4-mini", "gpt-5.4-mini", "support", "1", "abc", 500, date(2026, 11, 26), "live", current="gpt-5.4",
    margin=0.02,
)  # fmt: skip
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
PROOFS = st.builds(
    Proof, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, st.integers(0, 10**9), st.dates(),
    st.sampled_from(["live", "rehearsal", "recorded"]), st.sampled_from(["CUT OVER", "KEEP"]), TEXT,
    st.none() | st.floats(0, 1), TEXT, TEXT, st.integers(0, 100),
)  # fmt: skip


def guard(key: str, value: str, pipeline: str = "support") -> PlanNote:
    return PlanNote(AT, "guard", pipeline, key, "live", value)


@given(st.lists(PROOFS, unique=True, max_size=4))
def test_verdicts_come_back_as_they_were_and_in_their_order(proofs: list[Proof]) -> None:
    with closing(Ledger(None)) as ledger:
        for proof in proofs:
            ledger.note_plan(verdict_note(proof, AT, "Here."))
        found = remembered(ledger.plan_notes())
    assert [r.proof for r in found.verdicts] == proofs
    assert all((r.at, r.said) == (AT, "Here.") for r in found.verdicts)


def test_a_verdict_that_was_withdrawn_is_gone_and_may_be_recorded_again() -> None:
    other = replace(PROOF, stage="check")
    first = [verdict_note(PROOF, AT, ""), verdict_note(other, AT, ""), withdrawn_note(PROOF, AT, "")]
    assert [r.proof for r in remembered(first).verdicts] == [other]
    assert [r.proof for r in remembered([*first, verdict_note(PROOF, AT, "Again.")]).verdicts] == [other, PROOF]
    assert remembered([*first, withdrawn_note(PROOF, AT, "")]).verdicts == remembered(first).verdicts


def test_of_guardrails_and_first_days_the_last_counts_for_its_agent() -> None:
    start = PlanNote(AT, "start", "support", "", "live", "2026-12-07")
    found = remembered([guard("gate", "on"), guard("gate", "off"), guard("gate", "on", "rag"), start])
    gates = [found.guard("support", "gate"), found.guard("rag", "gate"), found.guard("support", "ceiling")]
    assert [g and g.value for g in gates] == ["off", "on", None]
    assert (found.start("support"), found.start("rag")) == (date(2026, 12, 7), None)


GOOD = json.loads(verdict_note(PROOF, AT, "").value)
BAD = (
    "", "[]", "null", "{}", json.dumps({**GOOD, "schema": 2}), json.dumps({**GOOD, "pairs": "many"}),
    json.dumps({**GOOD, "verdict": "MAYBE"}), json.dumps({**GOOD, "decided_on": "soon"}), json.dumps({**GOOD, "more": 1}),
    json.dumps({**GOOD, "provenance": "dreamt"}), json.dumps({**GOOD, "stage": 7}),
)  # fmt: skip


@pytest.mark.parametrize("value", BAD)
def test_a_note_that_cannot_be_made_out_is_counted_and_takes_nobody_along(value: str) -> None:
    bad = replace(verdict_note(PROOF, AT, ""), value=value)
    found = remembered(
        [bad, verdict_note(PROOF, AT, ""), guard("gate", "maybe"), replace(guard("x", "on"), kind="start")]
    )
    assert ([r.proof for r in found.verdicts], found.unread) == ([PROOF], 3)


def test_nothing_is_remembered_of_nothing(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path / "ledger.sqlite")) as ledger:
        assert remembered(islice(ledger.plan_notes(), 9)) == Memory()
