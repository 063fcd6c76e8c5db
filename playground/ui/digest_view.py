"""What the digest's page draws: the message as it will look, where it goes, and where each day stands."""

from __future__ import annotations

from datetime import date
from functools import partial

import streamlit as st

from playground.digest import Digest
from playground.digest.markdown import as_markdown
from playground.digest.post import DayState
from playground.digest.words import Section, headline, origin, sections, title
from playground.money import usd
from playground.ui import state
from playground.ui.widgets import file_button, plain

KEPT = (
    "The address is in no ledger, log, link or file. This session remembers it; Send daily gives it to the server's memory, which "
    "sends until somebody stops that or the app restarts."
)
REHEARSALS = "The app rehearses a sample ticket when it is opened, so that a day without live receipts is seldom empty."
MOST_DAYS = 7


def preview(digest: Digest) -> None:
    """The message as it will look."""
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{plain(title(digest))}**")
        st.markdown(plain(headline(digest)))
        st.caption(plain(origin(digest)))
        for section in sections(digest):
            st.divider()
            _section(section)


def _section(section: Section) -> None:
    note = f" ({section.note})" if section.note else ""
    rows = (f"{plain(row.name)}: {plain(row.said)}" for row in section.rows)
    st.markdown("  \n".join([f"**{plain(section.title + note)}**", *rows]))


def markdown(digest: Digest) -> None:
    """The same to copy or to keep."""
    text = as_markdown(digest)
    with st.expander("As Markdown"):
        st.code(text, language="markdown", wrap_lines=True)
        file_button("Download", lambda: text, f"digest-{digest.day.isoformat()}.md", "text/markdown")


def address() -> None:
    """The webhook's address, as a secret."""
    st.subheader("Where does it go?")
    st.text_input(
        "Slack webhook",
        key="digest_webhook",
        type="password",
        placeholder="https://hooks.slack.com/services/",
        help=KEPT,
    )
    if state.webhook_is_set():
        st.caption("Left empty, the one that is set on the server is used.")
    else:
        st.caption("In Slack: Apps, Incoming Webhooks, Add to a channel. The message holds customers' names.")
    if message := state.digest_error():
        st.error(plain(message), icon=":material/error:")


def send(digest: Digest) -> None:
    """Once, or every day."""
    failed = state.digest_desk().post.failure(digest.day)
    label = "Try again" if failed is not None else "Send now"
    st.button(label, type="primary", icon=":material/send:", on_click=state.send_digest, args=(digest.day,))
    daily = state.digest_desk().daily
    with st.container(horizontal=True, vertical_alignment="bottom"):
        hour = st.number_input(
            "Every day at, UTC hour", 0, 23, 8, 1, key="digest_hour", width=180, persist_state="session"
        )
        if daily.schedule is None:
            asked = st.checkbox("Rehearsals too", key="digest_rehearsals", help=REHEARSALS)
            st.button("Send daily", icon=":material/schedule:", on_click=state.send_daily, args=(int(hour), asked))
        else:
            st.button("Stop sending daily", on_click=state.send_no_more)
    if daily.schedule is not None and daily.next_at is not None:
        st.caption(
            plain(
                f"Sent daily at {daily.schedule.hour}:00 UTC to {daily.schedule.webhook}; next {daily.next_at:%-d %B, %H:%M}."
            )
        )
    if daily.problem:
        st.warning(plain(daily.problem))
    st.caption(
        "The day before is sent once, for as long as this app runs; a day without live receipts is not, unless asked for. Without "
        "the app, from cron: "
        "`python -m playground digest --webhook-env SLACK_WEBHOOK_URL`"
    )


def forecast() -> None:
    """What spend is held against."""
    st.subheader("Against which forecast?")
    found = state.forecast_taken()
    if found is None:
        st.caption("None yet. Take the Month page's: every digest then says how far the day was from it.")
    else:
        said = (
            f"{usd(found.usd_a_day)} a day for models under {found.plan}, at {found.tickets_a_day:,.0f} tickets a day"
        )
        st.markdown(plain(f"{said}. Taken on {found.taken_on:%-d %B %Y}."))
    label = "Take the Month page's forecast" if found is None else "Take it anew"
    ready = state.can_take_forecast()
    st.button(label, on_click=state.take_forecast, disabled=not ready)
    if not ready:
        st.caption("The Month page has no month yet: run a ticket, or price a log.")


def days(found: tuple[DayState, ...]) -> None:
    """The last days: what went out, and what is offered again."""
    if not found:
        return
    st.subheader("The last days")
    for day in found[:MOST_DAYS]:
        _day(day)


def _day(found: DayState) -> None:
    kind = "" if found.provenance == "live" else f", {found.provenance}"
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        badge, said = _state(found)
        st.markdown(f"{badge} {plain(f'{found.day:%-d %B %Y}{kind}{said}')}", width="content")
        if found.delivered is None:
            label = "Send" if found.failed is None else "Try again"
            st.button(label, key=f"digest_send_{found.day}", on_click=state.send_digest, args=(found.day,))
    if found.delivered is None and found.failed is not None:
        st.caption(plain(found.failed.said))


def _state(found: DayState) -> tuple[str, str]:
    if found.delivered is not None:
        return ":green-badge[sent]", f", on {found.delivered.at:%-d %B, %H:%M} UTC"
    return (":gray-badge[not sent]" if found.failed is None else ":red-badge[failed]"), ""


def day_picker(found: tuple[DayState, ...], today: date) -> date:
    """Which day: those with receipts, today first; to begin with the last one that is over."""
    choices = [today, *(d.day for d in found)]
    return st.selectbox(
        "Day, UTC", choices, min(1, len(found)), key="digest_day", format_func=partial(_named, today), width=260
    )


def _named(today: date, day: date) -> str:
    return f"{day:%-d %B %Y}{', so far' if day == today else ''}"
