"""`python -m playground report TICKET|LOG`: the report as HTML, Markdown or a workbook."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from playground import pipeline as pipelines
from playground.cli.guards import agent_of
from playground.errors import BadInput, BadTicket
from playground.forecast import Assumptions
from playground.knowledge import sample_help_centre, sample_policies
from playground.log_export import TYPICAL
from playground.log_forecast import log_forecast
from playground.log_pricing import merged, price_all, price_batch
from playground.log_summary import log_figures
from playground.logs import LogRead, read_log
from playground.loop import run_all
from playground.pipeline_file import shipped
from playground.records import Ticket
from playground.report import Redaction, Sources, build
from playground.report.files import FORMATS
from playground.report.gather import of_log, of_ticket
from playground.report.sources import LogPriced
from playground.router import Router
from playground.workshop import check_models, make_router

LOGS = (".csv", ".tsv", ".xlsx", ".json", ".jsonl", ".ndjson")


def add_command(commands: Any, ticket_of: Callable[[str], Ticket]) -> argparse.ArgumentParser:
    """Add `report` to the parser's commands; `ticket_of` finds a ticket by file or by a sample's name."""
    report: argparse.ArgumentParser = commands.add_parser(
        "report", help="one file to hand on: the answer, the reasons and the month, of a rehearsed ticket or of a log"
    )
    report.add_argument("source", metavar="TICKET|LOG", help=f"a ticket as for run, or a log ({', '.join(LOGS)})")
    report.add_argument(
        "--out", metavar="FILE", type=Path, help="ends in .html, .md or .xlsx; Markdown is printed if not given"
    )
    report.add_argument("--pipeline", default="support", metavar="NAME|FILE", help="shipped: " + ", ".join(shipped()))
    report.add_argument("--volume", type=_whole, metavar="N", help="tickets a month; else as in the log, or 100,000")
    report.add_argument("--with-text", action="store_true", help="show the ticket's text and the answers")
    report.add_argument("--with-names", action="store_true", help="show customers' names")
    report.set_defaults(command=partial(write_report, ticket_of=ticket_of))
    return report


def _whole(text: str) -> int:
    number = int(text.replace(",", ""))
    if number < 1:
        raise ValueError
    return number


def write_report(args: argparse.Namespace, ticket_of: Callable[[str], Ticket]) -> None:
    """Run the command. Raises `BadInput` where the file cannot be written or its name has another ending."""
    ending = ".md" if args.out is None else args.out.suffix.lower()
    if ending not in FORMATS:
        raise BadInput(f"{args.out}: a report ends in {', '.join(FORMATS)}. Name the file so.")
    router = make_router(check_models(pipelines.load(args.pipeline)))
    made = FORMATS[ending](build(_sources(args, router, ticket_of)))
    if args.out is None:
        print(made.decode(), end="")
        return
    try:
        args.out.write_bytes(made)
    except OSError as error:
        raise BadInput(f"{args.out}: cannot be written: {error.strerror}.") from None
    print(f"{args.out}: {_size(len(made))}", file=sys.stderr)


def _size(n: int) -> str:
    return f"{n / 1e6:.1f} MB" if n >= 1_000_000 else f"{-(-n // 1_000):,} KB"


def _sources(args: argparse.Namespace, router: Router, ticket_of: Callable[[str], Ticket]) -> Sources:
    redaction = Redaction(args.with_text, args.with_names)
    if Path(args.source).suffix.lower() in LOGS:
        return _of_log(args, router, redaction)
    trace = run_all(agent_of(router), ticket_of(args.source), "kr-auto")
    if not trace.steps[-1].attempts and trace.handover is None:
        raise BadTicket(trace.steps[-1].message)
    a = Assumptions(args.volume) if args.volume else Assumptions()
    return of_ticket(trace, router, a, date.today(), redaction)


def _of_log(args: argparse.Namespace, router: Router, redaction: Redaction) -> Sources:
    read, path = LogRead(), Path(args.source)
    price = partial(price_batch, router=router, help_centre=sample_help_centre(), policies=sample_policies())
    batch = merged(price_all(read_log(path, None, read), price))
    found = log_forecast(batch, router.pipeline.runtime.prompt_cache)
    log = LogPriced(path.name, batch, log_figures(batch), found, TYPICAL, read.left_out)
    own = None if found is None else found.tickets_per_month
    return of_log(
        log, router, Assumptions(args.volume or own or Assumptions().tickets_per_month), date.today(), redaction
    )
