"""Guardrails, caching and failover: what stands around every call, what it did in the last run, and a switch to try it."""

from __future__ import annotations

import streamlit as st

from playground.money import Total
from playground.records import Receipt
from playground.ui import state
from playground.ui.caching_box import caching_box
from playground.ui.cell_notes import added_of_run, expected_second
from playground.ui.failover_preset import failover_preset
from playground.ui.frame import ensure_frame
from playground.ui.gate_view import gate_line, gate_of_run, gate_view
from playground.ui.guard_controls import controls, switches
from playground.ui.meaning_view import meaning_view
from playground.ui.widgets import USD_COLUMN, as_float, dollars, figure, figures_row, plain, small_usd, table
from playground.ui.words import words

ensure_frame()
st.title("What happens when things break?")
state.first_run()


def last_run(receipts: tuple[Receipt, ...]) -> None:
    """What the parts did in the last run."""
    st.subheader("The last run")
    embedded = [r for r in receipts if r.embedded]
    asked = [r for r in receipts if not r.embedded]
    failed = [r for r in asked if r.outcome != "ok"]
    moved = [r for r in asked if r.rerouted]
    served = [r for r in receipts if r.source != "model"]
    with figures_row():
        figure("Calls answered", f"{sum(r.outcome == 'ok' for r in asked):,}")
        figure(
            "Failed attempts",
            f"{len(failed):,}",
            help_text="Calls that failed, and answers that did not pass. What a provider bills of them is in the cost.",
        )
        figure("Answered by an equivalent", f"{sum(r.outcome == 'ok' for r in moved):,}")
        figure("Answered from the cache", f"{len(served):,}")
    if added := added_of_run(receipts):
        st.markdown(plain(added))
    saved = Total.of(r.saved_usd for r in served)
    if served:
        st.markdown(dollars(f"The cache saved {saved}, at today's prices."))
    if embedded:
        st.markdown(_embedded(embedded))
    rows = [_row(r) for r in receipts if r.outcome != "ok" or r.rule or r.source != "model"]
    if rows:
        table(
            rows,
            {"USD": st.column_config.NumberColumn(format=USD_COLUMN)},
            "What failed, moved or was cached",
            "content",
        )
    else:
        st.caption("Nothing failed, nothing moved, and nothing came out of the cache.")


def _embedded(receipts: list[Receipt]) -> str:
    """What it cost to be told what the ticket means."""
    total = Total.of(r.cost_usd for r in receipts)
    cost = str(total) if total.exact_usd is None else small_usd(total.exact_usd)
    said = f"{receipts[0].model} was asked what the ticket means, for the semantic cache"
    return f"{plain(said)}: {dollars(cost)}."


def _row(r: Receipt) -> dict[str, object]:
    return {
        "Stage": {s.key: s.title for s in state.shown_pipeline().stages}.get(r.stage, r.stage),
        "Call": r.call,
        "Try": r.attempt,
        "Model": r.model,
        "Result": r.outcome if r.failure is None else f"{r.outcome}: {r.failure.replace('_', ' ')}",
        "From": r.source,
        "USD": as_float(r.cost_usd),
        "Seconds": r.latency_s,
        "Why this model": r.rule,
    }


switches()
with st.container(horizontal=True):
    st.button(
        "Run ticket",
        type="primary",
        icon=":material/play_arrow:",
        on_click=state.start_run,
        disabled=state.is_running(),
    )
    st.page_link("pages/notebook.py", label="See its cells", icon=":material/view_agenda:")
done = state.trace()
if done is not None:
    last_run(done.receipts)
    if done.handover is not None:
        st.info(plain(f"The ticket went to a person: {done.handover.reason}"), icon=":material/person_raised_hand:")
    if (gated := gate_of_run(done)) is not None:
        st.caption(dollars(gate_line(gated)))
st.subheader("What stands around the calls")
for problem in state.cache_problems():
    st.warning(plain(problem), icon=":material/warning:")
controls()
failover_preset()
if drawn := expected_second():
    st.caption(drawn)
gate_view()
meaning_view()
caching_box()
words()
