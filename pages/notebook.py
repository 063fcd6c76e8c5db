"""The notebook: one ticket through the stages, what it cost, why, and what a month costs."""

from __future__ import annotations

import streamlit as st

from playground.bill import PlanBill
from playground.charts.bill import by_stage
from playground.records import Plan, Trace
from playground.ui import state
from playground.ui.cells import cell
from playground.ui.frame import ensure_frame
from playground.ui.month_box import month_box
from playground.ui.ticket_box import ticket_box
from playground.ui.widgets import dollars, draw, figures_row, money_metric, plain, provenance_line

REFRESH_S = 0.3


def headline() -> None:
    plans, trace = state.plan_bills(), state.trace()
    if plans is None or trace is None:
        st.caption("No result yet. Press Run ticket.")
        return
    provenance_line(trace.provenance)
    if not state.is_whole():
        stopped(trace, plans)
        return
    before, routed = plans["before"].total, plans["kr-auto"].total
    volume = state.assumptions().tickets_per_month
    tokens = sum(r.usage.input_tokens + r.usage.output_tokens for r in trace.receipts)
    potential = "Potential: estimated from public benchmarks, not yet proven on your tickets."
    with figures_row():
        money_metric("Ticket, today", before, help_text="What each stage runs on today, as the agent's file says.")
        money_metric("Ticket, kr-auto", routed, before, "The cheapest model that clears the bar at each stage.")
        money_metric("Month, today", before * volume)
        money_metric("Month, kr-auto", routed * volume, before * volume, potential)
    calls = sum(len(s.prompts) for s in trace.steps)
    st.caption(
        f"A month is {volume:,} tickets. {len(trace.steps)} stages, {calls} calls, {tokens:,} tokens. {state.proven_line()}"
    )


def stopped(trace: Trace, plans: dict[Plan, PlanBill]) -> None:
    """A run that did not finish: what it spent, and no comparison that would flatter it."""
    last = state.pipeline().stage(trace.steps[-1].stage)
    spent = plans[trace.plan].total
    with figures_row():
        money_metric("Spent so far", spent)
    st.caption(f"The run stopped at {last.title}, so there is no cost per ticket to compare. The cell says why.")


def actions() -> None:
    obstacle = state.live_obstacle()
    blocked = bool(st.session_state.get("ticket_error") or obstacle)
    with st.container(horizontal=True, vertical_alignment="center"):
        if state.is_running():
            st.button("Cancel", type="primary", icon=":material/stop:", on_click=state.cancel)
            return
        if st.button(
            "Run ticket", type="primary", icon=":material/play_arrow:", shortcut="Ctrl+Enter", disabled=blocked
        ):
            state.start_run()
            st.rerun()
        stale = state.stale()
        if stale and state.notebook().steps:
            if st.button(f"Run {len(stale)} stale", icon=":material/refresh:", disabled=blocked):
                state.start_run(stale[0])
                st.rerun()
            if state.is_whole():
                st.caption("Something changed since these results: the figures are from before your change.")
    if obstacle:
        st.info(obstacle, icon=":material/key:")
        st.page_link("pages/settings.py", label="Open Settings", icon=":material/settings:")


@st.fragment(run_every=REFRESH_S)
def progress() -> None:
    """Redraw the cells while a run goes on; one full redraw when it ends."""
    run = state.notebook().run
    if run is not None:
        run.look()
    if not state.is_running():
        st.rerun()
    cells()


def cells() -> None:
    book = state.notebook()
    # While a run goes on the bills are still those of the one before it.
    plans = None if state.is_running() else state.plan_bills()
    for number, stage in enumerate(state.pipeline().stages, 1):
        status, step = state.cell_state(stage.key)
        cell(number, stage, status, step, plans)
    if book.run is not None and book.run.error:
        st.error(dollars(book.run.error), icon=":material/error:")


ensure_frame()
st.title("What does this ticket cost, and why?")
if not state.notebook().steps and state.notebook().run is None and state.knobs().mode == "Rehearsal":
    state.start_run()
top = st.container()
ticket_box()
actions()
if state.is_running():
    progress()
else:
    cells()
if (plans := state.plan_bills()) is not None and state.is_whole():
    st.subheader("The bill")
    draw(by_stage(state.pipeline(), plans))
    st.page_link("pages/bill.py", label="Every call, and which lever saves what", icon=":material/receipt_long:")
    st.subheader("The month")
    if missing := state.unpriced(plans):
        st.info(plain(f"{missing} A month needs every price."))
    else:
        month_box(plans)
    st.page_link(
        "pages/month.py", label="Repeats, escalations, people and break-even", icon=":material/calendar_month:"
    )
# Last, into its place at the top: it speaks of the volume that the slider just above has set.
with top:
    headline()
