"""Pairs and outputs that a team logged elsewhere, taken into the session's evaluation."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from playground.errors import BadInput
from playground.logged_outputs import Logged, logged_work
from playground.money import ZERO
from playground.pairs import Pair, as_payload
from playground.pipeline import Stage
from playground.scoring import JUDGED, Judge
from playground.shadow import Arms
from playground.tokens import count
from playground.ui.state.drawing import reserved
from playground.ui.state.knobs import agent
from playground.ui.state.runs import digest
from playground.ui.state.shadow import ShadowDesk, label_share, make_judge, rubric_tokens, run_shadow
from playground.worst_case import Cost, judged_usd


def import_pairs(stage: str, current: str, candidate: str, pairs: list[Pair]) -> None:
    """Take pairs that were scored elsewhere; what they prove is on the word of who recorded them."""
    book = agent()
    arms = Arms(stage, book.router.named(current), (book.router.named(candidate),))
    payloads = {
        str(i): {"pairs": {candidate: as_payload(replace(p, provenance="recorded"))}, "why": ""}
        for i, p in enumerate(pairs)
    }
    st.session_state.shadow_desk = ShadowDesk(arms, book, "imported", payloads=dict(payloads), imported=True)


def import_outputs(stage: str, current: str, candidate: str, judge: str | None, outputs: list[Logged]) -> None:
    """Take outputs that were logged elsewhere; they are scored here, and judged under a cap where only a judge can."""
    book = agent()
    flow, by = book.pipeline.stage(stage), make_judge(book, judge)
    arms = Arms(stage, book.router.named(current), (book.router.named(candidate),))
    if stage in JUDGED and by is None:
        raise BadInput("These outputs can only be compared by a judge. Choose one above first.")
    costs = [_to_judge(flow, o, by) for o in outputs]
    whole = reserved({str(i): c for i, c in enumerate(costs)})
    st.session_state.shadow_desk = ShadowDesk(
        arms,
        book,
        digest(
            "outputs",
            outputs,
            stage,
            current,
            candidate,
            None if by is None else (judge, by.rubric.version),
            book.provenance,
            book.pipeline,
            bool(st.session_state.get("shadow_keep", False)),
        ),
        whole.units,
        work_of=logged_work(book, flow, candidate, by, outputs, bool(st.session_state.get("shadow_keep", False))),
        cost=whole.cost,
        share=label_share(len(outputs)),
        judge="" if by is None else f"{judge}, rubric {by.rubric.version}",
    )
    if by is None:
        run_shadow(ZERO)


def _to_judge(stage: Stage, output: Logged, by: Judge | None) -> Cost | None:
    if by is None or stage.key not in JUDGED:
        return Cost(ZERO, ZERO)
    return judged_usd(
        stage, count(output.ticket.text + output.current + output.candidate), by.candidate, rubric_tokens(by)
    )
