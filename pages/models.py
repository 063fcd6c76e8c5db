"""The catalogue: every model, its price and date, its context and retirement, and the evidence behind its quality."""

from __future__ import annotations

from datetime import date, timedelta

import streamlit as st

from playground.prices import PRICE_DATE
from playground.records import Candidate, Model
from playground.ui import state
from playground.ui.evidence_view import evidence_view
from playground.ui.frame import ensure_frame
from playground.ui.own_endpoint import own_endpoint
from playground.ui.own_evidence import own_evidence
from playground.ui.widgets import as_float, table

RATE = st.column_config.NumberColumn(format="$%.3f")
QUALITY = st.column_config.NumberColumn(format="%.2f")


def chosen_models() -> list[Model]:
    """The models that the filters leave."""
    a, b, c = st.columns(3)
    wanted = a.text_input("Find a model", key="find_model").lower()
    providers = b.multiselect(
        "Provider", state.notebook().catalog.providers, key="find_provider", placeholder="All providers"
    )
    which = c.multiselect("Only those", list(_ONLY), key="find_only", placeholder="Any")
    return [
        m
        for m in state.notebook().catalog.models
        if wanted in m.name.lower() and (not providers or m.provider in providers) and all(_ONLY[w](m) for w in which)
    ]


def known_stages(model: Model) -> int:
    """At how many stages the router may choose it by evidence."""
    evidence = state.router().evidence
    return sum(evidence.quality(s.key, Candidate(model)).enough for s in state.pipeline().stages)


_ONLY = {
    "with a price": lambda m: m.price is not None,
    "with evidence at every stage": lambda m: known_stages(m) == len(state.pipeline().stages),
    "not retiring within 90 days": lambda m: not m.retires_on or m.retires_on > date.today() + timedelta(days=90),
    "100,000 tokens of context or more": lambda m: (m.context_tokens or 0) >= 100_000,
    "added by you": lambda m: m.endpoint is not None,
}


def row(model: Model) -> dict[str, object]:
    rates = model.price.rates if model.price else None
    evidence = state.router().evidence
    quality = {s.title: evidence.quality(s.key, Candidate(model)) for s in state.pipeline().stages}
    return {
        "Model": model.name,
        "Provider": model.provider,
        "In": as_float(rates.input_usd_per_mtok) if rates else None,
        "Out": as_float(rates.output_usd_per_mtok) if rates else None,
        **{title: q.estimate if q.enough else None for title, q in quality.items()},
        "Retires": model.retires_on,
        "Context, tokens": model.context_tokens,
        "Thinks by default": model.default_effort,
        "Cached in": as_float(rates.cache_read_usd_per_mtok) if rates else None,
        "Price of": model.price.as_of if model.price else None,
        "litellm id": model.id,
        "Price from": model.price.source if model.price else "unpriced",
    }


ensure_frame()
st.title("Models and prices")
st.caption(
    f"{len(state.notebook().catalog.models)} models. List prices of {PRICE_DATE:%-d %B %Y} in USD per million tokens, unless a row "
    "says otherwise. What is not known is left empty: a price is unpriced, never zero; a quality has insufficient evidence."
)
found = chosen_models()
columns = {k: RATE for k in ("In", "Cached in", "Out")} | {s.title: QUALITY for s in state.pipeline().stages}
table([row(m) for m in found], columns | {"Model": st.column_config.TextColumn(pinned=True)}, "Models with prices", 420)
st.caption(f"{len(found)} models shown. The stages' columns give each model's estimated quality at its default effort.")
if found:
    evidence_view(found)
else:
    st.info("No model fits these filters. Clear one of them.")
own_evidence()
own_endpoint()
