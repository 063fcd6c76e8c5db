"""The router's choice for many tickets at once: the same candidates, the same reasons against them, the same exact money.

What a candidate costs is linear in tokens, so a stage of ten thousand tickets is one table of whole numbers: a token costs a whole
number of 10^-12 USD at every price that has at most six digits after the point. Rules that need one ticket at a time (budgets,
preferred providers) go through `Router.decide` itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from playground.options import Load, Option, stage_cost_usd
from playground.pipeline import Stage
from playground.records import Candidate, Plan, Price, Prompt, Rates
from playground.router import Router

Whole = NDArray[np.int64]
PICO = 10**12
"""Whole units in one USD."""
UNPRICED = np.iinfo(np.int64).max
_SHARE = 10_000
"""A miss share has four digits."""
_TOO_DEAR_TO_SCALE = UNPRICED // (4 * _SHARE)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A stage under a plan: each ticket's candidate, by its number in `candidates`, and its cost in 10^-12 USD."""

    candidates: tuple[Candidate, ...]
    column: NDArray[np.int32]
    cost_pico_usd: Whole

    @property
    def unpriced(self) -> NDArray[np.bool_]:
        """Tickets whose candidate has no price."""
        return np.asarray(self.cost_pico_usd == UNPRICED)


def choose_many(router: Router, stage: Stage, inputs: Whole, bars: NDArray[np.float64], plan: Plan) -> Chosen:
    """Each ticket's candidate and cost. `inputs` are input tokens, shaped (tickets, calls); `bars` the bar of each ticket."""
    if plan != "kr-auto" or stage.key in router.settings.pins:
        return _one_for_all(router, stage, inputs, plan)
    if _needs_one_by_one(router):
        return _one_by_one(router, stage, inputs, bars)
    return _cheapest(router, stage, inputs, bars)


def _needs_one_by_one(router: Router) -> bool:
    rules = router.settings
    return bool(rules.preferred) or rules.call_budget_usd is not None or rules.ticket_budget_usd is not None


def _one_for_all(router: Router, stage: Stage, inputs: Whole, plan: Plan) -> Chosen:
    pinned = router.settings.pins.get(stage.key) if plan != "before" else None
    named = pinned or (stage.before if plan == "before" else router.pipeline.tiers[stage.tier])
    candidate = router.named(named)
    option = next(
        o for o in router.options(stage, router.bar(stage).value, candidate) if o.candidate.key == candidate.key
    )
    return Chosen((candidate,), np.zeros(len(inputs), np.int32), costs(option, stage, inputs))


def _one_by_one(router: Router, stage: Stage, inputs: Whole, bars: NDArray[np.float64]) -> Chosen:
    found: dict[str, int] = {}
    candidates: list[Candidate] = []
    column, paid = np.zeros(len(inputs), np.int32), np.zeros(len(inputs), np.int64)
    for bar in np.unique(bars):
        fixed = router.but(bars={**router.settings.bars, stage.key: float(bar)}, raise_bars=False)
        for row in np.flatnonzero(bars == bar):
            prompts = tuple(Prompt(stage.key, i, (), int(n), 0) for i, n in enumerate(inputs[row], 1))
            chosen = fixed.decide(stage, prompts, "kr-auto").chosen
            if chosen.key not in found:
                found[chosen.key] = len(candidates)
                candidates.append(chosen)
            column[row] = found[chosen.key]
            paid[row] = _pico(stage_cost_usd(chosen, Load.of(stage, prompts)))
    return Chosen(tuple(candidates), column, paid)


def _cheapest(router: Router, stage: Stage, inputs: Whole, bars: NDArray[np.float64]) -> Chosen:
    names: dict[str, int] = {}
    candidates: list[Candidate] = []
    column, paid = np.zeros(len(inputs), np.int32), np.zeros(len(inputs), np.int64)
    for bar in np.unique(bars):
        rows = np.flatnonzero(bars == bar)
        options = _in_question(router, stage, float(bar))
        for o in options:
            if o.candidate.key not in names:
                names[o.candidate.key] = len(candidates)
                candidates.append(o.candidate)
        best, paid[rows] = _best(options, router.named(stage.before).key, stage, inputs[rows])
        column[rows] = np.array([names[o.candidate.key] for o in options], np.int32)[best]
    return Chosen(tuple(candidates), column, paid)


