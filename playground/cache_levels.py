"""The levels of a log's waterfall: what the caches take off an average ticket, at any volume."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.batch_costs import UNPRICED, exact_sum, in_usd
from playground.log_pricing import ROUTED, PricedBatch
from playground.money import ZERO
from playground.prompt_caching import SECONDS_IN_MONTH, write_share


@dataclass(frozen=True, slots=True)
class PrefixWrites:
    """The tickets of one stage and model whose prompts' fixed part a provider caches.

    `extra_usd` is what writing costs more than reading, a ticket of the log, if all of these wrote.
    """

    stage: str
    model: str
    keeps_s: float
    share: float
    """Of all tickets."""
    extra_usd: Decimal

    def written(self, tickets_per_month: float) -> float:
        """The share of these tickets that writes, where so many tickets of the log come in a month."""
        return write_share(tickets_per_month * self.share / SECONDS_IN_MONTH, self.keeps_s)


@dataclass(frozen=True, slots=True)
class Levels:
    """Means a ticket in USD for the waterfall; `reference_usd` is `None` where the agent names no models of 2025."""

    reference_usd: Decimal | None
    cached_usd: Decimal
    """What a prompt cache takes off kr-auto that is always warm."""
    repeated_usd: Decimal
    """What is left to pay with it for prompts that came before, and a cache of whole answers would save."""
    writes: tuple[PrefixWrites, ...] = ()
    repeated_cached_usd: Decimal = ZERO
    """The part of `cached_usd` that is on prompts that came before."""

    def cached_at(self, tickets_per_month: float) -> Decimal:
        """What prompt caching takes off kr-auto at a volume: reads less writes. Below 0 it costs more than it saves."""
        written = (w.extra_usd * Decimal(repr(w.written(tickets_per_month))) for w in self.writes)
        return self.cached_usd - sum(written, ZERO)

    def repeated_at(self, tickets_per_month: float) -> Decimal:
        """What a cache of whole answers saves beside it: the less the prompt cache takes off, the more."""
        if not self.cached_usd:
            return self.repeated_usd
        return self.repeated_usd + self.repeated_cached_usd * (1 - self.cached_at(tickets_per_month) / self.cached_usd)

    def without_prompt_cache(self) -> Levels:
        """The same where prompt caching is off: a cache of whole answers then saves all that repeated prompts cost."""
        whole = self.repeated_usd + self.repeated_cached_usd
        return replace(self, cached_usd=ZERO, repeated_usd=whole, writes=(), repeated_cached_usd=ZERO)


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
        return Levels(None, ZERO, ZERO)
    cached, again = batch.cached[priced], repeated(batch, priced)
    came_before = np.where(again, batch.costs[ROUTED][priced] - cached, 0)
    return Levels(
        None if (reference == UNPRICED).any() else in_usd(exact_sum(reference)) / n,
        in_usd(exact_sum(cached)) / n,
        in_usd(exact_sum(came_before)) / n,
        prefix_writes(batch),
        in_usd(exact_sum(np.where(again, cached, 0))) / n,
    )


def prefix_writes(batch: PricedBatch) -> tuple[PrefixWrites, ...]:
    """Where kr-auto's prompts have a fixed part that a provider caches, and what writing it would cost."""
    n = len(batch.ids)
    return tuple(
        PrefixWrites(stage, model, kept_s, found["tickets"] / n, in_usd(found["pico_usd"]) / n)
        for (stage, model, kept_s), found in batch.written.items()
    )
