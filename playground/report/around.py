"""What stands around the numbers: customers, guardrails, shadow verdicts and the migration plan."""

from __future__ import annotations

from collections.abc import Iterator

from playground.log_pricing import ROUTED
from playground.log_summary import Group
from playground.money import usd
from playground.records import PLANS
from playground.report.answer import PLAN_NAMES
from playground.report.model import Block, Cell, Column, Points, Quote, Section, Table, Text
from playground.report.redaction import NAMELESS, aliases, one_line, quoted, renamed
from playground.report.sources import CustomerLine, CustomersPart, Sources
from playground.runtime import EmbeddingRules, Runtime

SHOWN_CUSTOMERS = 25
"""On the page."""
PRICED_WITHOUT = "The log was priced, not run: none of this has acted on its figures."


def customers(sources: Sources) -> Iterator[Section]:
    """Who costs what; nothing where no customer is known."""
    names = aliases(_names(sources), sources.redaction.with_names)
    blocks = (*_log_customers(sources, names), *_other_customers(sources, names))
    if blocks:
        yield Section("customers", "Customers", blocks)


def _names(sources: Sources) -> Iterator[str]:
    if sources.log is not None:
        yield from (g.name for g in sources.log.figures.customers.dearest)
    yield from (line.name for part in sources.customers for line in part.lines if line.name)


def _log_customers(sources: Sources, names: dict[str, str]) -> Iterator[Block]:
    log = sources.log
    if log is None or not log.figures.customers.count or not set(PLANS) <= set(log.figures.plans):
        return
    from playground.charts.log import spend_by_customer

    found = log.figures.customers
    yield spend_by_customer(renamed(found, names), ROUTED)
    lines = tuple(_of_group(g) for g in found.dearest)
    yield _table(
        CustomersPart("Customers of the log, priced and not run", tuple(PLAN_NAMES.values()), lines),
        names,
        "Customers",
        found.count,
    )


def _of_group(group: Group) -> CustomerLine:
    return CustomerLine(group.name or None, group.tickets, tuple(group.usd[p] for p in PLANS))


def _other_customers(sources: Sources, names: dict[str, str]) -> Iterator[Block]:
    for i, part in enumerate(sources.customers, 1):
        yield from (Text(said) for said in part.said)
        yield _table(part, names, f"Customers by receipts {i}" if i > 1 else "Customers by receipts", len(part.lines))


