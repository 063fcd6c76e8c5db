"""The bill: every call of the ticket, against before, and which lever saves what."""

from __future__ import annotations

import streamlit as st

from playground.bill import Line, PlanBill, paid
from playground.charts.bill import by_stage, waterfall
from playground.levers import levers
from playground.money import percent_change
from playground.records import PLANS, Trace
from playground.ui import state
from playground.ui.cell_notes import second_of_run
from playground.ui.frame import ensure_frame
from playground.ui.last_run import how_it_ended, last_run
from playground.ui.recording_box import run_line
from playground.ui.runtime_month import runtime_caption, with_runtime
from playground.ui.savings import saved_said, savings_line
from playground.ui.widgets import USD_COLUMN, dollars, draw, figures_row, money_metric, plain, table

PREFIXES = (
    " Prompt caching: each prompt's fixed part read from the provider's cache, and written to it, as at {:,} tickets a month; "
    "priced too, unless this run used the cache."
)
MONEY = st.column_config.NumberColumn(format=USD_COLUMN)


def summary(plans: dict, ran: PlanBill, found: Trace) -> None:
    with figures_row():
        for plan in PLANS:
            how = "run" if plans[plan].ran else "priced"
            against = plans["before"].total if plan != "before" and state.is_whole() else None
            money_metric(f"{plan}, {how}", plans[plan].total, against)
    if ran.failed.known_usd:
        st.caption(dollars(f"{ran.plan} includes {ran.failed} for attempts whose output was not used."))
    if saved := saved_said(ran):
        st.caption(
            dollars(f"{ran.plan} is {ran.total}{saved}. Plans are compared as if every answer came from a model.")
        )
    if state.is_whole():
        savings_line(plans)
    else:
        st.caption(plain(f"{how_it_ended(found)}: these are the stages it reached, and no cost per ticket to compare."))


def row(line: Line, before: Line | None, total_usd: float) -> dict[str, object]:
    cost = None if line.cost_usd is None else float(line.cost_usd)
    was = None if before is None or before.cost_usd is None else float(before.cost_usd)
    return {
        "Stage": state.shown_pipeline().stage(line.stage).title,
        "Call": line.call,
        "Model": line.model if line.effort == "default" else f"{line.model} @{line.effort}",
        "Result": line.outcome if line.ran else "priced",
        "Fresh in": line.usage.fresh_tokens,
        "Cached in": line.usage.cache_read_tokens,
        "Cache written": line.usage.cache_write_tokens,
        "Out": line.usage.output_tokens,
        "USD": cost,
        "Share": None if cost is None or not total_usd else cost / total_usd * 100,
        "Before, USD": was,
        "Change": percent_change(line.cost_usd, before.cost_usd) if before else "",
    }


def _is_answer(line: Line) -> bool:
    """Whether a line is compared with before: what failed is not, nor an embedding, which answers nobody."""
    return line.outcome == "ok" and not line.embedded


def calls(bill: PlanBill, before: PlanBill) -> None:
    known = {(line.stage, line.call): line for line in before.lines}
    total = float(bill.total.known_usd)
    rows = [row(line, known.get((line.stage, line.call)) if _is_answer(line) else None, total) for line in bill.lines]
    columns = {
        "USD": MONEY,
        "Before, USD": MONEY,
        "Share": st.column_config.NumberColumn("Share of bill", format="%.1f%%"),
    }
    table(rows, columns, f"Every call under {bill.plan}", "content")


ensure_frame()
st.title("What did each call cost?")
plans, trace = last_run()
run_line(trace)
summary(plans, plans[trace.plan], trace)
if beside := second_of_run(trace):
    st.caption(plain(beside))
left, right = st.columns(2)
with left:
    draw(by_stage(state.shown_pipeline(), plans))
with right:
    volume = state.assumptions().tickets_per_month
    found = levers(trace, state.run_router(), plans, volume, state.prompt_cache_is_on())
    if not state.is_whole():
        st.info("The levers need a ticket that ran through.")
    elif found:
        draw(waterfall(with_runtime(found, plans["kr-auto"])))
    else:
        st.info(plain(f"{state.unpriced(plans)} Levers need every price."))
    more = PREFIXES.format(volume) if any(lever.name == "Prompt caching" for lever in found) else ""
    st.caption(f"2025 models: the same tokens on what each stage ran on in 2025; priced, not run.{more}")
    runtime_caption()
shown = st.segmented_control(
    "Plan",
    PLANS,
    default=trace.plan,
    required=True,
    key="bill_plan",
    help="One plan ran. The others are priced on the same prompts and the same output lengths.",
)
calls(paid(trace) if plans[shown].ran else plans[shown], plans["before"])
