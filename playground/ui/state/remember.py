"""What earlier sessions decided about agents, read from the ledger once when a session starts, and what this one adds to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import streamlit as st

from playground.ledger import LedgerError
from playground.migration.guarding import GUARDS, is_on
from playground.records import PlanNote, PlanNoteKind, Proof, Provenance
from playground.remembered import Memory, remembered, verdict_note, withdrawn_note
from playground.runtime import Runtime
from playground.ui.state.ledger import ledger


def memory() -> Memory:
    """What was decided before this session began, unless it leaves that out; nothing where the ledger cannot be read."""
    if "memory" not in st.session_state:
        st.session_state.memory = _read()
    found: Memory = st.session_state.memory
    return found


def _read() -> Memory:
    try:
        return remembered(ledger().plan_notes())
    except LedgerError:
        # The pages that show the ledger say why.
        return Memory()


def forget_memory() -> tuple[Proof, ...]:
    """Go on without what earlier sessions decided; it stays in the ledger. Returns the verdicts that it holds."""
    proofs = tuple(r.proof for r in memory().verdicts)
    st.session_state.memory = Memory()
    return proofs


def keep_verdict(proof: Proof) -> None:
    """Keep a recorded verdict for later sessions."""
    now = datetime.now(UTC)
    said = f"Recorded on {now:%-d %B %Y} on the Shadow evaluation page."
    ledger().note_plan(verdict_note(proof, now, said))


def keep_withdrawal(proof: Proof) -> None:
    """Keep that a verdict was taken back: later sessions do without it."""
    now = datetime.now(UTC)
    ledger().note_plan(withdrawn_note(proof, now, f"Taken back on {now:%-d %B %Y} on the Migration plan page."))


def keep_guards(pipeline: str, before: Runtime, after: Runtime) -> None:
    """Keep which of the plan's guardrails were switched."""
    for key in GUARDS:
        on = is_on(after, key)
        if on != is_on(before, key):
            ledger().note_plan(_note("guard", pipeline, key, "on" if on else "off"))


def keep_start(pipeline: str, day: date) -> None:
    """Keep the day on which an agent's plan begins."""
    note = _note("start", pipeline, "", day.isoformat())
    ledger().note_plan(note)
    others = tuple(n for n in memory().starts if n.pipeline != pipeline)
    st.session_state.memory = replace(memory(), starts=(*others, note))


def _note(kind: PlanNoteKind, pipeline: str, subject: str, value: str) -> PlanNote:
    provenance: Provenance = "live" if st.session_state.get("mode") == "Live" else "rehearsal"
    return PlanNote(datetime.now(UTC), kind, pipeline, subject, provenance, value)
