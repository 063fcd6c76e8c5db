"""A stage's decision: why this candidate, what would change it, and every candidate considered."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from playground.charts.decision import cost_quality
from playground.pipeline import Stage
from playground.records import Considered, Decision, Step
from playground.ui import state
from playground.ui.stage_bar import stage_bar
from playground.ui.widgets import USD_COLUMN, as_float, draw, plain, table

NO_PIN = "Let the router decide"


def show_decision(stage: Stage, step: Step) -> None:
    """Draw the reason, the controls, cost against quality, and every candidate."""
    decision = step.decision
    lines = [f"{decision.reason[:1].upper()}{decision.reason[1:]}.", *_difficulty(decision)]
    lines += [f"{decision.flip}."] if decision.flip else []
    lines += [f"When its output is bad, one retry on {decision.fallback.key}."] if decision.fallback else []
    st.markdown(plain(" ".join(lines)))
    if state.recording() is None:
        _controls(stage, step)
    draw(cost_quality(decision, stage.before))
    table(
        [_option(o) for o in sorted(decision.considered, key=_order)],
        _OPTION_COLUMNS,
        f"Candidates for {stage.title}, best choice first",
        380,
    )
    st.caption(
        "Expected: list price of this stage's calls for this ticket, plus the share of bad outputs times what the current model "
        "costs. The router compares by it. The cell above shows what the attempts of this run used."
    )


def _difficulty(decision: Decision) -> Iterator[str]:
    """What makes the ticket hard, and whether it raised this stage's bar."""
    bar = decision.bar
    if bar.raised_by:
        yield f"The bar is raised from {bar.base:.2f} because the ticket {', '.join(bar.raised_by)}."
    elif decision.cues:
        yield f"The ticket {', '.join(c.sentence for c in decision.cues)}; that raises no bar here."


def _controls(stage: Stage, step: Step) -> None:
    pin, bar = st.columns(2)
    keys = [NO_PIN, *(o.candidate.key for o in step.decision.considered)]
    now, key = state.notebook().pins.get(stage.key, NO_PIN), f"pin_{stage.key}"
    st.session_state.setdefault(key, now if now in keys else NO_PIN)
    pin.selectbox("Model for this stage", keys, key=key, on_change=_pin, args=(stage.key,))
    with bar:
        stage_bar(stage.key, f"bar_{stage.key}")


def _pin(stage: str) -> None:
    chosen = st.session_state[f"pin_{stage}"]
    state.notebook().pins.pop(stage, None)
    if chosen != NO_PIN:
        state.notebook().pins[stage] = chosen


_ORDER = ("chosen", "pinned", "before", "tier", "dearer", "below_bar", "no_evidence")
_WHY = {"chosen": "chosen: ", "pinned": "chosen: ", "before": "chosen: ", "tier": "chosen: "}


def _order(option: Considered) -> int:
    """The winner, then those that clear the bar, then the rest; cheapest first within each, as the router ranked them."""
    return _ORDER.index(option.code) if option.code in _ORDER else len(_ORDER)


def _option(option: Considered) -> dict[str, object]:
    q = option.quality
    interval = f"{q.low:.2f} to {q.high:.2f}" if q.low is not None and q.high is not None else ""
    return {
        "Candidate": option.candidate.key,
        "Why": _WHY.get(option.code, "") + option.reason,
        "Expected": as_float(option.expected_cost_usd),
        "Quality": q.estimate,
        "80% interval": interval,
        "Worth, tickets": round(q.worth),
        "Results here": len(q.rows),
        **({"Pairs": q.pairs} if q.pairs else {}),
        "List price": as_float(option.cost_usd),
    }


_OPTION_COLUMNS = {
    "Candidate": st.column_config.TextColumn(pinned=True),
    "Quality": st.column_config.NumberColumn(
        format="%.2f",
        help="Share of tickets at this stage on which its output is accepted where the best-measured model's is.",
    ),
    "Worth, tickets": st.column_config.NumberColumn(
        help="How many tickets this evidence is worth: at most 20 from public results, and one for each shadow pair."
    ),
    "Results here": st.column_config.NumberColumn(
        help="Its own public results at this stage that count at this effort."
    ),
    "Pairs": st.column_config.NumberColumn(help="Shadow pairs on your own tickets."),
    "Expected": st.column_config.NumberColumn("Expected, USD", format=USD_COLUMN, help="A ticket, retries counted."),
    "List price": st.column_config.NumberColumn("List price, USD", format=USD_COLUMN, help="A ticket, no retry."),
    "Why": st.column_config.TextColumn(width="medium"),
}
