"""What stands around the calls, in the month and the bill: how often each part acts, what it changes, and what is assumed."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from playground.bill import PlanBill
from playground.forecast import Assumptions, Month, Spend, month
from playground.levers import Lever
from playground.money import signed, usd
from playground.records import PLANS, Plan
from playground.runtime_cost import Part, Shares, change_usd, month_parts, ticket_parts, with_parts
from playground.ui import state
from playground.ui.month_box import NAMES
from playground.ui.widgets import dollars, plain, small_usd, table

RIGHT = st.column_config.TextColumn(alignment="right")
UNPRICED = "unpriced"


def runtime_month(spends: Mapping[Plan, Spend], a: Assumptions) -> None:
    """The parts that are on, for every plan; nothing where all are off."""
    if state.part_shares().all_off:
        return
    st.subheader("With what stands around the calls")
    _inputs()
    shares = state.part_shares()
    rows = []
    for plan in PLANS:
        spend = spends[plan]
        parts = month_parts(state.unit_of_plan(plan, spend), shares, a, spend.mean_rounds(a))
        rows.append(_row(NAMES[plan], month(spend, a), parts))
    table(
        rows,
        {name: RIGHT for name in rows[0] if name != "Plan"},
        "A month with what stands around the calls",
        "content",
    )
    st.caption(dollars(f"{shares_said(shares)} The figures and charts above are without these parts."))


def _row(name: str, plain_month: Month, parts: tuple[Part, ...]) -> dict[str, object]:
    change = change_usd(parts)
    people: dict[str, object] = {f"{p.name}, people": signed(p.people_usd) for p in parts if p.name == "Guardrails"}
    models: dict[str, object] = {p.name: UNPRICED if p.models_usd is None else signed(p.models_usd) for p in parts}
    return {
        "Plan": name,
        "All in, without": usd(plain_month.all_in_usd),
        **models,
        **people,
        "All in, with": UNPRICED if change is None else usd(plain_month.all_in_usd + change),
    }


def _inputs() -> None:
    """A control for each share that is measured or assumed; the share of second opinions is set with them."""
    shares = state.part_shares()
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        if shares.handed_over is not None:
            _share("Handed over, %", "handed_over", state.handed_over())
        if shares.cached is not None:
            _share("Saved by caches, %", "cached", state.cached())
        if shares.tried_again is not None:
            _share("Failed tries, %", "tried_again", state.tried_again())


def _share(label: str, name: str, often: state.Often) -> None:
    st.number_input(
        label,
        0.0,
        100.0,
        often.share * 100,
        0.5,
        key=state.share_key(name, often),
        help=f"{often.said[:1].upper()}{often.said[1:]}. Put in your own.",
        width=150,
        persist_state="session",
    )


def _asked() -> str:
    """What asking for meanings takes off that; empty where nobody is asked."""
    each = state.embedding_usd()
    if each is not None and not each:
        return ""
    return f", less {UNPRICED if each is None else small_usd(each)} to embed each ticket"


def shares_said(shares: Shares) -> str:
    """Every assumption in words."""
    said = []
    if shares.handed_over is not None:
        said.append(
            f"Guardrails give {shares.handed_over.share:.1%} to a person ({state.handed_over().said}): stages after that are not "
            "paid for, and only those who were not escalated anyway need one more person."
        )
    if shares.cached is not None:
        said.append(f"Our own caches save {shares.cached:.1%} of what is left ({state.cached().said}){_asked()}.")
    if shares.tried_again is not None:
        said.append(f"Failed tries and dearer equivalents add {shares.tried_again:.1%} ({state.tried_again().said}).")
    if shares.second_opinions is not None:
        title = state.pipeline().stage(state.runtime().opinion_stage).title
        said.append(
            f"The next tier up answers {title} as well for {shares.second_opinions:.1%} of tickets, judging not counted."
        )
    return " ".join(said)


def with_runtime(levers: tuple[Lever, ...], routed: PlanBill) -> tuple[Lever, ...]:
    """A ticket's waterfall that goes on through the parts that are on."""
    shares = state.part_shares()
    return with_parts(levers, ticket_parts(state.unit_of_ticket(routed, levers[-1].usd), shares)) if levers else levers


def runtime_caption() -> None:
    """What the waterfall's last bars assume; nothing where all parts are off."""
    shares = state.part_shares()
    if not shares.all_off:
        st.caption(plain(f"On average, and for models only: {shares_said(shares)} The Month page adds people."))
