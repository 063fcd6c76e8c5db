"""Both savings side by side: what public benchmarks say could be saved, and what a shadow evaluation has proven."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import streamlit as st

from playground.bill import PlanBill
from playground.forecast import Assumptions, month
from playground.money import Total, percent_change, usd
from playground.records import Assurance, Plan
from playground.ui import state
from playground.ui.widgets import NO_CHANGE, dollars, figure


def savings_line(plans: Mapping[Plan, PlanBill]) -> None:
    """The potential and the proven saving of the ticket that ran, in one line."""
    before = plans["before"].total
    both = state.assured()
    _line({kind: _saving(before, bill.total) for kind, bill in both.items()}, "a ticket")


def month_savings(basis: state.Basis, a: Assumptions) -> None:
    """The same for a month's models, retries and tickets that come back included."""
    before = month(basis.spends["before"], a).tokens_usd
    _line({k: _change(before, month(spend, a).tokens_usd) for k, spend in basis.assured.items()}, "a month on models")


def saved_said(ran: PlanBill) -> str:
    """What our own cache took off the ticket that ran, to stand after a sum; empty where it took nothing."""
    return f", of it {ran.saved} saved by our cache" if any(line.served for line in ran.lines) else ""


def _line(savings: Mapping[Assurance, str], per: str) -> None:
    names = {"estimated": "potential", "proven": "proven"}
    text = "; ".join(f"{names[kind]} saving {saving} {per}" for kind, saving in savings.items())
    st.caption(dollars(f"{text[:1].upper()}{text[1:]}. {state.proven_line()}"))


def savings_figures(basis: state.Basis, a: Assumptions) -> None:
    """The two savings of a month as figures, every ticket taking one round; the Month page counts all rounds."""
    before = month(basis.spends["before"], a).one_round_usd
    potential, proven = (month(basis.assured[k], a).one_round_usd for k in ("estimated", "proven"))
    figure("Potential saving, one round", usd(before - potential), help_text=POTENTIAL, width=LONG_LABEL)
    figure("Proven saving, one round", usd(before - proven), help_text=PROVEN, width=LONG_LABEL)


LONG_LABEL = 230
POTENTIAL = "A month, one round for every ticket, if every estimate from public benchmarks holds on your tickets."
PROVEN = (
    "A month, one round for every ticket, with only what a shadow evaluation on your tickets has passed; "
    "every other stage stays on its current model."
)


def _saving(before: Total, after: Total) -> str:
    if before.exact_usd is None or after.exact_usd is None:
        return "unpriced"
    return _change(before.exact_usd, after.exact_usd)


def _change(before: Decimal, after: Decimal) -> str:
    change = percent_change(after, before)
    return f"{usd(before - after)}{f' ({change})' if change not in ('', NO_CHANGE) else ''}"
