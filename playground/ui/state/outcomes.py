"""Outcomes of drafts that this session knows, and how the gate's confidence is calibrated on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from playground.guardrails.confidence import Calibration
from playground.outcomes import STAGE, DraftOutcome, calibrations, counting_for, outcomes_of
from playground.pairs import from_payload
from playground.proofs import prompt_digest
from playground.records import Provenance
from playground.ui.state.session import notebook


def draft_outcomes() -> tuple[DraftOutcome, ...]:
    """Those that count for a run now: of the session's shadow evaluation of the draft, and of a file."""
    return _known()[0]


def calibrated() -> Mapping[str, Calibration]:
    """How drafts are calibrated, by candidate key; worked out once for each state of the outcomes."""
    return _known()[1]


def take_draft_outcomes(found: list[DraftOutcome]) -> None:
    """Put these in the place of an earlier file's."""
    st.session_state.draft_outcomes = tuple(found)


def forget_draft_outcomes() -> None:
    """Drop a file's outcomes."""
    st.session_state.pop("draft_outcomes", None)


def file_outcomes() -> Sequence[DraftOutcome]:
    """Those of a file."""
    found: tuple[DraftOutcome, ...] = st.session_state.get("draft_outcomes", ())
    return found


def _known() -> tuple[tuple[DraftOutcome, ...], Mapping[str, Calibration]]:
    desk = _draft_desk()
    live: Provenance = "live" if st.session_state.get("mode") == "Live" else "rehearsal"
    labels = 0 if desk is None else sum(map(len, desk.labels.values()))
    # The desk itself stands in the key: another one may hold as many pairs.
    key = (id(desk), 0 if desk is None else len(desk.payloads), labels, id(file_outcomes()), live)
    kept = st.session_state.get("gate_calibration")
    if kept is None or kept[0] != key:
        found = counting_for((*_of_desk(desk), *file_outcomes()), live)
        st.session_state.gate_calibration = kept = (key, (found, calibrations(found)))
    result: tuple[tuple[DraftOutcome, ...], Mapping[str, Calibration]] = kept[1]
    return result


def _draft_desk() -> Any:
    """The shadow evaluation, where it is of the draft and of the prompt as it stands; what it ran on has not changed since."""
    desk: Any = st.session_state.get("shadow_desk")
    if desk is None or desk.arms.stage != STAGE or desk.imported:
        return None
    book, ran = notebook(), desk.agent.pipeline
    stage = book.pipeline.stage(STAGE)
    stage = replace(stage, prompt=book.edits.get(STAGE, stage.prompt))
    same = (ran.name, ran.version) == (book.pipeline.name, book.pipeline.version)
    return desk if same and prompt_digest(book.pipeline, stage) == prompt_digest(ran, ran.stage(STAGE)) else None


def _of_desk(desk: Any) -> list[DraftOutcome]:
    """The current model's draft stands in the pairs of every candidate, and counts in those of the first."""
    if desk is None:
        return []
    found: list[DraftOutcome] = []
    for candidate in desk.arms.candidates:
        pairs = [from_payload(p["pairs"][candidate.key]) for p in desk.payloads.values() if candidate.key in p["pairs"]]
        current = None if found else desk.arms.current.key
        found += outcomes_of(pairs, (current, candidate.key), desk.labels.get(candidate.key))
    return found
