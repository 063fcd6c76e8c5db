"""A log comes in: the upload, and which of its columns holds what."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import streamlit as st

from playground.logs import FIELDS, Columns, Preview
from playground.logs.columns import is_subject
from playground.safe_cells import safe
from playground.ui import state
from playground.ui.widgets import plain, table

KINDS = ["csv", "tsv", "json", "jsonl", "ndjson", "xlsx"]
MAX_UPLOAD_MB = 1_000
SHORT_CHARS = 20
NONE = "(none)"
ASKED = {
    "text": ("Ticket text", "What the customer wrote. The only column that is needed."),
    "id": ("Ticket id", "Without one, a ticket is named after its line."),
    "customer": (
        "Customer",
        "For spend by customer, and for a range that knows that tickets of one customer are alike.",
    ),
    "subject": ("Subject", "Goes into the prompts beside the text."),
    "created_at": ("Created", "For spend by day, and for the volume of a month."),
    "satisfaction": ("Satisfaction", "Weighs which tickets get a second opinion. A number, or good and bad."),
    "label": ("True kind", "What kind of ticket it is, in the agent's labels: Intent is then judged by accuracy."),
    "turns": (
        "Messages",
        "How often the customer wrote, or a list of messages: the loop runs once for each time she wrote.",
    ),
}
TURNS = {"both": "both sides", "customer": "the customer only"}
LENGTHS = {
    "typical": "each stage's typical length, from the agent's file",
    "last run": "as in the last run of the notebook",
    "sample": "as in the sample of this log that ran",
}


def upload() -> None:
    """The file, or the sample in its place."""
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with left:
        st.file_uploader(
            "Ticket export",
            KINDS,
            key=_uploader(),
            on_change=_load,
            max_upload_size=MAX_UPLOAD_MB,
            help="CSV, XLSX, JSON or JSON lines, and what Zendesk, Intercom and Freshdesk export; up to a million tickets. "
            "A larger file: python -m playground price FILE.",
        )
    with right:
        st.button("Use the sample log", icon=":material/dataset:", on_click=state.load_sample_log, width="stretch")
    st.caption(
        "The file stays on the machine that runs this app, in a folder of this session, and no model is called to price it."
    )
    if message := state.log_desk().error:
        st.error(plain(message), icon=":material/error:")


def _uploader() -> str:
    """Another key after each file, so that the upload is let go of and a refused file does not stay in the box."""
    return f"log_file_{st.session_state.get('log_files', 0)}"


def _load() -> None:
    upload = st.session_state[_uploader()]
    if upload is None:
        return

    def write(path: Path) -> None:
        with path.open("wb") as file:
            while chunk := upload.read(1 << 20):
                file.write(chunk)

    upload.seek(0)
    state.load_log(upload.name, write)
    st.session_state.log_files = st.session_state.get("log_files", 0) + 1


def mapping() -> None:
    """Which column holds what: guessed, to be corrected; and the button that prices."""
    desk = state.log_desk()
    shown = desk.shown
    if shown is None:
        return
    with st.expander(f"Columns of {_name(desk)}", expanded=desk.priced is None and desk.work is None):
        place = st.container()
        chosen = _chosen(shown, desk.number)
        with place:
            _doubts(shown, chosen)
        lengths = st.radio(
            "Length of answers",
            state.lengths_known(),
            format_func=lambda name: LENGTHS[name],
            key="log_lengths",
            help="No model is called, so how long its answers would be is taken from here.",
        )
        rows = [{safe(c): safe(v) for c, v in row.items()} for row in shown.rows[:5]]
        table(rows, {}, "The first rows of the file", "content")
        st.button(
            "Price the log",
            type="primary",
            icon=":material/play_arrow:",
            disabled=chosen is None or desk.work is not None,
            on_click=state.price_log,
            args=(chosen, lengths),
        )


def _doubts(shown: Preview, chosen: Columns | None) -> None:
    """What is odd about the columns as they are chosen."""
    if chosen is None:
        st.warning(plain(shown.problem or "Choose the column that holds what the customer wrote."))
        return
    cells = [row[chosen.text] for row in shown.rows if row.get(chosen.text)]
    if cells and sum(map(len, cells)) / len(cells) < SHORT_CHARS:
        st.warning(plain(f"The cells of {chosen.text} are very short. Is it what the customer wrote?"))
    if is_subject(chosen.text):
        st.warning(
            plain(f"{chosen.text} is read as the ticket's text. Whole messages are longer, and cost a little more.")
        )


def _name(desk: state.LogDesk) -> str:
    return "the sample log" if desk.is_sample else plain(desk.name)


def _chosen(shown: Preview, number: int) -> Columns | None:
    """The columns as they are set; `None` while no text is."""
    found: dict[str, str | None] = {}
    places = st.columns(3)
    for i, field in enumerate(("text", "subject", "id", "customer", "created_at", "turns", "satisfaction", "label")):
        title, help_text = ASKED[field]
        options = [*([] if field == "text" and shown.guess else [NONE]), *shown.columns]
        guessed = getattr(shown.guess, field) if shown.guess else None
        with places[i % 3]:
            picked = st.selectbox(
                title, options, options.index(guessed or options[0]), key=f"log_column_{field}_{number}", help=help_text
            )
        found[field] = None if picked == NONE else picked
    assert set(found) == set(FIELDS)
    text = found.pop("text")
    if text is None:
        return None
    return Columns(text, turns_of=_turns_of(shown, found["turns"], number), **found)


def _turns_of(shown: Preview, turns: str | None, number: int) -> Literal["customer", "both"]:
    guessed = shown.guess.turns_of if shown.guess else "both"
    if turns is None:
        return guessed
    picked = st.segmented_control(
        "Messages of",
        list(TURNS),
        default=guessed,
        required=True,
        key=f"log_column_turns_of_{number}",
        format_func=lambda who: TURNS[who],
        help="Of messages of both sides every second one is the customer's.",
    )
    return "customer" if picked == "customer" else "both"
