"""Which assumption moves the month most: each is moved on its own, the others stay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from playground.forecast import Assumptions, Month, Spend, month

STEP = Decimal("0.2")
"""How far an assumption is moved, as a share of itself. What was measured moves within its 95% interval instead."""


@dataclass(frozen=True, slots=True)
class Swing:
    """The month all in as one assumption goes from its low to its high value."""

    name: str
    low: str
    high: str
    low_usd: Decimal
    high_usd: Decimal

    @property
    def span_usd(self) -> Decimal:
        """How far the month moves."""
        return abs(self.high_usd - self.low_usd)


def tornado(spend: Spend, a: Assumptions) -> tuple[Swing, ...]:
    """Every assumption's swing, the widest first; those that move nothing are left out."""
    found = (_swing(*case) for case in _cases(spend, a))
    return tuple(sorted((s for s in found if s.span_usd), key=lambda s: -s.span_usd))


_Case = tuple[str, tuple[str, str], tuple[Decimal, Decimal]]


def _swing(name: str, said: tuple[str, str], months: tuple[Decimal, Decimal]) -> Swing:
    return Swing(name, *said, *months)


def _a_ticket(models_usd: Decimal, a: Assumptions) -> str:
    return f"${models_usd / a.tickets_per_month:,.4f} a ticket"


def _all_in(low: Month, high: Month) -> tuple[Decimal, Decimal]:
    return low.all_in_usd, high.all_in_usd


def _cases(spend: Spend, a: Assumptions) -> Iterator[_Case]:
    yield _assumed(spend, a, "Tickets a month", "tickets_per_month", "{:,.0f}")
    yield _assumed(spend, a, "Escalated to a person", "escalation_share", "{:.1%}")
    yield _assumed(spend, a, "A person's ticket", "human_cost_usd", "${:,.2f}")
    yield _assumed(spend, a, "Fixed cost", "fixed_cost_usd", "${:,.0f}")
    yield _rounds(spend, a)
    yield _answers(spend, a)
    yield _assumed(spend, a, "Failed attempts", "retry_share", "{:.1%}")
    m = month(spend, a)
    if m.low_usd is not None and m.high_usd is not None:
        low, high = (_a_ticket(m.tokens_usd + end - m.all_in_usd, a) for end in (m.low_usd, m.high_usd))
        yield "Which tickets came", (low, high), (m.low_usd, m.high_usd)


def _assumed(spend: Spend, a: Assumptions, name: str, field: str, form: str) -> _Case:
    value = getattr(a, field)
    ends = [type(value)(Decimal(str(value)) * factor) for factor in (1 - STEP, 1 + STEP)]
    if field.endswith("_share"):
        ends[1] = min(1.0, ends[1])
    months = [month(spend, replace(a, **{field: end})) for end in ends]
    return name, (form.format(ends[0]), form.format(ends[1])), _all_in(*months)


def _rounds(spend: Spend, a: Assumptions) -> _Case:
    more = spend.mean_rounds(a) - 1
    ends = [1 + more * factor for factor in (1 - STEP, 1 + STEP)]
    months = [month(replace(spend, rounds=end, cached_rounds=None), replace(a, own_rounds=True)) for end in ends]
    return "Rounds of a ticket", (f"{ends[0]:.2f}", f"{ends[1]:.2f}"), _all_in(*months)


def _answers(spend: Spend, a: Assumptions) -> _Case:
    ends = [replace(spend, one_round_usd=spend.one_round_usd + spend.answers_usd * step) for step in (-STEP, STEP)]
    return "Length of answers", (f"-{STEP:.0%}", f"+{STEP:.0%}"), _all_in(month(ends[0], a), month(ends[1], a))
