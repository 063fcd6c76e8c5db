"""What the pairs say of each candidate: the verdict first, then the range, the kinds of ticket, and what may be done with it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from playground.anchored import MINIMUM_LABELS
from playground.charts.shadow import bound_chart, intents_chart
from playground.cut_over import Assessment, Unit
from playground.money import usd
from playground.pairs import Pair
from playground.ui import state
from playground.ui.widgets import counted, draw, figure, figures_row, plain, table

UNITS: Mapping[Unit, str] = {"ticket": "each ticket", "thread": "each thread", "customer": "each customer"}
BADGE = {"CUT OVER": "green", "KEEP": "red", "CONTINUE": "gray"}


def results(stage: str) -> None:
    """Every candidate of the evaluation; `stage` is the one that is chosen on the page."""
    desk = state.shadow_desk()
    found = state.assessments()
    if desk is None or not found:
        return
    _whose(desk, stage)
    threads = any(p.thread for c in found for p in state.pairs_for_candidate(desk, c))
    picked = st.segmented_control(
        "What counts as one",
        [unit for unit in UNITS if unit != "thread" or threads],
        default=state.unit_of(desk),
        required=True,
        key="shadow_unit",
        format_func=lambda unit: UNITS[unit],
        help="Tickets of one customer are alike. Where few customers write most tickets, count customers.",
    )
    if picked != state.unit_of(desk):
        desk.unit = picked
        found = state.assessments()
    for candidate, assessment in found.items():
        _one(desk, candidate, assessment)


def _whose(desk: state.ShadowDesk, stage: str) -> None:
    """Say where the pairs below are not of what is chosen above, or say nothing of the agent as it stands."""
    title = desk.agent.pipeline.stage(desk.arms.stage).title
    if why := state.void_now(desk):
        st.warning(plain(f"The pairs of {title} below are void: {why}. Draw and run again."), icon=":material/block:")
    elif stage != desk.arms.stage:
        st.info(
            plain(f"The pairs below are of {title}, not of the stage that is chosen above."), icon=":material/info:"
        )


def _running(desk: state.ShadowDesk) -> bool:
    return desk.work is not None and desk.work.running


def _one(desk: state.ShadowDesk, candidate: str, found: Assessment) -> None:
    title = desk.agent.pipeline.stage(desk.arms.stage).title
    st.subheader(plain(f"{title}: {candidate} instead of {desk.arms.current.key}"))
    verdict = found.verdict
    st.markdown(f":{BADGE[verdict]}-badge[{verdict}] {plain(_sentence(desk, found))}")
    with figures_row():
        figure("Pairs", f"{found.pairs:,}")
        figure("Difference", f"{found.mean:+.1%}", help_text="Candidate minus current model, on average.")
        figure("Range, any look", f"{found.decision.low:+.0%} to {found.decision.high:+.0%}", help_text=RANGE)
        volume = state.assumptions().tickets_per_month
        if found.verdict != "KEEP" and not desk.imported:
            saved = "unpriced" if found.saved_usd is None else usd(found.saved_usd * volume)
            figure(
                "Saved a month",
                saved,
                help_text=f"At {volume:,} tickets, if this stage is cut over, as these pairs were metered and without retries. "
                "The plan counts prompt caching at this volume.",
            )
    _cautions(desk, candidate, found)
    if found.verdict == "CONTINUE" and desk.work is not None and not desk.work.left and not _running(desk):
        st.caption(
            "Every ticket that was drawn has run. For more pairs, draw more; load a larger log where this one has no more."
        )
    left, right = st.columns(2)
    with left:
        draw(bound_chart(candidate, found, state.only_agreement(desk)))
    with right:
        if found.anchored:
            st.caption("No verdict for each kind of ticket: people label too few of each to correct the judge there.")
        else:
            draw(intents_chart(found.intents, found.margin))
    if found.fixed is not None:
        once = f"{found.fixed.method.partition(',')[0]} {found.fixed.low:+.1%} to {found.fixed.high:+.1%}"
        st.caption(
            f"For comparison, fixed n only: {once}. "
            "That interval holds at one look only; whoever looks every day must use the range above."
        )
    _actions(desk, candidate, found)
    _pairs(desk, candidate)


RANGE = "Each end is wrong with a chance of 2.5% at most, however often you look."


def _sentence(desk: state.ShadowDesk, found: Assessment) -> str:
    margin = f"the margin of {found.margin:.1%}"
    if found.verdict == "CUT OVER":
        return f"Shown to be not worse by more than {margin}, after {found.decision.decided_at:,} {found.unit}s."
    if found.verdict == "KEEP" and state.only_agreement(desk):
        return f"Shown to differ from the current model by more than {margin}. Which is right, only true labels or people can say."
    if found.verdict == "KEEP":
        after = f"{found.decision.decided_at:,} {found.unit}s"
        return f"Shown to be worse by more than {margin}, after {after}. Keep the current model."
    if found.needed is None:
        return f"Not decided at {margin}, and the difference lies too near to it to say how many more pairs it takes."
    return f"Not decided at {margin}: about {found.needed:,} more {found.unit}s, if the rest is like these."


def _cautions(desk: state.ShadowDesk, candidate: str, found: Assessment) -> None:
    pairs = state.pairs_for_candidate(desk, candidate)
    _origin(desk, pairs)
    if any(p.kind == "judge" for p in pairs) and not found.anchored:
        st.caption(
            f"Judge only: {found.labels:,} of {MINIMUM_LABELS} labels by people. "
            "A judge's leniency does not shrink with more pairs."
        )
    if found.unit == "customer" and desk.work is not None and desk.work.left:
        st.caption(
            "A customer's mean changes while its tickets still come in: by customer, decide when every ticket has run."
        )
    if found.agreement is not None and not desk.imported:
        st.caption(f"People and the score agree on {found.agreement:.0%} of {found.labels:,} labelled pairs.")
    if warning := state.judge_warning(pairs):
        st.warning(warning)
    if caution := state.judge_caution(pairs):
        st.caption(plain(caution))
    _unscored(found)


def _origin(desk: state.ShadowDesk, pairs: list[Pair]) -> None:
    if desk.agent.provenance == "rehearsal" and not desk.imported:
        st.caption(
            "Rehearsal: no model was called, and every difference is simulated. "
            "Such a verdict shows how this works and never counts as proof for live runs."
        )
    if desk.imported or any(p.provenance == "recorded" for p in pairs):
        st.caption("Recorded: these pairs were logged elsewhere, and count on your word.")


def _unscored(found: Assessment) -> None:
    if found.missing:
        st.caption(f"No score for {counted(found.missing, 'pair')}: no usable answer. They count neither way.")
    if found.failed:
        st.caption(f"In {counted(found.failed, 'pair')} the candidate gave no usable output, which counts against it.")
    if found.current_failed:
        st.caption(
            f"In {counted(found.current_failed, 'pair')} the current model gave no usable output, which counts for the candidate."
        )


def _actions(desk: state.ShadowDesk, candidate: str, found: Assessment) -> None:
    pairs = state.pairs_for_candidate(desk, candidate)
    rehearsed = any(p.provenance == "rehearsal" for p in pairs)
    blocked = state.why_not_recorded(desk, candidate, found)
    with st.container(horizontal=True):
        st.button(
            "Record this verdict",
            type="primary",
            key=f"record_{candidate}",
            disabled=bool(blocked),
            on_click=state.record_verdict,
            args=(candidate,),
            help=blocked or RECORD,
        )
        st.button(
            "Let the estimates learn from these pairs",
            key=f"use_{candidate}",
            on_click=state.use_pairs,
            args=(candidate,),
            disabled=rehearsed and state.knobs().mode == "Live",
        )
    if blocked and found.verdict != "CONTINUE":
        st.caption(plain(blocked))


RECORD = (
    "CUT OVER: the router's proven choice uses the candidate at this stage until the prompt, the model or the margin changes. "
    "KEEP: it does not, whatever was recorded before."
)


def _pairs(desk: state.ShadowDesk, candidate: str) -> None:
    pairs = state.pairs_for_candidate(desk, candidate)
    with st.expander(f"Every pair ({len(pairs):,})"):
        rows = [
            {
                "Ticket": p.ticket,
                "Kind of ticket": p.intent,
                "Score": p.value if not p.missing else None,
                "How": p.kind,
                "Why": p.note,
                "Current, characters": p.current_chars,
                "Candidate, characters": p.candidate_chars,
            }
            for p in pairs[-500:]
        ]
        table(rows, {"Score": st.column_config.NumberColumn(format="%+.2f")}, "Pairs, the latest 500", 320)
        unscored = [str(p["why"]) for p in desk.payloads.values() if p.get("why")]
        if unscored:
            st.caption(plain(f"{len(unscored):,} tickets did not reach this stage. The first {unscored[0]}."))
