"""What a priced log says of a month: an average ticket under each plan, how sure that is, and which lever saves what.

All of it is worked out once for a log; a month at another volume is then arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from playground.batch_costs import UNPRICED, Whole, in_usd
from playground.bootstrap import Interval, difference_interval, mean_interval
from playground.forecast import DAYS_IN_MONTH, Spend
from playground.log_pricing import ROUTED, PricedBatch
from playground.log_summary import top_share
from playground.log_tickets import UNKNOWN
from playground.money import ZERO
from playground.records import Assurance, Plan

Unit = Literal["customer", "ticket"]
FEWEST_CUSTOMERS = 30
"""Below, resampling customers says little; tickets are resampled instead."""
HEAVY = Decimal("0.30")
"""A share of spend carried by the dearest 1% of tickets above which a mean is fragile."""


@dataclass(frozen=True, slots=True)
class Again:
    """Tickets whose customer wrote again, among the `known` ones that say how often."""

    known: int
    share: float
    rounds: float
    """More rounds that such a ticket took, on average."""


@dataclass(frozen=True, slots=True)
class Levels:
    """Means a ticket in USD for the waterfall; `reference_usd` is `None` where the agent names no models of 2025."""

    reference_usd: Decimal | None
    cached_usd: Decimal
    """What a warm prompt cache takes off kr-auto."""
    repeated_usd: Decimal
    """What is left to pay for prompts that came before, and a cache of whole answers would save."""
    repeated_retries_usd: Decimal
    """The failed attempts that go with them."""


@dataclass(frozen=True, slots=True)
class LogForecast:
    """A log, ready for any month. Only tickets that have a price under every plan count; `left_out` says how many do not."""

    tickets: int
    left_out: int
    days: int
    """Days from the first to the last dated ticket, both included; 0 where no ticket has a date."""
    dated: int
    spends: Mapping[Plan, Spend]
    assured: Mapping[Assurance, Spend]
    """kr-auto under either assurance; without an interval."""
    again: Again | None
    unit: Unit
    clusters: int
    top_shares: Mapping[Plan, Decimal | None]
    repeats: int
    levels: Levels
    saving: tuple[Decimal, Decimal] | None
    """95% interval of what kr-auto saves a ticket against before, as shares of the mean saving; `None` where there is none."""

    @property
    def tickets_per_month(self) -> int | None:
        """The volume the log itself shows; `None` where it has no dates."""
        return round(Decimal(self.dated) / self.days * DAYS_IN_MONTH) if self.days else None


def log_forecast(batch: PricedBatch) -> LogForecast | None:
    """Work a log out. `None` where no ticket has a price under every plan."""
    plans = tuple(batch.costs)
    whole = {plan: batch.ticket_costs(plan) for plan in plans}
    priced = np.all([costs != UNPRICED for costs in whole.values()], axis=0)
    if not priced.any():
        return None
    rounds, known = _rounds(batch, priced)
    unit, cluster = _clusters(batch.customers[priced])
    spent = {plan: whole[plan][priced] + batch.retries[plan][priced] for plan in plans}
    ranges = _ranges(spent, rounds, cluster)
    dated = batch.days[batch.days != UNKNOWN]
    return LogForecast(
        tickets=int(priced.sum()),
        left_out=int((~priced).sum()),
        days=int(dated.max() - dated.min()) + 1 if len(dated) else 0,
        dated=len(dated),
        spends={p: _spend(batch, p, priced, spent[p], rounds if known else None, ranges[p]) for p in plans},
        assured=_assured(batch, priced, rounds if known else None),
        again=_again(batch.rounds[priced]) if known else None,
        unit=unit,
        clusters=int(cluster.max()) + 1,
        top_shares={plan: top_share(spent[plan] * rounds) for plan in plans},
        repeats=int(_repeated(batch, priced).any(axis=1).sum()),
        levels=_levels(batch, priced),
        saving=_saving(spent, rounds, cluster),
    )


def _rounds(batch: PricedBatch, priced: NDArray[np.bool_]) -> tuple[NDArray[np.int64], bool]:
    """Rounds of each ticket, one where they are not known; and whether any is known."""
    found = batch.rounds[priced].astype(np.int64)
    return np.maximum(found, 1), bool((found != UNKNOWN).any())


def _again(rounds: NDArray[np.int32]) -> Again:
    known = rounds[rounds != UNKNOWN]
    more = known[known > 1] - 1
    return Again(len(known), len(more) / len(known), float(more.mean()) if len(more) else 0.0)


def _clusters(customers: NDArray[np.object_]) -> tuple[Unit, NDArray[np.int64]]:
    """Which cluster each ticket belongs to: its customer's, or its own where it names none or customers are few."""
    from pandas import factorize

    code = factorize(customers)[0].astype(np.int64)
    nameless = customers == ""
    named = code[~nameless]
    if len(np.unique(named)) < FEWEST_CUSTOMERS:
        return "ticket", np.arange(len(code))
    code[nameless] = code.max() + 1 + np.arange(int(nameless.sum()))
    return "customer", np.unique(code, return_inverse=True)[1]


