"""The migration plan on the screen: the sums, and each week's steps with what moves them on and how they are taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal

import streamlit as st

from playground.migration import (
    COUNTED,
    GUARDS,
    WEEKS,
    Facts,
    Page,
    Savings,
    Slot,
    State,
    Step,
    a_month,
    costs_to_take_back,
    stopping_after,
)
from playground.money import Total, usd
from playground.remembered import Remembered
from playground.ui import state
from playground.ui.frame import APP
from playground.ui.widgets import counted, dollars, figure, figures_row, plain

BADGES: Mapping[State, Literal["green", "yellow", "violet", "blue", "orange", "red", "gray"]] = {
    "done": "green",
    "passed": "yellow",
    "rehearsed": "violet",
    "ready": "blue",
    "waiting": "orange",
    "failed": "red",
    "blocked": "gray",
}
STATE_HELP: Mapping[State, str] = {
    "done": "Counts for production.",
    "passed": "Passed, and not in force: the next ticket still goes to today's model.",
    "rehearsed": "No model was called: it does not count for production.",
    "ready": "You can do it now.",
    "waiting": "It needs more data.",
    "failed": "It did not pass.",
    "blocked": "Another step comes first.",
}
PAGES: Mapping[Page, tuple[str, str]] = {
    "notebook": ("pages/notebook.py", "Notebook"),
    "log": ("pages/log.py", "Ticket log"),
    "month": ("pages/month.py", "Month"),
    "shadow": ("pages/shadow.py", "Shadow evaluation"),
    "drift": ("pages/drift.py", "Second opinions"),
    "guards": ("pages/guards.py", "Guardrails and caching"),
    "digest": ("pages/digest.py", "Digest"),
}
STOP = f"A month with only the steps that are done: passed, and in force. All else is on today's models. An estimate, {COUNTED}."
SO_FAR = "From the receipts of live runs: what the same calls cost on today's models, less what was paid, failed attempts included."
POTENTIAL = f"A month, if every step that has not failed is done and every estimate holds, {COUNTED}."
REHEARSED = "A month, if the steps that passed in rehearsals held for live models too. Part of no other figure."


def sums(found: Savings) -> None:
    """The answer: how far the plan is, and what it saves."""
    with figures_row():
        figure("Steps done", f"{found.done} of {found.steps}")
        figure("Saved so far", usd(found.so_far.usd) if found.so_far.receipts else "nothing yet", help_text=SO_FAR)
        figure("If you stop here", _a_month(found.stop_here), help_text=STOP)
        if found.rehearsed != Total():
            figure("Rehearsed only", _a_month(found.rehearsed), help_text=REHEARSED)
        figure("Potential", _a_month(found.potential), help_text=POTENTIAL)


def _a_month(total: Total) -> str:
    if total.exact_usd is not None:
        return f"{usd(total.exact_usd)}/mo"
    return f"\u2265 {usd(total.known_usd)}/mo" if total.known_usd else "unpriced"


def earlier() -> None:
    """What this session goes by that others decided, each with where, and how to do without."""
    found, unread = state.earlier_verdicts(), state.memory().unread
    if found:
        with st.expander(f"{counted(len(found), 'verdict')} from earlier sessions"):
            st.markdown("\n".join(f"- {plain(_earlier(r))}" for r in found))
            st.caption(
                "They stand in this server's ledger. Each still has to hold for the agent, prompt and model of now."
            )
            st.button("Leave earlier sessions out", key="leave_out_earlier", on_click=state.leave_out_earlier)
    if unread:
        st.caption(
            f"{counted(unread, 'note')} of earlier sessions cannot be read by this version. What it says is left out."
        )


def _earlier(found: Remembered) -> str:
    p = found.proof
    stage = next((s.title for s in state.pipeline().stages if s.key == p.stage), p.stage)
    return f"{stage}: {p.verdict} for {p.candidate}, {counted(p.pairs, 'pair')}, {p.provenance}. {found.said}"


def weeks(facts: Facts, slots: Sequence[Slot]) -> None:
    """Every step, week by week."""
    after = stopping_after(tuple(s.step for s in slots))
    ends = dict(zip((s.step.key for s in slots), after, strict=True))
    for week, title in WEEKS.items():
        own = [s for s in slots if s.step.week == week]
        done = sum(s.step.is_done for s in own)
        st.subheader(f"Week {week}: {title}")
        last = max(s.last for s in own)
        days = f"{own[0].first:%-d %b} to {last:%-d %b %Y}. {done} of {counted(len(own), 'step')} done."
        saved = ends[own[-1].step.key]
        ending = f" Ending here saves {a_month(saved)}, if all steps so far hold." if saved != Total() else ""
        st.caption(dollars(f"{days}{ending}"))
        with st.container(border=True, gap="medium"):
            for slot in own:
                _step(facts, slot.step, ends[slot.step.key])


def _step(facts: Facts, step: Step, after: Total) -> None:
    with st.container(gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(step.state, color=BADGES[step.state], help=STATE_HELP[step.state])
            told = f"{step.what} To take it back: {step.reverse}"
            st.markdown(f"**{plain(step.title)}**", width="content", help=plain(told))
            if step.saves_usd_month is not None and step.state != "failed":
                st.markdown(dollars(f"saves about {usd(step.saves_usd_month)} a month"), width="content")
            if step.hands_over:
                st.caption(dollars(_so_far(step, after)), width="content")
        st.markdown(plain(step.because))
        _doing(facts, step)


def _so_far(step: Step, after: Total) -> str:
    far = f"{usd(step.so_far.usd)} saved so far" if step.so_far.receipts else "nothing saved so far"
    return f"{far}; ending here saves {a_month(after)}"


def _doing(facts: Facts, step: Step) -> None:
    """What is next, and the way back."""
    label = _button(step)
    if not (step.next or step.can_reverse):
        return
    if step.next:
        st.caption(plain(f"Next: {step.next}"))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        path, name = PAGES[step.page]
        if step.next and (APP.parent / path).exists():
            st.page_link(path, label=name, icon=":material/arrow_forward:")
        if label:
            st.button(label, key=f"do_{step.key}", on_click=state.move_on, args=(step,), help=_figure(step.key))
        if step.can_reverse:
            st.button(
                dollars(_back(costs_to_take_back(facts, step))),
                key=f"reverse_{step.key}",
                icon=":material/undo:",
                type="tertiary",
                help=plain(step.reverse),
                on_click=state.take_step_back,
                args=(step,),
            )


def _back(costs: Decimal | None) -> str:
    return f"Reverse, +{usd(costs)} a month" if costs else "Reverse"


def _button(step: Step) -> str:
    """What a press on this page does for a step; empty where only its page can move it on."""
    if step.key in GUARDS and step.state == "ready":
        return "Switch on"
    if step.key == "auto" and not step.can_reverse:
        return "Turn on"
    return "Record the verdict" if step.week > 2 and state.can_record(step) else ""


def _figure(key: str) -> str | None:
    known = {
        "gate": "At the usual threshold; change it on its page.",
        "ceiling": "At three times what a ticket should cost; change it on its page.",
        "opinions": "For 2% of tickets.",
        "auto": "Sets the sidebar to kr-auto and proven.",
    }
    return known.get(key)
