"""Runs and logs to report on, with text that would do harm where it is not inert."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import date
from functools import cache, partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from playground.forecast import Assumptions
from playground.knowledge import SAMPLES, sample_help_centre, sample_policies
from playground.log_export import TYPICAL
from playground.log_forecast import log_forecast
from playground.log_pricing import PricedBatch, merged, price_batch
from playground.log_summary import log_figures
from playground.logs import LogRead, read_log
from playground.loop import run_all
from playground.pipeline import load_shipped
from playground.records import Attempt, Step, Ticket, Trace
from playground.report import Redaction, Sources
from playground.report.gather import of_log, of_ticket
from playground.report.sources import LogPriced
from playground.router import Router
from playground.workshop import make_agent, make_router

MADE_ON = date(2026, 11, 26)
NAME = "=Acme|Zyx<b>Corp</b>"
SAYS = "Quokkabrandish"
ANSWERS = "Wombatflourish"
HARM = (
    '<script>alert(1)</script><img src="https://evil.example/x.png" onerror="alert(2)">'
    "![x](https://evil.example/y.png) [go](https://evil.example) | `a` ``` </pre></style>{{7*7}}"
)


@cache
def router() -> Router:
    return make_router(load_shipped("support"))


@cache
def hostile_trace() -> Trace:
    """A rehearsed ticket whose text, customer and answers are hostile; what a model said is put in afterwards."""
    text = f"{SAYS}: I was charged twice. {HARM} I am {NAME}."
    ticket = Ticket("=zebracmd|' /C x'!A0", text, f"{SAYS} {HARM}", NAME)
    trace = run_all(make_agent(router()), ticket, "kr-auto")
    return replace(trace, steps=tuple(map(_spoken, trace.steps)))


def _spoken(step: Step) -> Step:
    said: tuple[Attempt, ...] = tuple(replace(a, text=f"{ANSWERS} {HARM} {NAME}") for a in step.attempts)
    return replace(step, attempts=said, message=f"{ANSWERS} {HARM}")


def ticket_sources(with_text: bool = False, with_names: bool = False, trace: Trace | None = None) -> Sources:
    return of_ticket(trace or hostile_trace(), router(), Assumptions(), MADE_ON, Redaction(with_text, with_names))


@cache
def sample_batch() -> PricedBatch:
    price = partial(price_batch, router=router(), help_centre=sample_help_centre(), policies=sample_policies())
    return merged(map(price, read_log(SAMPLES / "log.csv", None, LogRead())))


def log_sources(with_names: bool = False, batch: PricedBatch | None = None, name: str = "log.csv") -> Sources:
    batch = batch or sample_batch()
    log = LogPriced(name, batch, log_figures(batch), log_forecast(batch), TYPICAL)
    return of_log(log, router(), Assumptions(), MADE_ON, Redaction(with_names=with_names))


class Page(HTMLParser):
    """Every tag with its attributes, and the text that a reader sees."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.style = self.text = ""
        self._in: list[str] = []
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {k: v or "" for k, v in attrs}))
        self._in.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {k: v or "" for k, v in attrs}))

    def handle_endtag(self, tag: str) -> None:
        while self._in and self._in.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._in and self._in[-1] == "style":
            self.style += data
        else:
            self.text += data


def all_text(made: bytes, ending: str) -> str:
    """What could be read in a file by anybody who looks into it."""
    if ending != ".xlsx":
        return made.decode()
    with zipfile.ZipFile(io.BytesIO(made)) as book:
        return "\n".join(book.read(name).decode() for name in book.namelist() if Path(name).suffix in (".xml", ".rels"))


def sheets(made: bytes) -> dict[str, Any]:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(made))
    return {sheet.title: sheet for sheet in book}
