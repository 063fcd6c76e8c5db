"""Customers: who spends it, how unequally, who grows out of a tier, and what is left of what they pay."""

from __future__ import annotations

from datetime import date

import streamlit as st

from playground.bill import NOT_RUN
from playground.charts.customers import concentration_curve, customer_bars
from playground.customers import Customers, Period
from playground.customers.listing import Listing
from playground.errors import PlaygroundError
from playground.records import PLANS
from playground.ui import state
from playground.ui.customer_tiers_box import tiers_box
from playground.ui.customer_view import (
    EXAMPLE_USD,
    customers_table,
    figures,
    files,
    margin_said,
    origin,
    period_said,
    price_box,
    pricing,
)
from playground.ui.frame import ensure_frame
from playground.ui.widgets import PROVENANCE, draw, plain
from playground.ui.words import words

SOURCES = {"receipts": "Receipts of runs", "log": "The ticket log, priced"}
RECEIPTS = "Every receipt kept on this machine, failed attempts included; evaluations stand beside."
KEEP = {"persist_state": "session"}


def source() -> tuple[str, str]:
    """Which numbers: receipts of one provenance, or the log under one plan."""
    kept = state.provenances_kept()
    left, right = st.columns(2)
    names = list(SOURCES) if kept else ["log"]
    first = state.default_customer_source() if kept else "log"
    with left:
        chosen = st.segmented_control(
            "From", names, default=first, required=True, key="customers_from", format_func=lambda n: SOURCES[n], **KEEP
        )
    with right:
        if chosen == "receipts":
            return chosen, st.segmented_control(
                "Receipts", kept, default=kept[0], required=True, key="customers_kind", **KEEP
            )
        return chosen, st.segmented_control(
            "Plan", PLANS, default="kr-auto", required=True, key="customers_plan", **KEEP
        )


def worked_out(chosen: str, which: str, asked: Period | None) -> Customers | None:
    if chosen == "receipts":
        return state.customers_of_receipts(which, asked)
    return state.customers_of_log(which, asked)


def days(whole: Period | None, key: str) -> Period | None:
    """The days that were asked for, or `None` for all of them."""
    if whole is None:
        return None
    picked = st.date_input("Days", (whole.since, whole.until), whole.since, whole.until, key=key, width=260)
    found: tuple[date, ...] = picked if isinstance(picked, tuple) else (picked,)
    asked = Period(found[0], found[-1]) if len(found) == 2 else None
    return None if asked == whole else asked


def said(chosen: str, which: str) -> tuple[str, str, str]:
    """The provenance, the basis and the sentence for the page."""
    if chosen == "receipts":
        return which, RECEIPTS, f"{PROVENANCE[which]} {RECEIPTS}"
    log = "the made-up sample log" if state.log_desk().is_sample else state.log_desk().name
    basis = f"One round of each ticket of {log} under {which}, without prompt caching at the provider"
    return NOT_RUN, basis, f"Priced, not run: {plain(basis)}. Tokens are counted, not metered: estimates."


def page() -> None:
    chosen, which = source()
    whole = worked_out(chosen, which, None)
    if whole is None and state.log_desk().work is not None:
        pricing()
        return
    if whole is None:
        st.info("Price a ticket log to see its customers.")
        st.page_link("pages/log.py", label="Ticket log", icon=":material/upload_file:")
        return
    place = st.container()
    with st.container():
        asked = days(whole.period, f"customer_days_{chosen}_{which}_{whole.period}")
    found = whole if asked is None else worked_out(chosen, which, asked)
    assert found is not None
    provenance, basis, sentence = said(chosen, which)
    with place:
        st.caption(origin(sentence))
        if chosen == "log" and state.log_is_stale():
            st.warning("Something changed since the log was priced. Price it again on the Ticket log page.")
        figures(found)
    st.caption(period_said(found, "call" if chosen == "receipts" else "ticket"))
    if not found.count:
        st.info("No ticket in these days names a customer. A log needs a column of customers.")
        return
    left, right = st.columns(2)
    with left:
        draw(customer_bars(found))
    with right:
        draw(concentration_curve(found))
    measure, tiers = tiers_box(found)
    prices = price_box(found)
    margin_said(found, prices)
    customers_table(found, prices)
    files(Listing(found, provenance, basis, prices, tiers, measure, prices.usual_usd == EXAMPLE_USD))


ensure_frame()
st.title("Who spends it?")
try:
    page()
except PlaygroundError as wrong:
    st.error(plain(str(wrong)), icon=":material/error:")
words()
