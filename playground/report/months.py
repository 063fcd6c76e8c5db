"""The forecast: a month under each plan with its range, twelve months, and what moves it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from playground.forecast import Month, Spend, break_even_tickets, month, year
from playground.money import usd
from playground.prompt_cache_note import said_of_month
from playground.records import PLANS, Plan
from playground.report.answer import ASSURED, PLAN_NAMES, assurance, range_said
from playground.report.model import Block, Cell, Column, Section, Table, Text
from playground.report.sources import Sources
from playground.tornado import STEP, Swing, tornado

COLUMNS = (
    Column("Plan"), Column("Models", "money", True), Column("Prompt caching", "money"),
    Column("Retries", "money"), Column("Come back", "money"),
    Column("Fixed", "money"), Column("People, escalated", "money"), Column("All in", "money", True),
    Column("95% from", "money"), Column("95% to", "money"), Column("Per resolved", "money"),
)  # fmt: skip


def forecast(sources: Sources) -> Section:
    """The month section; a sentence where no month can be told."""
    title = f"The month, at {sources.assumptions.tickets_per_month:,} tickets"
    if not set(PLANS) <= set(sources.spends):
        said = "A month needs a ticket that ran through with every price known, or a priced log."
        return Section("month", title, (Text(said),))
    return Section("month", title, tuple(_blocks(sources)))


def _blocks(sources: Sources) -> Iterator[Block]:
    from playground.charts.forecast import tornado_chart, year_chart
    from playground.charts.month import month_parts, spend_by_volume

    a, spends = sources.assumptions, {p: sources.spends[p] for p in PLANS}
    months = {p: month(spend, a) for p, spend in spends.items()}
    routed = months["kr-auto"]
    yield Text(_what_of(sources))
    yield Table("A month under each plan", COLUMNS, tuple(_rows(sources, months)), range_said(sources, routed), "Month")
    yield Text(_break_even(routed, break_even_tickets(spends["kr-auto"], a)))
    yield Text(_cached(sources))
    yield month_parts(months)
    yield spend_by_volume(spends, a)
    yield _year(sources, spends)
    yield year_chart({p: year(spend, a) for p, spend in spends.items()})
    swings = tornado(spends["kr-auto"], a)
    yield tornado_chart(swings, routed.all_in_usd)
    yield _swings(swings)


def _what_of(sources: Sources) -> str:
    if sources.month_of == "log" and sources.log is not None and sources.log.forecast is not None:
        return f"Made of the {sources.log.forecast.tickets:,} tickets of the log, priced and not run."
    return "Made of one ticket: every ticket of the month is taken to be like it."


def _cached(sources: Sources) -> str:
    n, is_on = sources.assumptions.tickets_per_month, sources.router.pipeline.runtime.prompt_cache
    return said_of_month(sources.spends, n, is_on)


def _rows(sources: Sources, months: Mapping[Plan, Month]) -> Iterator[tuple[Cell, ...]]:
    own = assurance(sources)
    for plan, m in months.items():
        yield _row(ASSURED[own] if plan == "kr-auto" else PLAN_NAMES[plan], m)
    for kind, spend in sources.assured.items():
        if kind != own:
            yield _row(ASSURED[kind], month(spend, sources.assumptions))
    people = months["before"].people_only_usd
    yield "People only", "", "", "", "", "", people, people, "", "", ""


def _row(name: str, m: Month) -> tuple[Cell, ...]:
    ends = ("" if end is None else end for end in (m.low_usd, m.high_usd))
    resolved = "none resolved" if m.per_resolved_usd is None else m.per_resolved_usd
    return (
        name,
        m.models_usd,
        m.prompt_cache_usd,
        m.retries_usd,
        m.repeats_usd,
        m.fixed_usd,
        m.people_usd,
        m.all_in_usd,
        *ends,
        resolved,
    )


def _break_even(m: Month, tickets: int | None) -> str:
    if m.break_even_resolved_share is None:
        return "People cost nothing here, so there is no break-even."
    share, saved = 1 - m.break_even_resolved_share, m.people_only_usd - m.all_in_usd
    said = f"Against people alone the agent {'saves' if saved >= 0 else 'costs an extra'} {usd(abs(saved))} a month with kr-auto"
    if share > 0 and saved >= 0:
        said += f", and stays cheaper until {share:.1%} of tickets are escalated"
    if tickets and tickets > 1:
        said += f". It pays from {tickets:,} tickets a month"
    return f"{said}."


def _year(sources: Sources, spends: Mapping[Plan, Spend]) -> Table:
    by_plan = {p: year(spend, sources.assumptions) for p, spend in spends.items()}
    columns = (
        Column("Month", "number"),
        Column("Tickets", "number"),
        *(Column(f"{PLAN_NAMES[p]}, all in", "money") for p in PLANS),
    )
    rows: list[tuple[Cell, ...]] = []
    for i, (tickets, _) in enumerate(by_plan["before"]):
        rows.append((i + 1, tickets, *(by_plan[p][i][1].all_in_usd for p in PLANS)))
    return Table("Twelve months, all in", columns, tuple(rows), sheet="Year", place="sheet")


def _swings(swings: tuple[Swing, ...]) -> Table:
    columns = (
        Column("Assumption"), Column("Low"), Column("High"), Column("Month at low", "money"), Column("Month at high", "money"),
    )  # fmt: skip
    rows = tuple((s.name, s.low, s.high, s.low_usd, s.high_usd) for s in swings)
    note = f"Each assumption is moved by {STEP:.0%} on its own; what a log measures moves within its 95% range."
    return Table("What moves the month", columns, rows, note, "What moves it")
