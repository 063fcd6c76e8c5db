"""The report as Markdown: plain tables, charts as their sentences, and every word from outside escaped."""

from __future__ import annotations

import re
from collections.abc import Iterator

from playground.charts.style import Chart
from playground.report.html import money
from playground.report.model import Block, Heading, Points, Quote, Report, Table, Text, shown
from playground.report.redaction import legible

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&@])")
_AT_THE_START = re.compile(r"^(?:(\d+)(?=[.)])|(?=[-+=]))")
"""A backslash before a digit would stand there as it is; before the dot it takes the dot's meaning away."""
_ADDRESS = re.compile(r"(?i)(?<=[a-z])(?=://)|(?<=www)(?=\.)")
_RULE = {"text": "---", "money": "--:", "number": "--:", "share": "--:"}


def as_markdown(report: Report) -> str:
    """The whole report as text."""
    lines = [f"# {_first(said(report.headline))}", "", said(report.footer), ""]
    lines += [
        f"- {said(f.label)}: **{said(money(f))}**{f' ({said(f.note)})' if f.note else ''}" for f in report.figures
    ]
    lines += [""] if report.figures else []
    for sentence in (*report.answer, *report.missing, " ".join(report.withheld)):
        lines += [said(sentence), ""] if sentence else []
    for section in report.sections:
        lines += [f"## {said(section.title)}", ""]
        for block in section.blocks:
            lines += [*_block(block)]
    return "\n".join([*lines, "---", "", said(report.footer), ""])


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Text):
        yield from (said(block.said), "")
    elif isinstance(block, Heading):
        yield from (f"### {said(block.said)}", "")
    elif isinstance(block, Points):
        yield from (*(f"- {said(s)}" for s in block.said), "")
    elif isinstance(block, Quote):
        yield from (f"### {said(block.title)}", "", *_fenced(block.text), "")
    elif isinstance(block, Chart):
        yield from (f"Chart: {said(block.alt)}" if block.chart is not None else said(block.alt), "")
    elif block.place != "sheet":
        yield from _table(block)


def _table(table: Table) -> Iterator[str]:
    yield from (f"**{said(table.title)}**", "")
    yield f"| {' | '.join(said(c.title) for c in table.columns)} |"
    yield f"| {' | '.join(_RULE[c.kind] for c in table.columns)} |"
    for row in table.page_rows:
        cells = (said(shown(value, c.kind)) for value, c in zip(row, table.columns, strict=True))
        yield f"| {' | '.join(cells)} |"
    yield ""
    if table.page_note:
        yield from (said(table.page_note), "")


def _fenced(text: str) -> Iterator[str]:
    text = legible(text)
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from (f"{fence}text", text, fence)


def said(text: str) -> str:
    """Text on one line in which nothing means anything to Markdown: no markup, no link, no mark of a list."""
    line = " ".join(legible(text).split())
    line = _ADDRESS.sub(r"\\", _SPECIAL.sub(r"\\\1", line))
    return _AT_THE_START.sub(r"\1\\", line)


def _first(text: str) -> str:
    return text[:1].upper() + text[1:]
