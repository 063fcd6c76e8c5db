"""The notebook: one ticket through the stages, what it cost, why, and what a month costs."""

from __future__ import annotations

import streamlit as st

from playground.bill import PlanBill, dearer_stages, paid
from playground.charts.bill import by_stage
from playground.forecast import Assumptions, month
from playground.money import percent_change, usd
from playground.records import Plan, Trace
from playground.ui import state
from playground.ui.cells import cell
from playground.ui.frame import ensure_frame
from playground.ui.last_run import how_it_ended
from playground.ui.month_box import month_box
from playground.ui.recording_box import recorded_ticket, recording_box, run_line
from playground.ui.savings import saved_said, savings_figures
from playground.ui.ticket_box import ticket_box
from playground.ui.tour_bar import tour_offer
from playground.ui.widgets import dollars, draw, figure, figures_row, money_metric, plain
from playground.ui.words import words

REFRESH_S = 0.3
TODAY = "What each stage runs on today, as the agent's file says; priced on the tokens of the run where another plan was run."
KR_AUTO = "The cheapest model that clears the bar at each stage."
CACHED = ", with prompt caching at the provider"
WITHOUT_LUCK = (
    "In it each stage's model answers at once: this run's failed tries, and models that stood in, are left out."
)
MONTH = "One round for every ticket, without failed attempts. The Month page adds retries, tickets that come back and people."


def headline() -> None:
    plans, trace = state.plan_bills(), state.trace()
    if plans is None or trace is None:
        st.caption("No result yet. Press Run ticket.")
        return
    run_line(trace)
    if not state.is_whole():
        stopped(trace, plans)
        return
    before, routed = plans["before"].total, plans["kr-auto"].total
    a = state.assumptions()
    with figures_row():
        money_metric("Ticket, today", before, help_text=TODAY)
        if trace.plan == "stratified":
            money_metric("Ticket, stratified", plans["stratified"].total, before)
        money_metric("Ticket, kr-auto", routed, before, KR_AUTO)
        if not state.unpriced(plans):
            month_figures(a)
    st.caption(dollars(plain_facts(trace, plans, a.tickets_per_month)))
    dearer(plans)
    words()


def month_figures(a: Assumptions) -> None:
    """A month of tickets like this one, without what this one run's luck added."""
    basis = state.ticket_basis()
    today, routed = (month(basis.spends[plan], a).one_round_usd for plan in ("before", "kr-auto"))
    figure("Models a month, today", usd(today), help_text=MONTH)
    figure("Models a month, kr-auto", usd(routed), percent_change(routed, today), MONTH)
    savings_figures(basis, a)


def plain_facts(trace: Trace, plans: dict[Plan, PlanBill], volume: int) -> str:
    """What the figures above are made of, in one paragraph."""
    tokens = sum(r.usage.input_tokens + r.usage.output_tokens for r in trace.receipts)
    calls = sum(len(s.prompts) for s in trace.steps)
    failed = plans[trace.plan].failed.known_usd
    retries = f", with {usd(failed)} for attempts that were not used" if failed else ""
    retries += saved_said(plans[trace.plan])
    cached = (
        CACHED if not state.unpriced(plans) and any(s.prefixes for s in state.ticket_basis().spends.values()) else ""
    )
    luck = f" {WITHOUT_LUCK}" if any(r.outcome != "ok" for r in trace.receipts) else ""
    return (
        f"A month is {volume:,} tickets like this one{cached}.{luck} {len(trace.steps)} stages, {calls} calls, {tokens:,} tokens. "
        f"{trace.plan} was run{retries}; the other plans are priced on the same prompts and outputs, without retries. "
        f"{state.proven_line()}"
    )


def dearer(plans: dict[Plan, PlanBill]) -> None:
    """Say why where kr-auto costs more than today."""
    before, routed = plans["before"].total, plans["kr-auto"].total
    if routed.known_usd <= before.known_usd:
        return
    reasons = "; ".join(f"{state.shown_pipeline().stage(d.stage).title}: {d.reason}" for d in dearer_stages(plans))
    st.warning(plain(f"kr-auto costs more than today for this ticket. {reasons}."), icon=":material/trending_up:")


def stopped(trace: Trace, plans: dict[Plan, PlanBill]) -> None:
    """A run that did not finish: what it spent, and no comparison that would flatter it."""
    spent = paid(trace).total
    with figures_row():
        money_metric("Spent so far" if trace.handover is None else "Spent", spent)
    st.caption(plain(f"{how_it_ended(trace)}, so there is no cost per ticket to compare. The cell says why."))


def run_from(first: str | None = None) -> None:
    """Start a run. A ticket that cannot be read starts none: its message stands under the ticket."""
    # Not a disabled button: one that is enabled again by the text just typed would miss the click that left the text.
    if not st.session_state.get("ticket_text", "").strip():
        st.session_state.ticket_error = "The ticket is empty. Paste the customer's message, or pick a sample."
    else:
        if not st.session_state.get("ticket_error"):
            state.start_run(first)
    st.rerun()


def replay() -> None:
    """The ticket of the open recording, and the way to run it on what is set now."""
    found = state.recording()
    assert found is not None
    recorded_ticket(found)
    if (
        st.button("Run this ticket now", key="run_recorded", icon=":material/play_arrow:")
        and state.run_recorded_ticket()
    ):
        if not state.live_obstacle():
            state.start_run()
        st.rerun()


def actions() -> None:
    obstacle = state.live_obstacle()
    blocked = bool(obstacle)
    with st.container(horizontal=True, vertical_alignment="center"):
        if state.is_running():
            st.button("Cancel", type="primary", icon=":material/stop:", on_click=state.cancel)
            return
        if st.button(
            "Run ticket", type="primary", icon=":material/play_arrow:", shortcut="Ctrl+Enter", disabled=blocked
        ):
            run_from()
        stale = state.stale()
        if stale and state.notebook().steps:
            if st.button(f"Run {len(stale)} stale", icon=":material/refresh:", disabled=blocked):
                run_from(stale[0])
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
    plans = None if state.is_running() and state.recording() is None else state.plan_bills()
    for number, stage in enumerate(state.shown_pipeline().stages, 1):
        status, step = state.cell_state(stage.key)
        cell(number, stage, status, step, plans)
    if book.run is not None and book.run.error and state.recording() is None:
        st.error(dollars(book.run.error), icon=":material/error:")


ensure_frame()
st.title("What does this ticket cost, and why?")
state.first_run()
top = st.container()
tour_offer()
if state.recording() is not None:
    replay()
else:
    ticket_box()
    actions()
for problem in state.cache_problems():
    st.warning(plain(problem), icon=":material/warning:")
recording_box()
if state.is_running() and state.recording() is None:
    progress()
else:
    cells()
if (plans := state.plan_bills()) is not None and state.is_whole():
    st.subheader("The bill")
    draw(by_stage(state.shown_pipeline(), plans))
    st.page_link("pages/bill.py", label="Every call, and which lever saves what", icon=":material/receipt_long:")
    st.subheader("The month")
    if missing := state.unpriced(plans):
        st.info(plain(f"{missing} A month needs every price."))
    else:
        month_box(state.ticket_basis())
    st.page_link(
        "pages/month.py",
        label="Retries, tickets that come back, people and break-even",
        icon=":material/calendar_month:",
    )
# Last, into its place at the top: it speaks of the volume that the slider just above has set.
with top:
    headline()
