"""Both savings side by side: what public benchmarks say could be saved, and what a shadow evaluation has proven."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from playground.bill import PlanBill
from playground.money import Total, percent_change, usd
from playground.records import Plan
from playground.ui import state
from playground.ui.widgets import NO_CHANGE, dollars, figure


def savings_line(plans: Mapping[Plan, PlanBill], times: int = 1, per: str = "a ticket") -> None:
    """The potential and the proven saving in one line; `times` tickets."""
    before = plans["before"].total * times
    both = state.assured()
    text = "; ".join(
        f"{'potential' if kind == 'estimated' else 'proven'} saving {_saving(before, bill.total * times)} {per}"
        for kind, bill in both.items()
    )
    st.caption(dollars(f"{text[:1].upper()}{text[1:]}. {state.proven_line()}"))


def savings_figures(plans: Mapping[Plan, PlanBill], times: int) -> None:
    """The two savings of a month as figures."""
    before, both = plans["before"].total * times, state.assured()
    potential, proven = both["estimated"].total * times, both["proven"].total * times
    figure("Potential saving", _amount(before, potential), help_text=POTENTIAL)
    figure("Proven saving", _amount(before, proven), help_text=PROVEN)


POTENTIAL = "A month, if every estimate from public benchmarks holds on your tickets."
PROVEN = "A month, with only what a shadow evaluation on your tickets has passed; every other stage stays on its current model."


def _amount(before: Total, after: Total) -> str:
    if before.exact_usd is None or after.exact_usd is None:
        return "unpriced"
    return usd(before.exact_usd - after.exact_usd)


def _saving(before: Total, after: Total) -> str:
    change = percent_change(after.exact_usd, before.exact_usd)
    return f"{_amount(before, after)}{f' ({change})' if change not in ('', NO_CHANGE) else ''}"
