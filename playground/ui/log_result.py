"""A priced log on the screen: what a ticket costs, where the money goes, what was left out, and the files to take away."""

from __future__ import annotations

import json
from collections.abc import Mapping

import streamlit as st

from playground.charts.log import cost_by_stage, cost_distribution, spend_by_customer, spend_by_day
from playground.log_export import TYPICAL, as_csv, as_parquet
from playground.log_forecast import LogForecast, heavy
from playground.log_json import as_json
from playground.log_pricing import ROUTED, PricedBatch
from playground.log_summary import LEAST, Customers, Group, PlanSummary
from playground.logs import LogRead, problems_csv
from playground.money import percent_change, usd
from playground.prices import PRICE_DATE
from playground.records import Plan
from playground.safe_cells import safe
from playground.ui import state
from playground.ui.log_upload import LENGTHS
from playground.ui.widgets import dollars, draw, figure, figures_row, file_button, plain, table

SHOWN_PROBLEMS = 100
SHOWN_GROUPS = 1_000
ANSWERS = {"typical": TYPICAL, "last run": "last run", "sample": "sample of this log"}
RIGHT = st.column_config.TextColumn(alignment="right")


def result() -> None:
    """Draw the log's figures; nothing before it is priced."""
    desk = state.log_desk()
    if desk.priced is None or desk.read is None or desk.figures is None:
        return
    summaries, customers, days = desk.figures.plans, desk.figures.customers, desk.figures.days
    _head(desk, summaries)
    _table(summaries)
    left, right = st.columns(2)
    titles = {s.key: s.title for s in state.pipeline().stages}
    with left:
        draw(cost_by_stage(summaries, {k: titles.get(k, k) for k in desk.priced.stages}))
        draw(spend_by_day(days))
    with right:
        draw(cost_distribution(desk.priced))
        draw(spend_by_customer(customers, ROUTED))
    _groups(customers, days)
    _files(desk.priced, desk.name, ANSWERS[desk.lengths])
    _problems(desk.read, desk.name)


def _head(desk: state.LogDesk, summaries: Mapping[Plan, PlanSummary]) -> None:
    assert desk.priced is not None
    n, hard = len(desk.priced.ids), int(desk.priced.hard.sum())
    whose = "The sample log, made up: " if desk.is_sample else ""
    st.subheader(f"{whose}{n:,} tickets, priced and not run")
    if state.log_is_stale():
        st.warning("Something changed since the log was priced: models, bars, prompts or limits. Price it again.")
    if desk.stopped:
        st.warning(f"Pricing was cancelled. These are the {n:,} tickets it had reached, in the order of the file.")
    before = summaries["before"].mean_usd
    with figures_row():
        for plan, s in summaries.items():
            change = percent_change(s.mean_usd, before) if plan != "before" else ""
            figure(f"A ticket, {'today' if plan == 'before' else plan}", usd(s.mean_usd), change)
        saved = summaries["before"].total_usd - summaries[ROUTED].total_usd
        figure("The whole log, saved", usd(saved), help_text=f"Under {ROUTED} against today, one round each.")
    st.caption(dollars(_said(desk, hard)))
    if (found := desk.forecast) is not None:
        _warnings(found)
    if st.button("A month of such tickets, with a range", type="tertiary", icon=":material/calendar_month:"):
        state.choose_source("log")
        st.switch_page("pages/month.py")
    st.page_link("pages/guards.py", label="What caching would save on it", icon=":material/cached:")


def _said(desk: state.LogDesk, hard: int) -> str:
    assert desk.priced is not None
    tokens = int(desk.priced.input_tokens.sum())
    same = desk.priced.input_tokens.min(axis=0).sum() * n / max(1, tokens) if (n := len(desk.priced.ids)) else 0.0
    hard_said = f" {hard:,} tickets are hard, and their bars are raised." if hard else ""
    return (
        f"Prices of {PRICE_DATE:%-d %B %Y}. {tokens:,} input tokens, counted from every prompt and not metered: estimates. "
        f"Answers: {LENGTHS[desk.lengths]}. One round of the loop each, without prompt caching at the provider; that, tickets that "
        f"come back and failed attempts are on the Month page. At least {same:.0%} of the input is the agent's own prompts and "
        f"articles, the same for every ticket, so the tickets' own words move the cost little.{hard_said}"
    )


