"""What the customers' page draws: figures, tiers, prices, the table and the files to take away."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import streamlit as st

from playground.customers import Customer, Customers
from playground.customers.concentration import top_tenth
from playground.customers.listing import EVALUATED, MOST_IN_A_SHEET, Listing, as_csv, as_xlsx, change_said
from playground.customers.prices import Prices, margin, read_prices
from playground.money import Total, percent_change, usd
from playground.prices import PRICE_DATE
from playground.safe_cells import safe
from playground.ui import state
from playground.ui.file_of import file_of
from playground.ui.widgets import as_float, counted, figure, figures_row, file_button, plain, table

SHOWN = 1_000
EXAMPLE_USD = Decimal(99)
"""A price to begin with."""
LONGEST_NAME = 80
NOBODY = "(no customer named)"
USD = st.column_config.NumberColumn(format="$%.4f")
RIGHT = st.column_config.TextColumn(alignment="right")


@st.fragment(run_every=0.5)
def pricing() -> None:
    """How far the log's pricing is; one full redraw when it ends."""
    work = state.log_desk().work
    if work is None or work.state != "running":
        st.rerun()
        return
    work.look()
    st.progress(min(1.0, work.read.share), f"{work.tickets:,} tickets of the log priced")


def figures(found: Customers) -> None:
    """The sums in a row, and what no customer is named for."""
    top, total = top_tenth(found), found.total
    with figures_row():
        figure("Customers", f"{found.count:,}")
        figure("Tickets", f"{total.tickets:,}")
        figure("Spend", _short(total.cost), help_text=ALL)
        if top is not None:
            label = "Top 10% carry" if top.of >= 10 else "The dearest carries"
            figure(label, f"{top.share:.0%}", help_text=f"{top}.")
        if found.evaluations != Total():
            figure("Evaluations", _short(found.evaluations), help_text=BESIDE)
        if found.unattributed is not None:
            figure("No customer named", usd(found.unattributed.cost.known_usd), help_text=UNNAMED)


ALL = "Tickets that were served, failed attempts included: those of customers, and those that name none."
BESIDE = "Shadow runs, judges and second opinions. They serve nobody: in no margin, tier, trend or cost of a ticket."
UNNAMED = "Tickets that name no customer. They are no customer: they stand in no share, not in the top 10% and not in the Gini."


def period_said(found: Customers, unit: str) -> str:
    """The days, what has no day, and what has no price."""
    parts = ["No ticket has a date, so there is no month and no trend."]
    if found.period is not None:
        parts = [f"{found.period}, {counted(found.period.days, 'day')}, in UTC."]
    if found.undated_tickets:
        parts.append(f"{counted(found.undated_tickets, 'ticket')} without a usable date: in no trend.")
    if unpriced := found.total.cost.unpriced_calls:
        parts.append(f"{counted(unpriced, unit)} without a price: sums are at least what stands here.")
    return " ".join(parts)


def price_box(found: Customers) -> Prices:
    """What customers pay a month: one price for all, or a file."""
    st.subheader("What is left of what they pay?")
    left, right = st.columns([1, 2])
    with left:
        usual = st.number_input(
            "Price a customer a month, USD",
            0.0,
            1e9,
            float(EXAMPLE_USD),
            1.0,
            key="customer_price",
            persist_state="session",
            help=PRICE,
        )
    with right, st.expander("A price for each customer, from a file"):
        st.caption("Columns customer and price_usd, USD a month. CSV, XLSX, JSON or JSON lines.")
        file_of("Prices", "customer_prices_file", read_prices, state.take_prices)
        if own := state.customer_desk().own_prices:
            st.markdown(f"{counted(len(own), 'price')} from a file; everybody else pays the price above.")
            if unknown := state.customer_prices(usual).unknown(frozenset(c.name or "" for c in found.named())):
                st.caption(plain(f"Not among the customers: {', '.join(n[:LONGEST_NAME] for n in unknown[:5])}."))
            st.button("Let go of the file", on_click=state.forget_prices, type="tertiary")
    return state.customer_prices(usual)


PRICE = "99 is an example. The margin is this less the models: people, retries of a log and fixed costs are not in it."


