"""Second opinions: a share of the tickets is answered by the next tier up, and a rise in disagreement is an alarm."""

from __future__ import annotations

from decimal import ROUND_UP, Decimal

import streamlit as st

from playground.charts.drift import drift_chart
from playground.errors import BadInput
from playground.money import usd
from playground.scoring import JUDGED
from playground.second_opinion import alarm_of, path_of, read_samples, share_of, tier_above
from playground.ui import state
from playground.ui.file_of import file_of
from playground.ui.frame import ensure_frame
from playground.ui.second_runs import least_share, runs_beside, runs_said
from playground.ui.widgets import counted, dollars, draw, figure, figures_row, plain
from playground.ui.words import words
from playground.ui.work_box import how_it_ended, work_buttons

THRESHOLD = 10_000
FEW = 50
"""Fewer raise no alarm even where half of them disagree a little more than usual: silence then says nothing."""
NEXT = "Look at tickets since then, go back to the model before, or run a shadow evaluation of the stage anew."
REFRESH_S = 0.7


def choices() -> tuple[str, float]:
    flow, by = state.pipeline(), state.router()
    titles = {s.key: s.title for s in flow.stages}
    key = st.segmented_control(
        "Stage",
        list(titles),
        default="intent",
        required=True,
        key="drift_stage",
        format_func=lambda k: titles[k],
        width="stretch",
    )
    stage, names = flow.stage(key), [c.key for c in by.candidates]
    a, b, c = st.columns(3)
    served = a.selectbox("Served", names, names.index(now_served(key)), key=f"drift_served_{key}")
    above = [n for n in names if n != served]
    usual = by.named(tier_above(flow, stage)).key
    higher = b.selectbox(
        "Second opinion from",
        above,
        above.index(usual if usual in above else best(key, above)),
        key=f"drift_higher_{key}",
    )
    usual_share = min(0.5, max(0.005, state.runtime().second_opinions or 0.02))
    share = (
        c.number_input("Share of tickets, %", 0.5, 50.0, usual_share * 100, 0.5, key="drift_share", help=SHARE) / 100
    )
    judge = None
    if key in JUDGED:
        fit = state.judges(key, served, [higher])
        judge = st.selectbox("Judge", fit, key=f"drift_judge_{key}") if fit else None
    blocked = bool(state.live_obstacle()) or (key in JUDGED and judge is None) or running()
    st.button(
        "Draw and estimate", on_click=state.draw_opinions, args=(key, served, higher, judge, share), disabled=blocked
    )
    st.caption("Tickets are drawn from your log, or the sample log, in the order of their days.")
    if obstacle := state.live_obstacle():
        st.info(obstacle, icon=":material/key:")
    return key, share


def now_served(stage: str) -> str:
    """What the plan that is chosen uses at a stage, else what it runs on today."""
    by, plans = state.router(), state.plan_bills()
    decision = None if plans is None else plans[state.knobs().plan].decision(stage)
    return by.named(state.pipeline().stage(stage).before).key if decision is None else decision.chosen.key


def best(stage: str, names: list[str]) -> str:
    """The model with the best evidence at a stage."""
    by = state.router()
    return max(names, key=lambda n: by.evidence.quality(stage, by.named(n)).estimate or 0.0)


SHARE = (
    "Dissatisfied customers' tickets are drawn more often where the log has a column of satisfaction, and weighed back."
)


def running() -> bool:
    desk = state.drift_desk()
    return desk is not None and desk.work is not None and desk.work.running


@st.fragment(run_every=REFRESH_S)
def progress() -> None:
    desk = state.drift_desk()
    if desk is None or desk.work is None or not desk.work.running:
        st.rerun()
        return
    desk.work.look()
    done = desk.work.total - desk.work.left
    said = f"{done:,} of {desk.work.total:,} second opinions, {usd(desk.work.spent_usd)} so far"
    st.progress(done / desk.work.total, plain(said))
    work_buttons(desk.work, "drift")


