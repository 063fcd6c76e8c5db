"""Small pieces that every page draws the same way."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.charts.style import Chart
from playground.errors import BadInput
from playground.forgotten import DELETIONS
from playground.money import Total, percent_change, usd
from playground.prices import PRICE_DATE
from playground.records import Provenance, Trace, Usage

PROVENANCE: Mapping[Provenance, str] = {
    "rehearsal": "Rehearsal: no model was called. Tokens are counted, not metered: estimates.",
    "live": "Live: models were called on your keys or servers.",
    "recorded": "Recorded: replayed from a saved run.",
}
SMALL_FILE_MB = 5
"""More than any ticket, agent or table of evidence; a log may be larger."""
USD_COLUMN = "$%.6f"
NO_CHANGE = "+0%"
_LEAST_SHOWN = Decimal("0.000001")


def provenance_line(trace: Trace) -> None:
    """Where the numbers come from, whose they are, and the date of the prices."""
    origin = PROVENANCE[trace.provenance]
    if trace.provenance == "live" and not any(r.usage.input_tokens for r in trace.receipts):
        origin = "Live: no model answered."
    whose = f"Ticket {trace.ticket.subject or trace.ticket.id}, agent {trace.pipeline}, plan {trace.plan}."
    st.caption(f"{origin} Prices of {PRICE_DATE:%-d %B %Y}. {plain(whose)}")


def draw(chart: Chart) -> None:
    """A chart with its alt text, or its sentence where there is nothing to draw."""
    if chart.chart is None:
        st.caption(chart.alt)
        return
    with st.container(gap="xsmall"):
        st.markdown(f"**{plain(chart.title)}**")
        if chart.subtitle:
            st.caption(plain(chart.subtitle))
        st.altair_chart(chart.chart, width="stretch", alt=chart.alt)


def plain(text: str) -> str:
    """Text from outside for a place that reads Markdown: every character that means something there is escaped.

    Markdown makes a link of every address, escaped or not; a word joiner, which has no width, keeps it from seeing one.
    """
    unlinked = _ADDRESS.sub("\\g<0>\u2060", " ".join(text.split()))
    return "".join(f"\\{c}" if c in _MARKDOWN else c for c in unlinked)


_ADDRESS = re.compile(r"(?<=[-.\w+])@(?=[-\w]+\.[-\w])|//|www(?=\.)", re.IGNORECASE)
_MARKDOWN = frozenset("\\`*_{}[]()<>#+-.!|~$:&\"'")


def money_metric(label: str, total: Total, against: Total | None = None, help_text: str | None = None) -> None:
    """A sum of money, with its change against another; cheaper is green."""
    delta = percent_change(total.exact_usd, against.exact_usd) if against else ""
    figure(label, _short(total), delta, help_text)


def _short(total: Total) -> str:
    """A sum that fits a narrow figure; how many calls have no price stands where there is room for it."""
    if total.exact_usd is not None:
        return usd(total.exact_usd)
    return f"\u2265 {usd(total.known_usd)}" if total.known_usd else "unpriced"


def figure(label: str, value: str, delta: str = "", help_text: str | None = None, width: int = 170) -> None:
    """One figure of a row of figures; narrow, for several stand side by side, unless its label needs more."""
    changed = delta not in ("", NO_CHANGE)
    st.metric(label, dollars(value), delta if changed else None, delta_color="inverse", help=help_text, width=width)


def figures_row() -> DeltaGenerator:
    """A row of figures that wraps."""
    return st.container(horizontal=True, gap="medium")


def dollars(text: str) -> str:
    """Money in Markdown: a bare dollar sign would start a formula."""
    return text.replace("$", "\\$")


def small_usd(amount: Decimal) -> str:
    """Money whose last digit shown would be a zero that it is not."""
    return f"under {usd(_LEAST_SHOWN)}" if 0 < amount < _LEAST_SHOWN else usd(amount)


def tokens_line(usages: Sequence[Usage]) -> str:
    """Tokens of several calls in one line."""
    given, cached = sum(u.input_tokens for u in usages), sum(u.cache_read_tokens for u in usages)
    out, thinking = sum(u.output_tokens for u in usages), sum(u.reasoning_tokens for u in usages)
    parts = [f"{given:,} in", f"{out:,} out"]
    parts += [f"{cached:,} of them cached"] if cached else []
    parts += [f"{thinking:,} of them thinking"] if thinking else []
    return ", ".join(parts)


def as_float(amount: Decimal | None) -> float | None:
    """Money for a table's number column; `None` stays empty."""
    return None if amount is None else float(amount)


def table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, Any], alt: str, height: Any = "auto") -> None:
    """A table with right-aligned numbers."""
    st.dataframe(
        list(rows),
        hide_index=True,
        placeholder="",
        width="stretch",
        column_config=dict(columns),
        alt=alt,
        height=height,
    )


def file_button(
    label: str, make: Callable[[], bytes | str], name: str, mime: str, taken: Callable[[], None] | None = None
) -> None:
    """A download that is made when it is asked for; `taken` is called when it was."""
    st.download_button(label, unless_deleted(make), name, mime, on_click=taken or "ignore", width="content")


def unless_deleted(make: Callable[[], bytes | str]) -> Callable[[], bytes | str]:
    """A file's maker that refuses where a customer was deleted since the page was drawn: what the page holds may name it."""
    began = DELETIONS.count

    def made() -> bytes | str:
        if DELETIONS.count != began:
            raise BadInput("A customer was deleted since this page was drawn. Load the page again, then take the file.")
        return make()

    return made


def counted(n: int, name: str) -> str:
    """A number of things, in words that fit one too."""
    return f"{n:,} {name}" if n == 1 else f"{n:,} {name}s"
