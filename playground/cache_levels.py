"""The levels of a log's waterfall: what the caches take off an average ticket, at any volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.batch_costs import UNPRICED, exact_sum, in_usd
from playground.log_pricing import ROUTED, PricedBatch
from playground.money import ZERO
from playground.prompt_caching import CachedPrefix, saved_usd


@dataclass(frozen=True, slots=True)
class Levels:
    """Means a ticket in USD for the waterfall; `reference_usd` is `None` where the agent names no models of 2025."""

    reference_usd: Decimal | None
    repeated_usd: Decimal
    """What prompts that came before cost with a provider's cache that is always warm: a cache of whole answers would save it."""
    repeated_read_usd: Decimal = ZERO
    """What that warm cache takes off them."""

    def repeated_at(self, prefixes: Sequence[CachedPrefix], tickets_per_month: float) -> Decimal:
        """What a cache of whole answers saves beside the provider's: the less that one takes off at a volume, the more."""
        warm = sum((p.read_usd for p in prefixes), ZERO)
        taken = saved_usd(prefixes, tickets_per_month) / warm if warm else ZERO
        return self.repeated_usd + self.repeated_read_usd * (1 - taken)


def repeated(batch: PricedBatch, priced: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether a stage's prompts stood before in the log, from the same customer, shaped (tickets, stages)."""
    again = {}
    for slots, prompts in own_prompts(batch, priced).items():
        again[slots] = np.ones(int(priced.sum()), np.bool_)
        again[slots][np.unique(prompts, return_index=True)[1]] = False
    return np.stack([again[slots] for slots in batch.slots], axis=1)


def own_prompts(batch: PricedBatch, rows: NDArray[Any]) -> dict[str, NDArray[np.uint64]]:
    """What a cache of whole answers compares, by kind of prompt: what it holds of a ticket, and whose ticket it is."""
    from pandas.util import hash_array

    whose = hash_array(batch.customers[rows], categorize=True)
    return {slots: prompts[rows] * np.uint64(1_000_003) ^ whose for slots, prompts in batch.prompts.items()}


def levels_of(batch: PricedBatch, priced: NDArray[np.bool_]) -> Levels:
    """The levels over the tickets that have a price."""
    n = int(priced.sum())
    reference = batch.reference[priced]
    if ROUTED not in batch.costs:
        return Levels(None, ZERO)
    cached, again = batch.cached[priced], repeated(batch, priced)
    came_before = np.where(again, batch.costs[ROUTED][priced] - cached, 0)
    return Levels(
        None if (reference == UNPRICED).any() else in_usd(exact_sum(reference)) / n,
        in_usd(exact_sum(came_before)) / n,
        in_usd(exact_sum(np.where(again, cached, 0))) / n,
    )
