"""A model of one's own: any OpenAI-compatible endpoint, its price and its context."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

import streamlit as st

from playground import local
from playground.errors import BadInput
from playground.gateway import Connection
from playground.records import Model
from playground.ui import state
from playground.ui.widgets import plain


def add(models: Iterable[Model], connection: Connection) -> None:
    """Put models into the session's catalogue, with the way to call them."""
    book = state.notebook()
    for model in models:
        book.catalog = book.catalog.with_model(model)
        if model.endpoint:
            book.connections[model.endpoint] = connection


def own_endpoint() -> None:
    """Draw the form; bad input is said under it and stays in it."""
    st.subheader("Your own model")
    st.caption("Any OpenAI-compatible base URL: a proxy, a gateway, a server in your network.")
    with st.form("endpoint", border=False):
        url = st.text_input("Base URL", placeholder="https://gateway.example.com/v1")
        names = st.text_input("Models, separated by commas")
        key = st.text_input("Key, if it needs one", type="password", autocomplete="off")
        a, b, c = st.columns(3)
        unknown = "Leave empty if unknown: it is then shown as unpriced."
        price_in = a.number_input("USD a million tokens in", min_value=0.0, value=None, help=unknown)
        price_out = b.number_input("USD a million tokens out", min_value=0.0, value=None)
        context = c.number_input(
            "Context, tokens", 1, 100_000_000, None, help="The longest prompt with its answer. Empty: not checked."
        )
        if not st.form_submit_button("Add"):
            return
    try:
        given = [n.strip() for n in names.split(",") if n.strip()]
        models = local.endpoint_models(url, given, _decimal(price_in), _decimal(price_out))
    except BadInput as error:
        st.error(plain(str(error)))
        return
    add(
        (replace(m, context_tokens=context) for m in models),
        Connection(models[0].provider, key or None, models[0].endpoint),
    )
    state.say(
        f"Added: {', '.join(m.name for m in models)}. Without evidence the router never picks it: pin it in Settings or in a cell."
    )
    st.rerun()


def _decimal(amount: float | None) -> Decimal | None:
    return None if amount is None else Decimal(str(amount))
