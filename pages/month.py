"""The month: what a volume costs under each plan, what comes on top, how sure that is, and where people would be cheaper."""

from __future__ import annotations

import streamlit as st

from playground.charts.bill import waterfall
from playground.charts.forecast import tornado_chart, year_chart
from playground.charts.month import month_parts, spend_by_volume
from playground.forecast import Assumptions, Month, Spend, break_even_tickets, month, year
from playground.log_levers import log_levers
from playground.money import percent_change, signed, usd
from playground.prices import PRICE_DATE
from playground.records import PLANS, Plan
from playground.tornado import STEP, tornado
from playground.ui import state
from playground.ui.frame import ensure_frame
from playground.ui.last_run import finished_run
from playground.ui.month_box import NAMES
from playground.ui.month_inputs import inputs, range_said, said
from playground.ui.prompt_cache_note import prompt_cache_said
from playground.ui.recording_box import run_line
from playground.ui.runtime_month import runtime_month
from playground.ui.savings import month_savings
from playground.ui.widgets import dollars, draw, figure, figures_row, plain, table
from playground.ui.words import words

RIGHT = st.column_config.TextColumn(alignment="right")


def answer(result: Month, even: int | None) -> None:
    if result.break_even_resolved_share is None:
        st.markdown("People cost nothing here, so there is no break-even.")
        return
    share = 1 - result.break_even_resolved_share
    saved = result.people_only_usd - result.all_in_usd
    verb = "saves" if saved >= 0 else "costs an extra"
    text = f"With kr-auto the agent {verb} {usd(abs(saved))} a month against people alone"
    if share > 0 and saved >= 0:
        text += f", and stays cheaper until {share:.1%} of tickets are escalated"
    if even and even > 1:
        text += f". It pays from {even:,} tickets a month"
    st.markdown(dollars(f"**{text}.**"))


def figures(months: dict[Plan, Month], a: Assumptions, basis: state.Basis) -> None:
    base = months["before"].all_in_usd
    with figures_row():
        for plan in PLANS:
            all_in = months[plan].all_in_usd
            figure(f"{NAMES[plan]}, all in", usd(all_in), percent_change(all_in, base) if plan != "before" else "")
        figure("People only", usd(months["before"].people_only_usd))
        if a.bill_usd:
            tokens = months["kr-auto"].tokens_usd
            figure("Your models now", usd(a.bill_usd), help_text=OWN_BILL)
            figure("Models, kr-auto", usd(tokens), percent_change(tokens, a.bill_usd))
    routed, covers = months["kr-auto"], range_said(basis)
    if routed.low_usd is not None and routed.high_usd is not None:
        covers = f"kr-auto, all in: {usd(routed.low_usd)} to {usd(routed.high_usd)}. {covers}"
    st.caption(dollars(covers))


PREFIXES = "Prompt caching: each prompt's fixed part read from the provider's cache, and written to it. "
OWN_BILL = "What you said you pay. The next figure is what kr-auto's models would cost at the same volume."


def row(name: str, m: Month, with_cache: bool) -> dict[str, object]:
    ranged = m.low_usd is not None and m.high_usd is not None
    fixed = {"Fixed": usd(m.fixed_usd)} if m.fixed_usd else {}
    cached = {"Prompt caching": signed(m.prompt_cache_usd)} if with_cache else {}
    return {
        "Plan": name,
        "Models": usd(m.models_usd),
        **cached,
        "Retries": usd(m.retries_usd),
        "Come back": usd(m.repeats_usd),
        **fixed,
        "People": usd(m.people_usd),
        "All in": usd(m.all_in_usd),
        "95% range": f"{usd(m.low_usd)} to {usd(m.high_usd)}" if ranged else "none",
        "Per resolved": "none resolved" if m.per_resolved_usd is None else usd(m.per_resolved_usd),
        "On escalated": usd(m.wasted_usd),
    }


def months_table(months: dict[Plan, Month], proven: Spend | None, a: Assumptions) -> None:
    with_cache = any(m.prompt_cache_usd for m in months.values())
    rows = [row(NAMES[plan], m, with_cache) for plan, m in months.items()]
    if proven is not None:
        rows.append({**row("kr-auto, proven only", month(proven, a), with_cache), "95% range": ""})
    people = usd(months["before"].people_only_usd)
    rows.append({"Plan": "People only", "People": people, "All in": people})
    table(rows, {k: RIGHT for k in rows[0] if k != "Plan"}, "A month under each plan", "content")


@st.fragment
def body(basis: state.Basis) -> None:
    inputs(basis)
    a = state.assumptions()
    spends = {plan: basis.spends[plan] for plan in PLANS}
    months = {plan: month(spends[plan], a) for plan in PLANS}
    figures(months, a, basis)
    month_savings(basis, a)
    answer(months["kr-auto"], break_even_tickets(spends["kr-auto"], a))
    left, right = st.columns(2)
    with left:
        draw(month_parts(months))
    with right:
        draw(spend_by_volume(spends, a))
    months_table(months, basis.assured.get("proven"), a)
    st.caption(said(a, basis))
    st.caption(dollars(prompt_cache_said(basis, a)))
    runtime_month(spends, a)
    left, right = st.columns(2)
    with left:
        draw(tornado_chart(tornado(spends["kr-auto"], a), months["kr-auto"].all_in_usd))
        st.caption(
            f"Each assumption is moved by {STEP:.0%} on its own; what a log measures moves within its 95% range."
        )
    with right:
        draw(year_chart({plan: year(spends[plan], a) for plan in PLANS}))
    levers(basis, a)


def levers(basis: state.Basis, a: Assumptions) -> None:
    if basis.log is None:
        st.caption("Price a ticket log to see which lever saves what in a whole month.")
        st.page_link("pages/log.py", label="Ticket log", icon=":material/upload_file:")
        return
    draw(waterfall(log_levers(basis.log, a), "a month"))
    cached = PREFIXES if basis.spends["kr-auto"].prefixes else ""
    said = (
        "Priced, not run. 2025 models: the same tokens on what each stage ran on in 2025. "
        f"{cached}Repeated tickets: {basis.log.repeats:,} of {basis.log.tickets:,} ask word for word what the same customer asked "
        "before; a cache of whole answers is counted here only, and the plans above are without. The levers down to failed "
        "attempts are for one round of each ticket."
    )
    st.caption(dollars(said))


def source() -> None:
    """Where the month comes from, where there is a choice."""
    found = state.log_desk().forecast
    if found is None or state.recording() is not None:
        return
    whose = "The sample log" if state.log_desk().is_sample else "Your log"
    names = {"log": f"{whose}, {found.tickets:,} tickets", "ticket": "The last ticket"}
    st.segmented_control(
        "Based on",
        names,
        default=state.default_source(),
        required=True,
        key="month_of",
        format_func=names.get,
        on_change=state.keep_source,
    )


ensure_frame()
st.title("What does a month cost?")
source()
if state.log_desk().work is not None:
    st.info("Your log is still being priced; until then the month is that of the last result.")
if state.month_source() == "log":
    st.caption(
        plain(
            f"Log {state.log_desk().name}, priced and not run. Prices of {PRICE_DATE:%-d %B %Y}. Tokens are estimates."
        )
    )
    if state.log_is_stale():
        st.warning("Something changed since the log was priced. Price it again on the Ticket log page.")
else:
    run_line(finished_run()[1])
body(state.basis())
words()