def _in_question(router: Router, stage: Stage, bar: float) -> list[Option]:
    """Candidates that nothing but a ticket's length can speak against, and the current model; in order of their names."""
    before = router.named(stage.before).key
    free = (o for o in router.options(stage, bar) if o.candidate.key == before or not (o.off or o.out or o.short))
    return sorted(free, key=lambda o: o.candidate.key)


def _best(options: Sequence[Option], before: str, stage: Stage, inputs: Whole) -> tuple[NDArray[np.intp], Whole]:
    """Number of the cheapest option for each ticket, by expected cost, and what it costs without a retry."""
    table = np.stack([costs(o, stage, inputs) for o in options], axis=1)
    own = next(i for i, o in enumerate(options) if o.candidate.key == before)
    expected = np.stack([_expected(table[:, i], table[:, own], o) for i, o in enumerate(options)], axis=1)
    longest = inputs.max(axis=1) + stage.max_output_tokens
    for i, o in enumerate(options):
        room = o.candidate.model.context_tokens
        blocked = o.off is not None or o.out is not None
        expected[(longest > room) if room is not None and not blocked else np.full(len(inputs), blocked), i] = UNPRICED
    best = expected.argmin(axis=1)
    # Where nothing may be chosen the stage stays on its current model.
    best[expected[np.arange(len(best)), best] == UNPRICED] = own
    return best, table[np.arange(len(best)), best]


def _expected(cost: Whole, rescue: Whole, option: Option) -> Whole:
    """Expected cost in units that hold a share of four digits; a rescue without a price counts for nothing, as for one ticket."""
    share = int(option.miss_share * _SHARE)
    known = np.where(rescue == UNPRICED, 0, rescue)
    return np.where(cost > _TOO_DEAR_TO_SCALE, UNPRICED, np.minimum(cost, _TOO_DEAR_TO_SCALE) * _SHARE + known * share)


def costs(option: Option, stage: Stage, inputs: Whole) -> Whole:
    """List cost of a stage's calls for each ticket, in 10^-12 USD; `UNPRICED` where there is no price."""
    price = option.candidate.model.price
    rates = _whole_rates(price) if price is not None else None
    if price is None or rates is None:
        return np.array([_slow(option, stage, row) for row in inputs], np.int64)
    thresholds = [above for above, _ in price.tiers]
    tier = np.searchsorted(thresholds, inputs) if thresholds else np.zeros(inputs.shape, np.int64)
    given, visible, thought = (rates[:, i][tier] for i in range(3))
    a_call = inputs * given + stage.typical_output_tokens * visible + option.thinking * thought
    return np.asarray(a_call.sum(axis=1), np.int64)


@lru_cache(maxsize=1024)
def _whole_rates(price: Price) -> Whole | None:
    """Whole 10^-12 USD for a token in, out and thought, a row for each tier; `None` where a price cannot be said so."""
    rows = [_row(rates) for rates in (price.rates, *(rates for _, rates in price.tiers))]
    return None if None in rows else np.array(rows, np.int64)


def _row(rates: Rates) -> tuple[int, ...] | None:
    given, out = rates.input_usd_per_mtok, rates.output_usd_per_mtok
    if given is None or out is None:
        return None
    thought = out if rates.reasoning_usd_per_mtok is None else rates.reasoning_usd_per_mtok
    whole = [rate * 1_000_000 for rate in (given, out, thought)]
    return tuple(map(int, whole)) if all(w == w.to_integral_value() for w in whole) else None


def _slow(option: Option, stage: Stage, row: Iterable[int]) -> int:
    load = Load(tuple(int(n) for n in row), stage.typical_output_tokens, stage.max_output_tokens)
    return _pico(stage_cost_usd(option.candidate, load))


def _pico(cost: Decimal | None) -> int:
    return int(UNPRICED) if cost is None else round(cost * PICO)


def in_usd(pico: int) -> Decimal:
    """Whole units as USD, exactly."""
    return Decimal(pico) / PICO


def counted(chosen: Chosen) -> Iterator[tuple[Candidate, int]]:
    """How many tickets each candidate got, most first."""
    numbers = np.bincount(chosen.column, minlength=len(chosen.candidates))
    yield from ((chosen.candidates[i], int(numbers[i])) for i in np.argsort(-numbers, kind="stable") if numbers[i])
