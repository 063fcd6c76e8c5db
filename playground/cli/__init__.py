"""`python -m playground`: the same engine without a browser. Exit code 0, or 2 with one line on standard error."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

from playground import pipeline as pipelines
from playground import tickets
from playground.article import PUBLISHED_TOTALS, recompute
from playground.bill import NOT_RUN, PlanBill, assured, bills
from playground.cli import digest, export, guards, price, replay, report, shadow
from playground.errors import BadTicket, PlaygroundError
from playground.loop import climb_line, run_all
from playground.money import Total, percent_change, usd
from playground.pipeline import Pipeline
from playground.pipeline_file import shipped
from playground.prices import PRICE_DATE
from playground.records import PLANS, Assurance, Plan, Ticket, Trace
from playground.workshop import check_models, make_router


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    args = _parser().parse_args(argv)
    try:
        args.command(args)
    except PlaygroundError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever read our output has stopped; what is left in the buffer must not raise again at exit.
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115
    return 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, as for every other bad input."""
        self.exit(2, f"{message[:1].upper()}{message[1:]}. See {self.prog} --help.\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m playground", description="Run tickets through a support agent and price them.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run one ticket in rehearsal: no key, no model called")
    run.add_argument(
        "ticket",
        metavar="TICKET",
        help="a file, - for standard input, or a sample's name: " + ", ".join(tickets.sample_names()),
    )
    run.add_argument("--plan", choices=PLANS, default="kr-auto")
    run.add_argument("--pipeline", default="support", metavar="NAME|FILE", help="shipped: " + ", ".join(shipped()))
    replay.add_save(run)
    export.add_ledger(run)
    run.set_defaults(command=_run)
    article = commands.add_parser("article", help="the founding article's cost table, published beside recomputed")
    article.set_defaults(command=_article)
    again = replay.add_command(commands, run_json, _run_text)
    report.add_command(commands, _ticket)
    export.add_command(commands)
    others = (price.add_command(commands), shadow.add_command(commands), digest.add_command(commands))
    for command in (run, article, *others, again):
        command.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _run(args: argparse.Namespace) -> None:
    ticket = _ticket(args.ticket)
    pipeline = check_models(pipelines.load(args.pipeline))
    router = make_router(pipeline)
    with export.recording(guards.agent_of(router), args.ledger) as agent:
        trace = run_all(agent, ticket, args.plan)
    if not trace.steps[-1].attempts and trace.handover is None:
        # Nothing could even be tried at that stage: the ticket or the agent has to change, so a script must not go on.
        raise BadTicket(trace.steps[-1].message)
    replay.keep(args, trace, router)
    plans = bills(trace, router)
    both = assured(trace, router, plans)
    if args.json:
        print(json.dumps(run_json(trace, plans, both) | {"around": guards.on_lines(pipeline.runtime)}, indent=2))
    else:
        head = f"{_label(trace)} Prices of {PRICE_DATE}. Ticket {trace.ticket.id}, plan {trace.plan}."
        around = (*guards.on_text(pipeline.runtime), *guards.done_lines(trace))
        print("\n".join((_run_text(head, trace, plans, pipeline, both), *around)))


def _ticket(name: str) -> Ticket:
    if name == "-":
        return tickets.from_bytes(sys.stdin.buffer.read(), "standard input")
    if name in tickets.samples():
        return tickets.samples()[name]
    path = Path(name)
    if not name.strip():
        raise BadTicket("No ticket is named. Give a file, - for standard input, or a sample's name.")
    if _holds(path.is_dir):
        raise BadTicket(f"{name}: this is a folder. Give one ticket file.")
    if not _holds(path.is_file):
        raise BadTicket(f"{name}: no such file, and no sample of that name. Samples: {', '.join(tickets.samples())}.")
    return tickets.from_file(path)


def _holds(question: Callable[[], bool]) -> bool:
    try:
        return question()
    except (OSError, ValueError):
        return False


def run_json(trace: Trace, plans: dict[Plan, PlanBill], both: dict[Assurance, PlanBill]) -> dict[str, Any]:
    """One object for scripts; money as decimal strings, `null` where a part has no price.

    `potential_cost_usd` and `proven_cost_usd` are kr-auto's under either assurance.
    """
    ran, before = plans[trace.plan], plans["before"]
    return {
        "plan": trace.plan,
        "provenance": trace.provenance,
        "price_date": PRICE_DATE.isoformat(),
        "cost_usd": _money(ran.total),
        "before_cost_usd": _money(before.total),
        "potential_cost_usd": _money(both["estimated"].total),
        "proven_cost_usd": _money(both["proven"].total),
        "before_provenance": trace.provenance if before.ran else NOT_RUN,
        "handover": None if trace.handover is None else trace.handover.reason,
        "stages": [_stage_json(trace, ran, before, step.stage) for step in trace.steps],
    }