def margin_said(found: Customers, prices: Prices) -> None:
    """How many customers cost more than they pay."""
    if found.period is None:
        st.caption("A margin needs dates: the price is a month's.")
        return
    paid = [m for c in found.named() if (m := margin(c, prices, found.period)) is not None]
    below = sum(m.usd < 0 for m in paid)
    whole, models = sum((m.price_usd for m in paid), Decimal(0)), sum((m.models for m in paid), Total())
    at_most = " at most" if models.unpriced_calls else ""
    said = "No customer costs more for models than it pays."
    if below:
        said = f"{counted(below, 'customer')} of {len(paid):,} {'costs' if below == 1 else 'cost'} more for models than they pay."
    said += (
        f" All together pay {usd(whole)} a month and cost {models}: margin{at_most} {usd(whole - models.known_usd)}."
    )
    st.markdown(plain(said))
    st.caption(f"{counted(found.period.days, 'day')} scaled to a month of 30.4375 days. Models only.")


def customers_table(found: Customers, prices: Prices) -> None:
    """Every customer, the dearest first; last what no customer is named for, and whom no ticket was served."""
    shown = [*found.named(SHOWN), *([] if found.unattributed is None else [found.unattributed])]
    rows = [_row(c, found, prices) for c in shown]
    if found.evaluated_only is not None:
        rows.append(_row(found.evaluated_only, found, prices) | {"Customer": EVALUATED})
    names = {"Customer": st.column_config.TextColumn(width="medium")}
    money = dict.fromkeys(
        (
            "Spend, USD",
            "Evaluations, USD",
            "A ticket, USD",
            "On today's models, USD",
            "First half, USD",
            "Second half, USD",
        ),
        USD,
    )
    shares = {"Share": st.column_config.NumberColumn(format="percent"), "Trend": RIGHT, "Margin a month": RIGHT}
    table(rows, {**names, **money, **shares}, "Spend by customer", table_height(len(rows)))
    if found.count > SHOWN:
        st.caption(f"The dearest {SHOWN:,} of {found.count:,}. The files hold every one.")
    st.caption("Trend: the second half of the period against the first. Share: of what customers spend.")


def _row(c: Customer, found: Customers, prices: Prices) -> dict[str, Any]:
    paid = None if found.period is None else margin(c, prices, found.period)
    unpriced = {"Unpriced": c.cost.unpriced_calls} if found.total.cost.unpriced_calls else {}
    beside = {"Evaluations, USD": _known(c.evaluations)} if found.evaluations != Total() else {}
    return {
        "Customer": shown_name(c),
        "Tickets": c.tickets,
        "Spend, USD": _known(c.cost),
        **unpriced,
        **beside,
        "A ticket, USD": None if c.per_ticket is None else _known(c.per_ticket),
        "Share": as_float(found.share(c)),
        "Trend": _trend(c),
        "Margin a month": "" if paid is None else f"{'at most ' if paid.models.unpriced_calls else ''}{usd(paid.usd)}",
        "First half, USD": None if c.first is None else _known(c.first.cost),
        "Second half, USD": None if c.second is None else _known(c.second.cost),
        "On today's models, USD": as_float(c.before_usd),
    }


def _known(total: Total) -> float | None:
    """The priced part; nothing at all where no part of it has a price."""
    return float(total.known_usd) if total.known_usd or not total.unpriced_calls else None


def _trend(c: Customer) -> str:
    if c.change is None or c.first is None or c.second is None or c.change == -1:
        return change_said(c)
    return percent_change(c.second.cost.exact_usd, c.first.cost.exact_usd)


def shown_name(c: Customer) -> str:
    """A name for a cell of a table."""
    name = NOBODY if c.name is None else safe(" ".join(c.name.split()))
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}\u2026"


def files(listing: Listing) -> None:
    """The list for account management."""
    with st.container(horizontal=True):
        file_button("List as CSV", lambda: as_csv(listing), "customers.csv", "text/csv")
        file_button("List as XLSX", lambda: as_xlsx(listing), "customers.xlsx", XLSX)
    most = f" The sheet holds the dearest {MOST_IN_A_SHEET:,}." if listing.customers.count > MOST_IN_A_SHEET else ""
    st.caption(f"For account management: every customer with spend, tier, crossing, price and margin, by name.{most}")


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def origin(said: str) -> str:
    """Where the numbers come from, in text that is escaped already, and the date of the prices."""
    return f"{said} Prices of {PRICE_DATE:%-d %B %Y}."


def _short(total: Total) -> str:
    return usd(total.known_usd) if total.exact_usd is not None else f"\u2265 {usd(total.known_usd)}"


def table_height(rows: int) -> int | str:
    """As tall as its rows, up to a dozen."""
    return "content" if rows <= 12 else 460
