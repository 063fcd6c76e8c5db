"""The report of a run of 1,000 tickets: how long it takes, how large it is, and what it asks for when it is opened.

The log is priced, its tickets are rehearsed and their receipts stand in a ledger before the clock starts: all of it is there when
somebody asks for the report. The clock runs from ledger, pairs and sources to the bytes of the HTML file, in a process that has
drawn no chart yet: customers, the plan and a running evaluation of every stage are made inside it.

The file is then opened in Chromium with the network off, at both widths, and printed; every request but for the file itself counts.
"""

from __future__ import annotations

import csv
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from _report import quick, report, skipped

from playground.charts.style import Chart
from playground.customers import Customers
from playground.customers.receipts import customer_days
from playground.customers.rows import from_days
from playground.cut_over import assess
from playground.forecast import Assumptions
from playground.knowledge import sample_help_centre, sample_policies
from playground.ledger import Filter, Ledger
from playground.log_export import TYPICAL
from playground.log_forecast import log_forecast
from playground.log_pricing import PricedBatch, merged, price_all, price_batch
from playground.log_summary import log_figures
from playground.logs import LogRead, preview, read_log
from playground.loop import run_all
from playground.migration import Facts
from playground.migration.paper import LogPaper, stage_facts
from playground.pairs import Pair
from playground.pipeline import load_shipped
from playground.records import Entry, Trace
from playground.report import Sources, build
from playground.report.files import FORMATS
from playground.report.gather import of_log, of_ticket
from playground.report.joins import BY, customers_part, ledger_lines, plan_part, running
from playground.report.model import Section
from playground.report.sources import LogPriced, Ran, VerdictLine
from playground.report.spent import lines_of
from playground.router import Router
from playground.sample import as_payload, summed, tickets_at
from playground.tickets import samples
from playground.workshop import make_agent, make_router
from tests.browser.harness import CHROMIUM, chromium

TICKETS = 1_000
STAGES = 6
TARGETS = {"seconds_1000_tickets": 5, "megabytes": 3, "foreign_requests": 0}


def written(path: Path) -> Path:
    """A log of the sample tickets, over and over, of 300 customers."""
    known = list(samples().values())
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["id", "customer", "created_at", "subject", "text", "customer_messages"])
        for i in range(TICKETS):
            t = known[i % len(known)]
            out.writerow(
                [i, f"customer {i * i % 300}", f"2026-10-{i % 31 + 1:02d}", t.subject, f"{t.text}\n{i}", i % 4 + 1]
            )
    return path


def kept(traces: Sequence[Trace], router: Router) -> Ledger:
    """A ledger with the receipts of every ticket, of 300 customers."""
    book, began = Ledger(None), datetime.now(UTC) - timedelta(31)
    for i in range(TICKETS):
        at, who = began + timedelta(minutes=44 * i), f"customer {i * i % 300}"
        made = traces[i % len(traces)].receipts
        book.add([Entry(r, at, f"run {i}", "sample", who, str(i), r.cost_usd) for r in made])
    return book


@dataclass(frozen=True)
class Prepared:
    """What is there when the report is asked for."""

    sources: Sources
    book: Ledger

    def whole(self) -> Sources:
        """With what the app asks the ledger, the pairs and the plan for at that moment."""
        customers = Customers(from_days(customer_days(self.book, Filter(provenance="rehearsal"))), None)
        return replace(
            self.sources,
            customers=(customers_part(customers, "rehearsal"),),
            receipts=ledger_lines(self.book.spend(BY, tickets=False)),
            plan=plan_part(self.facts()),
            verdicts=tuple(self.evaluations()),
        )

    def facts(self) -> Facts:
        """The plan's facts, of the priced log."""
        found = self.sources
        assert found.log is not None
        assert found.log.forecast is not None
        flow, paper = found.router.pipeline, LogPaper(found.log.batch, found.router)
        stages = stage_facts(flow, paper, found.log.forecast.spends, found.assumptions, {})
        return Facts(flow.name, stages, found.made_on, "The log, priced.", own=True)

    def evaluations(self) -> Iterator[VerdictLine]:
        """One under way for every stage, each with its chart."""
        from playground.charts.shadow import bound_chart

        draw = Random(7)
        for stage in self.sources.router.pipeline.stages:
            pairs = [Pair(str(i), draw.choice((-1.0, 0.0, 0.0, 0.0, 1.0))) for i in range(TICKETS)]
            found = assess(pairs, stage.margin)
            yield running(stage.title, "candidate", stage.before, "rehearsal", found, bound_chart("candidate", found))


