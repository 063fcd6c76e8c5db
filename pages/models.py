"""The catalogue: every model, its price and date, its context and retirement, and the evidence behind its quality."""

from __future__ import annotations

import streamlit as st

from playground.evidence import enough
from playground.prices import PRICE_DATE
from playground.records import Candidate, EvidenceRow, Model
from playground.ui import state
from playground.ui.frame import ensure_frame
from playground.ui.widgets import table

RATE = st.column_config.NumberColumn(format="$%.3f")


def number(value: object) -> float | None:
    return None if value is None else float(value)


def row(model: Model) -> dict[str, object]:
    rates = model.price.rates if model.price else None
    stages = sum(enough(state.router().evidence.quality(s.key, Candidate(model))) for s in state.pipeline().stages)
    return {
        "Model": model.name,
        "Provider": model.provider,
        "In": number(rates.input_usd_per_mtok) if rates else None,
        "Cached in": number(rates.cache_read_usd_per_mtok) if rates else None,
        "Out": number(rates.output_usd_per_mtok) if rates else None,
        "Price of": model.price.as_of if model.price else None,
        "Stages with evidence": stages,
        "Context, tokens": model.context_tokens,
        "Retires": model.retires_on,
        "Thinks by default": model.default_effort,
        "Price from": model.price.source if model.price else "unpriced",
    }


def evidence_row(r: EvidenceRow) -> dict[str, object]:
    return {
        "Stage": r.stage,
        "Model": r.model,
        "Effort": r.effort,
        "Benchmark": r.benchmark,
        "Measures": r.metric,
        "Value": r.value,
        "Unit": r.unit,
        "n": r.n,
        "Grade": r.grade,
        "Stands for": r.proxy_for,
        "Date": r.date,
        "Source": r.source,
    }


ensure_frame()
st.title("Models and prices")
book = state.notebook()
st.caption(
    f"{len(book.catalog.models)} models. List prices of {PRICE_DATE:%-d %B %Y} in USD per million tokens, unless a row says "
    "otherwise. A price that is not known is left empty: unpriced, never zero."
)
a, b = st.columns(2)
wanted = a.text_input("Find a model", key="find_model").lower()
providers = b.multiselect("Provider", book.catalog.providers, key="find_provider", placeholder="All providers")
models = [m for m in book.catalog.models if wanted in m.name.lower() and (not providers or m.provider in providers)]
columns = {k: RATE for k in ("In", "Cached in", "Out")} | {"Model": st.column_config.TextColumn(pinned=True)}
table([row(m) for m in models], columns, "Models with prices", 420)

st.subheader("Evidence")
st.markdown(
    "Quality is the share of tickets at a stage on which a model's output is as good as the best-measured model's. It comes from "
    "public benchmarks that stand in for the stage. Grade A measures the stage's own task, B something near, C something far."
)
names = {m.name for m in models}
rows = [evidence_row(r) for r in state.router().evidence.rows if r.model in names]
table(rows, {"Source": st.column_config.TextColumn(width="large")}, "Evidence rows", 420)
st.caption(
    f"{len(rows)} rows for {len(names & {r['Model'] for r in rows})} of the {len(models)} models shown. "
    "Empty n: the source does not state it."
)
