"""The decisions with their reasons, and the evidence that they rest on."""

from __future__ import annotations

from collections.abc import Iterator

from playground.charts.style import Chart
from playground.log_pricing import ROUTED
from playground.money import usd
from playground.pipeline import Stage
from playground.records import Candidate, Considered, Decision, Quality
from playground.report.model import Block, Cell, Column, Heading, Section, Table, Text
from playground.report.sources import Sources

NONE = "nothing is known"


def decisions(sources: Sources) -> Section:
    """Every stage: what is chosen, its price and quality, why, and what would change it."""
    blocks = tuple(_of_ticket(sources)) + tuple(_of_log(sources))
    return Section("decisions", "Decisions, stage by stage", blocks or (Text("Nothing has been decided yet."),))


def _routed(sources: Sources) -> tuple[Decision, ...]:
    return () if sources.ticket is None else sources.ticket.plans["kr-auto"].decisions


def _of_ticket(sources: Sources) -> Iterator[Block]:
    made = _routed(sources)
    if sources.ticket is None or not made:
        return
    yield Text(
        "The choices of kr-auto for the ticket that ran. Quality is a share of the best-measured model's, with its 80% interval; "
        "price is the list price of the stage's calls at the usual length of answers, as the router compares them. Charts add "
        "the retries that are to be expected."
    )
    yield _short_table(sources, made)
    yield _sheet(sources, made)
    for decision in made:
        yield from _one(sources, decision)


def _short_table(sources: Sources, made: tuple[Decision, ...]) -> Table:
    titles = ("Stage", "Chosen", "USD a ticket", "Today", "Today, USD", "Quality", "Bar")
    kinds = ("text", "text", "money", "text", "money", "text", "number")
    columns = tuple(Column(t, k) for t, k in zip(titles, kinds, strict=True))  # type: ignore[arg-type]
    rows = tuple(_short(sources, d) for d in made)
    return Table("What is chosen", columns, rows, place="page")


def _short(sources: Sources, d: Decision) -> tuple[Cell, ...]:
    stage, own, today = _stage(sources, d.stage), chosen(d), _before(sources, d)
    was = None if today is None else today.cost_usd
    return (
        stage.title, d.chosen.key, None if own is None else own.cost_usd, _named(sources, stage).key, was,
        quality_said(None if own is None else own.quality), f"{d.bar.value:.2f}",
    )  # fmt: skip


def _sheet(sources: Sources, made: tuple[Decision, ...]) -> Table:
    proven = {} if sources.ticket is None else {d.stage: d for d in sources.ticket.assured["proven"].decisions}
    columns = (
        Column("Stage"), Column("Chosen"), Column("USD a ticket", "money", True), Column("Today"),
        Column("Today, USD a ticket", "money", True), Column("Quality", "number"), Column("80% from", "number"),
        Column("80% to", "number"), Column("Bar", "number"), Column("Why"), Column("What would change it"),
        Column("Proven choice"),
    )  # fmt: skip
    rows = tuple(_full(sources, d, proven.get(d.stage)) for d in made)
    return Table("Decisions", columns, rows, sheet="Decisions", place="sheet")


def _full(sources: Sources, d: Decision, proven: Decision | None) -> tuple[Cell, ...]:
    stage, own, today = _stage(sources, d.stage), chosen(d), _before(sources, d)
    q = Quality() if own is None else own.quality
    return (
        stage.title, d.chosen.key, None if own is None else own.cost_usd, _named(sources, stage).key,
        None if today is None else today.cost_usd, q.estimate, q.low, q.high, d.bar.value, why(d), d.flip,
        "" if proven is None else proven.chosen.key,
    )  # fmt: skip


def _one(sources: Sources, d: Decision) -> Iterator[Block]:
    from playground.charts.decision import cost_quality

    stage, own = _stage(sources, d.stage), chosen(d)
    yield Heading(f"{stage.title}: {d.chosen.key}")
    price = "unpriced" if own is None else usd(own.cost_usd)
    yield Text(f"{price} a ticket, quality {quality_said(None if own is None else own.quality)}. {why(d)}")
    yield Text(f"What would change it: {d.flip}." if d.flip else "No bar below this one makes a cheaper model win.")
    chart: Chart = cost_quality(d, stage.before)
    yield chart


