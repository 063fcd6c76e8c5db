"""How the numbers were made, and what they assume."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from math import isclose

from playground.bill import NOT_RUN
from playground.forecast import Assumptions
from playground.money import usd
from playground.prices import PRICE_DATE
from playground.records import Provenance
from playground.report.model import Column, Points, Section, Table, day
from playground.report.sources import Sources, TicketRun

ORIGIN: dict[Provenance, str] = {
    "rehearsal": "Rehearsal: no model was called; tokens are counted, not metered: estimates.",
    "live": "Live: models were called.",
    "recorded": "Recorded: replayed from a saved run.",
}
WORD: dict[Provenance, str] = {"rehearsal": "Rehearsal", "live": "Live", "recorded": "Recorded"}


EXAMPLE, SET = "an example, until you set your own", "set by you"


def word(sources: Sources) -> str:
    """What kind of numbers the headline's are."""
    if sources.month_of == "log" and sources.log is not None:
        return "Priced, not run, on a made-up sample" if sources.log.is_sample else "Priced, not run"
    return "Nothing run" if sources.ticket is None else WORD[sources.ticket.trace.provenance]


def origin(sources: Sources) -> str:
    """Where all numbers come from, as it stands on every page."""
    return " ".join(_origins(sources)) or "Nothing has been run or priced."


def price_date(sources: Sources) -> date:
    """The date of the headline's prices: a recording has its own."""
    done = sources.ticket
    return PRICE_DATE if done is None or sources.month_of == "log" else done.price_date


def _origins(sources: Sources) -> Iterator[str]:
    seen = [r.provenance for r in (sources.ran,) if r is not None]
    if sources.ticket is not None:
        seen.insert(0, sources.ticket.trace.provenance)
    recorded = "" if sources.ticket is None else sources.ticket.recorded
    yield from (recorded if p == "recorded" and recorded else ORIGIN[p] for p in dict.fromkeys(seen))
    if sources.ticket is not None and sources.ticket.price_date != price_date(sources):
        yield f"The ticket's prices are of {day(sources.ticket.price_date)}."
    if sources.log is not None:
        whose = "The sample log, made up" if sources.log.is_sample else "The log"
        yield f"{whose}: {NOT_RUN}; tokens are counted, not metered: estimates."


def method(sources: Sources) -> Section:
    """How it was worked out, in sentences."""
    flow = sources.router.pipeline
    said = [
        f"Agent: {flow.title} (version {flow.version}): {len(flow.stages)} stages, {flow.calls} model calls a ticket.",
        "Every call's tokens are multiplied by the list price of its model; cached and reasoning tokens have their own price.",
        "A failed attempt is billed like any other. A call without a known price is called unpriced, and never counted as zero.",
        "Today is what the agent's file says each stage runs on. Stratified gives each kind of stage a cheap, middle or top model.",
        "kr-auto takes at each stage the cheapest model whose quality clears the stage's bar, retries expected.",
        "Plans that did not run are priced on the same prompts and the same visible output: priced, not run.",
        *_log_said(sources),
    ]
    return Section("method", "Method", (Points(tuple(said)),))


def _log_said(sources: Sources) -> Iterator[str]:
    if (log := sources.log) is None:
        return
    yield f"The log has {len(log.batch.ids):,} tickets; {log.left_out:,} rows were left out. Length of answers: {log.answers}."
    if (hard := int(log.batch.hard.sum())) > 0:
        yield f"{hard:,} tickets are hard, such as angry ones or refunds, and their bars are raised."
    if log.stopped:
        yield "Pricing was cancelled before the end of the file: these are the tickets it had reached."


def assumptions(sources: Sources) -> Section:
    """Every assumption of the month, and where it comes from."""
    rows = tuple(_assumed(sources))
    table = Table(
        "What the month assumes", (Column("Assumption"), Column("Value"), Column("From")), rows, sheet="Assumptions"
    )
    return Section("assumptions", "Assumptions", (table,))


