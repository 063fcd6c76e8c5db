"""A page that was opened by its own address on a server nobody has visited yet."""

from __future__ import annotations

import runpy
from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

APP = Path(__file__).resolve().parents[2] / "app.py"


def ensure_frame() -> None:
    """Run app.py around this page where Streamlit has not. Call it first.

    Until `st.navigation` has been called once, Streamlit takes a folder named pages for its older kind of app and runs a page
    without the frame: no sidebar, no layout. app.py calls `st.navigation`, which runs this page again, inside the frame.
    """
    if PagesManager.uses_pages_directory:
        runpy.run_path(str(APP))
        st.stop()
