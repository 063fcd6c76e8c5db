"""An uploaded file, read by one of the engine's readers: what it holds, or one sentence on what is wrong."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import streamlit as st

from playground.errors import BadInput
from playground.logs import LogRead
from playground.ui import state
from playground.ui.widgets import counted, plain

T = TypeVar("T")
KINDS = ["csv", "tsv", "json", "jsonl", "ndjson", "xlsx"]
SHOWN_PROBLEMS = 20
MAX_MB = 200


def file_of(
    label: str, key: str, read_file: Callable[[Path, LogRead], Iterator[T]], take: Callable[[list[T]], None]
) -> None:
    """An uploader, and under it what was wrong with its last file."""
    st.file_uploader(label, KINDS, key=key, on_change=_load, args=(key, read_file, take), max_upload_size=MAX_MB)
    if message := st.session_state.get(f"{key}_error"):
        st.error(plain(message), icon=":material/error:")
    for problem in st.session_state.get(f"{key}_problems", ()):
        st.caption(plain(problem))


def _load(key: str, read_file: Callable[[Path, LogRead], Iterator[T]], take: Callable[[list[T]], None]) -> None:
    st.session_state[f"{key}_error"], st.session_state[f"{key}_problems"] = None, ()
    upload, read = st.session_state[key], LogRead()
    if upload is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / Path(upload.name).name
        path.write_bytes(upload.getvalue())
        try:
            found = list(read_file(path, read))
            st.session_state[f"{key}_problems"] = tuple(p.reason for p in read.problems[:SHOWN_PROBLEMS])
            take(found)
            if read.left_out:
                rows = counted(read.left_out, "row")
                state.say(f"{upload.name}: {rows} left out. The first: {read.problems[0].reason}")
        except BadInput as error:
            st.session_state[f"{key}_error"] = str(error)
