"""The sections of a report on the screen: what is said and its tables, folded; the charts stand in the files."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from playground.charts.style import Chart
from playground.report.model import Block, Heading, Points, Quote, Report, Section, Table, Text, shown
from playground.report.redaction import legible, one_line
from playground.safe_cells import safe
from playground.ui.widgets import counted, plain, table

RIGHT = st.column_config.TextColumn(alignment="right")


def preview(found: Report) -> None:
    """Every section, folded."""
    for section in found.sections:
        with st.expander(plain(_label(section))):
            for block in section.blocks:
                _draw(block)


def _label(section: Section) -> str:
    tables = sum(isinstance(b, Table) and b.place != "sheet" for b in section.blocks)
    charts = sum(isinstance(b, Chart) and b.chart is not None for b in section.blocks)
    parts = [counted(n, name) for n, name in ((tables, "table"), (charts, "chart")) if n]
    return f"{section.title}: {', '.join(parts)}" if parts else section.title


def _draw(block: Block) -> None:
    if isinstance(block, Table):
        _table(block)
    elif isinstance(block, Quote):
        st.markdown(f"**{plain(block.title)}**")
        st.text(legible(block.text))
    else:
        for line in _lines(block):
            st.markdown(line)


def _lines(block: Text | Points | Heading | Chart) -> Iterator[str]:
    if isinstance(block, Points):
        yield from (f"- {plain(said)}" for said in block.said)
    elif isinstance(block, Heading):
        yield f"**{plain(block.said)}**"
    elif isinstance(block, Text):
        yield plain(block.said)
    else:
        yield f"Chart: {plain(block.title)}." if block.chart is not None else plain(block.alt)


def _table(found: Table) -> None:
    if found.place == "sheet":
        return
    titles = [one_line(c.title) for c in found.columns]
    rows = [
        {t: safe(one_line(shown(value, c.kind))) for t, value, c in zip(titles, row, found.columns, strict=True)}
        for row in found.page_rows
    ]
    right = {t: RIGHT for t, c in zip(titles, found.columns, strict=True) if c.kind != "text"}
    table(rows, right, found.title, "content")
    if found.page_note:
        st.caption(plain(found.page_note))
