"""What caching would have saved on a log: its tickets are asked again in order of arrival, and nothing is called.

Exact: the same text came before, from the same tenant. Semantic: the texts say the same and are alike enough, by the rules and the
code of the cache itself. In a run a cache compares whole prompts, so this is for stages whose prompt follows from the ticket.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.errors import BadInput
from playground.hit_threshold import LEXICAL, RADIUS, checked_threshold
from playground.lexical import SLIP_LETTERS, Said, is_slip, shareable, vectors
from playground.replay_limits import Bools, Limits, Stored
from playground.semantic_index import ROUNDING, products

MOST_COMPARED = 20_000


@dataclass(frozen=True, slots=True)
class SemanticReplay:
    """Semantic hits among the last `compared` tickets of a log, besides the exact ones; shares are of those tickets.

    Where no labels were given, whether neighbours would have agreed is not known: then `hits` is the most there could be, and the
    false-hit share is the one measured when the threshold was tuned, as far as this is that threshold.
    """

    threshold: float
    compared: int
    tickets: int
    hits: Bools
    """By ticket, over those compared."""
    false_hits: int | None
    """Hits whose label differs from that of the ticket that would have answered; `None` without labels."""

    @property
    def sampled(self) -> bool:
        """Whether the log was longer than what was compared."""
        return self.compared < self.tickets

    @property
    def hit_share(self) -> float:
        """Hits among the tickets compared; 0 for an empty log."""
        return float(self.hits.mean()) if self.compared else 0.0

    @property
    def false_hit_share(self) -> float | None:
        """Wrong hits among the hits, measured on the log's labels, else where the threshold was tuned; `None` where not known."""
        if self.false_hits is not None:
            return self.false_hits / int(self.hits.sum()) if self.hits.any() else None
        return LEXICAL.false_hit_share if self.threshold >= LEXICAL.threshold else None


def exact_hits(
    texts: Sequence[str],
    tenants: Sequence[Hashable] | None = None,
    arrived_s: Sequence[float] | None = None,
    ttl_s: float = inf,
) -> Bools:
    """Which tickets an exact cache would have answered, by ticket in order of arrival. Raises `BadInput`.

    With arrival times, in seconds, an answer older than `ttl_s` is asked for again, and a hit does not make it younger; an arrival
    before the answer was stored, as after a jump of a clock, is a miss. No answer gives way to the bound on size.
    """
    _same_length(texts, tenants, arrived_s)
    stored: dict[tuple[Hashable, str], float] = {}
    hits = np.zeros(len(texts), np.bool_)
    whose = tenants if tenants is not None else [None] * len(texts)
    times = arrived_s if arrived_s is not None else [0.0] * len(texts)
    for i, (tenant, text, at) in enumerate(zip(whose, texts, times, strict=True)):
        kept_at = stored.get((tenant, text))
        if kept_at is not None and 0 <= at - kept_at < ttl_s:
            hits[i] = True
        else:
            stored[tenant, text] = at
    return hits


def distinct_bound(texts: Sequence[str], tenants: Sequence[Hashable] | None = None) -> float:
    """The most that an exact cache can answer: one less the share of distinct texts of a tenant; 0 for an empty log."""
    _same_length(texts, tenants)
    whose = tenants if tenants is not None else [None] * len(texts)
    return 1 - len(set(zip(whose, texts, strict=True))) / len(texts) if len(texts) else 0.0


def semantic_hits(
    texts: Sequence[str],
    tenants: Sequence[Hashable] | None = None,
    labels: Sequence[Hashable] | None = None,
    threshold: float = LEXICAL.threshold,
    most: int = MOST_COMPARED,
    limits: Limits | None = None,
) -> SemanticReplay:
    """Which of the last `most` tickets a semantic cache would have answered beside an exact one. Raises `BadInput`.

    `labels` are what the stage answers, such as each ticket's intent: with them neighbours have to agree, and false hits are
    counted. A hit is not stored, and neither is a ticket whose answer may not go to another. Without `limits` the exact cache
    serves every repeat, and nothing that the semantic one keeps is ever too old or too much.
    """
    _same_length(texts, tenants, labels, *((limits.served, limits.arrived_s) if limits else ()))
    threshold, first = checked_threshold(threshold), max(0, len(texts) - most)
    log = _Log.of(
        texts[first:], _from(tenants, first), _from(labels, first), None if limits is None else limits.since(first)
    )
    found = tuple(log.replay(threshold, min(RADIUS, threshold), store_hits=False))
    hits = np.zeros(len(log.texts), np.bool_)
    hits[[hit.at for hit in found]] = True
    wrong = None if labels is None else sum(not log.same_label(hit) for hit in found)
    return SemanticReplay(threshold, len(hits), len(texts), hits, wrong)


