"""Where the money goes: by stage, by lever, by receipt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from playground.bill import Line, paid
from playground.levers import levers
from playground.log_levers import log_levers
from playground.money import Total, usd
from playground.records import PLANS, Trace
from playground.report.answer import PLAN_NAMES
from playground.report.model import Block, Cell, Column, Section, Table, Text
from playground.report.sources import Ran, Sources, SpendLine

BESIDE, TOGETHER = "Second opinions, beside it", "With second opinions"


def stages(sources: Sources) -> Section:
    """What each stage costs under each plan, and which lever saves what."""
    blocks = (*_ticket_stages(sources), *_log_stages(sources))
    return Section("stages", "Where the money goes", blocks or (Text("Nothing has been run or priced."),))


def _plan_columns(per: str) -> tuple[Column, ...]:
    return (Column("Stage"), *(Column(f"{PLAN_NAMES[plan]}, {per}", "money", True) for plan in PLANS))


def _ticket_stages(sources: Sources) -> Iterator[Block]:
    done = sources.ticket
    if done is None:
        return
    from playground.charts.bill import by_stage, waterfall

    flow, plans = done.router.pipeline, done.plans
    if done.is_whole:
        yield by_stage(flow, plans)
    reached = [flow.stage(s.stage) for s in done.trace.steps]
    rows: list[tuple[Cell, ...]] = [(s.title, *(plans[p].stage_total(s.key) for p in PLANS)) for s in reached]
    rows.append(("The ticket", *(plans[p].total for p in PLANS)))
    note = f"{done.trace.plan} was run, failed attempts included. The other plans are priced on the same prompts."
    yield Table("The ticket by stage", _plan_columns("USD"), tuple(rows), note, "Stages")
    found = levers(done.trace, done.router, dict(plans), sources.assumptions.tickets_per_month) if done.is_whole else ()
    if found:
        yield waterfall(found)


def _log_stages(sources: Sources) -> Iterator[Block]:
    log = sources.log
    if log is None or not set(PLANS) <= set(log.figures.plans):
        return
    from playground.charts.bill import waterfall
    from playground.charts.log import cost_by_stage, cost_distribution, spend_by_day

    found, titles = log.figures.plans, _titles(sources)
    yield cost_by_stage(found, {k: titles.get(k, k) for k in log.batch.stages})
    rows: list[tuple[Cell, ...]] = [
        (titles.get(k, k), *(found[p].stages_usd[k] for p in PLANS)) for k in log.batch.stages
    ]
    rows.append(("The log", *(found[p].total_usd for p in PLANS)))
    note = f"{len(log.batch.ids):,} tickets, one round each, priced and not run."
    yield Table("The log by stage", _plan_columns("USD"), tuple(rows), note, "Stages of the log")
    yield _percentiles(sources)
    yield cost_distribution(log.batch)
    yield spend_by_day(log.figures.days)
    if log.forecast is not None and (steps := log_levers(log.forecast, sources.assumptions)):
        yield waterfall(steps, "a month")


def _percentiles(sources: Sources) -> Table:
    assert sources.log is not None
    found = sources.log.figures.plans
    most = list(next(iter(found.values())).percentiles_usd)
    columns = (Column("Plan"), Column("Mean", "money"), *(Column(f"p{p}", "money") for p in most))
    rows = []
    for plan, s in found.items():
        high = (value if value is not None else "too few" for value in s.percentiles_usd.values())
        rows.append((plan, s.mean_usd, *high))
    return Table("A ticket of the log, USD", columns, tuple(rows), "One round. pN: N% of tickets cost no more.")


def _titles(sources: Sources) -> Mapping[str, str]:
    return {s.key: s.title for s in sources.router.pipeline.stages}


def receipts(sources: Sources) -> Section:
    """What was called and billed: the ticket's own receipts, a run of many tickets, and the ledger."""
    blocks = (*_ticket_receipts(sources), *_run_of_many(sources), *_ledger(sources))
    return Section("receipts", "Receipts", blocks or (Text("Nothing has been run, so there are no receipts."),))


def _ticket_receipts(sources: Sources) -> Iterator[Block]:
    done = sources.ticket
    if done is None:
        return
    bill = paid(done.trace)
    columns = (
        Column("Stage"), Column("Call", "number"), Column("Model"), Column("Result"), Column("Fresh in", "number"),
        Column("Cached in", "number"), Column("Written", "number"), Column("Out", "number"), Column("Thinking", "number"),
        Column("Tokens"), Column("USD", "money", True),
    )  # fmt: skip
    rows = tuple(_line(line, _titles(sources)) for line in bill.lines)
    total: tuple[Cell, ...] = ("All", None, "", "", None, None, None, None, None, "", bill.total)
    beside = _beside(done.trace)
    note = f"{done.trace.provenance.capitalize()}, plan {done.trace.plan}. Failed attempts are billed too."
    yield Table("The ticket's receipts", columns, (*rows, total, *beside), note, "Receipts")


