"""The report of a run of 1,000 tickets: how long it takes, how large it is, and what it asks for when it is opened.

The log is priced and its tickets are rehearsed before the clock starts: both are there when somebody asks for the report. The clock
runs from the sources to the bytes of the HTML file, in a process that has drawn no chart yet. The file is then opened in Chromium
with the network off, at both widths, and printed; every request but for the file itself counts.
"""

from __future__ import annotations

import csv
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from _report import quick, report, skipped

from playground.forecast import Assumptions
from playground.knowledge import sample_help_centre, sample_policies
from playground.log_export import TYPICAL
from playground.log_forecast import log_forecast
from playground.log_pricing import PricedBatch, merged, price_all, price_batch
from playground.log_summary import log_figures
from playground.logs import LogRead, preview, read_log
from playground.loop import run_all
from playground.pipeline import load_shipped
from playground.records import Trace
from playground.report import Sources, build
from playground.report.files import FORMATS
from playground.report.gather import of_log, of_ticket
from playground.report.sources import LogPriced, Ran
from playground.report.spent import lines_of
from playground.sample import as_payload, summed, tickets_at
from playground.tickets import samples
from playground.workshop import make_agent, make_router
from tests.browser.harness import CHROMIUM, chromium

TICKETS = 1_000
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


def prepared(folder: Path, ran: int) -> Sources:
    """The priced log, the tickets that ran, and one ticket's own run."""
    path, read, router = written(folder / "log.csv"), LogRead(), make_router(load_shipped("support"))
    columns = preview(path).guess
    assert columns is not None
    price = partial(price_batch, router=router, help_centre=sample_help_centre(), policies=sample_policies())
    batch: PricedBatch = merged(price_all(read_log(path, columns, read), price))
    agent = make_agent(router)
    traces = [run_all(agent, t, "kr-auto") for t in tickets_at(path, columns, range(ran))]
    found = [as_payload(t, len(router.pipeline.stages)) for t in traces]
    payloads: list[Mapping[str, Any]] = [found[i % ran] for i in range(TICKETS)]
    log = LogPriced(path.name, batch, log_figures(batch), log_forecast(batch), TYPICAL)
    many = Ran(summed(payloads), "kr-auto", "rehearsal", lines_of(payloads))
    return together(of_log(log, router, Assumptions(), date.today()), traces[0], many)


def together(log: Sources, trace: Trace, many: Ran) -> Sources:
    """The log's month with a ticket's decisions and the run of many: the longest report there is."""
    ticket = of_ticket(trace, log.router, log.assumptions, log.made_on).ticket
    return replace(log, ticket=ticket, ran=many)


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
        page.pdf(prefer_css_page_size=True)
    return sum(url != path.as_uri() for url in asked), errors


def main() -> None:
    if CHROMIUM is None:
        skipped("report", "no Chromium or Chrome on this machine")
        return
    ran = 20 if quick() else TICKETS
    with tempfile.TemporaryDirectory() as folder:
        sources = prepared(Path(folder), ran)
        assert "vl_convert" not in sys.modules
        took = {}
        for ending, write in FORMATS.items():
            started, busy = time.perf_counter(), time.process_time()
            made = write(build(sources))
            seconds, cpu = time.perf_counter() - started, time.process_time() - busy
            took[ending] = (round(seconds, 2), round(len(made) / 1e6, 3), round(cpu, 2))
            (Path(folder) / f"report{ending}").write_bytes(made)
        foreign, errors = opened(Path(folder) / "report.html")
    figures = {"seconds_1000_tickets": took[".html"][0], "megabytes": took[".html"][1], "foreign_requests": foreign}
    conditions = {
        "tickets": TICKETS,
        "rehearsed": ran,
        "html_cpu_s": took[".html"][2],
        "markdown_s_and_mb": took[".md"][:2],
        "workbook_s_and_mb": took[".xlsx"][:2],
        "console_errors": errors,
    }
    report("report", figures, TARGETS, conditions)


if __name__ == "__main__":
    main()
