"""People label pairs, blind and one at a time: which answer is better is said before anyone knows whose it is."""

from __future__ import annotations

from hashlib import sha256

import streamlit as st

from playground.anchored import MINIMUM_LABELS
from playground.pairs import Pair
from playground.ui import state
from playground.ui.widgets import counted

SHOWN_CHARS = 6_000


def labels() -> None:
    """The next open pair of the random sample."""
    desk = state.shadow_desk()
    if desk is None or desk.imported or not desk.payloads:
        return
    st.subheader("Label by hand")
    candidates = [c.key for c in desk.arms.candidates]
    candidate = (
        candidates[0] if len(candidates) == 1 else st.selectbox("Candidate to label", candidates, key="label_candidate")
    )
    still_open, asked = state.to_label(desk, candidate)
    done = len(asked) - len(still_open)
    if not asked:
        st.caption("The answers were not kept, or no pair fell into the random sample yet.")
        return
    same = state.equal_answers(desk, candidate)
    free = f" In {counted(same, 'pair')} both answers are the same, which needs nobody." if same else ""
    judged = any(p.kind == "judge" for p in asked)
    why = (
        f"From {MINIMUM_LABELS} labels on they correct the judge, and the verdict rests on them."
        if judged
        else "They show how often people agree with the score; the verdict rests on the score."
    )
    st.caption(
        f"{done - same:,} of {len(asked) - same:,} labelled, from a random {desk.share:.0%} of all pairs.{free} {why} "
        "Keys: 1 left, 2 the same, 3 right."
    )
    agreed, labelled = state.agreed_so_far(desk, candidate)
    if labelled:
        st.caption(f"You and the score say the same on {agreed:,} of {counted(labelled, 'labelled pair')} so far.")
    if still_open:
        _pair(candidate, still_open[0])
    else:
        st.caption("Every pair of the sample is labelled.")


def _pair(candidate: str, pair: Pair) -> None:
    assert pair.texts is not None
    ticket, current, other = pair.texts
    swapped = int(sha256(f"{candidate}{pair.ticket}".encode("utf-8", "replace")).hexdigest(), 16) % 2 == 1
    with st.expander("Ticket", expanded=True):
        st.text(ticket[:SHOWN_CHARS])
    left, right = st.columns(2)
    answers = (other, current) if swapped else (current, other)
    for place, title, text in zip((left, right), ("Left", "Right"), answers, strict=True):
        with place, st.container(border=True):
            st.markdown(f"**{title}**")
            st.text(text[:SHOWN_CHARS] or "(no usable answer)")
    worth = 1.0 if swapped else -1.0
    with st.container(horizontal=True):
        for text, key, value in (
            ("Left is better", "1", worth),
            ("The same", "2", 0.0),
            ("Right is better", "3", -worth),
        ):
            st.button(
                text, key=f"label_{key}", shortcut=key, on_click=state.label, args=(candidate, pair.ticket, value)
            )
