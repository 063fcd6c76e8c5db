"""The answer: what is paid today, what kr-auto could and provably would cost, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from playground.batch_costs import UNPRICED, Whole, exact_sum, in_usd
from playground.bill import paid
from playground.forecast import Month, month
from playground.money import Total, percent_change, usd
from playground.proofs import standing
from playground.records import PLANS, Assurance
from playground.report.model import Column, Figure, Section, Table, Text
from playground.report.sources import Sources, TicketRun
from playground.router import Router

PLAN_NAMES = {"before": "Today", "stratified": "Stratified", "kr-auto": "kr-auto"}
ASSURED = {"estimated": "kr-auto, potential", "proven": "kr-auto, proven"}


def figures(sources: Sources) -> tuple[Figure, ...]:
    """The sums of the headline: a month of models where one is known, else the ticket."""
    if sources.spends:
        return tuple(_month_figures(sources))
    done = sources.ticket
    if done is None or not done.is_whole:
        return () if done is None else (Figure(_spent_name(done), paid(done.trace).total),)
    return tuple(_ticket_figures(sources))


def _spent_name(done: TicketRun) -> str:
    return "Spent on the ticket so far" if done.trace.handover is None else "Spent; a person takes over"


def _month_figures(sources: Sources) -> Iterator[Figure]:
    a = sources.assumptions
    before = month(sources.spends["before"], a).one_round_usd
    yield Figure("Models a month, today", before, f"{a.tickets_per_month:,} tickets, one round each")
    for kind, spend in sources.assured.items():
        after = month(spend, a).one_round_usd
        change = "same as today" if after == before else percent_change(after, before)
        yield Figure(ASSURED[kind], after, f"models a month, {change}")
    routed = month(sources.spends["kr-auto"], a)
    yield Figure("kr-auto, all in", routed.all_in_usd, f"a month, {_ends(routed)}")


def _ends(m: Month) -> str:
    ranged = m.low_usd is not None and m.high_usd is not None
    return f"{usd(m.low_usd)} to {usd(m.high_usd)}, with people" if ranged else "with people; no range"


def _ticket_figures(sources: Sources) -> Iterator[Figure]:
    assert sources.ticket is not None
    before = sources.ticket.plans["before"].total
    yield Figure("A ticket, today", before)
    for kind, bill in sources.ticket.assured.items():
        change = percent_change(bill.total.exact_usd, before.exact_usd)
        yield Figure(ASSURED[kind], bill.total, f"a ticket, {change}" if change else "a ticket")


def answer(sources: Sources) -> tuple[str, ...]:
    """The headline in sentences."""
    if not sources.spends:
        return ()
    a, spends, assured = sources.assumptions, sources.spends, sources.assured
    before, routed = (month(spends[p], a) for p in ("before", "kr-auto"))
    said = f"Models for {a.tickets_per_month:,} tickets a month cost {usd(before.one_round_usd)} today."
    if (spend := assured.get("estimated")) is not None:
        after = month(spend, a).one_round_usd
        said += (
            f" kr-auto would cost {usd(after)}, {_saved(before.one_round_usd, after)}, if every public estimate holds."
        )
    if (spend := assured.get("proven")) is not None:
        after = month(spend, a).one_round_usd
        said += f" Proven so far{_proven_sum(sources, before.one_round_usd, after)}: {proven(sources)}."
    all_in = (
        f"All in, with failed attempts, tickets that come back, fixed cost and people for what is escalated: "
        f"{usd(before.all_in_usd)} today, {usd(routed.all_in_usd)} with kr-auto, {usd(routed.people_only_usd)} with people alone."
    )
    return said, all_in, range_said(sources, routed)


def _proven_sum(sources: Sources, before: Decimal, after: Decimal) -> str:
    if before != after:
        return f" are {usd(after)}, {_saved(before, after)}"
    return f": nothing{' that saves' if proven_stages(sources) else ''}; the bill stays at {usd(after)}"


def _saved(before: Decimal, after: Decimal) -> str:
    change = percent_change(after, before)
    if before == after:
        return "the same as today"
    return f"{usd(abs(before - after))} {'less' if after < before else 'more'} ({change})"


def proven(sources: Sources) -> str:
    """How much of it a shadow evaluation has passed."""
    stages = len(sources.router.pipeline.stages)
    return f"{proven_stages(sources)} of {stages} stages have passed a shadow evaluation"


def proven_stages(sources: Sources) -> int:
    """Stages that have a candidate with a verdict that holds."""
    if sources.ticket is not None and sources.month_of == "ticket":
        steps = sources.ticket.trace.steps
        return sum(any(o.quality.proven for o in s.decision.considered) for s in steps)
    return sum(_has_proof(sources.router, i) for i in range(len(sources.router.pipeline.stages)))


def _has_proof(router: Router, index: int) -> bool:
    stage = router.pipeline.stages[index]
    return any(standing(router.proofs, router.pipeline, stage, c)[0] is not None for c in router.candidates)


def range_said(sources: Sources, routed: Month) -> str:
    """What the range covers, and what it does not; why there is none, where there is none."""
    if sources.month_of == "ticket" or sources.log is None or sources.log.forecast is None:
        return "One ticket gives no range. A priced ticket log gives one."
    method = sources.log.forecast.method
    if method.startswith("no range") or routed.low_usd is None:
        return f"{method[:1].upper()}{method[1:]}."
    return (
        f"Range of kr-auto, all in: {usd(routed.low_usd)} to {usd(routed.high_usd)}, 95% confidence, by {method}. It covers which "
        "tickets came, and not how long answers are, how many are escalated, or what prices do: see what moves the month."
    )


def assurance(sources: Sources) -> Assurance:
    """Which of the two assurances kr-auto's own month has."""
    done = sources.ticket if sources.month_of == "ticket" else None
    return (sources.router if done is None else done.router).settings.assurance


