"""`python -m playground price LOG`: a whole ticket log under every plan, priced and not run."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from playground import pipeline as pipelines
from playground.bill import NOT_RUN
from playground.knowledge import sample_help_centre, sample_policies
from playground.log_pricing import PricedBatch, merged, price_batch
from playground.log_summary import LEAST, Group, PlanSummary, by_customer, summary, top_share
from playground.logs import Columns, LogRead, read_log
from playground.money import percent_change, usd
from playground.pipeline_file import shipped
from playground.prices import PRICE_DATE
from playground.records import PLANS, Plan
from playground.workshop import check_models, make_router

SHOWN_PROBLEMS = 20
SHOWN_CUSTOMERS = 10


def add_command(commands: Any) -> argparse.ArgumentParser:
    """Add `price` to the parser's commands."""
    price: argparse.ArgumentParser = commands.add_parser(
        "price", help="price a ticket log under every plan; nothing is run"
    )
    price.add_argument("log", metavar="LOG", type=Path, help="CSV, TSV, XLSX, JSON or JSON lines")
    price.add_argument("--plan", choices=PLANS, help="one plan only")
    price.add_argument("--pipeline", default="support", metavar="NAME|FILE", help="shipped: " + ", ".join(shipped()))
    price.add_argument(
        "--text", metavar="COLUMN", help="the column with the ticket's text; guessed from its name if not given"
    )
    for name in ("id", "customer", "subject", "created-at", "turns"):
        price.add_argument(f"--{name}", metavar="COLUMN", help=f"the column with its {name}; with --text")
    price.add_argument(
        "--turns-of", choices=("customer", "both"), default="both", help="whose messages a number of turns counts"
    )
    price.set_defaults(command=price_log)
    return price


def price_log(args: argparse.Namespace) -> None:
    """Run the command."""
    plans: Sequence[Plan] = (args.plan,) if args.plan else PLANS
    columns = _columns(args)
    router, read = make_router(check_models(pipelines.load(args.pipeline))), LogRead()
    centre, policies = sample_help_centre(), sample_policies()
    batch = merged(price_batch(b, router, centre, policies, plans) for b in read_log(args.log, columns, read))
    found = [summary(batch, plan) for plan in plans]
    if args.json:
        print(json.dumps(as_json(batch, found, read), indent=2))
    else:
        print(as_text(batch, found, read))


def _columns(args: argparse.Namespace) -> Columns | None:
    if not args.text:
        return None
    return Columns(args.text, args.id, args.customer, args.subject, args.created_at, args.turns, args.turns_of)


def as_json(batch: PricedBatch, found: Sequence[PlanSummary], read: LogRead) -> dict[str, Any]:
    """One object for scripts; money as decimal strings, `null` where it is not known."""
    return {
        "provenance": NOT_RUN,
        "price_date": PRICE_DATE.isoformat(),
        "tickets": len(batch.ids),
        "left_out": read.left_out,
        "problems": [p.reason for p in read.problems[:SHOWN_PROBLEMS]],
        "notes": read.notes,
        "hard_tickets": int(batch.hard.sum()),
        "input_tokens": int(batch.input_tokens.sum()),
        "plans": {s.plan: _plan_json(batch, s) for s in found},
    }


def _plan_json(batch: PricedBatch, s: PlanSummary) -> dict[str, Any]:
    return {
        "total_usd": _money(s.total_usd),
        "mean_usd": _money(s.mean_usd),
        **{f"p{p}_usd": _money(value) for p, value in s.percentiles_usd.items()},
        "unpriced_tickets": s.unpriced_tickets,
        "top_1_percent_share": None if (share := top_share(batch.ticket_costs(s.plan))) is None else f"{share:.4f}",
        "stages": {
            key: {"cost_usd": _money(cost), "models": dict(s.models[key])} for key, cost in s.stages_usd.items()
        },
        "customers": [
            {"customer": group.name, "tickets": group.tickets, "cost_usd": _money(group.usd[s.plan])}
            for group in _dearest(batch, s.plan)
        ],
    }


def _dearest(batch: PricedBatch, plan: Plan) -> list[Group]:
    return sorted(by_customer(batch), key=lambda group: -group.usd[plan])[:SHOWN_CUSTOMERS]


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{round(amount, 12).normalize():f}"


def as_text(batch: PricedBatch, found: Sequence[PlanSummary], read: LogRead) -> str:
    """The same for a person."""
    hard = f"{int(batch.hard.sum()):,} are hard: their bars are raised."
    lines = [f"{len(batch.ids):,} tickets priced, not run. Prices of {PRICE_DATE}. {hard}"]
    head = "".join(f"{f'p{p}':>12}" for p in LEAST)
    lines.append(f"{'Plan':<12}{'Total':>14}{'Mean':>12}{head}   against the first")
    for s in found:
        figures = "".join(f"{usd(v) if v is not None else f'n<{LEAST[p]}':>12}" for p, v in s.percentiles_usd.items())
        change = percent_change(s.total_usd, found[0].total_usd) if s is not found[0] else ""
        lines.append(f"{s.plan:<12}{usd(s.total_usd):>14}{usd(s.mean_usd):>12}{figures}   {change}")
        lines += [f"  {s.unpriced_tickets:,} tickets have no price and are left out"] if s.unpriced_tickets else []
    if read.left_out:
        lines.append(f"{read.left_out:,} rows are left out:")
    lines += [f"  {p.reason}" for p in read.problems[:SHOWN_PROBLEMS]]
    return "\n".join(lines + read.notes)
