"""The session's set-up: what it is now, putting another in its place, and a link that holds the knobs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlencode

import streamlit as st

from playground import tickets
from playground.catalog import load_catalog
from playground.errors import BadInput
from playground.forecast import Assumptions
from playground.pipeline_file import shipped
from playground.scoring import parse_rubric
from playground.session_file import SetUp, restore
from playground.ui.state.knobs import Knobs, assumptions, knobs, offer_volume
from playground.ui.state.recordings import close_recording
from playground.ui.state.session import notebook, say, set_pipeline

_PERCENT = {
    "again": "again_share",
    "escalation": "escalation_share",
    "growth": "growth_share",
    "retries": "retry_share",
}
_AS_IS = {
    "again_rounds": "again_rounds",
    "human_cost": "human_cost_usd",
    "fixed_cost": "fixed_cost_usd",
    "own_bill": "bill_usd",
}
_OF_PAGES = ("page_bar_", "page_margin_", "limit_", "guard_", "evidence_error", "pipeline_error")
"""Controls whose values stand for what is replaced here: they are made anew."""


def setup(with_ticket: bool) -> SetUp:
    """Everything that is set now; the ticket only where it is asked for."""
    book, k = notebook(), knobs()
    cells = {cell for cell in st.session_state.get("rehearsed_pairs", ()) if cell in book.own.pairs}
    rubric = st.session_state.get("rubric")
    return SetUp(
        flow=book.pipeline,
        plan=k.plan,
        mode=k.mode,
        assurance=k.assurance,
        bar_shift=k.bar_shift,
        providers=k.providers,
        limits=book.limits,
        pins=dict(book.pins),
        bars=dict(book.bars),
        margins=dict(book.margins),
        edits=dict(book.edits),
        runtime=book.runtime,
        own=book.own,
        rehearsed=frozenset(cells),
        month=assumptions(),
        models=tuple(m for m in book.catalog.models if m.endpoint),
        rubric=None if rubric is None else rubric.source,
        ticket=book.ticket if with_ticket else None,
    )


def take_setup(key: str) -> None:
    """Put the set-up of an uploaded file in place of the session's; says what could not be restored."""
    upload = st.session_state.get(key)
    st.session_state[f"{key}_error"] = None
    if upload is None:
        return
    try:
        found = restore(upload.getvalue(), upload.name, load_catalog())
    except BadInput as error:
        st.session_state[f"{key}_error"] = str(error)
        return
    _apply(found.setup)
    say(f"The set-up of {upload.name} is loaded. Keys are never in such a file. Run the ticket to see what it makes.")
    for problem in found.problems:
        say(problem)
    for name in (m.name for m in found.setup.models):
        say(f"Your own model {name[:60]} is listed; to call it, add its address and key in Settings again.")


def _apply(found: SetUp) -> None:
    close_recording()
    set_pipeline(found.flow)
    for key in [k for k in st.session_state if str(k).startswith(_OF_PAGES)]:
        del st.session_state[key]
    book = notebook()
    book.limits, book.runtime, book.own = replace(found.limits), found.runtime, found.own
    book.pins, book.bars, book.margins = dict(found.pins), dict(found.bars), dict(found.margins)
    book.edits = dict(found.edits)
    for model in found.models:
        # Its address is listed and not called: a file must not be able to send tickets anywhere.
        book.catalog = book.catalog.with_model(model)
    st.session_state.rehearsed_pairs = set(found.rehearsed)
    st.session_state.rubric = None if found.rubric is None else parse_rubric(found.rubric, "judge.yaml")
    st.session_state.pop("rubric_text", None)
    _set_knobs(found)
    _set_month(found.month)
    if found.ticket is not None:
        book.ticket = found.ticket
        st.session_state.sample = "own"
        for key in ("ticket_text", "ticket_subject", "ticket_error"):
            st.session_state.pop(key, None)


def _set_knobs(found: SetUp) -> None:
    st.session_state.pipeline = found.flow.name
    st.session_state.plan, st.session_state.mode = found.plan, found.mode
    st.session_state.assurance, st.session_state.bar_shift = found.assurance, found.bar_shift
    st.session_state.providers = sorted(found.providers or ())


def _set_month(month: Assumptions) -> None:
    offer_volume(month.tickets_per_month)
    for key, name in _PERCENT.items():
        st.session_state[key] = round(getattr(month, name) * 100, 6)
    for key, name in _AS_IS.items():
        st.session_state[key] = float(getattr(month, name))
    st.session_state.own_rounds = month.own_rounds


def link() -> str:
    """The address with every knob that is not at its default: never the ticket's text, never a key."""
    page = st.session_state.get("page", "")
    base = (st.context.url or "").partition("?")[0].rstrip("/").removesuffix(f"/{page}" if page else "")
    return f"{base}/?{urlencode(list(_knobs_in_address()))}"


def _knobs_in_address() -> Iterator[tuple[str, str]]:
    k, usual, book = knobs(), Knobs(), notebook()
    for name in ("mode", "plan", "assurance", "bar_shift"):
        if getattr(k, name) != getattr(usual, name):
            yield name, f"{getattr(k, name)}"
    yield from (("providers", p) for p in sorted(k.providers or ()))
    if book.pipeline.name in shipped() and book.pipeline.name != "support":
        yield "pipeline", book.pipeline.name
    titles = (tickets.sample_title(n) for n, t in tickets.samples().items() if t == book.ticket)
    yield from (("sample", title) for title in titles)
    yield from _month_in_address()


def _month_in_address() -> Iterator[tuple[str, str]]:
    now, usual = assumptions(), Assumptions()
    if now.tickets_per_month != usual.tickets_per_month:
        yield "volume", f"{now.tickets_per_month:,}"
    for key, name in {**_PERCENT, **_AS_IS}.items():
        value, default = (round(float(getattr(a, name)) * (100 if key in _PERCENT else 1), 6) for a in (now, usual))
        if value != default:
            yield key, f"{value:.10g}"
    if now.own_rounds != usual.own_rounds:
        yield "own_rounds", str(now.own_rounds).lower()
