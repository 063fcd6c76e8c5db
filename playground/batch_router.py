"""The router's choice for many tickets at once: the same candidates, the same reasons against them, the same exact money.

What a candidate costs is linear in tokens, so a stage of ten thousand tickets is one table of whole numbers.
Rules that need one ticket at a time (budgets, preferred providers) go through `Router.decide` itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playground.batch_costs import UNPRICED, Whole, costs, pico, whole_rates
from playground.options import Load, Option, stage_cost_usd
from playground.pipeline import Stage
from playground.records import Candidate, Plan, Prompt
from playground.router import Router

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
    named = _named(router, stage, plan)
    if named is not None:
        return one_for_all(router, stage, inputs, named)
    if _needs_one_by_one(router):
        return _one_by_one(router, stage, inputs, bars)
    return _cheapest(router, stage, inputs, bars)


def _named(router: Router, stage: Stage, plan: Plan) -> Candidate | None:
    """The candidate that a plan or a pin names, whatever the ticket."""
    if plan == "before":
        return router.named(stage.before)
    tier = router.pipeline.tiers[stage.tier] if plan == "stratified" else None
    named = router.settings.pins.get(stage.key) or tier
    return None if named is None else router.named(named)


def _needs_one_by_one(router: Router) -> bool:
    rules = router.settings
    return bool(rules.preferred) or rules.call_budget_usd is not None or rules.ticket_budget_usd is not None


def one_for_all(router: Router, stage: Stage, inputs: Whole, candidate: Candidate) -> Chosen:
    """A stage on the same candidate for every ticket."""
    options = {o.candidate.key: o for o in router.options(stage, router.bar(stage).value, candidate)}
    return Chosen((candidate,), np.zeros(len(inputs), np.int32), costs(options[candidate.key], stage, inputs))


def _one_by_one(router: Router, stage: Stage, inputs: Whole, bars: NDArray[np.float64]) -> Chosen:
    found: dict[str, int] = {}
    candidates: list[Candidate] = []
    column, paid = np.zeros(len(inputs), np.int32), np.zeros(len(inputs), np.int64)
    for bar in np.unique(bars):
        fixed = router.but(bars={**router.settings.bars, stage.key: float(bar)}, raise_bars=False)
        for row in np.flatnonzero(bars == bar):
            prompts = tuple(Prompt(stage.key, i, (), int(n), 0) for i, n in enumerate(inputs[row], 1))
            decision = fixed.decide(stage, prompts, "kr-auto")
            chosen = decision.chosen
            if chosen.key not in found:
                found[chosen.key] = len(candidates)
                candidates.append(chosen)
            column[row] = found[chosen.key]
            paid[row] = pico(stage_cost_usd(chosen, Load.of(stage, prompts)))
    return Chosen(tuple(candidates), column, paid)


def _cheapest(router: Router, stage: Stage, inputs: Whole, bars: NDArray[np.float64]) -> Chosen:
    names: dict[str, int] = {}
    candidates: list[Candidate] = []
    column, paid = np.zeros(len(inputs), np.int32), np.zeros(len(inputs), np.int64)
    for bar in np.unique(bars):
        rows = np.flatnonzero(bars == bar)
        options = _contenders(
            router.open_options(stage, float(bar)), router.named(stage.before).key, stage, inputs[rows]
        )
        for o in options:
            if o.candidate.key not in names:
                names[o.candidate.key] = len(candidates)
                candidates.append(o.candidate)
        best, paid[rows] = _best(options, router.named(stage.before).key, stage, inputs[rows])
        column[rows] = np.array([names[o.candidate.key] for o in options], np.int32)[best]
    return Chosen(tuple(candidates), column, paid)


def _contenders(options: Sequence[Option], before: str, stage: Stage, inputs: Whole) -> list[Option]:
    """Without those that are dearer than another for the shortest and the longest ticket, and so for all between.

    What a candidate is expected to cost is linear in tokens while no ticket crosses a price tier or fills a context.
    """
    shortest, longest = int(inputs.min()), int(inputs.max())
    if not all(_is_linear(o, shortest, longest, stage) for o in options):
        return list(options)
    total = inputs.sum(axis=1)
    slope, base = np.array([_line(o, shortest, stage, inputs.shape[1]) for o in options]).T
    table = np.array([[total.min()], [total.max()]]) * slope + base
    own = next(i for i, o in enumerate(options) if o.candidate.key == before)
    share = np.array([int(o.miss_share * _SHARE) for o in options])
    expected = table * _SHARE + table[:, [own]] * share
    ours, theirs = expected[:, :, None], expected[:, None, :]
    earlier = np.tri(len(options), k=-1, dtype=np.bool_)
    may_be_chosen = np.array([not (o.off or o.out) for o in options])
    # Among equals the first wins, so one that stands before another need not be cheaper.
    beaten = ((theirs < ours).all(axis=0) | ((theirs <= ours).all(axis=0) & earlier)) & may_be_chosen
    return [o for i, o in enumerate(options) if i == own or not beaten[i].any()]


def _line(option: Option, tokens: int, stage: Stage, calls: int) -> tuple[int, int]:
    """A candidate's cost as (for each token in, for the answers of all calls), at the price of prompts of so many tokens."""
    price = option.candidate.model.price
    rates = None if price is None else whole_rates(price)
    assert price is not None
    assert rates is not None
    given, visible, thought = map(int, rates[sum(tokens > above for above, _ in price.tiers)])
    return given, (stage.typical_output_tokens * visible + option.thinking * thought) * calls


