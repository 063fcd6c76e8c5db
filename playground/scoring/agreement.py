"""How far two labels, two rankings or two sets of findings agree, from 0 to 1."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence

PERSISTENCE = 0.9
"""Weight of each place against the one above: the first eight, which later stages read, then carry most of the weight
(Webber, Moffat and Zobel 2010, A similarity measure for indefinite rankings)."""


def rank_agreement(one: Sequence[str], two: Sequence[str], keep: int) -> float:
    """Rank-biased overlap of the first `keep`, scaled so that equal ones have 1 and disjoint ones 0."""
    first, second = (tuple(dict.fromkeys(ranking))[:keep] for ranking in (one, two))
    depths = range(1, max(len(first), len(second)) + 1)
    weights = [PERSISTENCE ** (d - 1) for d in depths]
    shared = [len({*first[:d]} & {*second[:d]}) / max(len(first[:d]), len(second[:d])) for d in depths]
    return sum(w * s for w, s in zip(weights, shared, strict=True)) / sum(weights) if weights else 1.0


def set_agreement(one: Collection[Hashable], two: Collection[Hashable]) -> float:
    """What two sets share of all that either holds (Jaccard 1912); two empty ones agree."""
    every = {*one} | {*two}
    return len({*one} & {*two}) / len(every) if every else 1.0
