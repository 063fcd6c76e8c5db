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


_Case = tuple[str, tuple[str, str], tuple[Month, Month]]


def _swing(name: str, said: tuple[str, str], months: tuple[Month, Month]) -> Swing:
    return Swing(name, *said, *(m.all_in_usd for m in months))


def _cases(spend: Spend, a: Assumptions) -> Iterator[_Case]:
    yield _assumed(spend, a, "Tickets a month", "tickets_per_month", "{:,.0f}")
    yield _assumed(spend, a, "Escalated to a person", "escalation_share", "{:.1%}")
    yield _assumed(spend, a, "A person's ticket", "human_cost_usd", "${:,.2f}")
    yield _assumed(spend, a, "Fixed cost", "fixed_cost_usd", "${:,.0f}")
    yield _rounds(spend, a)
    yield _answers(spend, a)
    yield _assumed(spend, a, "Failed attempts", "retry_share", "{:.1%}")
    if (around := spend.range(a)) is not None:
        ends = tuple(replace(spend, one_round_usd=spend.one_round_usd * end) for end in around)
        said = tuple(f"${s.one_round_usd:,.4f} a ticket" for s in ends)
        yield "Which tickets came", (said[0], said[1]), (month(ends[0], a), month(ends[1], a))


def _assumed(spend: Spend, a: Assumptions, name: str, field: str, form: str) -> _Case:
    value = getattr(a, field)
    ends = [type(value)(Decimal(str(value)) * factor) for factor in (1 - STEP, 1 + STEP)]
    if field.endswith("_share"):
        ends[1] = min(1.0, ends[1])
    months = [month(spend, replace(a, **{field: end})) for end in ends]
    return name, (form.format(ends[0]), form.format(ends[1])), (months[0], months[1])


def _rounds(spend: Spend, a: Assumptions) -> _Case:
    more = spend.mean_rounds(a) - 1
    ends = [1 + more * factor for factor in (1 - STEP, 1 + STEP)]
    months = [month(replace(spend, rounds=end), replace(a, own_rounds=True)) for end in ends]
    return "Rounds of a ticket", (f"{ends[0]:.2f}", f"{ends[1]:.2f}"), (months[0], months[1])


def _answers(spend: Spend, a: Assumptions) -> _Case:
    ends = [replace(spend, one_round_usd=spend.one_round_usd + spend.answers_usd * step) for step in (-STEP, STEP)]
    return "Length of answers", (f"-{STEP:.0%}", f"+{STEP:.0%}"), (month(ends[0], a), month(ends[1], a))