def _table(part: CustomersPart, names: dict[str, str], sheet: str, count: int) -> Table:
    shares = any(line.share is not None for line in part.lines)
    columns = (
        Column("Customer"), Column("Tickets", "number"), *(Column(f"{c}, USD", "money", True) for c in part.columns),
        *((Column("Share", "share"),) if shares else ()),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for line in part.lines:
        name = line.label or NAMELESS if line.name is None else names[line.name]
        rows.append((name, line.tickets, *line.usd, *((line.share,) if shares else ())))
    more = f"The dearest {len(rows):,} of {count:,}." if count > len(rows) else ""
    return Table(part.title, columns, tuple(rows), more, sheet, most=SHOWN_CUSTOMERS)


def surroundings(sources: Sources) -> Section:
    """Guardrails, caches and failover that are on."""
    said = tuple(parts_said(sources.router.pipeline.runtime))
    off = Text("No guardrail, cache of our own, failover or cap is on: every answer goes out as the model gave it.")
    return Section("around", "Guardrails, caching and failover", (Points(said), *_done(sources)) if said else (off,))


def _done(sources: Sources) -> Iterator[Text]:
    """What they did. Why a ticket was handed over may quote it, so that stands only where texts are shown."""
    if sources.ticket is None:
        yield Text(PRICED_WITHOUT)
    elif (held := sources.ticket.trace.handover) is not None:
        why = quoted(held.reason, sources) if sources.redaction.with_text else f"{held.rule}."
        yield Text(f"The ticket went to a person: {why}")


def parts_said(on: Runtime) -> Iterator[str]:
    """What is on, a sentence each."""
    if on.confidence_gate is not None:
        yield f"Confidence gate: a draft less sure than {on.confidence_gate:.2f} goes to a person."
    if on.escalation is not None:
        limits = ", ".join(f"{limit:f} {currency}" for currency, limit in on.escalation.refund_above.items())
        yield f"Escalation rules: a person decides refunds above {limits}, and matters of identity and the law."
    if on.leaks is not None:
        own = f" Own sites: {', '.join(on.leaks.own_sites)}." if on.leaks.own_sites else ""
        yield f"Leaks: an answer with foreign links, others' data or our own instructions is held back.{own}"
    if on.cost_caps is not None:
        yield f"Cost ceilings: {_caps(on)}."
    if not on.prompt_cache:
        yield "Prompt caching is off: no call marks its fixed part for the provider's cache."
    if on.exact_cache is not None:
        yield f"Exact cache: answers are kept for {on.exact_cache.ttl_hours:g} hours, each for its own customer."
    if on.semantic_cache is not None:
        yield f"Semantic cache for intent: tickets alike to {on.semantic_cache:.2f} or more by their letters share a label."
        yield from _by_meaning(on.semantic_embedding)
    if on.failover is not None:
        n = len(on.failover.equivalents)
        yield f"Failover: {n} {'model has' if n == 1 else 'models have'} equivalents that may answer in their place."
    if on.second_opinions is not None:
        share, stage = on.second_opinions, on.opinion_stage
        yield f"Second opinions: the next tier up answers {share:.0%} of tickets as well at {stage}, to see drift."


def _by_meaning(rules: EmbeddingRules | None) -> Iterator[str]:
    if rules is not None:
        yield (
            f"In live runs that reach {rules.model} they are compared by meaning, from {rules.threshold:.2f} on: "
            f"{rules.false_hits:,} of {rules.hits:,} hits were wrong on {rules.requests:,} labelled tickets it was not tuned on."
        )


def _caps(on: Runtime) -> str:
    caps = on.cost_caps
    assert caps is not None
    found = [] if caps.times_expected is None else [f"a ticket may cost {caps.times_expected:g} times what it should"]
    found += [] if caps.call_usd is None else [f"a call at most {usd(caps.call_usd)}"]
    found += [] if caps.run_usd is None else [f"a whole run at most {usd(caps.run_usd)}"]
    return "; ".join(found) or "none is set"


def verdicts(sources: Sources) -> Section:
    """What shadow evaluations have shown."""
    if not sources.verdicts:
        said = "No shadow evaluation has been run. Until one passes, the proven sum is today's."
        return Section("shadow", "Shadow verdicts", (Text(said),))
    columns = (
        Column("Stage"), Column("Candidate"), Column("Against"), Column("Verdict"), Column("Pairs", "number"),
        Column("Margin", "share"), Column("Difference", "share"), Column("From", "share"), Column("To", "share"),
        Column("Provenance"), Column("Date"), Column("Stands"),
    )  # fmt: skip
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (v.stage, v.candidate, v.current, v.verdict, v.pairs, v.margin, v.difference, v.low, v.high, v.provenance,
         None if v.decided_on is None else v.decided_on.isoformat(), v.stands)
        for v in sources.verdicts
    )  # fmt: skip
    note = (
        "CUT OVER: shown to be not worse by more than the margin. KEEP: shown to be worse; where only agreement is known, shown "
        "to differ, and which is right, only true labels or people can say. CONTINUE: not decided yet. "
        "From and to bound the true difference however often it is looked at."
    )
    charts = tuple(v.chart for v in sources.verdicts if v.chart is not None)
    return Section("shadow", "Shadow verdicts", (Table("Verdicts", columns, rows, note, "Shadow"), *charts))


def plan(sources: Sources) -> Iterator[Section]:
    """The migration plan, if there is one."""
    if (found := sources.plan) is None:
        return
    columns = (
        *(Column(title) for title in ("When", "Step", "State", "Where it stands")), Column("Saves a month, USD", "money"),
    )  # fmt: skip
    rows = tuple(
        (s.when, s.title, s.state, s.said, "" if s.saves_usd_month is None else s.saves_usd_month) for s in found.steps
    )
    said = tuple(Text(sentence) for sentence in found.said)
    yield Section("plan", "The migration plan", (*said, Table("Steps", columns, rows, sheet="Plan")))


def ticket(sources: Sources) -> Iterator[Section]:
    """The ticket and what the models answered, where text was asked for."""
    done = sources.ticket
    if done is None or not sources.redaction.with_text:
        return
    t, flow = done.trace.ticket, done.router.pipeline
    who = one_line(t.customer_id or "") if sources.redaction.with_names else ""
    head = f"Ticket {quoted(t.id, sources)}{f' of {who}' if who else ''}."
    blocks: list[Block] = [
        Text(head),
        Quote("Subject", quoted(t.subject, sources)),
        Quote("Ticket", quoted(t.text, sources)),
    ]
    for step in done.trace.steps:
        for a in step.attempts:
            title = f"{flow.stage(step.stage).title}, call {a.receipt.call}, {a.candidate.key}: {a.receipt.outcome}"
            blocks.append(Quote(title, quoted(a.text or a.error or "", sources)))
    yield Section(
        "ticket", "The ticket and the answers", tuple(b for b in blocks if not isinstance(b, Quote) or b.text)
    )
