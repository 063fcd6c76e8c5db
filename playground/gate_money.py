"""What a gate at each threshold would do to a month, on outcomes that are known; and what it did to one ticket."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from numpy.typing import ArrayLike

from playground.forecast import Assumptions
from playground.guardrails.confidence import GateRow, StageCosts, gate_rows
from playground.guardrails.gate import RULE
from playground.money import ZERO, Total
from playground.records import Trace
from playground.runtime_cost import Held, Shares, Unit, month_parts

SKIPPED = ("check", "respond")
"""Stages that a ticket which is handed over after the draft does not run."""
UNTIL = ("intent", "rerank", "draft")
THRESHOLDS = tuple(i / 20 for i in range(21))


@dataclass(frozen=True, slots=True)
class GateCosts:
    """What a gate's ticket costs in USD: one round as a month has it, of it what runs up to the draft, and its mean rounds."""

    unit: Unit
    until_usd: Decimal
    rounds: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class GateMonth:
    """A gate over a month of tickets like the outcomes; `row` counts the outcomes themselves."""

    row: GateRow
    handed_over_tickets: Decimal
    calls_skipped: Decimal
    saved_usd: Decimal
    """For checks and answers that were not asked for."""
    wasted_usd: Decimal
    """Spent up to the draft on tickets that a person then answers."""
    people_usd: Decimal
    """For those who were not escalated anyway."""

    @property
    def stopped_bad(self) -> int:
        """Drafts handed over that were not good."""
        return self.row.handed_over - self.row.needless

    @property
    def cost_usd(self) -> Decimal:
        """What the gate adds to the month: people, less the calls that it skips. What was wasted is paid either way."""
        return self.people_usd - self.saved_usd


def gate_months(
    confidence: ArrayLike, good: ArrayLike, costs: GateCosts, a: Assumptions, calls: int = len(SKIPPED)
) -> tuple[GateMonth, ...]:
    """One row for each of the thresholds from 0 to 1. `calls` are skipped by each ticket. Raises `BadInput`.

    Money is that of the month's part for guardrails: rounds and retries count, and who is escalated anyway needs no second person.
    """
    stages = StageCosts(costs.until_usd, costs.unit.check_usd + costs.unit.answer_usd)
    return tuple(_month(row, costs, a, calls) for row in gate_rows(confidence, good, stages, THRESHOLDS))


def _month(row: GateRow, costs: GateCosts, a: Assumptions, calls: int) -> GateMonth:
    share = row.handed_over / row.n if row.n else 0.0
    (part,) = month_parts(costs.unit, Shares(Held(share)), a, costs.rounds)
    held = Decimal(str(share)) * a.tickets_per_month
    rounds = held * costs.rounds * (1 + Decimal(str(a.retry_share)))
    return GateMonth(row, held, rounds * calls, -(part.models_usd or ZERO), rounds * costs.until_usd, part.people_usd)


@dataclass(frozen=True, slots=True)
class GateTicket:
    """What the gate did to one ticket, in USD: `saved_usd` is an estimate, `None` without a price; `wasted` was paid."""

    saved_usd: Decimal | None
    wasted: Total


def gate_ticket(trace: Trace, stage_usd: dict[str, Decimal | None]) -> GateTicket | None:
    """For a ticket that the confidence gate handed over, else `None`; `stage_usd` is what each stage should cost."""
    if trace.handover is None or trace.handover.rule != RULE:
        return None
    saved = Total.of(stage_usd.get(stage) for stage in SKIPPED)
    return GateTicket(saved.exact_usd, Total.of(r.cost_usd for r in trace.receipts if r.stage in UNTIL))