def run_box() -> None:
    desk = state.drift_desk()
    if desk is None or desk.imported:
        return
    if running():
        progress()
        return
    if desk.most_usd is None:
        st.warning("A model in question has no price, so no cap can hold. Give it one in Settings.")
        return
    n = len(desk.units)
    free = desk.task is not None and desk.task.shadowing.agent.provenance == "rehearsal"
    how = "Rehearsal: no model is called, and nothing is paid." if free else "Live: you pay for it."
    st.markdown(dollars(f"{counted(n, 'second opinion')}, at most {usd(desk.most_usd)}. {how}"))
    cap = float(desk.most_usd.quantize(Decimal("0.01"), ROUND_UP))
    limit = st.number_input("Cap, USD", 0.0, None, cap, 0.5, key=f"drift_cap_{desk.job}", width=160)
    if desk.work is None or desk.work.left:
        label = f"Ask for {n:,} second opinions" if desk.work is None else "Go on"
        st.button(label, type="primary", on_click=state.run_opinions, args=(Decimal(str(limit)),))
    if desk.work is not None:
        how_it_ended(desk.work)


def result(stage: str, share: float) -> None:
    desk = state.drift_desk()
    here = desk if desk is not None and desk.samples else None
    stage, share = (stage, share) if here is None else (here.stage, here.share)
    asked = runs_beside(stage, here)
    samples = (*(() if here is None else here.samples), *(a.sample for a in asked if a.sample is not None))
    share = least_share(share, asked)
    if not samples:
        return
    expected = (
        st.number_input(
            "Disagreement that is usual, %", 0.5, 90.0, 5.0, 0.5, key="drift_expected", width=220, help=EXPECTED
        )
        / 100
    )
    try:
        alarm = alarm_of(samples, expected, THRESHOLD, share)
        path = path_of(samples, expected, share)
    except BadInput as wrong:
        st.error(plain(str(wrong)), icon=":material/error:")
        return
    title = state.pipeline().stage(stage).title
    if alarm is None and len(samples) < FEW:
        st.markdown(f":gray-badge[too few to tell] {plain(title)}: {counted(len(samples), 'second opinion')} so far.")
    elif alarm is None:
        st.markdown(f":green-badge[no alarm] {plain(title)}: no rise above {expected:.1%} is shown.")
    else:
        since = samples[alarm.since].day or f"second opinion {alarm.since + 1:,}"
        told = samples[alarm.at].day or f"second opinion {alarm.at + 1:,}"
        later = samples[alarm.since :]
        said = (
            f"{title}: disagreement is {share_of(later):.1%} since {since}, over {counted(len(later), 'second opinion')}, where "
            f"{expected:.1%} is usual. Told at {told}."
        )
        st.markdown(f":red-badge[alarm] {plain(said)}")
        st.caption(NEXT)
        state.note_drift(stage, since, said)
    with figures_row():
        figure("Second opinions", f"{len(samples):,}")
        figure(
            "Disagreement", f"{share_of(samples):.1%}", help_text="Of all tickets: each second opinion is weighed back."
        )
        if alarm is not None:
            figure("Since the rise", f"{share_of(samples[alarm.since :]):.1%}")
    draw(drift_chart(samples, path, THRESHOLD, alarm))
    st.caption(dollars(" ".join(filter(None, (origin(here), runs_said(asked))))))


def origin(desk: state.DriftDesk | None) -> str:
    if desk is None:
        return ""
    if desk.task is None:
        return "Imported second opinions."
    return "Rehearsal: no model was called." if desk.task.shadowing.agent.provenance == "rehearsal" else "Live."


EXPECTED = (
    "How often the two tiers differed when all was well, for example in the shadow evaluation before the cut-over."
)

ensure_frame()
st.title("Has quality drifted?")
stage, share = choices()
run_box()
result(stage, share)
with st.expander("Import second opinions that were logged elsewhere"):
    st.caption(
        "The columns disagreed (yes or no) and probability; also ticket and created_at. CSV, XLSX, JSON or JSON lines."
    )
    file_of(
        "File of second opinions",
        "opinions_file",
        read_samples,
        lambda found: state.import_opinions(stage, share, tuple(found)),
    )
words()
