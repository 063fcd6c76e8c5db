"""`python -m playground price LOG`: a whole ticket log under every plan, priced and not run."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from playground import pipeline as pipelines
from playground.errors import BadTicket
from playground.forecast import Assumptions, month
from playground.knowledge import sample_help_centre, sample_policies
from playground.log_forecast import LogForecast, heavy, log_forecast
from playground.log_json import SHOWN_PROBLEMS, as_json
from playground.log_pricing import PricedBatch, merged, price_all, price_batch
from playground.log_summary import LEAST, PlanSummary, summary
from playground.logs import Columns, LogRead, preview, read_log
from playground.money import percent_change, usd
from playground.pipeline_file import shipped
from playground.prices import PRICE_DATE
from playground.prompt_cache_note import said_of_month
from playground.records import PLANS, Plan
from playground.workshop import check_models, make_router


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
        price.add_argument(f"--{name}", metavar="COLUMN", help=f"the column with its {name}; guessed if not given")
    price.add_argument(
        "--turns-of", choices=("customer", "both"), default="both", help="whose messages a number of turns counts"
    )
    _add_assumptions(price.add_argument_group("the month"))
    price.set_defaults(command=price_log)
    return price


def _add_assumptions(month: argparse._ArgumentGroup) -> None:
    base = Assumptions()
    month.add_argument("--volume", type=_whole, default=base.tickets_per_month, metavar="N", help="tickets a month")
    month.add_argument("--again", type=_percent, metavar="PERCENT", help="tickets that come back; else as in the log")
    month.add_argument(
        "--again-rounds", type=_amount, metavar="N", help="more rounds of such a ticket; else as in the log"
    )
    month.add_argument(
        "--escalated", type=_percent, default=base.escalation_share * 100, metavar="PERCENT", help="to a person"
    )
    month.add_argument(
        "--person-usd", type=_money, default=base.human_cost_usd, metavar="USD", help="a ticket that a person answers"
    )
    month.add_argument(
        "--fixed-usd", type=_money, default=base.fixed_cost_usd, metavar="USD", help="a month, whatever the volume"
    )
    month.add_argument(
        "--growth", type=_growth, default=0.0, metavar="PERCENT", help="of the volume, from month to month"
    )


def _whole(text: str) -> int:
    number = int(text.replace(",", ""))
    if number < 1:
        raise ValueError
    return number


def _amount(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise ValueError
    return number


def _percent(text: str) -> float:
    number = _amount(text)
    if number > 100:
        raise ValueError
    return number


def _growth(text: str) -> float:
    number = float(text)
    if not -100 <= number < float("inf"):
        raise ValueError
    return number


def _money(text: str) -> Decimal:
    return Decimal(str(_amount(text)))


def price_log(args: argparse.Namespace) -> None:
    """Run the command."""
    plans: Sequence[Plan] = (args.plan,) if args.plan else PLANS
    router, read = make_router(check_models(pipelines.load(args.pipeline))), LogRead()
    price = partial(
        price_batch, router=router, help_centre=sample_help_centre(), policies=sample_policies(), plans=plans
    )
    batch = merged(_told(price_all(read_log(args.log, _columns(args), read), price), read))
    found = [summary(batch, plan) for plan in plans]
    forecast = log_forecast(batch, router.pipeline.runtime.prompt_cache)
    if args.json:
        print(json.dumps(as_json(batch, found, read, forecast, _assumptions(args)), indent=2))
        return
    lines = month_lines(forecast, _assumptions(args), router.pipeline.runtime.prompt_cache)
    print("\n".join((as_text(batch, found, read), *lines)))


def _told(batches: Iterable[PricedBatch], read: LogRead) -> Iterator[PricedBatch]:
    """Say on a terminal how far it is; a file that the output goes to stays clean."""
    tickets, terminal = 0, sys.stderr.isatty()
    for batch in batches:
        tickets += len(batch.ids)
        if terminal:
            print(f"\r{tickets:,} tickets, {read.share:.0%} of the file", end="", file=sys.stderr)
        yield batch
    if terminal:
        print(file=sys.stderr)


def _assumptions(args: argparse.Namespace) -> Assumptions:
    base = Assumptions()
    return Assumptions(
        args.volume,
        base.again_share if args.again is None else args.again / 100,
        base.again_rounds if args.again_rounds is None else args.again_rounds,
        args.escalated / 100,
        args.person_usd,
        args.fixed_usd,
        args.growth / 100,
        own_rounds=args.again is None and args.again_rounds is None,
    )


def _columns(args: argparse.Namespace) -> Columns | None:
    """The columns that were named; the rest as guessed. `None` where none was."""
    named = {
        f: getattr(args, f) for f in ("text", "id", "customer", "subject", "created_at", "turns") if getattr(args, f)
    }
    if not named:
        return None
    shown = preview(args.log)
    guessed = shown.guess or (Columns(args.text) if args.text else None)
    if guessed is None:
        raise BadTicket(shown.problem)
    return replace(guessed, **named, **({"turns_of": args.turns_of} if args.turns else {}))


def as_text(batch: PricedBatch, found: Sequence[PlanSummary], read: LogRead) -> str:
    """The same for a person."""
    hard = f"{int(batch.hard.sum()):,} are hard: their bars are raised."
    lines = [
        f"{len(batch.ids):,} tickets priced, not run, without prompt caching at the provider. Prices of {PRICE_DATE}. {hard}"
    ]
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


def month_lines(forecast: LogForecast | None, a: Assumptions, prompt_cache: bool = True) -> list[str]:
    """A month of such tickets with everything that it assumes, for a person."""
    if forecast is None:
        return ["No ticket has a price under every plan, so there is no month."]
    lines = [f"A month of {a.tickets_per_month:,} such tickets, all in:"]
    for plan, spend in forecast.spends.items():
        m = month(spend, a)
        ranged = "" if m.low_usd is None else f"{usd(m.low_usd)} to {usd(m.high_usd)}; "
        lines.append(f"  {plan:<12}{usd(m.all_in_usd):>14}   {ranged}of it people {usd(m.people_usd)}")
    lines.append(
        f"Range: {forecast.method}; it covers which tickets came, not how long answers are or what is assumed."
    )
    cached = said_of_month(forecast.spends, a.tickets_per_month, prompt_cache)
    return [*lines, cached, _assumed(forecast, a), *_warned(forecast)]


def _assumed(forecast: LogForecast, a: Assumptions) -> str:
    rounds = next(iter(forecast.spends.values())).mean_rounds(a)
    how = "measured" if forecast.again is not None and a.own_rounds else "assumed"
    parts = (
        "answers of typical length",
        f"{rounds:.3f} rounds a ticket ({how})",
        f"failed attempts {a.retry_share:.1%} of a round",
        f"{a.escalation_share:.1%} escalated at {usd(a.human_cost_usd)}",
        f"fixed cost {usd(a.fixed_cost_usd)}",
        f"growth {a.growth_share:.1%} a month",
    )
    return f"Assumed: {'; '.join(parts)}."


def _warned(forecast: LogForecast) -> list[str]:
    carried = "Under {} the dearest 1% of tickets carry {:.0%} of the spend: a fragile mean."
    found = [carried.format(plan, share) for plan, share in heavy(forecast)]
    if forecast.odd_rounds is not None:
        found.append(f"The column of messages makes {forecast.odd_rounds:,.0f} rounds of a ticket, and is not used.")
    if forecast.far:
        found.append(f"{forecast.far:,} tickets are dated far from all others.")
    return found
