"""Recorded runs in the session: the one that is open, and those that were opened so far."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import streamlit as st

from playground.errors import BadInput
from playground.knowledge import SAMPLES
from playground.recorded import Recording, load
from playground.scrub import secrets_of
from playground.ui.state.gone import catch_up
from playground.ui.state.session import notebook, say, secrets

SHOWN_ON = ("", "bill", "month", "report")
"""Addresses of the pages that show an open recording; every other page works on the session's own run."""
MOST_KEPT = 8


def look_on(page: str) -> None:
    """Say which page is drawn. The frame calls it before every page."""
    st.session_state.shows_recording = page in SHOWN_ON
    st.session_state.page = page


def recording() -> Recording | None:
    """The open recording, on a page that shows one."""
    return opened_recording() if st.session_state.get("shows_recording") else None


def opened_recording() -> Recording | None:
    """The open recording, whichever page is drawn."""
    catch_up()
    found: Recording | None = st.session_state.get("recording")
    return found


def close_recording() -> None:
    """Show the session's own run again."""
    st.session_state.recording = None


def open_recording(name: str) -> None:
    """Show a recording that was read before, by its name."""
    st.session_state.recording = find_recording(name)


def take_recordings(key: str, show: bool = True) -> None:
    """Read the files of an uploader, and show the last one; a sentence for each that cannot be used."""
    uploads = st.session_state.get(key) or []
    problems = []
    for upload in uploads if isinstance(uploads, list) else [uploads]:
        try:
            name = keep_recording(load(upload.getvalue(), upload.name))
        except BadInput as error:
            problems.append(str(error))
            continue
        if show:
            open_recording(name)
    st.session_state[f"{key}_problems"] = problems


def keep_recording(found: Recording) -> str:
    """Keep a recording for this session, and its name."""
    kept: dict[str, Recording] = st.session_state.setdefault("recordings", {})
    name = found.title if found.title not in kept or kept[found.title].digest == found.digest else _other(found, kept)
    kept[name] = found
    for oldest in list(kept)[:-MOST_KEPT]:
        del kept[oldest]
    return name


def _other(found: Recording, kept: Mapping[str, Recording]) -> str:
    return next(t for n in range(2, len(kept) + 3) if (t := f"{found.title} ({n})") not in kept)


def recording_names() -> list[str]:
    """Every recording that can be shown: those that come with the app, then this session's own."""
    catch_up()
    return [*recorded_files(), *st.session_state.get("recordings", {})]


def find_recording(name: str) -> Recording | None:
    """A recording by its name."""
    catch_up()
    kept: dict[str, Recording] = st.session_state.get("recordings", {})
    path = recorded_files().get(name)
    return kept.get(name) if path is None else shipped_recording(path)


@cache
def shipped_recording(path: Path) -> Recording:
    """One that comes with the app; read when somebody asks for it."""
    return load(path.read_bytes(), path.name)


@cache
def recorded_files() -> dict[str, Path]:
    """The recordings that come with the app, by name; all of rehearsals."""
    files = sorted((SAMPLES / "recorded").glob("*.json"))
    return {f"Sample: {p.stem.replace('-', ' ')}": p for p in files}


def known_secrets() -> tuple[str, ...]:
    """Every key that this session or this server knows; none may reach a file."""
    return secrets_of(os.environ, [*(c.api_key for c in notebook().connections.values()), *secrets().values()])


def run_recorded_ticket() -> bool:
    """Leave the recording and put its ticket in the notebook; whether there was one."""
    found = opened_recording()
    if found is None:
        return False
    close_recording()
    notebook().ticket = found.trace.ticket
    for key in ("ticket_text", "ticket_subject", "ticket_error"):
        st.session_state.pop(key, None)
    st.session_state.sample = "own"
    say("The recording is closed. Its ticket runs on what is set now.")
    return True
