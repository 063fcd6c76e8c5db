"""The report: what it will say, two switches, and three files to hand on."""

from __future__ import annotations

import streamlit as st

from playground.report import Report
from playground.report.files import FORMATS
from playground.report.html import money
from playground.ui import state
from playground.ui.frame import ensure_frame
from playground.ui.report_preview import preview
from playground.ui.widgets import figure, figures_row, file_button, plain
from playground.ui.words import words

TEXT = "The ticket and what models answered, as the last run has them. Keys are taken out."
NAMES = "Customers by their names, and what the ticket's text says of its own customer. Off: the same number is the same customer."
FILES = {
    ".html": (
        "HTML, one file",
        "text/html",
        "Charts inside, nothing to fetch, no script. It prints well: save it as PDF from a browser.",
    ),
    ".xlsx": (
        "Workbook for finance",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "Money as numbers, with all digits beside them.",
    ),
    ".md": ("Markdown", "text/markdown", "Plain tables, for a wiki or an issue."),
}


def headline(found: Report) -> None:
    st.markdown(f"**{plain(found.headline)}**")
    with figures_row():
        for f in found.figures:
            figure(f.label, money(f), help_text=f.note or None)
    for said in found.answer:
        st.markdown(plain(said))
    st.caption(plain(found.footer))


def missing(found: Report, problems: tuple[str, ...]) -> None:
    for problem in problems:
        st.warning(plain(problem))
    if found.missing:
        with st.expander(f"What is missing ({len(found.missing)})", expanded=True):
            st.markdown("\n".join(f"- {plain(said)}" for said in found.missing))


def switches() -> None:
    with st.container(horizontal=True, gap="large"):
        st.toggle("Show ticket text and answers", key="report_text", help=TEXT)
        st.toggle("Show customers' names", key="report_names", help=NAMES)


def files(found: Report) -> None:
    with st.container(horizontal=True):
        for ending, (label, mime, _) in FILES.items():
            file_button(
                label, lambda e=ending: FORMATS[e](found), f"support-agent-report{ending}", mime, state.took_report
            )
    said = " ".join(f"{label}: {what}" for label, _, what in FILES.values())
    st.caption(plain(" ".join((said, *found.withheld))))


ensure_frame()
st.title("What do you hand to finance?")
state.first_run()
place = st.container()
switches()
made, problems = state.report()
with place:
    headline(made)
files(made)
missing(made, problems)
st.subheader("What is in it")
preview(made)
words()
