"""The migration plan: the article's four weeks over the user's own numbers, what it saves to stop here, and files to take away."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from playground.charts.plan import plan_chart
from playground.errors import BadInput
from playground.migration import (
    ESTIMATES,
    Facts,
    Paperwork,
    Savings,
    as_calendar,
    as_issues_csv,
    as_issues_json,
    as_markdown,
    plan,
    savings,
    schedule,
)
from playground.migration.papers import finding
from playground.money import Total, usd
from playground.prices import PRICE_DATE
from playground.ui import state
from playground.ui.frame import ensure_frame
from playground.ui.plan_view import earlier, sums, weeks
from playground.ui.widgets import dollars, draw, file_button, plain, table
from playground.ui.words import words

RIGHT = st.column_config.TextColumn(alignment="right")


REFRESH_S = 0.5


@st.fragment(run_every=REFRESH_S)
def running() -> None:
    """One full redraw when the run ends."""
    if not state.is_running():
        st.rerun()
    st.info("A ticket is running. The month's sums follow when it is through.", icon=":material/hourglass:")


def answer(facts: Facts, found: Savings) -> None:
    st.markdown(dollars(f"**{finding(found)}.**"))
    sums(found)
    st.caption(dollars(f"{plain(facts.basis)} Prices of {PRICE_DATE:%-d %B %Y}. {ESTIMATES}"))
    if any(s.state == "rehearsed" for s in plan(facts)):
        st.info(
            "For a step marked rehearsed no model was called. It does not count for production, and its saving is no part "
            "of what stopping here saves.",
            icon=":material/info:",
        )
    if state.month_source() == "log" and state.log_is_stale():
        st.warning("Something changed since the log was priced. Price it again on the Ticket log page.")


def on_paper(facts: Facts) -> None:
    """Every stage's month under each plan."""
    if not facts.is_priced:
        return
    with st.expander("The loop on paper: a month of each stage"):
        rows = [
            {
                "Stage": s.title,
                "Tier": s.tier,
                "Today": usd(s.before_usd),
                "on": s.before,
                "Stratified": usd(s.stratified_usd),
                "on ": s.stratified,
                "kr-auto, estimated": usd(s.routed_usd),
                "on  ": s.routed,
            }
            for s in facts.stages
        ]
        money = ("Today", "Stratified", "kr-auto, estimated")
        table(rows, dict.fromkeys(money, RIGHT), "A month of each stage under each plan", "content")
        before, tiers = (Total.of(found) for found in _columns(facts))
        if before.exact_usd is not None and tiers.exact_usd is not None:
            saved = usd(before.exact_usd - tiers.exact_usd)
            st.caption(
                dollars(f"Stratified alone would save {saved} a month, whether or not its models clear the bar.")
            )


def _columns(facts: Facts) -> tuple[list, list]:
    return [s.before_usd for s in facts.stages], [s.stratified_usd for s in facts.stages]


def files(paper: Paperwork) -> None:
    st.subheader("Take it away")
    with st.container(horizontal=True):
        file_button("Checklist, Markdown", lambda: as_markdown(paper), "migration-plan.md", "text/markdown")
        file_button("Calendar, iCalendar", lambda: as_calendar(paper), "migration-plan.ics", "text/calendar")
        file_button("Issues, CSV", lambda: as_issues_csv(paper), "migration-issues.csv", "text/csv")
        file_button("Issues, JSON", lambda: as_issues_json(paper), "migration-issues.json", "application/json")
    st.caption(
        "Imported again later, the calendar moves its events; the lists for GitHub, Jira and Linear hold what is not done."
    )


ensure_frame()
st.title("How do you get there?")
state.first_run()
if state.is_running():
    running()
facts, problem = state.plan_facts()
if problem:
    st.warning(plain(problem))
found = savings(facts)
answer(facts, found)
earlier()
start = st.date_input(
    "First day",
    state.plan_start(),
    key="plan_start",
    help="Four weeks are planned from this day on.",
    width=170,
    on_change=state.start_picked,
)
try:
    slots = schedule(plan(facts), start or state.plan_start())
except BadInput as error:
    st.error(plain(str(error)))
    st.stop()
on_paper(facts)
weeks(facts, slots)
draw(plan_chart(slots, found, facts.on))
files(Paperwork(facts.agent, slots, found, facts.basis, facts.on, datetime.now(UTC)))
words()
