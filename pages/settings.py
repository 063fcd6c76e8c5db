"""Keys, local servers, a base URL of one's own, and pipelines of one's own."""

from __future__ import annotations

import os
from decimal import Decimal

import streamlit as st

from playground import local
from playground import pipeline as pipelines
from playground.errors import BadInput
from playground.gateway import KEY_NAMES, Connection, keys_from
from playground.ui import state
from playground.ui.frame import ensure_frame
from playground.ui.own_endpoint import add, own_endpoint
from playground.ui.session_box import session_box
from playground.ui.widgets import SMALL_FILE_MB, plain
from playground.workshop import check_models


def key_fields() -> None:
    st.subheader("Keys")
    st.caption(
        "Keys from the environment or .streamlit/secrets.toml are found by themselves. "
        "A key typed here stays in this session: it is not saved, logged or put in the URL."
    )
    found = keys_from(os.environ, state.secrets())
    with st.form("keys", clear_on_submit=True, border=False):
        typed = {
            p: st.text_input(_label(p, found), type="password", key=f"key_{p}", autocomplete="off") for p in KEY_NAMES
        }
        saved = st.form_submit_button("Use these keys", type="primary")
    if saved:
        try:
            given = keys_from({KEY_NAMES[p][0]: v for p, v in typed.items() if v}, {})
        except BadInput as error:
            st.error(plain(str(error)))
            return
        state.notebook().connections |= given
        state.say(f"Keys set for this session: {', '.join(given)}." if given else "No key was typed.")
        st.rerun()


def _label(provider: str, found: dict[str, Connection]) -> str:
    where = "set for this session" if provider in state.notebook().connections else f"reads {KEY_NAMES[provider][0]}"
    return f"{provider} ({'found in the environment' if provider in found else where})"


def servers() -> None:
    st.subheader("A local server")
    st.caption("Ollama, LM Studio, vLLM or llama.cpp on its usual port. No key needed.")
    a, b = st.columns(2)
    price_in = a.number_input(
        "Your hardware, USD a million tokens in",
        0.0,
        1000.0,
        0.0,
        key="local_in",
        help="Zero means your hardware counts as free. It is labelled so.",
    )
    price_out = b.number_input("Your hardware, USD a million tokens out", 0.0, 1000.0, 0.0, key="local_out")
    if st.button("Look for local servers", icon=":material/search:"):
        found = local.find_servers()
        if not found:
            st.info(
                f"No server answered on ports {', '.join(str(p) for p in local.DEFAULT_PORTS)}. Start one and look again."
            )
        for server in found:
            state.say(f"{server.name} answered with {len(server.models)} models.")
            add(
                local.local_models(server, Decimal(str(price_in)), Decimal(str(price_out))),
                Connection(server.name, "local", server.base_url),
            )
        if found:
            st.rerun()


def everywhere() -> None:
    names = [m.name for m in state.notebook().catalog.models if m.endpoint]
    if not names:
        return
    st.subheader("Your own model at every stage")
    chosen = st.selectbox(
        "Use one model at every stage",
        ["No", *names],
        key="everywhere",
        help="A model of your own has no public evidence, so the router never picks it by itself. This pins it.",
    )
    if st.button("Apply", key="apply_everywhere"):
        book = state.notebook()
        book.pins = {} if chosen == "No" else {s.key: chosen for s in book.pipeline.stages}
        pinned = f"Every stage is pinned to {chosen}. Choose Live in the sidebar and run the ticket."
        state.say("The router decides again." if chosen == "No" else pinned)
        st.rerun()


def own_pipeline() -> None:
    st.subheader("Your own agent")
    st.download_button(
        "Download the current agent as YAML",
        pipelines.to_yaml(state.pipeline_as_set()),
        f"{state.pipeline().name}.yaml",
        "text/yaml",
        icon=":material/download:",
    )
    st.file_uploader(
        "Load an agent: its stages, prompts, models and bars",
        key="pipeline_file",
        on_change=_load_pipeline,
        max_upload_size=SMALL_FILE_MB,
    )
    if message := st.session_state.get("pipeline_error"):
        st.error(plain(message), icon=":material/error:")


def _load_pipeline() -> None:
    st.session_state.pipeline_error = None
    upload = st.session_state.pipeline_file
    if upload is None:
        return
    try:
        flow = check_models(pipelines.parse_bytes(upload.getvalue(), upload.name), state.notebook().catalog)
    except BadInput as error:
        st.session_state.pipeline_error = str(error)
        return
    state.set_pipeline(flow)
    state.say(f"The agent {flow.name} is loaded from {upload.name}: {len(flow.stages)} stages, {flow.calls} calls.")


ensure_frame()
st.title("Settings")
key_fields()
servers()
own_endpoint()
everywhere()
own_pipeline()
session_box()
