"""The evidence behind a number: a model at a stage, its estimate, and every public result that speaks for it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from playground.prices import price_history
from playground.records import Candidate, EvidenceRow, Model, Quality
from playground.ui import state
from playground.ui.widgets import as_float, dollars, plain, table

SCALE = (
    "Quality is the share of tickets at a stage on which a model's output is accepted where the best-measured model's is. It is "
    "estimated from every public result at once: what a model reached on benchmarks that stand for the stage, what it reached "
    "elsewhere, and what its kin of the same vendor, price and generation reached. Grade A measures the stage's own task, "
    "B something near, C something far. A result at high effort informs only high effort."
)


def evidence_view(models: Sequence[Model]) -> None:
    """Pick a model and a stage, and see where its number comes from."""
    st.subheader("Where a number comes from")
    st.markdown(SCALE)
    evidence = state.router().evidence
    by_name = {m.name: m for m in models}
    a, b, c = st.columns(3)
    usual = state.pipeline().stages[0].before
    first = list(by_name).index(usual) if usual in by_name else 0
    model = by_name[a.selectbox("Model", by_name, first, key="evidence_model")]
    titles = {s.key: s.title for s in state.pipeline().stages}
    stage = b.selectbox("Stage", titles, key="evidence_stage", format_func=lambda s: titles[s])
    efforts = [x.effort for x in state.notebook().catalog.candidates(evidence.efforts) if x.model == model]
    effort = c.selectbox("Effort", efforts, key="evidence_effort")
    known = evidence.quality(stage, Candidate(model, effort))
    st.markdown(plain(_said(known, model.name, titles[stage], evidence.best_measured(stage))))
    _results([r for r in evidence.rows if r.model == model.name], known, model)
    _prices(model)


def _results(own: Sequence[EvidenceRow], known: Quality, model: Model) -> None:
    if not own:
        st.caption("No public result of this model is known; the estimate comes from its kin alone.")
        return
    used = set(known.rows)
    rows = sorted((_row(r, r in used) for r in own), key=lambda r: (r["Counts here"] != "directly", str(r["Stage"])))
    wide = {
        "Source": st.column_config.TextColumn(width="large"),
        "Measures": st.column_config.TextColumn(width="small"),
    }
    table(rows, wide, f"Public results of {model.name}", "auto")
    counted = sum(r["Counts here"] == "directly" for r in rows)
    st.caption(
        f"{len(rows)} results of this model, {counted} of them at this stage and effort. The others move its estimate through what "
        "they share. Empty n: the source does not state it."
    )


def _said(q: Quality, model: str, stage: str, best: str) -> str:
    if q.estimate is None or q.low is None or q.high is None:
        return f"Nothing is known of {model} at {stage}."
    enough = "" if q.enough else " That is insufficient evidence to choose it by."
    pairs = f", {q.pairs} of them shadow pairs of yours" if q.pairs else ""
    return (
        f"{model} at {stage}: {q.estimate:.2f} of {best or 'the best-measured model'}, 80% interval {q.low:.2f} to {q.high:.2f}, "
        f"worth {q.worth:.0f} tickets{pairs}.{enough}"
    )


def _row(r: EvidenceRow, counts: bool) -> dict[str, object]:
    return {
        "Stage": r.stage,
        "Effort": r.effort,
        "Benchmark": r.benchmark,
        "Measures": r.metric,
        "Value": r.value,
        "Unit": r.unit,
        "n": r.n,
        "Grade": r.grade,
        "Counts here": "directly" if counts else "through kin",
        "Stands for": r.proxy_for,
        "Date": r.date,
        "Source": r.source,
    }


def _prices(model: Model) -> None:
    history = price_history(model.id) if not model.endpoint else tuple(p for p in (model.price,) if p)
    st.markdown(f"**Prices of {plain(model.name)}**")
    if not history:
        st.caption("No price is known: unpriced.")
        return
    rows = [
        {
            "From": p.as_of,
            "In": as_float(p.rates.input_usd_per_mtok),
            "Cached in": as_float(p.rates.cache_read_usd_per_mtok),
            "Out": as_float(p.rates.output_usd_per_mtok),
            "Source": p.source,
            "Note": p.note,
        }
        for p in history
    ]
    money = st.column_config.NumberColumn(format="$%.3f")
    table(rows, dict.fromkeys(("In", "Cached in", "Out"), money), f"Prices of {model.name}", "content")
    said = (
        "The later one is billed."
        if len(rows) > 1
        else "One price is known: the bundled map and our corrections agree."
    )
    st.caption(dollars(f"USD per million tokens. {said}"))
