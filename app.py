"""Ticket Playground: the frame. Page config, navigation and the sidebar that every page shares; nothing else."""

from pathlib import Path

import streamlit as st

from playground.ledger import LedgerError
from playground.ui import state
from playground.ui.ledger_notice import ledger_notice
from playground.ui.sidebar import sidebar
from playground.ui.tour_bar import tour_bar
from playground.ui.widgets import plain

# A named icon would be fetched from a font host; nothing here leaves the page's own origin.
ICON = Path(__file__).parent / "playground" / "ui" / "icon.png"
st.set_page_config(page_title="Ticket Playground", page_icon=ICON, layout="wide")

page = st.navigation(
    {
        "": [st.Page("pages/notebook.py", title="Notebook", icon=":material/view_agenda:", default=True)],
        "What it costs": [
            st.Page("pages/bill.py", title="Bill", icon=":material/receipt_long:"),
            st.Page("pages/log.py", title="Ticket log", icon=":material/upload_file:"),
            st.Page("pages/month.py", title="Month", icon=":material/calendar_month:"),
            st.Page("pages/customers.py", title="Customers", icon=":material/groups:"),
            st.Page("pages/bars.py", title="Bars and limits", icon=":material/tune:"),
        ],
        "Is it good enough": [
            st.Page("pages/shadow.py", title="Shadow evaluation", icon=":material/balance:"),
            st.Page("pages/drift.py", title="Second opinions", icon=":material/monitor_heart:"),
            st.Page("pages/ab.py", title="A/B", icon=":material/call_split:"),
            st.Page("pages/guards.py", title="Guardrails and caching", icon=":material/shield:"),
            st.Page("pages/compare.py", title="Compare runs", url_path="compare", icon=":material/compare_arrows:"),
        ],
        "Get there": [
            st.Page("pages/plan.py", title="Plan", url_path="plan", icon=":material/checklist:"),
            st.Page("pages/report.py", title="Report", url_path="report", icon=":material/summarize:"),
            st.Page("pages/digest.py", title="Digest", url_path="digest", icon=":material/campaign:"),
        ],
        "Where the numbers come from": [
            st.Page("pages/ledger.py", title="Receipts", icon=":material/receipt:"),
            st.Page("pages/models.py", title="Models and prices", icon=":material/database:"),
            st.Page("pages/article.py", title="The article, recomputed", icon=":material/article:"),
            st.Page("pages/settings.py", title="Settings", icon=":material/settings:"),
        ],
    },
    # In the sidebar so many pages would push the knobs out of sight.
    position="top",
    expanded=True,
)
state.tidy_address()
state.look_on(page.url_path)
state.tour_looks_on(page.url_path)
state.collect()
state.collect_log()
state.collect_sample()
state.collect_shadow()
sidebar()
tour_bar()
for notice in state.take_notices():
    st.info(plain(notice), icon=":material/info:")
ledger_notice(page.url_path)
try:
    page.run()
except LedgerError as error:
    st.error(plain(str(error)), icon=":material/error:")