def _ranges(spent: Mapping[Plan, Whole], rounds: NDArray[np.int64], cluster: NDArray[np.int64]) -> dict[Plan, Interval]:
    totals, sizes = _totals([spent[p] * rounds for p in spent], cluster)
    return dict(zip(spent, mean_interval(totals, sizes), strict=True))


def _totals(columns: list[Whole], cluster: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Columns summed by cluster in USD, and how many tickets each cluster has."""
    sums = [np.bincount(cluster, weights=column) / 1e12 for column in columns]
    return np.stack(sums, axis=1), np.bincount(cluster)


def _spend(
    batch: PricedBatch,
    plan: Plan,
    priced: NDArray[np.bool_],
    spent: Whole,
    rounds: NDArray[np.int64] | None,
    interval: Interval,
) -> Spend:
    total, n = int(spent.sum()), len(spent)
    retries = int(batch.retries[plan][priced].sum())
    known = None if rounds is None or not total else Decimal(int((spent * rounds).sum())) / total
    low, high = _shares(interval)
    answers = in_usd(int(batch.answers[plan][priced].sum())) / n
    return Spend(in_usd(total - retries) / n, in_usd(retries) / n, answers, known, low, high, n)


def _assured(batch: PricedBatch, priced: NDArray[np.bool_], rounds: NDArray[np.int64] | None) -> dict[Assurance, Spend]:
    found = {}
    for assurance, costs in batch.assured.items():
        whole = costs[priced]
        if (whole != UNPRICED).all():
            retries = batch.assured_retries[assurance][priced]
            spent, n = int((whole + retries).sum()), len(whole)
            known = None if rounds is None or not spent else Decimal(int(((whole + retries) * rounds).sum())) / spent
            found[assurance] = Spend(
                in_usd(int(whole.sum())) / n, in_usd(int(retries.sum())) / n, rounds=known, tickets=n
            )
    return found


def _shares(interval: Interval) -> tuple[Decimal | None, Decimal | None]:
    """An interval's ends as shares of the estimate; `None` where n = 1 gives none."""
    if not interval.estimate or np.isnan(interval.low):
        return None, None
    low, high = (Decimal(str(round(end / interval.estimate, 9))) for end in (interval.low, interval.high))
    return low, high


def _saving(
    spent: Mapping[Plan, Whole], rounds: NDArray[np.int64], cluster: NDArray[np.int64]
) -> tuple[Decimal, Decimal] | None:
    if "before" not in spent or ROUTED not in spent:
        return None
    totals, sizes = _totals([spent["before"] * rounds, spent[ROUTED] * rounds], cluster)
    low, high = _shares(difference_interval(totals, sizes, 0, 1))
    return None if low is None or high is None else (low, high)


def _repeated(batch: PricedBatch, priced: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether a stage's prompts stood before in the log, shaped (tickets, stages)."""
    again = {}
    for slots, prompts in batch.prompts.items():
        again[slots] = np.ones(int(priced.sum()), np.bool_)
        again[slots][np.unique(prompts[priced], return_index=True)[1]] = False
    return np.stack([again[slots] for slots in batch.slots], axis=1)


def _levels(batch: PricedBatch, priced: NDArray[np.bool_]) -> Levels:
    n = int(priced.sum())
    reference = batch.reference[priced]
    if ROUTED not in batch.costs:
        return Levels(None, ZERO, ZERO, ZERO)
    again, cached = _repeated(batch, priced), batch.cached[priced]
    routed, retries = batch.costs[ROUTED][priced], batch.retries[ROUTED][priced]
    repeated = np.where(again, routed - cached, 0).sum(axis=1)
    # Retries are known for a ticket, not for a stage: they go with the share of its cost that is repeated.
    with_them = retries * (np.where(again, routed, 0).sum(axis=1) / np.maximum(routed.sum(axis=1), 1))
    return Levels(
        None if (reference == UNPRICED).any() else in_usd(int(reference.sum())) / n,
        in_usd(int(cached.sum())) / n,
        in_usd(int(repeated.sum())) / n,
        in_usd(int(with_them.sum())) / n,
    )


def heavy(found: LogForecast) -> Iterator[tuple[Plan, Decimal]]:
    """Plans whose dearest 1% of tickets carry over 30% of the spend, and how much."""
    for plan, share in found.top_shares.items():
        if share is not None and share > HEAVY:
            yield plan, share
