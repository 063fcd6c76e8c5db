"""What caching saves on a log, ready for any month: the values that a replay finds and a forecast takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from playground.money import ZERO
from playground.prompt_caching import CachedPrefix, saved_usd


@dataclass(frozen=True, slots=True)
class PrefixUse:
    """The fixed part of one stage's prompts on one model, `alone` and with what is `left` of the calls by our own caches."""

    alone: CachedPrefix
    left: CachedPrefix


@dataclass(frozen=True, slots=True)
class CacheSavings:
    """Shares are of tickets, USD are for an average ticket, one round under kr-auto; priced, not run.

    In the order in which the caches stand around a call: what one has served, the next never sees.
    """

    exact_hit_share: float
    """Tickets that a cache of whole answers serves at some stage."""
    exact_saving_usd_per_ticket: Decimal
    semantic_hit_share: float
    """Tickets whose label a semantic cache serves, besides those."""
    semantic_saving_usd_per_ticket: Decimal
    semantic_false_hit_share: float | None
    """Of the semantic hits; `None` where it is not known."""
    prefixes: tuple[PrefixUse, ...]
    one_round_usd: Decimal
    """What the ticket costs without any cache."""

    def prefix_saving_usd_per_ticket(self, tickets_per_month: float, alone: bool = False) -> Decimal:
        """The provider's cache at a volume, beside the other caches or `alone`; below 0 it costs more than it saves."""
        return saved_usd((p.alone if alone else p.left for p in self.prefixes), tickets_per_month)

    def saving_usd_per_ticket(self, tickets_per_month: float) -> Decimal:
        """All three together."""
        whole = self.exact_saving_usd_per_ticket + self.semantic_saving_usd_per_ticket
        return whole + self.prefix_saving_usd_per_ticket(tickets_per_month)

    def served_share(self, exact: bool, semantic: bool) -> float | None:
        """The share of what is spent on models that our own caches save, those that are on; `None` where both are off."""
        if not exact and not semantic:
            return None
        saved = (self.exact_saving_usd_per_ticket if exact else ZERO) + (
            self.semantic_saving_usd_per_ticket if semantic else ZERO
        )
        return float(saved / self.one_round_usd) if self.one_round_usd else 0.0

    def wrong_per_month(self, tickets_per_month: float) -> float | None:
        """Tickets a month that get another ticket's wrong label; `None` where that is not known."""
        if self.semantic_false_hit_share is None:
            return None
        return tickets_per_month * self.semantic_hit_share * self.semantic_false_hit_share

    def by_cache(self, tickets_per_month: float) -> Mapping[str, Decimal]:
        """A month in USD, cache by cache; adds up to all three."""
        n = Decimal(repr(float(tickets_per_month)))
        return {
            "exact": self.exact_saving_usd_per_ticket * n,
            "semantic": self.semantic_saving_usd_per_ticket * n,
            "prefix": self.prefix_saving_usd_per_ticket(tickets_per_month) * n,
        }
