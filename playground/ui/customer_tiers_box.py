"""The tiers on the customers' page: a small table to edit, and who crosses into a higher one."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from playground.customers import Customer, Customers, Part, Period
from playground.customers.tiers import MEASURES, USUAL, Measure, Placed, Tier, placed, read_tiers
from playground.errors import BadInput
from playground.money import usd
from playground.safe_cells import safe
from playground.ui import state
from playground.ui.customer_view import RIGHT, SHOWN, shown_name, table_height
from playground.ui.widgets import counted, plain, table


def tiers_box(found: Customers) -> tuple[Measure, tuple[Tier, ...]]:
    """The tiers as a small table to edit, and who crosses into a higher one."""
    st.subheader("Who crosses into a higher tier?")
    left, right = st.columns([2, 3])
    with left:
        measure, tiers = _tiers()
    with right:
        if found.period is None or not found.period.half:
            st.info("Needs tickets of at least two days: a tier is a month's, and a crossing compares two halves.")
        else:
            _crossings(found, found.period, measure, tiers)
    return measure, tiers


def _tiers() -> tuple[Measure, tuple[Tier, ...]]:
    names = {"tickets": "Tickets a month", "USD": "USD a month"}
    measure: Measure = st.segmented_control(
        "Tiers by", MEASURES, default="tickets", required=True, key="tier_measure", format_func=lambda m: names[m],
        persist_state="session",
    )  # fmt: skip
    desk = state.customer_desk()
    columns = {
        "name": st.column_config.TextColumn("Tier", max_chars=60),
        "start": st.column_config.NumberColumn(f"From, {measure} a month", min_value=0.0),
    }
    key = f"tiers_{measure}_{desk.edits}"
    if key not in st.session_state:
        # The table keeps what it began with while it is drawn: another beginning would take edits away.
        st.session_state[f"{key}_begun"] = [{"name": t.name, "start": float(t.start)} for t in desk.tiers[measure]]
    begun = st.session_state[f"{key}_begun"]
    edited = st.data_editor(begun, num_rows="dynamic", hide_index=True, column_config=columns, key=key, width="stretch")
    try:
        tiers = read_tiers(edited)
        state.set_tiers(measure, tiers)
    except BadInput as wrong:
        st.error(plain(str(wrong)), icon=":material/error:")
        tiers = desk.tiers[measure]
    if tiers == USUAL[measure]:
        st.caption("Made-up thresholds to begin with. Put in your own plans.")
    return measure, tiers


def _crossings(found: Customers, period: Period, measure: Measure, tiers: Sequence[Tier]) -> None:
    places = [(c, placed(c, tiers, measure, period)) for c in found.named()]
    up = [(c, p) for c, p in places if p.crosses_up]
    st.markdown(plain(_crossing_said(len(up), found.count)))
    st.caption(
        f"The pace of the second {counted(period.half, 'day')} against that of the first {period.half:,}, each scaled to a "
        f"month of 30.4375 days. Few tickets make a pace uncertain. {_spread(places, tiers)}"
    )
    if up:
        shown = [_crossing(c, p, measure, period) for c, p in up[:SHOWN]]
        table(
            shown,
            {k: RIGHT for k in list(shown[0])[3:]},
            "Customers who cross into a higher tier",
            table_height(len(shown)),
        )


def _crossing_said(up: int, count: int) -> str:
    if not up:
        return "No customer crosses into a higher tier."
    return f"{counted(up, 'customer')} of {count:,} {'crosses' if up == 1 else 'cross'} into a higher tier."


def _spread(places: Sequence[tuple[Customer, Placed]], tiers: Sequence[Tier]) -> str:
    within = (f"{plain(t.name)} {sum(p.tier == t for _, p in places):,}" for t in tiers)
    return f"Over the whole period: {', '.join(within)}."


def _crossing(c: Customer, p: Placed, measure: Measure, period: Period) -> dict[str, object]:
    assert p.first is not None
    assert p.second is not None
    return {
        "Customer": shown_name(c),
        "From": safe(p.first.name),
        "To": safe(p.second.name),
        "A month, whole period": f"{p.month:,.1f}" if measure == "tickets" else usd(p.month),
        "First half": _half(c.first, measure),
        "Second half": _half(c.second, measure),
    }


def _half(part: Part | None, measure: Measure) -> str:
    assert part is not None
    return f"{part.tickets:,}" if measure == "tickets" else usd(part.cost.known_usd)
