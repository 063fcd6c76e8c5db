"""Who is compared at which stage, on how many tickets; what it may cost; and the run."""

from __future__ import annotations

from decimal import ROUND_UP, Decimal

import streamlit as st

from playground.money import usd
from playground.scoring import JUDGED
from playground.ui import state
from playground.ui.shadow_result import results
from playground.ui.widgets import counted, dollars, plain
from playground.ui.work_box import how_it_ended, work_buttons

REFRESH_S = 0.7
MOST_TICKETS = 20_000
CENT = Decimal("0.01")


def setup() -> tuple[str, str, list[str], str | None]:
    """The choices, and the button that draws tickets. Returns the stage, the current model, the candidates and the judge."""
    flow, by = state.pipeline(), state.router()
    titles = {s.key: s.title for s in flow.stages}
    key = st.segmented_control(
        "Stage",
        titles,
        default="intent",
        required=True,
        key="shadow_stage",
        format_func=lambda k: titles[k],
        width="stretch",
    )
    names = [c.key for c in by.candidates]
    left, right = st.columns(2)
    with left:
        before = by.named(flow.stage(key).before).key
        current = st.selectbox("Current model", names, names.index(before), key=f"shadow_current_{key}")
    with right:
        others = [n for n in names if n != current]
        candidates = st.multiselect(
            "Candidates", others, _suggested(key, current), key=f"shadow_candidates_{key}", max_selections=3
        )
    judge = _judge(key, current, candidates)
    _tickets(key, current, candidates, judge)
    return key, current, candidates, judge


def _suggested(stage: str, current: str) -> list[str]:
    """The router's own pick where it is another model."""
    plans = state.plan_bills()
    decision = None if plans is None else plans["kr-auto"].decision(stage)
    return [] if decision is None or decision.chosen.key == current else [decision.chosen.key]


def _judge(stage: str, current: str, candidates: list[str]) -> str | None:
    if stage not in JUDGED or not candidates:
        return None
    fit = state.judges(stage, current, candidates)
    if not fit:
        st.warning("No model that can be called is of another family than all arms, so nobody can judge them fairly.")
        return None
    picked: str | None = st.selectbox(
        "Judge",
        fit,
        key=f"shadow_judge_{stage}",
        help="Reads both answers in both orders; where the orders disagree it is a tie. Of another family than every arm.",
    )
    with st.expander("What the judge is asked"):
        st.caption(f"Version {state.rubric().version}. A change makes it another judge: its pairs are run anew.")
        st.text_area("Criteria and prompt, YAML", state.rubric().source, height=360, key="rubric_text")
        st.button("Save", key="save_rubric", on_click=state.save_rubric)
        if message := st.session_state.get("rubric_error"):
            st.error(plain(message), icon=":material/error:")
    return picked


def _tickets(stage: str, current: str, candidates: list[str], judge: str | None) -> None:
    desk = state.log_desk()
    most = len(desk.priced.ids) if desk.priced is not None else 600
    whose = "the sample log" if desk.is_sample or desk.priced is None else "your log"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        n = st.number_input("Tickets", 2, min(MOST_TICKETS, most), min(300, most), key="shadow_n", width=160)
        keep = st.checkbox(
            "Keep the answers, so that people can label them",
            False,
            key="shadow_keep",
            help="Tickets and answers are stored on the machine that runs this app. Without, only scores are.",
        )
        blocked = bool(state.live_obstacle()) or not candidates or (stage in JUDGED and judge is None) or _running()
        st.button(
            "Draw and estimate",
            on_click=state.draw_pairs,
            args=(stage, current, candidates, judge, n, keep),
            disabled=blocked,
        )
    st.caption(
        f"Tickets are drawn from {whose}. Every arm gets one try at the same prompt; no later stage sees what a candidate says."
    )
    if obstacle := state.live_obstacle():
        st.info(obstacle, icon=":material/key:")


def _running() -> bool:
    found = state.shadow_desk()
    return found is not None and found.work is not None and found.work.running


def run_box(stage: str) -> bool:
    """Estimate, cap and run of the evaluation that was drawn; whether it runs, and then its results stand here too."""
    desk = state.shadow_desk()
    if desk is None or desk.imported:
        return False
    if _running():
        _progress(stage)
        return True
    _estimate(desk)
    if desk.work is not None:
        how_it_ended(desk.work)
    return False


def _estimate(desk: state.ShadowDesk) -> None:
    n, done = len(desk.units), desk.done
    if desk.cost is None:
        st.warning("A model in question has no price, so no cap can hold. Give it one in Settings.")
        return
    rehearsed = desk.agent.provenance == "rehearsal"
    how = "Rehearsal: no model is called, and nothing is paid." if rehearsed else "Live: you pay for it."
    arms = " against ".join((", ".join(c.key for c in desk.arms.candidates), desk.arms.current.key))
    about = f"about **{usd(desk.cost.usual_usd)}**, at most {usd(desk.cost.most_usd)}"
    st.markdown(dollars(f"{n:,} tickets, {plain(arms)}: {about}. {how}"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        cap = st.number_input(
            "Cap, USD",
            0.0,
            None,
            float(desk.cost.most_usd.quantize(CENT, ROUND_UP)),
            0.5,
            key=f"shadow_cap_{desk.job}",
            width=160,
        )
        if done < n:
            label = f"Run {n:,} tickets" if not done else f"Go on: {done:,} of {n:,} are done"
            st.button(
                label,
                type="primary",
                icon=":material/play_arrow:",
                on_click=state.run_shadow,
                args=(Decimal(str(cap)),),
            )
        elif not desk.payloads:
            st.button("Show what ran before", on_click=state.run_shadow, args=(Decimal(str(cap)),))
        if desk.payloads:
            with st.popover("Forget these pairs", type="tertiary"):
                st.markdown(
                    f"{counted(len(desk.payloads), 'ticket')} with their scores and labels are deleted for good."
                )
                st.button("Delete them", key="forget_pairs", on_click=state.forget_shadow)


@st.fragment(run_every=REFRESH_S)
def _progress(stage: str) -> None:
    desk = state.shadow_desk()
    if desk is None or desk.work is None or not desk.work.running:
        st.rerun()
        return
    state.collect_shadow()
    work = desk.work
    done = work.total - work.left
    paid = "so far" if desk.agent.provenance != "rehearsal" else "at list prices, not paid"
    left = "" if work.seconds_left is None else f", about {work.seconds_left:.0f} s left"
    st.progress(done / work.total, plain(f"{done:,} of {work.total:,} tickets, {usd(work.spent_usd)} {paid}{left}"))
    work_buttons(work, "shadow")
    results(stage)
