"""What a month assumes: every assumption is a control, and is said again in words under the result."""

from __future__ import annotations

import streamlit as st

from playground.forecast import Assumptions, Spend
from playground.log_forecast import LogForecast
from playground.money import usd
from playground.ui.month_box import volume_slider
from playground.ui.state import Basis
from playground.ui.widgets import dollars


def inputs(basis: Basis) -> None:
    """The controls."""
    volume_slider()
    if basis.log is not None:
        _from_log(basis.log)
    base = Assumptions()
    measured = basis.log is not None and basis.log.again is not None and st.session_state.get("own_rounds", True)
    row = st.container(horizontal=True, gap="medium", vertical_alignment="bottom")
    with row:
        _number("Come back, %", 0.0, 100.0, base.again_share * 100, 1.0, "again", AGAIN, measured)
        _number("More rounds each", 0.0, 20.0, base.again_rounds, 0.1, "again_rounds", ROUNDS, measured)
        _number("Failed attempts, %", 0.0, 100.0, base.retry_share * 100, 0.5, "retries", FAILED)
        _number("Escalated, %", 0.0, 100.0, base.escalation_share * 100, 1.0, "escalation", ESCALATED)
        _number("A person, USD", 0.0, 1000.0, float(base.human_cost_usd), 0.1, "human_cost", PERSON)
        _number("Fixed, USD a month", 0.0, 10_000_000.0, 0.0, 500.0, "fixed_cost", FIXED)
        _number("Growth, % a month", -50.0, 100.0, 0.0, 1.0, "growth", GROWTH)
        _number("Your models now, USD", 0.0, 100_000_000.0, 0.0, 100.0, "own_bill", BILL)
    st.caption(EXAMPLE)


AGAIN = "Tickets whose customer writes again after the agent's answer, so that the loop runs again."
ROUNDS = "How many more times the loop runs for such a ticket, on average."
ESCALATED = "These tickets pay for the agent and for a person."
PERSON = "What it costs when a person answers a ticket."
FIXED = "Tools and upkeep of the agent, whatever the volume."
FAILED = "What attempts that fail their check, and are tried again, add to the models' cost. About 1% in rehearsals."
BILL = "What you pay for models a month today, if you run an agent already. It is shown beside the plans."
EXAMPLE = (
    "The shares and costs above are the founding article's example until you put in your own. "
    "Today is what the agent's file says each stage runs on now."
)
GROWTH = "How the volume changes from month to month."


def _number(
    label: str, low: float, high: float, value: float, step: float, key: str, said: str, off: bool = False
) -> None:
    st.number_input(
        label,
        low,
        high,
        value,
        step,
        key=key,
        help=said,
        disabled=off,
        width=150,
        persist_state="session",
        bind="query-params",
    )


def _from_log(log: LogForecast) -> None:
    if log.again is not None:
        st.toggle(
            f"Rounds as in your log: {log.again.share:.0%} come back, {log.again.rounds:.1f} more rounds each",
            True,
            key="own_rounds",
            persist_state="session",
            bind="query-params",
            help=f"Measured on {log.again.known:,} tickets that say how often the customer wrote.",
        )
    if log.odd_rounds is not None:
        st.warning(
            f"The column of messages makes {log.odd_rounds:,.0f} rounds of an average ticket, which cannot be right. It is not "
            "used; choose another column on the Ticket log page."
        )
    if log.tickets_per_month is not None:
        dated = f"{log.dated:,} tickets in the {log.days:,} days that hold nine tenths of them"
        st.caption(f"The log's own volume: about {log.tickets_per_month:,} a month, from {dated}.")
    if log.far:
        st.warning(
            f"{log.far:,} tickets are dated far from all others; the volume leaves them out. Are their dates right?"
        )


def said(a: Assumptions, basis: Basis) -> str:
    """Every assumption in words."""
    bill = f"Your bill for models now: {usd(a.bill_usd)} a month. " if a.bill_usd else ""
    parts = (
        f"{bill}{a.tickets_per_month:,} tickets a month {_like(basis)}",
        _rounds(a, basis.spends["kr-auto"], basis.log),
        f"Failed attempts add {a.retry_share:.1%} to a round.",
        f"{a.escalation_share * 100:g}% are escalated and cost {usd(a.human_cost_usd)} more.",
        "They pay for the models as well (on escalated).",
        f"Fixed cost {usd(a.fixed_cost_usd)} a month.",
        f"The volume grows by {a.growth_share * 100:g}% a month.",
        "Per resolved: all that the agent costs over the tickets that need no person.",
    )
    return dollars(" ".join(parts))


def range_said(basis: Basis) -> str:
    """What a range covers, and what it does not; why there is none, where there is none."""
    if basis.log is None:
        return "n = 1: one ticket gives no range."
    if basis.log.method.startswith("no range"):
        return f"{basis.log.method[:1].upper()}{basis.log.method[1:]}."
    return (
        f"95% confidence, by {basis.log.method}. It covers which tickets came, and not how long answers are, how many tickets are "
        "escalated, or what prices do: for these see what moves the month."
    )


def _like(basis: Basis) -> str:
    return (
        "like the one that ran."
        if basis.log is None
        else f"like the {basis.log.tickets:,} of the log, priced and not run."
    )


def _rounds(a: Assumptions, spend: Spend, log: LogForecast | None) -> str:
    mean = f"{spend.mean_rounds(a):.3f}"
    if spend.rounds is not None and a.own_rounds and log is not None and log.again is not None:
        return f"A ticket runs the loop {mean} times, as measured in {log.again.known:,} tickets and weighted by their cost."
    return f"{a.again_share * 100:g}% come back for {a.again_rounds:g} more rounds, so a ticket runs the loop {mean} times."
