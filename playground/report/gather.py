"""Makes the sources of a report from what the engine gives: one ticket's run, or a priced log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TypeVar

from playground.bill import PlanBill, assured, bills
from playground.errors import BadModel
from playground.forecast import Assumptions, Spend
from playground.proofs import void
from playground.records import PLANS, Assurance, Plan, Proof, Trace
from playground.report.sources import LogPriced, Redaction, Sources, TicketRun, VerdictLine
from playground.router import Router
from playground.ticket_month import spend_of, usual


def of_ticket(
    trace: Trace, router: Router, a: Assumptions, made_on: date, redaction: Redaction | None = None
) -> Sources:
    """A report of one ticket that ran with `router`, and of a month of tickets like it."""
    plans = bills(trace, router)
    run = TicketRun(trace, plans, assured(trace, router, plans), router)
    spends, both = ticket_spends(run, router.pipeline.runtime.prompt_cache)
    return Sources(
        router,
        a,
        made_on,
        spends=spends,
        assured=both,
        ticket=run,
        verdicts=verdicts(router.proofs, router),
        redaction=redaction or Redaction(),
    )


def ticket_spends(run: TicketRun, prompt_cache: bool) -> tuple[dict[Plan, Spend], dict[Assurance, Spend]]:
    """What a month is made of, by plan and by assurance; empty where the ticket did not run through or has no price."""
    found = usual(run.trace, run.router, dict(run.plans))
    both = assured(run.trace, run.router, found)
    if not run.is_whole or any(b.answers.exact_usd is None for b in (*found.values(), *both.values())):
        return {}, {}
    return _spends(run, found, prompt_cache), _spends(run, both, prompt_cache)


K = TypeVar("K", Plan, Assurance)


def _spends(run: TicketRun, found: Mapping[K, PlanBill], prompt_cache: bool) -> dict[K, Spend]:
    return {key: spend_of(run.trace, run.router, bill, prompt_cache) for key, bill in found.items()}


def of_log(
    log: LogPriced, router: Router, a: Assumptions, made_on: date, redaction: Redaction | None = None
) -> Sources:
    """A report of a priced log and of a month of such tickets."""
    known = log.forecast is not None and set(PLANS) <= set(log.forecast.spends)
    return Sources(
        router,
        a,
        made_on,
        "log",
        spends=log.forecast.spends if known and log.forecast is not None else {},
        assured=log.forecast.assured if known and log.forecast is not None else {},
        log=log,
        verdicts=verdicts(router.proofs, router),
        redaction=redaction or Redaction(),
    )


def verdicts(proofs: Sequence[Proof], router: Router) -> tuple[VerdictLine, ...]:
    """Recorded verdicts of this agent, the latest first, and whether they hold."""
    own = [p for p in proofs if p.pipeline == router.pipeline.name]
    return tuple(_lines(sorted(own, key=lambda p: p.decided_on, reverse=True), router))


def one_row_each(recorded: Sequence[VerdictLine], running: Iterable[VerdictLine]) -> tuple[VerdictLine, ...]:
    """Recorded verdicts and the evaluation that runs; a verdict of the same pairs is one row, with the running one's figures."""
    rows = {_same(line): line for line in running}
    first = [_with_figures(line, rows.pop(_same(line), None)) for line in recorded]
    return (*first, *rows.values())


def _same(v: VerdictLine) -> tuple[object, ...]:
    return v.stage, v.candidate, v.verdict, v.pairs, v.margin, v.provenance


def _with_figures(line: VerdictLine, seen: VerdictLine | None) -> VerdictLine:
    if seen is None:
        return line
    return replace(line, difference=seen.difference, low=seen.low, high=seen.high, chart=seen.chart)


def _lines(proofs: Sequence[Proof], router: Router) -> Iterator[VerdictLine]:
    titles = {s.key: s.title for s in router.pipeline.stages}
    for p in proofs:
        why = _void(p, router) if p.stage in titles else "the stage is gone"
        yield VerdictLine(
            titles.get(p.stage, p.stage),
            p.candidate,
            p.current,
            p.verdict,
            p.pairs,
            p.margin,
            p.provenance,
            p.decided_on,
            stands=f"void: {why}" if why else "holds",
        )


def _void(proof: Proof, router: Router) -> str:
    try:
        return void(proof, router.pipeline, router.pipeline.stage(proof.stage), router.named(proof.candidate))
    except BadModel as error:
        return str(error).rstrip(".")
