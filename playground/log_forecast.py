"""What a priced log says of a month: an average ticket under each plan, how sure that is, and which lever saves what.

All of it is worked out once for a log; a month at another volume is then arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from playground.batch_costs import PICO, UNPRICED, Whole, exact_sum, in_usd
from playground.bootstrap import Interval, difference_interval, mean_interval
from playground.cache_levels import Levels, levels_of, repeated
from playground.forecast import DAYS_IN_MONTH, Range, Spend
from playground.log_pricing import ROUTED, PricedBatch
from playground.log_summary import NOBODY, top_share
from playground.log_tickets import UNKNOWN
from playground.records import Assurance, Plan

Unit = Literal["customer", "ticket"]
FEWEST_CUSTOMERS = 8
"""With fewer, customers say too little of other customers for a range; with ten, it holds the truth in about 90% of logs."""
HEAVY = Decimal("0.30")
"""A share of spend carried by the dearest 1% of tickets above which a mean is fragile."""
MOST_ROUNDS = 20
"""A log whose tickets take more rounds on average has something else in that column."""
CENTRAL = (0.05, 0.95)
"""Where nine tenths of the dates lie: one mistyped year must not stretch a month to decades."""


@dataclass(frozen=True, slots=True)
class Again:
    """Tickets whose customer wrote again, among the `known` ones that say how often."""

    known: int
    share: float
    rounds: float
    """More rounds that such a ticket took, on average."""


@dataclass(frozen=True, slots=True)
class LogForecast:
    """A log, ready for any month. Only tickets that have a price under every plan count; `left_out` says how many do not."""

    tickets: int
    left_out: int
    days: int
    """Days of the middle nine tenths of the dated tickets; 0 where no ticket has a date."""
    dated: int
    """Tickets dated in these days."""
    far: int
    """Tickets dated so far off that the days between them and the rest are not counted."""
    spends: Mapping[Plan, Spend]
    assured: Mapping[Assurance, Spend]
    """kr-auto under either assurance; without an interval."""
    again: Again | None
    odd_rounds: float | None
    """Mean rounds that cannot be right, and are not used; `None` where they can."""
    unit: Unit
    clusters: int
    method: str
    """How the range was made; why there is none, where there is none."""
    top_shares: Mapping[Plan, Decimal | None]
    repeats: int
    levels: Levels
    saving: Range
    """95% interval of what kr-auto saves a round against before, as shares of the mean saving; `None` where there is none."""

    def without_prompt_cache(self) -> LogForecast:
        """The same where prompt caching at the provider is off."""
        spends = {plan: replace(spend, prefixes=()) for plan, spend in self.spends.items()}
        assured = {kind: replace(spend, prefixes=()) for kind, spend in self.assured.items()}
        return replace(self, spends=spends, assured=assured)

    @property
    def tickets_per_month(self) -> int | None:
        """The volume the log itself shows; `None` where it has no dates."""
        return round(Decimal(self.dated) / self.days * DAYS_IN_MONTH) if self.days else None


def log_forecast(batch: PricedBatch, prompt_cache: bool = True) -> LogForecast | None:
    """Work a log out, with prompt caching at the provider or without. `None` where no ticket has a price under every plan."""
    plans = tuple(batch.costs)
    whole = {plan: batch.ticket_costs(plan) for plan in plans}
    priced = np.all([costs != UNPRICED for costs in whole.values()], axis=0)
    if not priced.any():
        return None
    spent = {plan: whole[plan][priced] for plan in plans}
    again, odd = _again(batch.rounds[priced])
    rounds = batch.rounds[priced].astype(np.int64) if again is not None else None
    unit, cluster = _clusters(batch.customers[priced])
    ranges, method = _ranges(spent, rounds, unit, cluster)
    warm, _ = _ranges(_warm(batch, priced, spent), rounds, unit, cluster)
    found = LogForecast(
        tickets=int(priced.sum()),
        left_out=int((~priced).sum()),
        **_calendar(batch.days[batch.days != UNKNOWN]),
        spends={p: _spend(batch, p, priced, spent[p], rounds, ranges[p] + warm[p]) for p in plans},
        assured=_assured(batch, priced, rounds),
        again=again,
        odd_rounds=odd,
        unit=unit,
        clusters=int(cluster.max()) + 1,
        method=method,
        top_shares={
            plan: top_share(spent[plan] * (1.0 if rounds is None else np.maximum(rounds, 1))) for plan in plans
        },
        repeats=int(repeated(batch, priced).any(axis=1).sum()),
        levels=levels_of(batch, priced),
        saving=_saving(spent, unit, cluster),
    )
    return found if prompt_cache else found.without_prompt_cache()


def _again(rounds: NDArray[np.int32]) -> tuple[Again | None, float | None]:
    """How tickets come back, from those that say so; or a mean that cannot be right."""
    known = rounds[rounds != UNKNOWN]
    if not len(known):
        return None, None
    if (mean := float(known.mean())) > MOST_ROUNDS:
        return None, mean
    more = known[known > 1] - 1
    return Again(len(known), len(more) / len(known), float(more.mean()) if len(more) else 0.0), None


def _calendar(days: NDArray[np.int32]) -> dict[str, int]:
    if not len(days):
        return {"days": 0, "dated": 0, "far": 0}
    low, high = (int(day) for day in np.quantile(days, CENTRAL, method="nearest"))
    span = high - low + 1
    near = int(((days >= low) & (days <= high)).sum())
    far = int(((days < low - 2 * span) | (days > high + 2 * span)).sum())
    return {"days": span, "dated": near, "far": far}


def _clusters(customers: NDArray[np.object_]) -> tuple[Unit, NDArray[np.int64]]:
    """Which cluster each ticket belongs to: its customer's, or its own where it names none or no customer has two tickets."""
    from pandas import factorize

    code = factorize(customers)[0].astype(np.int64)
    nameless = customers == NOBODY
    named = code[~nameless]
    if len(np.unique(named)) == len(named):
        return "ticket", np.arange(len(code))
    code[nameless] = code.max() + 1 + np.arange(int(nameless.sum()))
    return "customer", np.unique(code, return_inverse=True)[1]