def _beside(trace: Trace) -> tuple[tuple[Cell, ...], ...]:
    """What second opinions cost, under the sum that they are no part of, and both together as the ledger adds them up."""
    if not trace.second_opinions:
        return ()
    second = Total.of(r.cost_usd for _, found in trace.second_opinions for r in found.receipts)
    whole = Total.of(r.cost_usd for r in trace.receipts) + second
    return ((BESIDE, *[None] * 9, second), (TOGETHER, *[None] * 9, whole))


def _line(line: Line, titles: Mapping[str, str]) -> tuple[Cell, ...]:
    u = line.usage
    model = line.model if line.effort == "default" else f"{line.model} @{line.effort}"
    return (
        titles.get(line.stage, line.stage), line.call, model, line.outcome, u.fresh_tokens, u.cache_read_tokens,
        u.cache_write_tokens, u.output_tokens, u.reasoning_tokens, u.counted, line.cost_usd,
    )  # fmt: skip


def _run_of_many(sources: Sources) -> Iterator[Block]:
    if (ran := sources.ran) is None:
        return
    yield Text(_ran_said(ran))
    if ran.run.stopped_at or ran.run.handed_over:
        yield Text(_went(ran, _titles(sources)))
    note = f"{ran.run.tickets:,} tickets, {ran.provenance}, plan {ran.plan}."
    title = f"The run of {ran.run.tickets:,} tickets, by stage and model"
    total = Total(ran.run.spent_usd, ran.run.unpriced_calls)
    second = Total(ran.run.second_usd, ran.run.second_unpriced) if ran.run.second else None
    yield _sums(title, ran.lines, _titles(sources), note, "Run of many", total, second)


def _ran_said(ran: Ran) -> str:
    run = ran.run
    spent = Total(run.spent_usd, run.unpriced_calls)
    said = f"{run.tickets:,} tickets ran, {run.done:,} of them through every stage, for {spent}."
    if run.failed_usd:
        said += f" Of it {usd(run.failed_usd)} went into attempts whose output was not used."
    return said if ran.expected_usd is None else f"{said} Pricing had said {usd(ran.expected_usd)}."


def _went(ran: Ran, titles: Mapping[str, str]) -> str:
    stopped = (f"{n:,} stopped at {titles.get(stage, stage)}" for stage, n in ran.run.stopped_at.items())
    handed = (f"{n:,} went to a person by {rule}" for rule, n in ran.run.handed_over.items())
    return f"{'; '.join((*stopped, *handed))}."


def _ledger(sources: Sources) -> Iterator[Block]:
    if not sources.receipts:
        return
    note = "All receipts that are kept, whenever they were made. Rehearsal, live and recorded stand apart and are not added up."
    yield _sums("Kept receipts, by stage and model", sources.receipts, _titles(sources), note, "Kept receipts", None)


def _sums(
    title: str,
    lines: Sequence[SpendLine],
    titles: Mapping[str, str],
    note: str,
    sheet: str,
    total: Total | None,
    second: Total | None = None,
) -> Table:
    columns = (
        Column("Stage"), Column("Model"), Column("Provenance"), Column("Attempts", "number"), Column("Failed", "number"),
        Column("In", "number"), Column("Out", "number"), Column("Failed, USD", "money"),
        Column("Saved by caches, USD", "money"), Column("USD", "money", True),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (titles.get(x.stage, x.stage), x.model, x.provenance, x.attempts, x.failed, x.input_tokens, x.output_tokens,
         x.failed_usd, x.saved_usd, x.total)
        for x in lines
    ]  # fmt: skip
    if total is not None:
        rows.append(
            ("All", "", "", sum(x.attempts for x in lines), sum(x.failed for x in lines), *[None] * 2, "", "", total)
        )
    if total is not None and second is not None:
        rows += [(name, *[None] * 8, cost) for name, cost in ((BESIDE, second), (TOGETHER, total + second))]
    return Table(title, columns, tuple(rows), note, sheet)


def lines_of(payloads: Iterable[Mapping[str, Any]]) -> tuple[SpendLine, ...]:
    """A run's receipts added up by stage and model, in the order in which they came."""
    kept: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for payload in payloads:
        for r in payload["receipts"]:
            model = r["model"] if r["effort"] == "default" else f"{r['model']} @{r['effort']}"
            kept.setdefault((r["stage"], model, r["provenance"]), []).append(r)
    return tuple(_added(*key, found) for key, found in kept.items())


def _added(stage: str, model: str, provenance: str, found: Sequence[Mapping[str, Any]]) -> SpendLine:
    costs = [None if r["cost_usd"] is None else Decimal(r["cost_usd"]) for r in found]
    bad = [r["outcome"] != "ok" for r in found]
    return SpendLine(
        stage, model, provenance, Total.of(costs), len(found), sum(bad),
        Total.of(c for c, b in zip(costs, bad, strict=True) if b).known_usd,
        input_tokens=sum(r["input_tokens"] for r in found), output_tokens=sum(r["output_tokens"] for r in found),
    )  # fmt: skip
