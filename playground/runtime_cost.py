"""What stands around the calls, priced: what guardrails, caches, failover and second opinions take off a month or add to it.

Parts work one after the other, so that none saves what another has saved already: tickets that are handed over are not checked and
answered, the cache answers a share of what is left, failed tries add to what then still goes out, and second opinions come on top.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from playground.bill import Lever, walk
from playground.errors import BadInput
from playground.forecast import Assumptions
from playground.money import ZERO

PartName = Literal["Guardrails", "Caches", "Failover", "Second opinions"]
WITH_PARTS = "With what stands around"
ONE_TICKET = Assumptions(
    tickets_per_month=1, again_share=0.0, escalation_share=0.0, human_cost_usd=ZERO, retry_share=0.0
)


@dataclass(frozen=True, slots=True)
class Shares:
    """How often each part acts, from 0 to 1; `None` where it is off. Raises `BadInput` for another number."""

    handed_over: float | None = None
    """Of tickets, that guardrails give to a person after the draft."""
    cached: float | None = None
    """Of what is spent on models, that our own caches save."""
    tried_again: float | None = None
    """Of what is spent on models, that tries at a provider that then fails add."""
    second_opinions: float | None = None
    """Of tickets, that the next tier up answers at one stage as well."""

    def __post_init__(self) -> None:
        for name in ("handed_over", "cached", "tried_again", "second_opinions"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise BadInput(f"The share {name.replace('_', ' ')} is {value}; it must be a number from 0 to 1.")

    @property
    def all_off(self) -> bool:
        """Whether nothing that costs or saves stands around the calls."""
        return self == Shares()


@dataclass(frozen=True, slots=True)
class Unit:
    """One round of an average ticket under one plan, in USD; `opinion_usd` is `None` where the next tier up has no price."""

    round_usd: Decimal
    after_draft_usd: Decimal
    """Of it, the check and the answer, which a ticket that is handed over skips."""
    opinion_usd: Decimal | None = ZERO


@dataclass(frozen=True, slots=True)
class Part:
    """What one part changes: below 0 it saves. `models_usd` is `None` where a price is missing."""

    name: PartName
    models_usd: Decimal | None
    people_usd: Decimal = ZERO

    @property
    def total_usd(self) -> Decimal | None:
        """Models and people."""
        return None if self.models_usd is None else self.models_usd + self.people_usd


def month_parts(unit: Unit, shares: Shares, a: Assumptions, rounds: Decimal) -> tuple[Part, ...]:
    """The parts that are on, over a month of tickets that run the loop `rounds` times on average.

    A guardrail takes no note of who would have been escalated, so handed-over tickets need a person only where escalation had not
    given them one. A failed try is priced like the answer that came after it, which is the most it can be billed.
    """
    return tuple(_parts(unit, shares, a, rounds))


def ticket_parts(unit: Unit, shares: Shares) -> tuple[Part, ...]:
    """The same for one round of one ticket, on average and without people: money for models only."""
    return month_parts(unit, shares, ONE_TICKET, Decimal(1))


def _parts(unit: Unit, shares: Shares, a: Assumptions, rounds: Decimal) -> Iterator[Part]:
    tickets = Decimal(a.tickets_per_month)
    factor = tickets * rounds * (1 + _exact(a.retry_share))
    left = unit.round_usd * factor
    if shares.handed_over is not None:
        held = _exact(shares.handed_over)
        skipped = held * unit.after_draft_usd * factor
        left -= skipped
        yield Part("Guardrails", -skipped, tickets * held * a.resolved_share * a.human_cost_usd)
    if shares.cached is not None:
        saved = _exact(shares.cached) * left
        left -= saved
        yield Part("Caches", -saved)
    if shares.tried_again is not None:
        yield Part("Failover", _exact(shares.tried_again) * left)
    if shares.second_opinions is not None:
        each = unit.opinion_usd
        yield Part(
            "Second opinions", None if each is None else _exact(shares.second_opinions) * each * tickets * rounds
        )


def change_usd(parts: Iterable[Part]) -> Decimal | None:
    """What all parts change together; `None` where a price is missing."""
    return _sum(parts, lambda part: part.total_usd)


def with_parts(levers: Sequence[Lever], parts: Sequence[Part]) -> tuple[Lever, ...]:
    """A waterfall that goes on from its last level through the parts' money for models; the same where none is on or unpriced."""
    ends = [lever for lever in levers if lever.is_level]
    if not parts or not ends or _sum(parts, lambda part: part.models_usd) is None:
        return tuple(levers)
    level, levels = ends[-1].usd, [("", ends[-1].name, ends[-1].usd)]
    for i, part in enumerate(parts, 1):
        level += part.models_usd or ZERO
        levels.append((part.name, WITH_PARTS if i == len(parts) else "", level))
    return (*levers, *tuple(walk(levels))[1:])


def _sum(parts: Iterable[Part], of: Callable[[Part], Decimal | None]) -> Decimal | None:
    found = [of(part) for part in parts]
    return None if None in found else sum((usd for usd in found if usd is not None), ZERO)


def _exact(share: float) -> Decimal:
    return Decimal(str(share))