Both = tuple[Range, Range]


def _ranges(
    spent: Mapping[Plan, Whole], rounds: Whole | None, unit: Unit, cluster: NDArray[np.int64]
) -> tuple[dict[Plan, Both], str]:
    """For each plan the range of one round, and of all measured rounds; and how they were made."""
    clusters = int(cluster.max()) + 1
    if unit == "customer" and clusters < FEWEST_CUSTOMERS:
        return dict.fromkeys(spent, (None, None)), f"no range: {clusters} customers say too little of others"
    one = mean_interval(*_totals([spent[p] for p in spent], cluster))
    again: tuple[Interval | None, ...] = (None,) * len(spent)
    if rounds is not None:
        # Where only some tickets say how often they came back, the range is that of these.
        known = rounds != UNKNOWN
        own = np.unique(cluster[known], return_inverse=True)[1]
        again = mean_interval(*_totals([spent[p][known] * rounds[known].astype(np.float64) for p in spent], own))
    found = {p: (_shares(a), None if b is None else _shares(b)) for p, a, b in zip(spent, one, again, strict=True)}
    if all(both == (None, None) for both in found.values()):
        return found, "no range: n = 1" if clusters == 1 else "no range: every ticket cost the same"
    return found, f"bootstrap-t over {clusters:,} {unit}s"


def _warm(batch: PricedBatch, priced: NDArray[np.bool_], spent: Mapping[Plan, Whole]) -> dict[Plan, Whole]:
    """What each ticket costs with caches that are always warm; they take the same off every ticket of a plan with fixed models."""
    found = {}
    for plan, costs in spent.items():
        mean = round(sum(p.read_usd for p in batch.cached_prefixes(plan)) * PICO)
        found[plan] = costs - (batch.cached[priced].sum(axis=1) if plan == ROUTED else mean)
    return found


def _totals(columns: list[NDArray[Any]], cluster: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Columns summed by cluster in USD, and how many tickets each cluster has."""
    sums = [np.bincount(cluster, weights=column) / 1e12 for column in columns]
    return np.stack(sums, axis=1), np.bincount(cluster)


def _spend(
    batch: PricedBatch,
    plan: Plan,
    priced: NDArray[np.bool_],
    spent: Whole,
    rounds: Whole | None,
    ranges: tuple[Range, Range, Range, Range],
) -> Spend:
    n, prefixes = len(spent), batch.cached_prefixes(plan)
    answers = in_usd(exact_sum(batch.answers[plan][priced])) / n
    one, again, warm, warm_again = ranges
    return Spend(
        in_usd(exact_sum(spent)) / n, answers, _mean_rounds(spent, rounds), one, again, n, prefixes, warm, warm_again,
        _cached_rounds(batch, priced, plan == ROUTED, rounds),
    )  # fmt: skip


def _cached_rounds(
    batch: PricedBatch, priced: NDArray[np.bool_], is_routed: bool, rounds: Whole | None
) -> Decimal | None:
    """Rounds weighted by what a cache takes off: a plan with fixed models caches the same for every ticket."""
    return _mean_rounds(batch.cached[priced].sum(axis=1) if is_routed else np.ones(int(priced.sum()), np.int64), rounds)


def _mean_rounds(spent: Whole, rounds: Whole | None) -> Decimal | None:
    """Rounds of an average ticket, weighted by cost, among those that give them."""
    if rounds is None:
        return None
    known = rounds != UNKNOWN
    total = exact_sum(spent[known])
    return Decimal(exact_sum(spent[known], rounds[known])) / total if total else None


def _assured(batch: PricedBatch, priced: NDArray[np.bool_], rounds: Whole | None) -> dict[Assurance, Spend]:
    found = {}
    for assurance, costs in batch.assured.items():
        whole, n = costs[priced], int(priced.sum())
        if (whole != UNPRICED).all():
            one_round, prefixes = in_usd(exact_sum(whole)) / n, batch.cached_prefixes(assurance)
            own = bool(np.array_equal(whole, batch.ticket_costs(ROUTED)[priced]))
            found[assurance] = Spend(
                one_round, rounds=_mean_rounds(whole, rounds), tickets=n, prefixes=prefixes,
                cached_rounds=_cached_rounds(batch, priced, own, rounds),
            )  # fmt: skip
    return found


def _shares(interval: Interval) -> Range:
    """An interval's ends as shares of the estimate; `None` where n = 1 gives none, or every ticket cost the same."""
    if not interval.estimate or np.isnan(interval.low) or interval.low == interval.high:
        return None
    low, high = (Decimal(str(round(end / interval.estimate, 9))) for end in (interval.low, interval.high))
    return low, high


def _saving(spent: Mapping[Plan, Whole], unit: Unit, cluster: NDArray[np.int64]) -> Range:
    few = unit == "customer" and int(cluster.max()) + 1 < FEWEST_CUSTOMERS
    if few or "before" not in spent or ROUTED not in spent:
        return None
    totals, sizes = _totals([spent["before"], spent[ROUTED]], cluster)
    return _shares(difference_interval(totals, sizes, 0, 1))


def heavy(found: LogForecast) -> Iterator[tuple[Plan, Decimal]]:
    """Plans whose dearest 1% of tickets carry over 30% of the spend, and how much."""
    for plan, share in found.top_shares.items():
        if share is not None and share > HEAVY:
            yield plan, share