def prepared(folder: Path, ran: int) -> Prepared:
    """The priced log, the tickets that ran, their receipts, and one ticket's own run."""
    path, read, router = written(folder / "log.csv"), LogRead(), make_router(load_shipped("support"))
    columns = preview(path).guess
    assert columns is not None
    price = partial(price_batch, router=router, help_centre=sample_help_centre(), policies=sample_policies())
    batch: PricedBatch = merged(price_all(read_log(path, columns, read), price))
    agent = make_agent(router)
    traces = [run_all(agent, t, "kr-auto") for t in tickets_at(path, columns, range(ran))]
    found = [as_payload(t, len(router.pipeline.stages)) for t in traces]
    book = kept(traces, router)
    payloads: list[Mapping[str, Any]] = [found[i % ran] for i in range(TICKETS)]
    log = LogPriced(path.name, batch, log_figures(batch), log_forecast(batch), TYPICAL)
    many = Ran(summed(payloads), "kr-auto", "rehearsal", lines_of(payloads))
    return Prepared(together(of_log(log, router, Assumptions(), date.today()), traces[0], many), book)


def together(log: Sources, trace: Trace, many: Ran) -> Sources:
    """The log's month with a ticket's decisions and the run of many: the longest report there is."""
    ticket = of_ticket(trace, log.router, log.assumptions, log.made_on).ticket
    return replace(log, ticket=ticket, ran=many)


def charts(section: Section) -> int:
    """How many charts a section draws."""
    return sum(isinstance(block, Chart) for block in section.blocks)


def opened(path: Path) -> tuple[int, list[str]]:
    """Requests other than for the file itself while it is shown and printed with the network off; and what it complained of."""
    asked: list[str] = []
    errors: list[str] = []
    with chromium() as browser:
        context = browser.new_context(offline=True)
        for width in (1400, 400):
            page = context.new_page()
            page.set_viewport_size({"width": width, "height": 1000})
            page.on("request", lambda r: asked.append(r.url))
            page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
            page.goto(path.as_uri())
            page.wait_for_timeout(300)
            assert page.locator("section#month svg:visible").count() > 0
            assert page.locator("section#shadow svg:visible").count() == STAGES
            for part in ("customers", "plan", "receipts"):
                assert page.locator(f"section#{part} table:visible").count() > 0, part
        page.pdf(prefer_css_page_size=True)
    return sum(url != path.as_uri() for url in asked), errors


def main() -> None:
    if CHROMIUM is None:
        skipped("report", "no Chromium or Chrome on this machine")
        return
    ran = 20 if quick() else TICKETS
    with tempfile.TemporaryDirectory() as folder:
        ready = prepared(Path(folder), ran)
        assert "vl_convert" not in sys.modules
        took = {}
        for ending, write in FORMATS.items():
            started, busy = time.perf_counter(), time.process_time()
            made = write(build(ready.whole()))
            seconds, cpu = time.perf_counter() - started, time.process_time() - busy
            took[ending] = (round(seconds, 2), round(len(made) / 1e6, 3), round(cpu, 2))
            (Path(folder) / f"report{ending}").write_bytes(made)
        foreign, errors = opened(Path(folder) / "report.html")
        parts = {s.key: charts(s) for s in build(ready.whole()).sections}
    figures = {"seconds_1000_tickets": took[".html"][0], "megabytes": took[".html"][1], "foreign_requests": foreign}
    conditions = {
        "tickets": TICKETS,
        "rehearsed": ran,
        "html_cpu_s": took[".html"][2],
        "markdown_s_and_mb": took[".md"][:2],
        "workbook_s_and_mb": took[".xlsx"][:2],
        "console_errors": errors,
        "charts_by_section": parts,
        "receipts": ready.book.spend()[0].attempts,
    }
    report("report", figures, TARGETS, conditions)


if __name__ == "__main__":
    main()
