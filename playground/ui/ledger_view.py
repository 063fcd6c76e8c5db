"""What the page of receipts draws: sums, the table, one receipt, files, and what may be deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from playground.ledger import Filter, Kept, LedgerError, Spend
from playground.ledger.export import FORMATS, MIME, Format, as_bytes
from playground.ledger.export import plain as as_said
from playground.ledger.export_columns import COLUMNS
from playground.money import percent_change, usd
from playground.prices import PRICE_DATE
from playground.records import PURPOSES, Purpose
from playground.safe_cells import safe
from playground.ui import state
from playground.ui.ledger_filters import shown_name, stage_name
from playground.ui.widgets import (
    USD_COLUMN,
    as_float,
    counted,
    dollars,
    figure,
    figures_row,
    file_button,
    money_metric,
    plain,
    table,
)

PAGE = 50
MOST_TO_DOWNLOAD = 200_000
"""More receipts than this are made by the command, which does not hold them all at once."""
COMPARED: tuple[Purpose, ...] = ("ticket", "sample")
MONEY = st.column_config.NumberColumn(format=USD_COLUMN, width=90)
NARROW = st.column_config.NumberColumn(width=55)
WIDTHS = {
    "USD": MONEY,
    "On today's models, USD": st.column_config.NumberColumn(format=USD_COLUMN, width=165),
    **dict.fromkeys(("No.", "In", "Out"), NARROW),
    **{
        name: st.column_config.TextColumn(width=w) for name, w in (("At, UTC", 150), ("Ticket", 110), ("Customer", 130))
    },
}


def problem_box() -> None:
    """Why receipts are only in memory, and the way on."""
    book = state.ledger()
    if not book.problem:
        return
    st.error(plain(book.problem), icon=":material/error:")
    if book.pending:
        st.caption(f"{counted(book.pending, 'entry')} wait in memory.".replace("entrys", "entries"))
    if book.damaged:
        st.button("Set it aside and start a new one", on_click=_set_aside, key="ledger_aside")


def _set_aside() -> None:
    try:
        state.say(f"The old ledger is kept as {state.ledger().set_aside()}.")
    except LedgerError as error:
        state.say(str(error))


def answer(where: Filter) -> Spend:
    """The sums in a row and in a sentence; returns the sum of all."""
    book = state.ledger()
    (whole,) = book.spend((), where)
    (real,) = book.spend((), of(where, COMPARED), tickets=False)
    (rest,) = book.spend((), of(where, [p for p in PURPOSES if p not in COMPARED]), tickets=False)
    with figures_row():
        money_metric("Spent", whole.total)
        if rest.attempts and real.attempts:
            money_metric("On tickets, samples", real.total)
        if answered(real):
            money_metric("On today's models", real.before, help_text=BEFORE)
        else:
            figure("On today's models", "not compared", help_text=BEFORE)
        if rest.attempts:
            money_metric(
                "On evaluations",
                rest.total,
                help_text="Shadow runs, judges, second opinions, tuning: they serve nobody and are compared with nothing.",
            )
        figure("Tickets", f"{whole.tickets or 0:,}", help_text="A ticket counts once in each run.")
        if whole.failed:
            figure(
                "Failed attempts", usd(whole.failed_usd), help_text=f"{counted(whole.failed, 'attempt')}, in the sum."
            )
        if whole.saved_usd:
            figure("Saved by own caches", usd(whole.saved_usd), help_text=SAVED)
    st.markdown(dollars(against(real)))
    if rest.attempts:
        (second,) = book.spend((), of(where, ["second opinion"]), tickets=False)
        beside = (
            f" Second opinions, beside it: {second.total}; no ticket's own bill has them." if second.attempts else ""
        )
        st.caption(dollars(f"Of it {rest.total} went into evaluations, which are compared with nothing.{beside}"))
    st.caption(f"Prices of {PRICE_DATE:%-d %B %Y} for new receipts; each receipt keeps the date of its own.")
    return whole


BEFORE = "What the calls whose answers were used would have cost on today's model of their stage. Priced, not run."
SAVED = "Answers out of the exact and the semantic cache: what their calls cost when a model gave them."


def answered(real: Spend) -> bool:
    """Whether any call among them has an answer, which is what is compared."""
    return real.attempts > real.failed


def of(where: Filter, purposes: Sequence[Purpose]) -> Filter:
    """The filter, for those of these purposes that it lets through; none of them leaves nothing."""
    kept = tuple(p for p in purposes if p in (where.purposes or PURPOSES))
    return replace(where, purposes=kept) if kept else replace(where, runs=("",))


def against(real: Spend) -> str:
    """Tickets and samples against before, as a sentence."""
    if not real.attempts:
        return "No ticket or sample is among them, so there is nothing to compare."
    if not answered(real):
        return f"Tickets and samples cost {real.total} without an answer, so there is nothing to compare."
    if real.total.exact_usd is None or real.before.exact_usd is None:
        return f"Tickets and samples cost {real.total}, on today's models {real.before}. Without every price there is no change."
    change = percent_change(real.total.known_usd, real.before.known_usd)
    return f"Tickets and samples cost {real.total} instead of {real.before} on today's models{f' ({change})' if change else ''}."


def receipts(where: Filter, total: int) -> None:
    """Receipts, newest first, a page at a time, and one in full."""
    edges: list[int] = st.session_state.setdefault("ledger_edges", [])
    if st.session_state.get("ledger_edges_of") != where:
        st.session_state.ledger_edges_of = where
        edges.clear()
    found = state.ledger().entries(where, PAGE + 1, edges[-1] if edges else None)
    if edges and not found:
        # What stood here was deleted since.
        edges.clear()
        found = state.ledger().entries(where, PAGE + 1)
    if not found:
        return
    shown = found[:PAGE]
    first = len(edges) * PAGE + 1
    st.subheader("Receipts, newest first")
    table([_row(k) for k in shown], WIDTHS, "Receipts, newest first")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Newer", on_click=_newer, args=(edges,), disabled=not edges, key="ledger_newer")
        st.button("Older", on_click=edges.append, args=(shown[-1].id,), disabled=len(found) <= PAGE, key="ledger_older")
        st.caption(f"{first:,} to {first + len(shown) - 1:,} of {total:,}")
    _detail(shown)


def _newer(edges: list[int]) -> None:
    del edges[-1:]


def _row(kept: Kept) -> dict[str, Any]:
    e, r = kept.entry, kept.entry.receipt
    return {
        "No.": kept.id,
        "At, UTC": e.at.strftime("%Y-%m-%d %H:%M:%S"),
        "Ticket": safe(r.ticket_id),
        "Customer": safe(shown_name(e.customer or "")),
        "Stage": stage_name(r.stage),
        "Model": r.model if r.effort == "default" else f"{r.model} @{r.effort}",
        "USD": as_float(r.cost_usd),
        "On today's models, USD": as_float(e.before_usd),
        "Result": r.outcome if r.source == "model" else r.source,
        "In": r.usage.input_tokens,
        "Out": r.usage.output_tokens,
        "For": e.purpose,
    }


def _detail(shown: Sequence[Kept]) -> None:
    by_id = {k.id: k for k in shown}
    chosen = st.selectbox(
        "One receipt in full", list(by_id), None, format_func=lambda i: _name(by_id[i]), placeholder="Choose a receipt"
    )
    if chosen is None or chosen not in by_id:
        return
    rows = [{"Field": field(c.name), "Value": _value(c.value(by_id[chosen])), "What it is": c.about} for c in COLUMNS]
    table(rows, {}, "Every field of one receipt", "content")


def _name(kept: Kept) -> str:
    r = kept.entry.receipt
    return (
        f"No. {kept.id}: {shown_name(r.ticket_id)}, {stage_name(r.stage)} {r.call}.{r.attempt}, {r.model}, {r.outcome}"
    )


_UNITS = {"usd": "USD", "id": "ID", "utc": "UTC"}


def field(name: str) -> str:
    """An export's name of a column, in words: cost_usd is Cost, USD."""
    words = name.split("_")
    unit = f", {_UNITS[words.pop()]}" if words[-1] == "usd" else ", seconds" if words[-1] == "s" and words.pop() else ""
    said = " ".join(_UNITS.get(word, word) for word in words)
    return f"{said[:1].upper()}{said[1:]}{unit}"


def _value(value: object) -> str:
    return safe(value) if isinstance(value, str) else "" if value is None else str(as_said(value))


def files(where: Filter, total: int) -> None:
    """What the filter shows, to take away."""
    st.subheader("Take it away")
    if total > MOST_TO_DOWNLOAD:
        st.caption(
            f"{total:,} receipts are too many for a browser. Use: python -m playground export --out receipts.parquet"
        )
        return
    with st.container(horizontal=True):
        for form in FORMATS:
            file_button(NAMES[form], _maker(where, form), f"receipts-{where.provenance}.{form}", MIME[form])
    st.caption(
        "What the filter shows, oldest first, with customers and without ticket text unless you keep it. Schema version 1."
    )


NAMES: dict[Format, str] = {"csv": "CSV", "parquet": "Parquet", "ndjson": "JSON lines"}


def _maker(where: Filter, form: Format) -> Any:
    book = state.ledger()
    return lambda: as_bytes(book.batches(where), form)
