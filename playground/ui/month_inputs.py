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
        _number("Escalated, %", 0.0, 100.0, base.escalation_share * 100, 1.0, "escalation", ESCALATED)
        _number("A person, USD", 0.0, 1000.0, float(base.human_cost_usd), 0.1, "human_cost", PERSON)
        _number("Fixed, USD a month", 0.0, 10_000_000.0, 0.0, 500.0, "fixed_cost", FIXED)
        _number("Growth, % a month", -50.0, 100.0, 0.0, 1.0, "growth", GROWTH)


AGAIN = "Tickets whose customer writes again after the agent's answer, so that the loop runs again."
ROUNDS = "How many more times the loop runs for such a ticket, on average."
ESCALATED = "These tickets pay for the agent and for a person."
PERSON = "What it costs when a person answers a ticket."
FIXED = "Tools and upkeep of the agent, whatever the volume."
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
    if log.tickets_per_month is not None:
        dated = f"{log.dated:,} dated tickets in {log.days:,} days"
        st.caption(f"Your log holds {dated}: about {log.tickets_per_month:,} a month.")


def said(a: Assumptions, basis: Basis) -> str:
    """Every assumption in words."""
    spend = basis.spends["kr-auto"]
    return dollars(
        f"{a.tickets_per_month:,} tickets a month {_like(basis)} {_rounds(a, spend, basis.log)} "
        f"{a.escalation_share * 100:g}% are escalated and cost {usd(a.human_cost_usd)} more. Fixed cost {usd(a.fixed_cost_usd)} a "
        f"month. The volume grows by {a.growth_share * 100:g}% a month. Retries are the share of outputs expected to be not good "
        "enough, each answered again by today's model. Escalated tickets pay for the models as well: spent on escalated. Per "
        "resolved ticket: all that the agent costs over the tickets that need no person."
    )


def _like(basis: Basis) -> str:
    log = basis.log
    if log is None:
        return "like the one that ran. n = 1: one ticket gives no range."
    alike = "resampled by customer" if log.unit == "customer" else "each resampled on its own"
    return (
        f"like the {log.tickets:,} of your log, priced and not run. The range is a 95% interval of the mean cost, from a bootstrap "
        f"of {log.clusters:,} {log.unit}s, {alike}."
    )


def _rounds(a: Assumptions, spend: Spend, log: LogForecast | None) -> str:
    mean = f"{spend.mean_rounds(a):.3f}"
    if spend.rounds is not None and a.own_rounds and log is not None and log.again is not None:
        return f"A ticket runs the loop {mean} times, as measured in {log.again.known:,} tickets and weighted by their cost."
    return f"{a.again_share * 100:g}% come back for {a.again_rounds:g} more rounds, so a ticket runs the loop {mean} times."
