"""What stands around a cell's calls, in a line each: the gate, the second opinion, and what failed tries added."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from playground.gate_money import GateTicket
from playground.guardrails.gate import RULE
from playground.money import Total
from playground.opinions import is_drawn
from playground.outage import added_s
from playground.records import Receipt, SecondOpinion, Step, Trace
from playground.ui import state
from playground.ui.gate_view import gate_line, gate_of_run
from playground.ui.gate_words import confidence_line
from playground.ui.widgets import counted, plain

SAYS = {True: "disagrees", False: "agrees", None: "nobody could tell"}


def cell_notes(step: Step) -> None:
    """Draw the lines that a step has; most have none."""
    lines = (confidence_line(step), _gate(step), added_line(step.receipts), second_line(step.second))
    for line in filter(None, lines):
        st.caption(plain(line))


def _gate(step: Step) -> str:
    if step.handover is None or step.handover.rule != RULE or state.is_running():
        return ""
    done = state.trace()
    found: GateTicket | None = None if done is None else gate_of_run(done)
    return "" if found is None else gate_line(found)


def added_line(receipts: Sequence[Receipt]) -> str:
    """What failed tries added to the latency; empty where none failed."""
    added = added_s(receipts)
    if added is None:
        return ""
    failed = [r for r in receipts if r.outcome == "failed"]
    whose = ", ".join(sorted({r.provider for r in failed}))
    made_up = any(r.provider in state.downs() or r.provenance == "rehearsal" for r in failed)
    simulated = " (simulated)" if made_up and added else ""
    at_once = "" if added else ": a provider that is known to be down is not waited for"
    return f"Failed tries at {whose} added {added:.1f} s{simulated}{at_once}."


def second_line(found: SecondOpinion | None) -> str:
    """What the next tier up said, and what asking it cost; empty where it was not asked."""
    if found is None:
        return ""
    cost = Total.of(r.cost_usd for r in found.receipts)
    judged = ", judge included" if any(r.stage == "judge" for r in found.receipts) else ""
    said = f"Second opinion: {found.candidate} {SAYS[found.disagrees]}, {cost}{judged}."
    return f"{said} It is not served, and in no sum here. {found.note}".strip()


def second_of_run(trace: Trace) -> str:
    """What a run's second opinions cost, which are in none of its sums; empty where there are none."""
    found = [second for _, second in trace.second_opinions]
    cost = Total.of(r.cost_usd for second in found for r in second.receipts)
    return (
        f"{counted(len(found), 'second opinion')} cost {cost} beside this bill; no plan includes it." if found else ""
    )


def added_of_run(receipts: Sequence[Receipt]) -> str:
    """The same over all stages of a run, which work one after the other; empty where nothing failed."""
    found = [added_s([r for r in receipts if r.stage == stage]) for stage in dict.fromkeys(r.stage for r in receipts)]
    known = [s for s in found if s is not None]
    if not known:
        return ""
    added = sum(known, 0.0)
    simulated = any(
        r.outcome == "failed" and (r.provenance == "rehearsal" or r.provider in state.downs()) for r in receipts
    )
    return f"Failed tries added {added:.1f} s to this ticket{' (simulated)' if simulated and added else ''}."


def expected_second() -> str:
    """Whether the ticket in the notebook is one of those that get a second opinion; empty where they are off."""
    share = state.runtime().second_opinions
    if share is None:
        return ""
    drawn = is_drawn(state.notebook().ticket, share)
    return f"The ticket in the notebook {'gets a' if drawn else 'was not drawn for a'} second opinion."