def why(d: Decision) -> str:
    """Why a candidate was chosen, as sentences."""
    said = f"{d.reason[:1].upper()}{d.reason[1:]}."
    if d.bar.raised_by:
        said += f" The bar is raised from {d.bar.base:.2f} because the ticket {', '.join(d.bar.raised_by)}."
    if d.fallback is not None:
        said += f" When its output is bad, one retry on {d.fallback.key}."
    return said


def chosen(d: Decision) -> Considered | None:
    """What the router knew of the candidate that it chose."""
    return next((o for o in d.considered if o.candidate == d.chosen), None)


def _before(sources: Sources, d: Decision) -> Considered | None:
    own = _named(sources, _stage(sources, d.stage)).key
    return next((o for o in d.considered if o.candidate.key == own), None)


def _stage(sources: Sources, key: str) -> Stage:
    assert sources.ticket is not None
    return sources.ticket.router.pipeline.stage(key)


def _named(sources: Sources, stage: Stage) -> Candidate:
    router = sources.router if sources.ticket is None else sources.ticket.router
    return router.named(stage.before)


def quality_said(q: Quality | None) -> str:
    """Quality with its interval, in words."""
    if q is None or q.estimate is None or q.low is None or q.high is None:
        return NONE
    return f"{q.estimate:.2f} ({q.low:.2f} to {q.high:.2f})"


def _of_log(sources: Sources) -> Iterator[Block]:
    log = sources.log
    if log is None or ROUTED not in log.figures.plans:
        return
    columns = (
        Column("Stage"), Column("Model"), Column("Tickets", "number"), Column("Quality"), Column("Bar", "number"),
        Column("Today"),
    )  # fmt: skip
    rows = tuple(_log_rows(sources))
    note = (
        "The bar of a ticket that is not hard. A model below it was pinned, or nothing that may be used clears the bar."
    )
    yield Table("Which models the log's tickets get under kr-auto", columns, rows, note, "Choices in the log")


def _log_rows(sources: Sources) -> Iterator[tuple[Cell, ...]]:
    assert sources.log is not None
    router, found = sources.router, sources.log.figures.plans[ROUTED].models
    for stage in router.pipeline.stages:
        counts = sorted(found.get(stage.key, {}).items(), key=lambda item: -item[1])
        for key, tickets in counts:
            q = router.evidence.quality(stage.key, router.named(key))
            bar = f"{router.bar(stage).value:.2f}"
            yield stage.title, key, tickets, quality_said(q), bar, router.named(stage.before).key


def evidence(sources: Sources) -> Section:
    """The published results that the choices rest on: grade, n, date and source."""
    rows = tuple(dict.fromkeys(_evidence(sources)))
    columns = (
        Column("Stage"), Column("Model"), Column("Benchmark"), Column("Value", "number"), Column("Unit"),
        Column("n", "number"), Column("Grade"), Column("Date"), Column("Source"),
    )  # fmt: skip
    note = (
        "Grade A measures this kind of work, B something near it, C something far from it. Public results are proxies."
    )
    said = Text("No published result of a chosen model counts at its stage: what is known of it comes through its kin.")
    blocks: tuple[Block, ...] = (Table("Evidence", columns, rows, note, "Evidence"),) if rows else (said,)
    return Section("evidence", "Evidence", blocks)


def _evidence(sources: Sources) -> Iterator[tuple[Cell, ...]]:
    for stage, candidate in _all_chosen(sources):
        for r in sources.router.evidence.quality(stage.key, candidate).rows:
            model = candidate.key
            yield stage.title, model, f"{r.benchmark}, {r.metric}", r.value, r.unit, r.n, r.grade, r.date, r.source


def _all_chosen(sources: Sources) -> Iterator[tuple[Stage, Candidate]]:
    stages = {s.key: s for s in sources.router.pipeline.stages}
    yield from ((stages[d.stage], d.chosen) for d in _routed(sources) if d.stage in stages)
    if sources.log is not None and ROUTED in sources.log.figures.plans:
        found = sources.log.figures.plans[ROUTED].models
        yield from ((s, sources.router.named(key)) for k, s in stages.items() for key in found.get(k, {}))