def section(sources: Sources) -> Section:
    """The sums as one table."""
    rows = [*_ticket_rows(sources), *_log_rows(sources), *_month_rows(sources)]
    columns = (
        Column("What"),
        *(Column(title, "money", exact=True) for title in ("Today", "Stratified", *ASSURED.values())),
        Column("How it is known"),
    )
    note = (
        "Potential: estimated from public benchmarks. Proven: only what a shadow evaluation on own tickets has passed."
    )
    table = Table("The sums", columns, tuple(rows), note, "Summary")
    said = Text("Nothing has been run or priced, so there are no sums.")
    return Section("answer", "The answer", (table,) if rows else (said,))


Row = tuple[str | Total | Decimal | None, ...]


def _ticket_rows(sources: Sources) -> Iterator[Row]:
    done = sources.ticket
    if done is not None and done.is_whole:
        both = (done.assured[k].total for k in ("estimated", "proven"))
        how = f"{done.trace.plan} was run ({done.trace.provenance}); the other plans are priced on the same prompts"
        yield "The ticket that ran", done.plans["before"].total, done.plans["stratified"].total, *both, how


def _log_rows(sources: Sources) -> Iterator[Row]:
    log = sources.log
    if log is None or not set(PLANS) <= set(log.figures.plans):
        return
    found, n = log.figures.plans, len(log.batch.ids)
    routed = sources.router.settings.assurance
    for what, name in (("mean_usd", "An average ticket of the log"), ("total_usd", f"All {n:,} tickets of the log")):
        known = {routed: getattr(found["kr-auto"], what)}
        if what == "mean_usd" and log.forecast is not None:
            known = {k: s.one_round_usd for k, s in log.forecast.assured.items()} | known
        elif what == "total_usd":
            known = {k: s for k, costs in log.batch.assured.items() if (s := _whole(costs)) is not None} | known
        both = (known.get(k, "") for k in ("estimated", "proven"))
        before, tiers = (getattr(found[p], what) for p in ("before", "stratified"))
        yield name, before, tiers, *both, "priced, not run; one round each, without prompt caching"


def _whole(costs: Whole) -> Decimal | None:
    return None if (costs == UNPRICED).any() else in_usd(exact_sum(costs))


def _month_rows(sources: Sources) -> Iterator[Row]:
    if not sources.spends:
        return
    a = sources.assumptions
    months = [month(sources.spends[p], a) for p in ("before", "stratified")]
    both = [month(sources.assured[k], a) if k in sources.assured else None for k in ("estimated", "proven")]
    named = (
        (
            "one_round_usd",
            "A month of models, one round",
            "volume times the average ticket, with prompt caching at the provider where it is on",
        ),
        ("tokens_usd", "A month of models, all rounds", "with failed attempts and tickets that come back"),
        ("all_in_usd", "A month, all in", "with fixed cost and people for what is escalated"),
    )
    for what, name, how in named:
        yield name, *("" if m is None else getattr(m, what) for m in (*months, *both)), how