def _stage_json(trace: Trace, ran: PlanBill, before: PlanBill, stage: str) -> dict[str, Any]:
    step = trace.step(stage)
    assert step is not None
    receipts = step.receipts
    return {
        "stage": stage,
        "calls": len(step.prompts),
        "attempts": len(receipts),
        "model": step.decision.chosen.model.name,
        "effort": step.decision.chosen.effort,
        "models_called": list(dict.fromkeys(r.model for r in receipts)),
        "input_tokens": sum(r.usage.input_tokens for r in receipts),
        "output_tokens": sum(r.usage.output_tokens for r in receipts),
        "cost_usd": _money(ran.stage_total(stage)),
        "before_cost_usd": _money(before.stage_total(stage)),
        "reason": step.decision.reason,
        "state": step.state,
    }


def _money(total: Total) -> str | None:
    return None if total.exact_usd is None else plain(total.exact_usd)


def plain(amount: Decimal) -> str:
    """Digits without an exponent or trailing zeros."""
    return f"{amount.normalize():f}"


def _run_text(
    head: str, trace: Trace, plans: dict[Plan, PlanBill], pipeline: Pipeline, both: dict[Assurance, PlanBill]
) -> str:
    ran, before = plans[trace.plan], plans["before"]
    lines = [head]
    for step in trace.steps:
        cost, was = ran.stage_total(step.stage), before.stage_total(step.stage)
        title = pipeline.stage(step.stage).title
        reason = step.decision.reason + climb_line(step)
        lines.append(f"{title:<24}{step.decision.chosen.key:<30}{cost!s:>12}  was {was!s:<10}  {reason}")
        lines += [f"    {step.message}"] if step.message else []
    change = percent_change(ran.total.exact_usd, before.total.exact_usd)
    lines.append(f"{'This ticket':<54}{ran.total!s:>12}  was {before.total!s:<10}  {change}")
    potential, proven = both["estimated"].total, both["proven"].total
    lines.append(f"kr-auto, potential {potential} (estimated from public benchmarks); proven {proven}.")
    return "\n".join(lines)


def _label(trace: Trace) -> str:
    return (
        "Rehearsal: no model was called."
        if trace.provenance == "rehearsal"
        else f"{trace.provenance.capitalize()} run."
    )


def article_json() -> dict[str, Any]:
    """The article's table as one object; money as decimal strings."""
    article = recompute()
    stages = [
        {
            "stage": r.stage,
            "calls": r.calls,
            "model": r.model,
            "effort": "default",
            "input_tokens": r.input_tokens * r.calls,
            "output_tokens": r.output_tokens * r.calls,
            "published_usd": plain(r.published_usd),
            "cost_usd": plain(r.cost_usd),
            "before_cost_usd": plain(r.cost_usd),
            "stratified_model": r.tier_model,
            "published_stratified_usd": plain(r.published_stratified_usd),
            "stratified_usd": plain(r.stratified_usd),
            "unlisted_input_tokens": r.unlisted_input_tokens,
            "reason": f"list price; the published figure would need {r.unlisted_input_tokens:,} more input tokens a call",
        }
        for r in article.rows
    ]
    return {
        "plan": "before",
        "provenance": NOT_RUN,
        "price_date": PRICE_DATE.isoformat(),
        "cost_usd": plain(article.cost_usd),
        "before_cost_usd": plain(article.cost_usd),
        "published": {name: plain(value) for name, value in PUBLISHED_TOTALS.items()},
        "stratified_usd": plain(article.stratified_usd),
        "all_in_usd": f"{article.all_in_usd:.4f}",
        "all_in_at_list_usd": f"{article.all_in_at_list_usd:.4f}",
        "implied_loop_factor": f"{article.implied_loop_factor:.2f}",
        "stages": stages,
    }


def _article(args: argparse.Namespace) -> None:
    if args.json:
        print(json.dumps(article_json(), indent=2))
        return
    article = recompute()
    head = f"{'Stage':<26}{'Model':<20}{'Published':>10}{'List price':>12}{'Difference':>12}"
    print(f"{head}   input tokens a call that would explain it")
    for r in article.rows:
        row = f"{r.title:<26}{r.model:<20}{usd(r.published_usd):>10}{usd(r.cost_usd):>12}{usd(r.difference_usd):>12}"
        print(f"{row}   {r.unlisted_input_tokens:,}")
    print(f"{'Per ticket':<46}{usd(PUBLISHED_TOTALS['before']):>10}{usd(article.cost_usd):>12}")
