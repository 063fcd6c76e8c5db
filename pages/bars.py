"""Bars and limits: what a bar costs, and what the router may use and spend."""

from __future__ import annotations

import streamlit as st

from playground.bill import PlanBill
from playground.charts.whatif import spend_by_bar
from playground.forecast import Spend
from playground.money import percent_change, usd
from playground.records import Plan, Trace
from playground.ticket_month import spend_of, stage_spend_of
from playground.ui import state
from playground.ui.frame import ensure_frame
from playground.ui.last_run import finished_run
from playground.ui.limits import limits
from playground.ui.savings import savings_line
from playground.ui.stage_bar import stage_bar
from playground.ui.widgets import draw, plain, provenance_line, table
from playground.whatif import WhatIf, sweep

RIGHT = st.column_config.TextColumn(alignment="right")


@st.fragment
def one_stage(trace: Trace, plans: dict[Plan, PlanBill]) -> None:
    """A stage's bar and margin, and what its month costs as the bar moves."""
    titles = {s.key: s.title for s in state.pipeline().stages}
    key = st.segmented_control(
        "Stage", titles, default="draft", required=True, key="bars_stage", format_func=titles.get, width="stretch"
    )
    left, right = st.columns([1, 2], gap="medium")
    with left:
        sliders(key)
    points = sweep(trace, state.router(), stage=key)
    before = stage_spend_of(trace, state.router(), plans["before"], key, state.prompt_cache_is_on())
    with right:
        draw(spend_by_bar(points, key, state.settings().bars[key], before, state.assumptions().tickets_per_month))


def sliders(key: str) -> None:
    stage, filed = state.pipeline().stage(key), state.notebook().pipeline.stage(key)
    stage_bar(key, f"page_bar_{key}")
    # Its value lives in the session: a default that follows it would make it another control in the middle of a move.
    st.session_state.setdefault(f"page_margin_{key}", stage.margin)
    st.slider(
        "Margin",
        0.0,
        0.10,
        step=0.005,
        format="%.3f",
        key=f"page_margin_{key}",
        on_change=set_margin,
        args=(key,),
        help="How much worse than the current model the stage may get. A shadow evaluation judges by it.",
    )
    st.caption(plain(f"In the agent's file: bar {filed.bar:.2f}, margin {filed.margin:.3f}."))
    if shift := state.knobs().bar_shift:
        st.caption(
            plain(f"The sidebar moves every bar by {shift:+.2f}, so it stands at {state.settings().bars[key]:.2f}.")
        )


def set_margin(key: str) -> None:
    state.notebook().margins[key] = st.session_state[f"page_margin_{key}"]


def what_if(trace: Trace, plans: dict[Plan, PlanBill]) -> None:
    st.subheader("Every stage at the same bar")
    volume = state.assumptions().tickets_per_month
    known, is_on = plans["before"].answers.exact_usd is not None, state.prompt_cache_is_on()
    now = spend_of(trace, state.router(), plans["before"], is_on) if known else None
    rows = [_row(p, now, volume) for p in sweep(trace, state.router())]
    money = dict.fromkeys((f"A month, {volume:,} tickets", "Against before"), RIGHT)
    columns = {"Bar": st.column_config.NumberColumn(format="%.2f", pinned=True), **money}
    table(rows, columns, "Monthly spend and chosen models by bar", 420)
    st.caption(
        "Priced on the prompts and outputs of the ticket that ran; nothing is run again. A hard ticket's raise comes on top. "
        "One round of each ticket, with prompt caching at the provider where that is on."
    )


def _row(point: WhatIf, now: Spend | None, volume: int) -> dict[str, object]:
    spend, before = point.month_usd(volume), None if now is None else now.cached_usd(volume) * volume
    models = {state.pipeline().stage(k).title: c.key for k, c in point.chosen.items()}
    return {
        "Bar": point.bar,
        f"A month, {volume:,} tickets": usd(spend),
        "Against before": percent_change(spend, before),
        **models,
    }


ensure_frame()
st.title("What does a bar cost?")
above, below = st.container(), st.container()
# First, so that a limit that stopped the last run can be taken back: without a finished run the page ends above it.
with below:
    limits()
with above:
    plans, trace = finished_run()
    provenance_line(trace)
    savings_line(plans)
    one_stage(trace, plans)
    what_if(trace, plans)
