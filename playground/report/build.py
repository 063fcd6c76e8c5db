"""Puts a report together, the answer first."""

from __future__ import annotations

from playground.report import answer, around, decided, method, months, spent
from playground.report.model import Report
from playground.report.sources import Sources

TITLE = "what this support agent costs, and what it could cost"


def build(sources: Sources) -> Report:
    """The report of what is given. Money is taken from the bills and months it is given, and never worked out anew."""
    return Report(
        title=TITLE,
        word=method.word(sources),
        origin=method.origin(sources),
        price_date=method.price_date(sources),
        made_on=sources.made_on,
        figures=answer.figures(sources),
        answer=answer.answer(sources),
        sections=(
            answer.section(sources),
            method.method(sources),
            method.assumptions(sources),
            decided.decisions(sources),
            decided.evidence(sources),
            spent.stages(sources),
            months.forecast(sources),
            *around.customers(sources),
            around.surroundings(sources),
            around.verdicts(sources),
            *around.plan(sources),
            spent.receipts(sources),
            *around.ticket(sources),
        ),
        missing=tuple(method.missing(sources)),
        withheld=method.left_out(sources),
    )
