"""What caching would have saved on a log: its tickets are asked again in order of arrival, within the caches' age and size.

Nothing is called: what a call costs is its price under kr-auto, one round each. A ticket that asks what one of the same customer
asked before, word for word, is served at every stage: its earlier answers are then the same too. Customers never share answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from playground.answer_store import ROW_BYTES, WEEK_S
from playground.batch_costs import UNPRICED, exact_sum, in_usd
from playground.bounded_replay import bounded_hits
from playground.cache_levels import own_prompts
from playground.cache_replay import MOST_COMPARED, SemanticReplay, semantic_hits
from playground.cache_share import CacheSavings, PrefixUse
from playground.hit_threshold import LEXICAL
from playground.log_pricing import ROUTED, PricedBatch
from playground.log_tickets import NO_TIME, UNKNOWN
from playground.pipeline import Pipeline
from playground.prompt_caching import CachedPrefix
from playground.replay_limits import Bools, Limits
from playground.runtime import ExactCache, Runtime
from playground.semantic_cache import MOST_ENTRIES, STAGES

DAY_S, HOUR_S, MB = 86_400, 3_600, 1_000_000
CHARS_A_TOKEN = 4.5
KEY_BYTES, AROUND_BYTES = 64 + 20, 200
"""Of a stored answer: its key and its customer's name; and usage and finish reason as JSON. Estimates, as is its text."""
Order = Literal["time", "day", "file"]


@dataclass(frozen=True, slots=True)
class CacheRules:
    """The caches as they are replayed."""

    ttl_s: float = ExactCache().ttl_hours * HOUR_S
    most_bytes: int = int(ExactCache().max_mb * MB)
    threshold: float = LEXICAL.threshold
    semantic_ttl_s: float = WEEK_S
    most_entries: int = MOST_ENTRIES

    @classmethod
    def of(cls, runtime: Runtime) -> CacheRules:
        """As an agent's file sets them; what is off is replayed as it would be if it were switched on."""
        exact = runtime.exact_cache or ExactCache()
        threshold = LEXICAL.threshold if runtime.semantic_cache is None else runtime.semantic_cache
        return cls(exact.ttl_hours * HOUR_S, int(exact.max_mb * MB), threshold)


@dataclass(frozen=True, slots=True, eq=False)
class Arrivals:
    """What a priced log does not keep of its file: times of day, and the words of the rows that are compared by them."""

    seconds: NDArray[np.int32]
    words: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class StageCaching:
    """One stage: the share of its calls that the exact cache serves, at most how many it could, and USD an average ticket."""

    stage: str
    hit_share: float
    distinct_bound: float
    exact_usd: Decimal
    semantic_usd: Decimal


@dataclass(frozen=True, slots=True, eq=False)
class LogCaching:
    """A replayed log."""

    savings: CacheSavings
    rules: CacheRules
    tickets: int
    left_out: int
    """Without a date where others have one, or without a price."""
    order: Order
    """What they were put in order by; without dates no answer grows old."""
    customers: int
    distinct_bound: float
    """The most that an exact cache could have served: one less the share of distinct prompts of a customer."""
    stages: tuple[StageCaching, ...]
    semantic: SemanticReplay
    from_labels: bool
    """Whether false hits were counted on the log's own labels."""
    late: Mapping[tuple[str, str], float]
    """Stage and model to the share of calls that came too late after the one before, as the log itself arrived."""


def words_wanted(batch: PricedBatch, most: int = MOST_COMPARED) -> Bools:
    """The rows whose words a replay compares: the last ones by day."""
    rows = _replayed(batch)
    last = rows[np.argsort(batch.days[rows], kind="stable")][-most:]
    found = np.zeros(len(batch.ids), np.bool_)
    found[last] = True
    return found


def _replayed(batch: PricedBatch) -> NDArray[np.intp]:
    """Rows with a price, and a date where any has one."""
    priced = batch.ticket_costs(ROUTED) != UNPRICED
    dated = batch.days != UNKNOWN
    return np.flatnonzero(priced & dated if dated.any() else priced)


def replay_log(batch: PricedBatch, flow: Pipeline, arrivals: Arrivals, rules: CacheRules) -> LogCaching:
    """Ask a priced log's tickets again; `flow` is the agent that it was priced for. Raises `BadInput` for an odd threshold."""
    rows, order = _replayed(batch), _order(batch, arrivals)
    seconds = np.where(arrivals.seconds[rows] == NO_TIME, 0, arrivals.seconds[rows])
    at = batch.days[rows].astype(np.float64) * DAY_S + seconds if order != "file" else np.zeros(len(rows))
    by_time = np.argsort(at, kind="stable")
    rows, at = rows[by_time], at[by_time]
    keys = np.stack(list(own_prompts(batch, rows).values()), axis=1)
    hits = bounded_hits(keys, at.tolist(), _sizes(batch, flow), rules.ttl_s, rules.most_bytes)
    by_stage = np.stack([hits[:, list(batch.prompts).index(slots)] for slots in batch.slots], axis=1)
    alike = _alike(batch, rows, at, by_stage, arrivals, rules)
    return _found(batch, rows, at, keys, by_stage, alike, order, rules)