def _is_linear(option: Option, shortest: int, longest: int, stage: Stage) -> bool:
    model = option.candidate.model
    if model.price is None or whole_rates(model.price) is None:
        return False
    fits = model.context_tokens is None or longest + stage.max_output_tokens <= model.context_tokens
    return fits and not any(shortest <= above < longest for above, _ in model.price.tiers)


def _best(options: Sequence[Option], before: str, stage: Stage, inputs: Whole) -> tuple[NDArray[np.intp], Whole]:
    """Number of the cheapest option for each ticket by expected cost, and what it costs without a retry."""
    own = next(i for i, o in enumerate(options) if o.candidate.key == before)
    table = np.stack([costs(o, stage, inputs) for o in options], axis=1)
    expected = np.stack([_expected(table[:, i], table[:, own], o) for i, o in enumerate(options)], axis=1)
    longest = inputs.max(axis=1) + stage.max_output_tokens
    for i, o in enumerate(options):
        room = o.candidate.model.context_tokens
        blocked = o.off is not None or o.out is not None
        expected[(longest > room) if room is not None and not blocked else np.full(len(inputs), blocked), i] = UNPRICED
    best = expected.argmin(axis=1)
    rows = np.arange(len(best))
    # Where nothing may be chosen the stage stays on its current model.
    best[expected[rows, best] == UNPRICED] = own
    return best, table[rows, best]


def _expected(cost: Whole, rescue: Whole, option: Option) -> Whole:
    """Expected cost in units that hold a share of four digits; a rescue without a price counts for nothing, as for one ticket."""
    share = int(option.miss_share * _SHARE)
    known = np.where(rescue == UNPRICED, 0, rescue)
    return np.where(cost > _TOO_DEAR_TO_SCALE, UNPRICED, np.minimum(cost, _TOO_DEAR_TO_SCALE) * _SHARE + known * share)


def counted(chosen: Chosen) -> Iterator[tuple[Candidate, int]]:
    """How many tickets each candidate got, most first."""
    numbers = np.bincount(chosen.column, minlength=len(chosen.candidates))
    yield from ((chosen.candidates[i], int(numbers[i])) for i in np.argsort(-numbers, kind="stable") if numbers[i])


def by_candidate(chosen: Chosen) -> Iterator[tuple[Candidate, NDArray[np.intp]]]:
    """Each candidate with the tickets that got it."""
    for number, candidate in enumerate(chosen.candidates):
        rows = np.flatnonzero(chosen.column == number)
        if len(rows):
            yield candidate, rows
