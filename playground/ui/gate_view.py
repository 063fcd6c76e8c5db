"""The gate on outcomes: what a stated confidence is worth, what a gate at each threshold would do, and how to get outcomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from playground.charts.gate import gate_chart, reliability_chart
from playground.gate_money import GateMonth, GateTicket, gate_months, gate_ticket
from playground.money import usd
from playground.outcomes import DraftOutcome, calibration_of, read_outcomes, weighed
from playground.pipeline import states_confidence
from playground.prices import PRICE_DATE
from playground.records import Trace
from playground.ui import state
from playground.ui.file_of import file_of
from playground.ui.widgets import counted, dollars, draw, plain, table

HOW = (
    "No outcome of a draft is known, so a stated confidence is taken at its word. Run a shadow evaluation of the stage Draft, "
    "where a judge or people compare drafts, or bring a file of drafts that turned out good or bad."
)
SOURCES = {"judge": "compared by the judge", "people": "compared by people", "file": "from your file"}
ANY = "every model"


def gate_view() -> None:
    """Draw the section."""
    st.subheader("What is a draft's confidence worth?")
    if not states_confidence(state.pipeline().stages):
        st.caption("This agent's drafts state no confidence.")
        return
    found = state.draft_outcomes()
    if not found:
        st.info(HOW, icon=":material/info:")
        st.page_link("pages/shadow.py", label="Shadow evaluation", icon=":material/compare_arrows:")
    else:
        _known(found)
    with st.expander("Bring outcomes of drafts"):
        st.caption("The columns confidence (0 to 1) and good (yes or no); also model. CSV, XLSX, JSON or JSON lines.")
        file_of("File of outcomes", "draft_outcomes_file", read_outcomes, state.take_draft_outcomes)
        if state.file_outcomes():
            st.button("Forget the file's outcomes", on_click=state.forget_draft_outcomes)


def _known(found: Sequence[DraftOutcome]) -> None:
    models = sorted({o.model for o in found})
    model = _model(models)
    own = [o for o in found if o.model == model]
    st.caption(plain(_origin(own)))
    known = calibration_of(state.calibrated(), model)
    left, right = st.columns(2)
    with left:
        draw(reliability_chart(own, known))
        if not known.stated:
            st.caption(plain(f"Not calibrated: {known.why}. Until then the gate works on what is stated."))
    months = _months(own)
    threshold = state.runtime().confidence_gate
    with right:
        if months:
            draw(gate_chart(months, 0.5 if threshold is None else threshold))
    if months:
        _table(months)


def _model(models: list[str]) -> str:
    drafting = state.drafting_model()
    if len(models) == 1:
        return models[0]
    usual = drafting if drafting in models else models[0]
    return str(
        st.selectbox(
            "Drafts of", models, models.index(usual), format_func=lambda m: m or ANY, key="gate_model", width=320
        )
    )


def _origin(own: Sequence[DraftOutcome]) -> str:
    kinds = Counter(SOURCES[o.source] for o in own)
    said = ", ".join(f"{n:,} {kind}" for kind, n in kinds.items())
    whose = f"{counted(len(own), 'draft')} of {own[0].model or ANY}: {said}."
    rehearsed = any(o.provenance == "rehearsal" for o in own)
    return whose + (" Rehearsal: no model was called, and these count for rehearsal only." if rehearsed else "")


def _months(own: Sequence[DraftOutcome]) -> tuple[GateMonth, ...]:
    costs = state.gate_costs(state.knobs().plan)
    if costs is None:
        return ()
    good = [o.good for o in own]
    calls = sum(s.calls for s in state.pipeline().stages if s.key in ("check", "respond"))
    return gate_months(weighed(own, state.calibrated()), good, costs, state.assumptions(), calls)


def _table(months: Sequence[GateMonth]) -> None:
    right = st.column_config.TextColumn(alignment="right")
    rows = [_row(m) for m in months[::2]]
    table(rows, {name: right for name in rows[0]}, "A gate at each threshold", "content")
    a = state.assumptions()
    st.caption(
        dollars(
            f"Counts are of these drafts; money and calls are a month of {a.tickets_per_month:,} tickets under "
            f"{state.knobs().plan}, an estimate at prices of {PRICE_DATE:%-d %B %Y}. A person takes {usd(a.human_cost_usd)} a "
            "ticket, for those who were not escalated anyway; rounds and retries are as on the Month page. Each draft is "
            "weighed by a calibration on the others, where there is one: a fit scored on its own drafts looks better than it is. "
            "Wasted was spent before the gate: on intent, passages and draft."
        )
    )


def _row(m: GateMonth) -> dict[str, object]:
    return {
        "Hand over below": f"{m.row.threshold:.2f}",
        "Handed over": f"{m.row.handed_over:,} of {m.row.n:,}",
        "Bad, stopped": f"{m.stopped_bad:,}",
        "Good, handed over": f"{m.row.needless:,}",
        "Bad, let through": f"{m.row.passed_bad:,}",
        "Calls skipped": f"{m.calls_skipped:,.0f}",
        "Saved on models": usd(m.saved_usd),
        "Wasted on drafts": usd(m.wasted_usd),
        "People": usd(m.people_usd),
    }


def gate_of_run(trace: Trace) -> GateTicket | None:
    """What the gate did to the last run's ticket; `None` where it did nothing."""
    return gate_ticket(trace, state.expected_stages(trace.plan))


def gate_line(found: GateTicket) -> str:
    """The same in one sentence."""
    saved = "an unknown sum" if found.saved_usd is None else f"about {usd(found.saved_usd)}"
    return f"The gate saved {saved} for check and answer, which were not asked for. {found.wasted} had been spent up to the draft."
