"""A/B: two variants served to different customers. Sample size first, then outcomes, judged by the same always-valid rule."""

from __future__ import annotations

import streamlit as st

from playground.ab import VARIANTS, Comparison, compare, customers_for, read_outcomes, variant_of
from playground.charts.ab import ab_chart
from playground.sequential import trajectory
from playground.ui import state
from playground.ui.file_of import file_of
from playground.ui.frame import ensure_frame
from playground.ui.widgets import counted, draw, figure, figures_row, plain
from playground.ui.words import words

BADGE = {"CUT OVER": ("green", "B is good enough"), "KEEP": ("red", "keep A"), "CONTINUE": ("gray", "not decided")}


RATE = "Such as tickets resolved without a person."


def plan() -> float:
    st.subheader("How many customers does it take?")
    a, b, c = st.columns(3)
    rate = a.number_input("Good outcomes now, %", 1.0, 99.0, 88.0, 1.0, key="ab_rate", help=RATE)
    margin = b.number_input("Margin, points", 0.5, 20.0, 2.0, 0.5, key="ab_margin", help="How much worse B may be.")
    power = c.number_input("Chance to decide, %", 50.0, 99.0, 80.0, 5.0, key="ab_power")
    needed = customers_for(rate / 100, margin / 100, power / 100)
    st.markdown(
        f"About **{needed:,} customers in each variant**, looked at every day, if B is truly as good. Twice the margin takes a "
        f"quarter: {customers_for(rate / 100, margin / 50, power / 100):,}."
    )
    return float(margin) / 100


def assign() -> None:
    st.subheader("Who gets which variant?")
    a, b = st.columns(2)
    experiment = a.text_input("Experiment", "draft-on-a-cheaper-model", max_chars=100, key="ab_name")
    customer = b.text_input("Customer", "acme", max_chars=200, key="ab_customer")
    variant = variant_of(customer, experiment)
    st.markdown(
        plain(f"{customer} gets {variant}, always: the experiment's name and the customer decide it, half to each.")
    )


def outcomes() -> None:
    file_of("Outcomes", "outcomes_file", read_outcomes, state.take_outcomes)
    st.caption(
        "Columns: customer, variant (A or B), outcome (0 to 1, or yes and no), in the order in which the tickets came."
    )


def result(found: Comparison, margin: float) -> None:
    colour, badge = BADGE[found.decision.verdict]
    said = f"at a margin of {margin:.1%}, after {found.decision.decided_at or found.decision.pairs:,} customers of each variant"
    better = found.decision.low > 0
    badge = "B is better" if better else badge
    st.markdown(f":{colour}-badge[{badge}] {plain(said)}.")
    with figures_row():
        for arm in VARIANTS:
            mean = found.means[arm]
            figure(
                f"{arm}, good outcomes",
                "none yet" if mean is None else f"{mean:.1%}",
                help_text=f"{found.customers[arm]:,} customers.",
            )
        figure("B minus A, any look", f"{found.decision.low:+.0%} to {found.decision.high:+.0%}")
    draw(ab_chart(found, trajectory(found.differences), margin))
    if found.mixed:
        st.warning(
            f"{counted(found.mixed, 'customer')} saw both variants and count for the first: the split was not sticky."
        )
    if found.waiting:
        st.caption(f"Of one variant, {counted(found.waiting, 'customer')} stand against nobody of the other yet.")


ensure_frame()
st.title("Which of two served variants?")
margin = plan()
assign()
st.subheader("What came of it?")
outcomes()
if seen := state.ab_outcomes():
    result(compare(seen, margin), margin)
words()
