"""Shadow evaluation: is the cheaper model good enough, by a verdict that may be looked at every day."""

from __future__ import annotations

import streamlit as st

from playground.ui import state
from playground.ui.frame import ensure_frame
from playground.ui.shadow_import import import_box, planner
from playground.ui.shadow_labels import labels
from playground.ui.shadow_result import results
from playground.ui.shadow_setup import run_box, setup
from playground.ui.words import words

ensure_frame()
st.title("Is the cheaper model good enough?")
state.first_run()
stage, current, candidates, judge = setup()
if not run_box(stage):
    results(stage)
labels()
planner(stage)
import_box(stage, current, candidates, judge)
words()