def nearest_answers(
    texts: Sequence[str], labels: Sequence[Hashable], tenants: Sequence[Hashable] | None = None
) -> tuple[NDArray[np.float64], Bools]:
    """For each text how alike the earlier one is that would answer it, 0 for none, and whether its label is the same.

    This is what `hit_threshold.tune` takes. Every earlier text counts as stored, whatever the threshold will be, and one outside of
    the radius answers nothing. Raises `BadInput`.
    """
    _same_length(texts, tenants, labels)
    alike, same = np.zeros(len(texts)), np.zeros(len(texts), np.bool_)
    log = _Log.of(texts, tenants, labels)
    for hit in log.replay(RADIUS, RADIUS, store_hits=True):
        alike[hit.at], same[hit.at] = hit.alike, log.same_label(hit)
    return alike, same


@dataclass(frozen=True, slots=True)
class _Hit:
    """A ticket, the earlier one that would answer it, and how alike they are."""

    at: int
    by: int
    alike: float


@dataclass(frozen=True, slots=True)
class _Log:
    """Tickets in order of arrival, and their vectors."""

    texts: Sequence[str]
    tenants: Sequence[Hashable]
    labels: Sequence[Hashable] | None
    matrix: Any
    limits: Limits

    @classmethod
    def of(
        cls,
        texts: Sequence[str],
        tenants: Sequence[Hashable] | None,
        labels: Sequence[Hashable] | None,
        limits: Limits | None = None,
    ) -> _Log:
        whose = [None] * len(texts) if tenants is None else tenants
        limits = limits or Limits(exact_hits(texts, whose), [0.0] * len(texts))
        return cls(texts, whose, labels, vectors(texts), limits)

    def same_label(self, hit: _Hit) -> bool:
        """Whether a hit answered right; true where that is not known."""
        return self.labels is None or self.labels[hit.at] == self.labels[hit.by]

    def replay(self, threshold: float, radius: float, store_hits: bool) -> Iterator[_Hit]:
        """The hits, in order. Only tickets that say the same words are compared, and neighbours only where there is such a one."""
        said = [Said.of(text) for text in self.texts]
        alike_words = _slips(said)
        shelves: dict[Hashable, list[int]] = defaultdict(list)
        kept = Stored(self.tenants, self.limits)
        stored = kept.stored
        for i, text in enumerate(self.texts):
            if self.limits.served[i] or not said[i].words or not shareable(text):
                continue
            words = frozenset(alike_words.get(word, word) for word in said[i].words)
            shelf = shelves[self.tenants[i], said[i].exact, words]
            kept.ask(i)
            hit = self._nearest(i, [j for j in shelf if kept.serves(j, i) and said[i].same_as(said[j])])
            if hit and hit.alike >= threshold - ROUNDING and self._agreed(hit, radius, stored):
                yield hit
                if not store_hits:
                    continue
            kept.store(i)
            shelf.append(i)

    def _nearest(self, i: int, candidates: list[int]) -> _Hit | None:
        if not candidates:
            return None
        alike = products(self.matrix[candidates], self.matrix[i])
        best = int(alike.argmax())
        return _Hit(i, candidates[best], float(alike[best]))

    def _agreed(self, hit: _Hit, radius: float, stored: Bools) -> bool:
        """Whether every earlier ticket within the radius got the label of the one that would answer."""
        if self.labels is None:
            return True
        alike = self.matrix @ self.matrix[hit.at].toarray().ravel()
        near: list[int] = np.flatnonzero(stored & (alike >= radius - ROUNDING)).tolist()
        young = (j for j in near if self.limits.arrived_s[hit.at] - self.limits.arrived_s[j] < self.limits.ttl_s)
        others = {self.labels[j] for j in young if self.tenants[j] == self.tenants[hit.at]}
        return others <= {self.labels[hit.by]}


def _from(values: Sequence[Hashable] | None, first: int) -> Sequence[Hashable] | None:
    return None if values is None else values[first:]


def _slips(said: Sequence[Said]) -> dict[str, str]:
    """Words to one of the words that they may be a slip of, directly or by way of others; words without any are left out.

    Two words that are a slip of each other share what is left when one letter goes, so only those are compared.
    """
    words = sorted({word for s in said for word in s.words if len(word) >= SLIP_LETTERS})
    by_rest: dict[str, list[str]] = defaultdict(list)
    for word in words:
        for rest in {word, *(word[:i] + word[i + 1 :] for i in range(len(word)))}:
            by_rest[rest].append(word)
    parent: dict[str, str] = {}
    for group in by_rest.values():
        for one, other in combinations(group, 2):
            if is_slip(one, other):
                parent[_root(parent, one)] = _root(parent, other)
    return {word: _root(parent, word) for word in parent}


def _root(parent: Mapping[str, str], word: str) -> str:
    while (above := parent.get(word, word)) != word:
        word = above
    return word


def _same_length(texts: Sequence[str], *others: Sequence[object] | None) -> None:
    if any(o is not None and len(o) != len(texts) for o in others):
        raise BadInput(
            "A log's texts, tenants, labels and times must be lists of one length: one of each for every ticket."
        )
