"""What other rooms know, as parts of a report: customers by receipts, the ledger's sums, the plan, a running evaluation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from playground.charts.style import Chart
from playground.customers import Customer, Customers
from playground.customers.concentration import top_tenth
from playground.customers.listing import EVALUATED
from playground.cut_over import Assessment
from playground.ledger import By, Spend
from playground.migration import ESTIMATES, Facts, finding, plan, savings
from playground.migration.papers import money_lines
from playground.records import Provenance
from playground.report.sources import CustomerLine, CustomersPart, PlanPart, PlanStep, SpendLine, VerdictLine

BY: tuple[By, ...] = ("stage", "model", "provenance")
"""What the ledger is asked for."""


def customers_part(found: Customers, provenance: Provenance) -> CustomersPart:
    """Customers by receipts of one provenance, the dearest first; what nobody is named for comes last."""
    rows = [*found.named(), *((found.unattributed,) if found.unattributed is not None else ())]
    top = top_tenth(found)
    said = (
        f"By receipts of {provenance} runs, failed attempts included; evaluations have a column of their own.",
        *(() if top is None else (f"{top}.",)),
    )
    lines = tuple(_customer(found, c) for c in rows)
    if found.evaluated_only is not None:
        lines = (*lines, replace(_customer(found, found.evaluated_only), label=EVALUATED))
    return CustomersPart(
        f"Customers by receipts, {provenance}", ("Spent", "Evaluations", "On today's models"), lines, said
    )


def _customer(found: Customers, c: Customer) -> CustomerLine:
    return CustomerLine(c.name, c.tickets, (c.cost, c.evaluations, c.before_usd), found.share(c))


def ledger_lines(found: Iterable[Spend]) -> tuple[SpendLine, ...]:
    """The ledger's sums by stage, model and provenance, as `BY` asks for them."""
    return tuple(_line(s) for s in found)


def _line(s: Spend) -> SpendLine:
    stage, model, provenance = (part or "not known" for part in s.key)
    return SpendLine(
        stage,
        model,
        provenance,
        s.total,
        s.attempts,
        s.failed,
        s.failed_usd,
        s.saved_usd,
        s.input_tokens,
        s.output_tokens,
    )


def plan_part(facts: Facts) -> PlanPart:
    """The migration plan as it stands."""
    found = savings(facts)
    steps = tuple(PlanStep(f"Week {s.week}", s.title, s.state, s.because, s.saves_usd_month) for s in plan(facts))
    sums = "; ".join(f"{name.lower()}: {text}" for name, text in money_lines(found))
    return PlanPart(steps, (f"{finding(found)}.", f"{sums[:1].upper()}{sums[1:]}.", f"{facts.basis} {ESTIMATES}"))


def running(
    stage: str, candidate: str, current: str, provenance: Provenance, found: Assessment, chart: Chart
) -> VerdictLine:
    """An evaluation as it stands now, recorded or not."""
    d, more = found.decision, found.needed
    waits = f"not recorded; about {more:,} more {found.unit}s for a verdict" if more is not None else "not recorded"
    return VerdictLine(
        stage, candidate, current, found.verdict, found.pairs, found.margin, provenance,
        difference=found.mean, low=d.low, high=d.high, stands=waits, chart=chart,
    )  # fmt: skip
