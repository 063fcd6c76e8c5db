"""Pairs that a team scored elsewhere, and how many pairs a verdict takes."""

from __future__ import annotations

import streamlit as st

from playground.errors import BadInput
from playground.logged_outputs import Logged, read_outputs
from playground.money import usd
from playground.paired import daily_pairs, pairs_for
from playground.pairs import Pair, read_pairs
from playground.ui import state
from playground.ui.file_of import file_of
from playground.ui.widgets import dollars


def import_box(stage: str, current: str, candidates: list[str], judge: str | None) -> None:
    """A file of scored pairs for the chosen stage and the first candidate."""
    with st.expander("Import pairs that were scored elsewhere"):
        st.caption(
            "CSV, XLSX, JSON or JSON lines with the columns current_score and candidate_score (0 to 1), or value (-1 to 1); also "
            "ticket, thread, customer and intent. They are taken for the stage and models chosen above, and count as recorded: "
            "measured elsewhere, on your word."
        )
        if len(candidates) != 1:
            st.caption("Choose one candidate above first.")
            return
        file_of("File of pairs", "pairs_file", read_pairs, lambda pairs: _take(stage, current, candidates[0], pairs))
        st.caption(
            "Or what both models put out: the columns current and candidate; also ticket, customer, intent, text, subject and "
            "truth. Labels are compared as they are; answers are judged here, with an estimate and a cap first."
        )
        file_of(
            "File of outputs",
            "logged_file",
            read_outputs,
            lambda found: _judge(stage, current, candidates[0], judge, found),
        )


def _take(stage: str, current: str, candidate: str, pairs: list[Pair]) -> None:
    if current == candidate:
        raise BadInput("Both arms are the same model, so there is nothing to compare.")
    state.import_pairs(stage, current, candidate, pairs)


def _judge(stage: str, current: str, candidate: str, judge: str | None, outputs: list[Logged]) -> None:
    if current == candidate:
        raise BadInput("Both arms are the same model, so there is nothing to compare.")
    state.import_outputs(stage, current, candidate, judge, outputs)


def planner(stage: str) -> None:
    """How many pairs, and about how many dollars, a verdict takes."""
    with st.expander("How many pairs does a verdict take?"):
        a, b, c = st.columns(3)
        usual = state.pipeline().stage(stage).margin * 100
        margin = a.number_input(
            "Margin, points", 0.1, 50.0, min(50.0, max(0.1, usual)), 0.5, key=f"plan_margin_{stage}"
        )
        differ = b.number_input("Pairs that differ, %", 1.0, 100.0, 10.0, 1.0, key="plan_differ", help=DIFFER)
        power = c.number_input("Chance to decide, %", 50.0, 99.0, 80.0, 5.0, key="plan_power")
        once = pairs_for(margin / 100, differ / 100, power=power / 100)
        daily = daily_pairs(margin / 100, differ / 100, power / 100)
        desk = state.shadow_desk()
        each = None
        if desk is not None and desk.arms.stage == stage and desk.cost is not None and desk.units:
            each = desk.cost.usual_usd / len(desk.units)
        money = "" if each is None else f", about {usd(each * daily)} at the cost of the tickets drawn above"
        st.markdown(
            dollars(
                f"About **{daily:,} pairs** if you look every day{money}; {once:,} if you look once, at exactly that number. "
                "Both for a candidate that is truly no worse."
            )
        )


DIFFER = "On how many tickets the two models differ in outcome, either way. Good models differ on about 10%."