def _warnings(found: LogForecast) -> None:
    if found.left_out:
        st.warning(f"{found.left_out:,} tickets have no price under some plan and are left out of the month.")
    for plan, share in heavy(found):
        fragile = (
            "A mean that hangs on so few is fragile: look at them, and take the range on the Month page seriously."
        )
        st.warning(plain(f"Under {plan} the dearest 1% of tickets carry {share:.0%} of the spend. {fragile}"))


def _table(summaries: Mapping[Plan, PlanSummary]) -> None:
    rows = []
    for plan, s in summaries.items():
        high = {f"p{p}": usd(v) if v is not None else f"needs {LEAST[p]} tickets" for p, v in s.percentiles_usd.items()}
        rows.append(
            {"Plan": plan, "Tickets": f"{s.tickets:,}", "Mean": usd(s.mean_usd), **high, "Whole log": usd(s.total_usd)}
        )
    table(rows, {k: RIGHT for k in rows[0] if k != "Plan"}, "Cost of one round of a ticket under each plan", "content")


def _groups(customers: Customers, days: tuple[Group, ...]) -> None:
    left, right = st.columns(2)
    with left, st.expander(f"Customers ({customers.count:,})"):
        _group_table(customers.dearest, "Customer", "no customer named", customers.count)
    with right, st.expander(f"Days ({sum(bool(g.name) for g in days):,})"):
        _group_table(days, "Day", "no date", len(days))


def _group_table(groups: tuple[Group, ...], title: str, nameless: str, count: int) -> None:
    shown = groups[:SHOWN_GROUPS]
    rows = [
        {title: safe(g.name) or nameless, "Tickets": g.tickets, **{f"{p}, USD": float(v) for p, v in g.usd.items()}}
        for g in shown
    ]
    money = {f"{p}, USD": st.column_config.NumberColumn(format="$%.4f") for p in groups[0].usd} if groups else {}
    table(rows, money, f"Spend by {title.lower()}, one round each", 320)
    if count > len(shown):
        st.caption(f"The first {len(shown):,} of {count:,}. The files hold every ticket.")


def _files(batch: PricedBatch, name: str, answers: str) -> None:
    stem = name.rpartition(".")[0] or name
    with st.container(horizontal=True):
        file_button("CSV, every ticket", lambda: as_csv(batch, answers), f"{stem}-priced.csv", "text/csv")
        file_button(
            "Parquet, every ticket",
            lambda: as_parquet(batch, answers),
            f"{stem}-priced.parquet",
            "application/octet-stream",
        )
        file_button("JSON, the figures", _json, f"{stem}-figures.json", "application/json")
        st.button("Remove this log", on_click=state.forget_log, type="tertiary")


def _json() -> str:
    """The same as the command line prints, with the assumptions set on the Month page."""
    desk = state.log_desk()
    assert desk.priced is not None
    assert desk.read is not None
    assert desk.figures is not None
    summaries, answers = list(desk.figures.plans.values()), ANSWERS[desk.lengths]
    forecast = None if desk.forecast is None else state.as_set(desk.forecast)
    found = as_json(desk.priced, summaries, desk.read, forecast, state.assumptions(), answers, desk.stopped)
    return json.dumps(found, indent=2)


def _problems(read: LogRead, name: str) -> None:
    for note in read.notes:
        st.caption(plain(note))
    if not read.problems:
        return
    with st.expander(f"{read.left_out:,} rows left out, {read.noted:,} with a remark"):
        rows = [
            {"Line or row": p.line, "Left out": "yes" if p.left_out else "", "Why": safe(p.reason)}
            for p in read.problems
        ]
        table(rows[:SHOWN_PROBLEMS], {"Why": st.column_config.TextColumn(width="large")}, "Rows with a problem", 260)
        file_button(
            "All of them as CSV",
            lambda: problems_csv(read),
            f"{name.rpartition('.')[0] or name}-problems.csv",
            "text/csv",
        )
