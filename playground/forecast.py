"""A month at a volume: what the models cost, what repeats and escalations add, and where people would be cheaper.

Repeats: the loop factor is taken as log-normal with median 1 and a stated 95th percentile f, so sigma = ln f / 1.645 and the
mean is exp(sigma^2 / 2) (Crow and Shimizu 1988, ch. 1). With f = 2 the mean is 1.093.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import exp, log

Z_95 = 1.6448536269514722
VOLUME_RANGE = (1_000, 10_000_000)


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the user sets. Shares run from 0 to 1; `human_cost_usd` is for one ticket answered by a person."""

    tickets_per_month: int = 100_000
    p95_loop_factor: float = 2.0
    escalation_share: float = 0.12
    human_cost_usd: Decimal = Decimal("3.20")
    fixed_cost_usd: Decimal = Decimal(0)

    @property
    def mean_loop_factor(self) -> Decimal:
        """Times an average ticket runs through the loop, relative to the median ticket."""
        sigma = log(self.p95_loop_factor) / Z_95
        return Decimal(str(round(exp(sigma * sigma / 2), 6)))

    @property
    def resolved_share(self) -> Decimal:
        """Share of tickets that the agent resolves."""
        return 1 - Decimal(str(self.escalation_share))


@dataclass(frozen=True, slots=True)
class Month:
    """One plan's month in USD. `per_resolved_usd` is all model spend over the tickets that needed no person."""

    models_usd: Decimal
    repeats_usd: Decimal
    people_usd: Decimal
    fixed_usd: Decimal
    all_in_usd: Decimal
    per_resolved_usd: Decimal | None
    tail_ticket_usd: Decimal
    people_only_usd: Decimal
    break_even_tickets: int | None
    """Tickets a month above which the agent is cheaper than people alone; `None` where it never is."""
    break_even_resolved_share: Decimal | None
    """Share of tickets that the agent must resolve to be cheaper than people alone; `None` where human cost is zero."""

    @property
    def agent_usd(self) -> Decimal:
        """Models, repeats and the fixed cost: all that the agent itself costs."""
        return self.models_usd + self.repeats_usd + self.fixed_usd


def month(cost_per_ticket_usd: Decimal, a: Assumptions) -> Month:
    """A month at a cost per ticket and a set of assumptions. An escalated ticket pays for the agent and for a person."""
    n = Decimal(a.tickets_per_month)
    mean_usd = cost_per_ticket_usd * a.mean_loop_factor
    models, with_repeats = cost_per_ticket_usd * n, mean_usd * n
    people = n * (1 - a.resolved_share) * a.human_cost_usd
    agent_usd = with_repeats + a.fixed_cost_usd
    return Month(
        models_usd=models,
        repeats_usd=with_repeats - models,
        people_usd=people,
        fixed_usd=a.fixed_cost_usd,
        all_in_usd=agent_usd + people,
        per_resolved_usd=agent_usd / (n * a.resolved_share) if n * a.resolved_share else None,
        tail_ticket_usd=cost_per_ticket_usd * Decimal(str(a.p95_loop_factor)),
        people_only_usd=n * a.human_cost_usd,
        break_even_tickets=_break_even(mean_usd, a),
        break_even_resolved_share=agent_usd / (n * a.human_cost_usd) if n * a.human_cost_usd else None,
    )


def _break_even(mean_usd: Decimal, a: Assumptions) -> int | None:
    saved_per_ticket = a.human_cost_usd * a.resolved_share - mean_usd
    if saved_per_ticket <= 0:
        return None
    return int((a.fixed_cost_usd / saved_per_ticket).to_integral_value(rounding="ROUND_CEILING"))


def volumes(points: int = 41) -> tuple[int, ...]:
    """Volumes from 1,000 to 10 million, evenly spaced on a log scale, to two digits."""
    low, high = (log(v) for v in VOLUME_RANGE)
    raw = (exp(low + (high - low) * i / (points - 1)) for i in range(points))
    return tuple(sorted({int(float(f"{v:.2g}")) for v in raw}))
