"""The month: what a volume costs under each plan, what repeats and escalations add, and where people would be cheaper."""

from __future__ import annotations

import streamlit as st

from playground.bill import PlanBill
from playground.charts.month import month_parts, spend_by_volume
from playground.forecast import Assumptions, Month, month
from playground.money import percent_change, usd
from playground.records import PLANS, Plan
from playground.ui import state
from playground.ui.frame import ensure_frame
from playground.ui.last_run import finished_run
from playground.ui.month_box import NAMES, volume_slider
from playground.ui.savings import savings_line
from playground.ui.widgets import dollars, draw, figure, figures_row, provenance_line, table

KEEP = {"persist_state": "session", "bind": "query-params"}


def inputs() -> None:
    volume_slider()
    a, b, c, d = st.columns(4)
    base = Assumptions()
    a.number_input(
        "Loop factor at the 95th percentile",
        1.0,
        20.0,
        base.p95_loop_factor,
        0.1,
        key="p95_loop",
        help="How many times the loop runs for a ticket in the worst 5%. Log-normal, median 1.",
        **KEEP,
    )
    b.number_input(
        "Escalated to a person, %",
        0.0,
        100.0,
        base.escalation_share * 100,
        1.0,
        key="escalation",
        help="These tickets pay for the agent and for a person.",
        **KEEP,
    )
    c.number_input("A person, USD a ticket", 0.0, 1000.0, float(base.human_cost_usd), 0.1, key="human_cost", **KEEP)
    d.number_input(
        "Fixed cost, USD a month",
        0.0,
        10_000_000.0,
        0.0,
        500.0,
        key="fixed_cost",
        help="Tools and upkeep of the agent, whatever the volume.",
        **KEEP,
    )


def answer(result: Month, a: Assumptions) -> None:
    if result.break_even_resolved_share is None:
        st.markdown("People cost nothing here, so there is no break-even.")
        return
    share = 1 - result.break_even_resolved_share
    saved = result.people_only_usd - result.all_in_usd
    verb = "saves" if saved >= 0 else "costs an extra"
    text = f"With kr-auto the agent {verb} {usd(abs(saved))} a month against people alone"
    if share > 0 and saved >= 0:
        text += f", and stays cheaper until {share:.1%} of tickets are escalated"
    if result.break_even_tickets and result.break_even_tickets > 1:
        text += f". It pays from {result.break_even_tickets:,} tickets a month"
    st.markdown(dollars(f"**{text}.**"))


def figures(months: dict[Plan, Month]) -> None:
    base = months["before"].all_in_usd
    with figures_row():
        for plan in PLANS:
            all_in = months[plan].all_in_usd
            figure(f"{NAMES[plan]}, all in", usd(all_in), percent_change(all_in, base) if plan != "before" else "")
        figure("People only", usd(months["before"].people_only_usd))


def row(name: str, m: Month) -> dict[str, object]:
    return {
        "Plan": name,
        "Models": usd(m.models_usd),
        "Repeats": usd(m.repeats_usd),
        "Fixed": usd(m.fixed_usd),
        "People, escalated": usd(m.people_usd),
        "All in": usd(m.all_in_usd),
        "Agent cost per resolved ticket": "none resolved" if m.per_resolved_usd is None else usd(m.per_resolved_usd),
        "Models, 95th percentile ticket": usd(m.tail_ticket_usd),
    }


@st.fragment
def body(plans: dict[Plan, PlanBill]) -> None:
    inputs()
    a = state.assumptions()
    costs = {plan: plans[plan].total.known_usd for plan in PLANS}
    months = {plan: month(costs[plan], a) for plan in PLANS}
    figures(months)
    savings_line(plans, a.tickets_per_month, "a month on models")
    answer(months["kr-auto"], a)
    left, right = st.columns(2)
    with left:
        draw(month_parts(months))
    with right:
        draw(spend_by_volume(costs, a))
    people = months["before"].people_only_usd
    rows = [row(NAMES[plan], m) for plan, m in months.items()]
    proven = month(state.assured()["proven"].total.known_usd, a)
    rows.append(row("kr-auto, proven only", proven))
    rows.append({"Plan": "People only", "People, escalated": usd(people), "All in": usd(people)})
    aligned = st.column_config.TextColumn(alignment="right")
    table(rows, {k: aligned for k in rows[0] if k != "Plan"}, "A month under each plan", "content")
    mean = f"{a.mean_loop_factor:.3f}"
    st.caption(
        dollars(
            f"{a.tickets_per_month:,} tickets like the one that ran. n = 1: one ticket gives no range. "
            f"An average ticket runs the loop {mean} times, from a log-normal with median 1 and "
            f"{a.p95_loop_factor:g} at the 95th percentile. "
            f"{a.escalation_share * 100:g}% are escalated and cost {usd(a.human_cost_usd)} more. "
            "Repeats include the escalated tickets. Agent cost: models, repeats and the fixed cost."
        )
    )


ensure_frame()
st.title("What does a month cost?")
plans, trace = finished_run()
provenance_line(trace)
body(plans)
