"""What stands around the calls, priced: what guardrails, caches, failover and second opinions take off a month or add to it.

Parts work one after the other, so that none saves what another has saved already: tickets that are handed over are not checked and
answered, the cache answers a share of what is left, failed tries add to what then still goes out, and second opinions come on top.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from playground.errors import BadInput
from playground.forecast import Assumptions
from playground.levers import Lever, walk
from playground.money import ZERO

PartName = Literal["Guardrails", "Caches", "Failover", "Second opinions"]
WITH_PARTS = "With what stands around"
ONE_TICKET = Assumptions(
    tickets_per_month=1, again_share=0.0, escalation_share=0.0, human_cost_usd=ZERO, retry_share=0.0
)


def _checked(what: str, value: float | None) -> None:
    if value is not None and not 0 <= value <= 1:
        raise BadInput(f"The share {what} is {value}; it must be a number from 0 to 1.")


@dataclass(frozen=True, slots=True)
class Held:
    """Tickets that guardrails give to a person, as a share of all; the rest are shares of these. Raises `BadInput`."""

    share: float
    skip_check: float = 1.0
    """That never ran the check: those that were given away at the draft or before it."""
    skip_answer: float = 1.0
    """That never ran the answer; one that is withheld was paid for."""
    by_rule: float = 0.0
    """That an escalation rule named: those are what teams escalate anyway."""

    def __post_init__(self) -> None:
        _checked("handed over", self.share)
        for name in ("skip_check", "skip_answer", "by_rule"):
            _checked(name.replace("_", " "), getattr(self, name))


@dataclass(frozen=True, slots=True)
class Shares:
    """How often each part acts, from 0 to 1; `None` where it is off. Raises `BadInput` for another number."""

    handed_over: Held | None = None
    cached: float | None = None
    """Of what is spent on models, that our own caches save."""
    tried_again: float | None = None
    """Of what is spent on models, that tries at a provider that then fails add."""
    second_opinions: float | None = None
    """Of tickets, that the next tier up answers at one stage as well."""

    def __post_init__(self) -> None:
        for name in ("cached", "tried_again", "second_opinions"):
            _checked(name.replace("_", " "), getattr(self, name))

    @property
    def all_off(self) -> bool:
        """Whether nothing that costs or saves stands around the calls."""
        return self == Shares()


@dataclass(frozen=True, slots=True)
class Unit:
    """One round of an average ticket under one plan, in USD; `opinion_usd` is `None` where the next tier up has no price."""

    round_usd: Decimal
    check_usd: Decimal
    """Of it, the check."""
    answer_usd: Decimal
    """Of it, the answer."""
    opinion_usd: Decimal | None = ZERO
    embedding_usd: Decimal | None = ZERO
    """Asking what a ticket means, for the semantic cache; nothing where that compares by letters."""


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

    People are added only where escalation has given a ticket none: what an escalation rule names is taken to be among those that
    are escalated anyway, the other guardrails take no note of who is.
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
        skipped = _skipped_usd(unit, shares.handed_over) * factor
        left -= skipped
        yield Part("Guardrails", -skipped, tickets * _more_people(shares.handed_over, a) * a.human_cost_usd)
    if shares.cached is not None:
        saved = _exact(shares.cached) * left
        left -= saved
        asked = unit.embedding_usd
        yield Part("Caches", None if asked is None else asked * tickets * rounds - saved)
    if shares.tried_again is not None:
        yield Part("Failover", _exact(shares.tried_again) * left)
    if shares.second_opinions is not None:
        each = unit.opinion_usd
        yield Part(
            "Second opinions", None if each is None else _exact(shares.second_opinions) * each * tickets * rounds
        )


def _skipped_usd(unit: Unit, held: Held) -> Decimal:
    each = _exact(held.skip_check) * unit.check_usd + _exact(held.skip_answer) * unit.answer_usd
    return _exact(held.share) * each


def _more_people(held: Held, a: Assumptions) -> Decimal:
    """Share of tickets that need a person and would not have been escalated."""
    escalated, share = 1 - a.resolved_share, _exact(held.share)
    by_rule = share * _exact(held.by_rule)
    return max(ZERO, by_rule - escalated) + (share - by_rule) * (1 - max(escalated, by_rule))


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