def _assumed(sources: Sources) -> Iterator[tuple[str, str, str]]:
    a, base = sources.assumptions, Assumptions()
    yield "Tickets a month", f"{a.tickets_per_month:,}", _volume_from(sources)
    yield from _rounds(sources)
    named = (
        (
            "Failed attempts add to a round",
            "retry_share",
            f"{a.retry_share:.1%}",
            "about what rehearsals spend on them",
        ),
        ("Escalated to a person", "escalation_share", f"{a.escalation_share:.1%}", EXAMPLE),
        ("A ticket that a person answers", "human_cost_usd", usd(a.human_cost_usd), EXAMPLE),
        ("Fixed cost a month", "fixed_cost_usd", usd(a.fixed_cost_usd), "not set"),
        ("Growth of the volume a month", "growth_share", f"{a.growth_share:.1%}", "not set"),
    )
    for name, field, value, usual in named:
        yield name, value, usual if isclose(getattr(a, field), getattr(base, field)) else SET
    if a.bill_usd:
        yield "Paid for models a month now", usd(a.bill_usd), "set by you; shown beside the plans, part of none"


def _volume_from(sources: Sources) -> str:
    forecast = None if sources.log is None else sources.log.forecast
    if forecast is not None and forecast.tickets_per_month == sources.assumptions.tickets_per_month:
        return f"the log: {forecast.dated:,} tickets in {forecast.days:,} days"
    return EXAMPLE if sources.assumptions.tickets_per_month == Assumptions().tickets_per_month else SET


def _rounds(sources: Sources) -> Iterator[tuple[str, str, str]]:
    a, base, log = sources.assumptions, Assumptions(), sources.log
    spend = sources.spends.get("kr-auto")
    again = None if log is None or log.forecast is None else log.forecast.again
    if spend is not None and spend.rounds is not None and a.own_rounds and again is not None:
        how = f"measured in {again.known:,} tickets of the log, weighted by their cost"
        yield "Rounds of a ticket", f"{spend.mean_rounds(a):.3f}", how
        return
    is_usual = isclose(a.again_share, base.again_share) and isclose(a.again_rounds, base.again_rounds)
    said = EXAMPLE if is_usual else SET
    yield "Tickets that come back", f"{a.again_share:.1%}", said
    yield "More rounds of such a ticket", f"{a.again_rounds:g}", said
    yield "Rounds of a ticket", f"{a.assumed_rounds:.3f}", "follows from the two"


def left_out(sources: Sources) -> tuple[str, ...]:
    """What is not shown because it was not asked for."""
    red = sources.redaction
    found = () if red.with_text else ("Ticket text and models' answers are left out.",)
    return found if red.with_names else (*found, "Customers' names are left out; the same number is the same customer.")


def missing(sources: Sources) -> Iterator[str]:
    """What the report would say if more were known, one sentence each."""
    yield from _about_the_month(sources)
    yield from _about_the_ticket(sources)
    if sources.log is not None and sources.log.is_stale:
        yield "Something changed since the log was priced: its figures are from before that."
    if not sources.verdicts:
        yield "No shadow evaluation has been run: nothing but today's models is proven."
    if not sources.customers and sources.log is None:
        yield "No customers are known: they come from a ticket log or from receipts."
    if sources.plan is None:
        yield "There is no migration plan yet."


def _about_the_month(sources: Sources) -> Iterator[str]:
    if sources.ticket is None and sources.log is None:
        yield "No ticket has run and no log is priced: there is nothing to report yet."
    elif sources.log is None:
        yield "No log is priced: the month comes from one ticket and has no range."
    elif sources.month_of == "ticket":
        yield "A log is priced, but the month comes from one ticket: choose the log on the Month page for a range."
    elif sources.log.forecast is None:
        yield "No ticket of the log has a price under every plan, so there is no month."


def _ended(done: TicketRun) -> str:
    held = next((s for s in done.trace.steps if s.handover is not None), None)
    if held is None:
        return "The last run stopped half way"
    return f"The last ticket went to a person at {done.router.pipeline.stage(held.stage).title}"


def _about_the_ticket(sources: Sources) -> Iterator[str]:
    done = sources.ticket
    if done is None and sources.log is not None:
        yield "No ticket has run: the choices below say which models a log's tickets get, and not why each was taken."
    if done is not None and not done.is_whole:
        yield f"{_ended(done)}: it says nothing of a month."
    elif done is not None and any(b.total.unpriced_calls for b in done.plans.values()):
        yield "A call of the ticket has no price, so it says nothing of a month."
    if done is not None and done.is_stale:
        yield "Something changed since the ticket ran: its figures are from before that."
