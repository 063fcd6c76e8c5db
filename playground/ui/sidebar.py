"""The knobs that every page shares. They live in the URL; ticket text and keys never do."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from playground import pipeline as pipelines
from playground.pipeline_file import shipped
from playground.records import ASSURANCES, PLANS
from playground.ui import state

MODE_HELP = "Rehearsal calls no model and costs nothing. Live calls models on your keys."
PLAN_HELP = "before: what each stage runs on today. stratified: one model for each tier. kr-auto: the cheapest that clears the bar."
ASSURANCE_HELP = (
    "estimated: public benchmarks say it clears the bar. proven: a shadow evaluation on your tickets has passed it."
)


def sidebar() -> None:
    """Draw the knobs."""
    with st.sidebar:
        _what_runs()
        _what_is_allowed()
        _pipeline()
        if state.is_running():
            st.caption("A run goes on. The notebook shows how far it is.")
    if state.knobs().mode == "Live":
        state.warm_up()


def _choice(label: str, options: Sequence[str], default: str, key: str, help_text: str) -> None:
    st.segmented_control(
        label,
        options,
        default=default,
        required=True,
        key=key,
        bind="query-params",
        help=help_text,
        width="stretch",
    )


def _what_runs() -> None:
    _choice("Answers from", ("Rehearsal", "Live"), "Rehearsal", "mode", MODE_HELP)
    _choice("Plan to run", PLANS, "kr-auto", "plan", PLAN_HELP)


def _what_is_allowed() -> None:
    st.slider(
        "Bar, all stages",
        -0.15,
        0.10,
        0.0,
        0.01,
        format="%+.2f",
        key="bar_shift",
        help="Raise or lower every stage's bar together. Lower is cheaper.",
        bind="query-params",
    )
    st.multiselect(
        "Providers",
        list(state.notebook().catalog.providers),
        placeholder="All providers",
        key="providers",
        help="Providers the router may choose from. Empty means all.",
        bind="query-params",
    )
    _choice("Assurance", ASSURANCES, "estimated", "assurance", ASSURANCE_HELP)


def _pipeline() -> None:
    names = list(shipped())
    own = state.notebook().pipeline.name
    if st.session_state.get("pipeline") != own:
        # Named in the address or loaded in Settings: the control follows the notebook, not the other way round.
        st.session_state.pipeline = own
    if own not in names:
        names.append(own)
    st.selectbox(
        "Agent",
        names,
        key="pipeline",
        bind="query-params",
        on_change=_choose_pipeline,
        help="The stages, prompts and current models. Load your own in Settings.",
    )


def _choose_pipeline() -> None:
    name = st.session_state.pipeline
    if name in shipped():
        state.set_pipeline(pipelines.load_shipped(name))
