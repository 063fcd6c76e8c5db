"""A page that was opened by its own address on a server nobody has visited yet."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager


def ensure_frame() -> None:
    """Run app.py around this page. Call it first.

    Until `st.navigation` has been called once, Streamlit takes a folder named pages for its older kind of app and runs a page
    without the frame: no sidebar, no layout. The flag is what `st.navigation` itself sets; there is no public way.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()