def _order(batch: PricedBatch, arrivals: Arrivals) -> Order:
    dated = batch.days != UNKNOWN
    if not dated.any():
        return "file"
    return "time" if (arrivals.seconds[dated] != NO_TIME).mean() > 0.5 else "day"


def _sizes(batch: PricedBatch, flow: Pipeline) -> list[int]:
    """Bytes that a ticket's answers take in the cache, by kind of prompt."""
    sizes = dict.fromkeys(batch.prompts, 0)
    for key, slots in zip(batch.stages, batch.slots, strict=True):
        stage = flow.stage(key)
        an_answer = ROW_BYTES + KEY_BYTES + AROUND_BYTES + round(CHARS_A_TOKEN * stage.typical_output_tokens)
        sizes[slots] += stage.calls * an_answer
    return list(sizes.values())


def _alike(
    batch: PricedBatch,
    rows: NDArray[np.intp],
    at: NDArray[np.float64],
    served: Bools,
    arrivals: Arrivals,
    rules: CacheRules,
) -> tuple[SemanticReplay, bool, Decimal]:
    """The semantic cache over the rows whose words are known, in order of arrival; on labels or not; USD an average ticket."""
    known = np.array([row in arrivals.words for row in rows.tolist()], np.bool_)
    own, sorts = rows[known], [i for i, key in enumerate(batch.stages) if key in STAGES]
    taken = np.asarray(served[known][:, sorts].all(axis=1))
    labels = batch.labels[own].tolist()
    labelled = bool(labels) and all(labels)
    found = semantic_hits(
        [arrivals.words[row] for row in own.tolist()],
        batch.customers[own].tolist(),
        labels if labelled else None,
        rules.threshold,
        len(own),
        Limits(taken, at[known].tolist(), rules.semantic_ttl_s, rules.most_entries),
    )
    a_hit = batch.costs[ROUTED][own[found.hits]][:, sorts].sum(axis=1)
    usd = in_usd(exact_sum(a_hit)) / max(1, len(own))
    return SemanticReplay(found.threshold, len(own), len(rows), found.hits, found.false_hits), labelled, usd


def _found(
    batch: PricedBatch,
    rows: NDArray[np.intp],
    at: NDArray[np.float64],
    keys: NDArray[np.uint64],
    served: Bools,
    semantic: tuple[SemanticReplay, bool, Decimal],
    order: Order,
    rules: CacheRules,
) -> LogCaching:
    n, costs, (alike, labelled, semantic_usd) = max(1, len(rows)), batch.costs[ROUTED][rows], semantic
    bounds = [1 - len(np.unique(keys[:, i])) / n for i in range(keys.shape[1])]
    stages = tuple(
        StageCaching(
            key,
            float(served[:, i].mean()) if len(rows) else 0.0,
            bounds[list(batch.prompts).index(batch.slots[i])],
            in_usd(exact_sum(costs[served[:, i], i])) / n,
            semantic_usd if key in STAGES else Decimal(0),
        )
        for i, key in enumerate(batch.stages)
    )
    savings = CacheSavings(
        float(served.any(axis=1).mean()) if len(rows) else 0.0,
        sum((s.exact_usd for s in stages), Decimal(0)),
        alike.hit_share,
        sum((s.semantic_usd for s in stages), Decimal(0)),
        alike.false_hit_share if alike.hits.any() else None,
        _prefixes(batch, rows, served),
        in_usd(exact_sum(costs)) / n,
    )
    left_out, customers = len(batch.ids) - len(rows), len(set(batch.customers[rows].tolist()))
    late = _late(batch, rows, at) if order == "time" else {}
    bound = max(bounds, default=0.0)
    return LogCaching(savings, rules, len(rows), left_out, order, customers, bound, stages, alike, labelled, late)


def _prefixes(batch: PricedBatch, rows: NDArray[np.intp], served: Bools) -> tuple[PrefixUse, ...]:
    """The provider's cache, and what is left for it where the exact one has served what it can."""
    found = []
    for whole in batch.cached_prefixes(ROUTED):
        i = batch.stages.index(whole.stage)
        cached = batch.cached[rows, i]
        taken = exact_sum(cached)
        left = Decimal(exact_sum(cached[~served[:, i]])) / taken if taken else Decimal(0)
        found.append(PrefixUse(whole, whole.part(left)))
    return tuple(found)


def _late(batch: PricedBatch, rows: NDArray[np.intp], at: NDArray[np.float64]) -> dict[tuple[str, str], float]:
    """Where all of a stage's cached calls go to one model: the share that came later than its provider keeps the fixed part."""
    by_stage: dict[str, list[CachedPrefix]] = {}
    for prefix in batch.cached_prefixes(ROUTED):
        by_stage.setdefault(prefix.stage, []).append(prefix)
    found = {}
    for stage, prefixes in by_stage.items():
        times = at[batch.cached[rows, batch.stages.index(stage)] > 0]
        if len(prefixes) == 1 and len(times):
            late = np.count_nonzero(np.diff(times) > prefixes[0].keeps_s) + 1
            found[stage, prefixes[0].model] = float(late / len(times))
    return found
