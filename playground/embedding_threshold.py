"""From which similarity by meaning on an earlier label may be served, tuned on labelled requests and measured on others.

The requests are put in a random order and halved. On the first half every request is answered by its most alike earlier one with
the same facts. Of the thresholds of `GRID` at which (wrong hits + 1) / (hits + 1) is at most 2%, as for letters, the one with most
hits is taken: a lower one lets neighbours from further away disagree, so it may have fewer. The second half, on which nothing was
tuned, is then asked in order as a run would: it says how many hits there are, and how many of them are wrong. If that is above 2%,
there is no threshold.

All requests count as one customer's. In a run customers share nothing, so there are fewer hits, and fewer neighbours that could
disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playground.cache_replay import semantic_hits
from playground.errors import BadInput
from playground.hit_threshold import LEXICAL, MOST_FALSE, upper_bound, wide_radius
from playground.labelled_texts import SEED, Labelled
from playground.lexical import Said, shareable
from playground.semantic_index import ROUNDING

GRID = tuple(round(i / 100, 2) for i in range(50, 101))
ROWS = 256
"""Requests that are compared with all others at once: what is held at a time stays small."""
NONE = -2.0
"""Below every similarity."""
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


def takes_part(text: str) -> bool:
    """Whether a text may be served an earlier label at all; only such a text is embedded."""
    said = Said.of(text)
    return shareable(text) and bool(said.words) and said.english


@dataclass(frozen=True, slots=True, eq=False)
class Requests:
    """Requests in order of arrival. `vectors` has a row of length 1 for each, of zeros for one that takes no part."""

    labels: Ints
    vectors: Floats
    facts: Ints
    questions: Ints
    """0 where a text asks no question by a word for it."""
    part: Bools

    @classmethod
    def of(cls, rows: Sequence[Labelled], vectors: Floats) -> Requests:
        """`vectors` is shaped (rows, dimensions). An exact repeat takes no part: the exact cache answers it."""
        said, seen = [Said.of(x.text) for x in rows], set[str]()
        part = np.zeros(len(rows), np.bool_)
        for i, (row, s) in enumerate(zip(rows, said, strict=True)):
            part[i] = bool(s.words) and s.english and row.text not in seen and shareable(row.text)
            seen.add(row.text)
        questions = [frozenset[str](), *(s.questions for s in said)]
        return cls(
            _numbered([x.label for x in rows]),
            vectors,
            _numbered([s.facts for s in said]),
            _numbered(questions)[1:],
            part,
        )

    def __len__(self) -> int:
        return len(self.labels)

    def similar(self) -> Iterator[tuple[Ints, Floats, Bools]]:
        """Some requests at a time: which, how alike every earlier one that takes part is, and which of them has the same facts."""
        for start in range(0, len(self), ROWS):
            at = np.arange(start, min(start + ROWS, len(self)))
            alike = self.vectors[at] @ self.vectors[: at[-1] + 1].T
            earlier = np.arange(at[-1] + 1)
            alike[(earlier >= at[:, None]) | ~self.part[earlier] | ~self.part[at][:, None]] = NONE
            own, others = self.questions[at][:, None], self.questions[earlier]
            same = (self.facts[at][:, None] == self.facts[earlier]) & ((own == 0) | (others == 0) | (own == others))
            yield at, alike, same


def _numbered(values: Sequence[Hashable]) -> Ints:
    """Equal values as equal numbers, from 0 on in order of first use."""
    known: dict[Hashable, int] = {}
    return np.array([known.setdefault(v, len(known)) for v in values], np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """By request: how alike the earlier one is that would answer, whether its label is right, and the next one of another label."""

    alike: Floats
    right: Bools
    other: Floats

    def hits(self, threshold: float) -> Bools:
        """Which requests would be answered from this similarity on."""
        near = self.other >= wide_radius(threshold) - ROUNDING
        return (self.alike >= threshold - ROUNDING) & ~near

    def counted(self, threshold: float) -> tuple[int, int]:
        """Hits, and the wrong ones among them."""
        hits = self.hits(threshold)
        return int(hits.sum()), int((hits & ~self.right).sum())


def nearest(requests: Requests) -> Nearest:
    """Who would answer each request, were every earlier one stored."""
    n = len(requests)
    alike, other = np.full(n, NONE, np.float32), np.full(n, NONE, np.float32)
    right = np.zeros(n, np.bool_)
    for at, found, same in requests.similar():
        own = np.where(same, found, np.float32(NONE))
        best = own.argmax(axis=1)
        label = requests.labels[best]
        alike[at], right[at] = own[np.arange(len(at)), best], label == requests.labels[at]
        others = requests.labels[: found.shape[1]] != label[:, None]
        other[at] = np.where(others, found, np.float32(NONE)).max(axis=1)
    return Nearest(alike, right, other)


def best_threshold(found: Nearest, most_false: float = MOST_FALSE) -> float | None:
    """Of `GRID` the one with most hits where (wrong hits + 1) / (hits + 1) is at most `most_false`, the strictest of equals.

    `None` where there is none.
    """
    counts = {t: found.counted(t) for t in GRID}
    holds = [t for t, (hits, wrong) in counts.items() if wrong + 1 <= most_false * (hits + 1)]
    return max(holds, key=lambda t: (counts[t][0], t), default=None)


def replayed(requests: Requests, threshold: float) -> tuple[int, int]:
    """Hits and wrong hits of a cache that is asked in this order: a hit is not stored, as in a run."""
    stored, hits, wrong = np.zeros(len(requests), np.bool_), 0, 0
    radius, least = wide_radius(threshold) - ROUNDING, threshold - ROUNDING
    for at, found, same in requests.similar():
        for i, row, fits in zip(at.tolist(), found, same, strict=True):
            by = _answer(requests.labels, np.where(stored[: len(row)], row, np.float32(NONE)), fits, radius, least)
            if by is None:
                stored[i] = requests.part[i]
                continue
            hits, wrong = hits + 1, wrong + int(requests.labels[by] != requests.labels[i])
    return hits, wrong


def _answer(labels: Ints, alike: Floats, fits: Bools, radius: float, least: float) -> int | None:
    own = np.where(fits, alike, np.float32(NONE))
    best = int(own.argmax())
    if own[best] < least:
        return None
    return best if (labels[: len(alike)][alike >= radius] == labels[best]).all() else None


@dataclass(frozen=True, slots=True)
class Tuning:
    """What tuning found. `threshold` is `None` where none holds, and `why` says so with the figures.

    `requests`, `hits` and `false_hits` are of the half that nothing was tuned on, and so are the hits by letters beside them.
    """

    threshold: float | None
    requests: int
    hits: int = 0
    false_hits: int = 0
    letter_hits: int = 0
    letter_false_hits: int = 0
    why: str = ""

    @property
    def hit_share(self) -> float:
        """Hits among the requests."""
        return self.hits / self.requests

    @property
    def letter_hit_share(self) -> float:
        """The same by letters."""
        return self.letter_hits / self.requests

    @property
    def false_hit_bound(self) -> float:
        """The false-hit share is below this with 95% confidence."""
        return upper_bound(self.false_hits, self.hits)


def tuned(rows: Sequence[Labelled], vector_of: Callable[[str], Floats], letters: float = LEXICAL.threshold) -> Tuning:
    """Tune on one half of the requests and measure on the other.

    `vector_of` gives the vector of a text that takes part, of length 1 and shaped (dimensions,); `letters` is the threshold that
    comparing by letters has. Raises `BadInput` where vectors differ in length.
    """
    order = np.random.default_rng(SEED).permutation(len(rows)).tolist()
    first, second = ([rows[i] for i in half] for half in (order[: len(rows) // 2], order[len(rows) // 2 :]))
    by_letters = semantic_hits([x.text for x in second], labels=[x.label for x in second], threshold=letters)
    beside = (int(by_letters.hits.sum()), by_letters.false_hits or 0)
    found = nearest(Requests.of(first, _matrix(first, vector_of)))
    threshold = best_threshold(found)
    if threshold is None:
        return Tuning(None, len(second), 0, 0, *beside, _none_holds(found))
    hits, wrong = replayed(Requests.of(second, _matrix(second, vector_of)), threshold)
    why = _does_not_hold(threshold, hits, wrong)
    return Tuning(None if why else threshold, len(second), hits, wrong, *beside, why)


def _matrix(rows: Sequence[Labelled], vector_of: Callable[[str], Floats]) -> Floats:
    found = {x.text: vector_of(x.text) for x in rows if takes_part(x.text)}
    lengths = {len(v) for v in found.values()} or {1}
    if len(lengths) > 1:
        raise BadInput("Not all vectors are of one length, so they cannot be compared. Tune again with one model.")
    nothing = np.zeros(lengths.pop(), np.float32)
    return np.array([found.get(x.text, nothing) for x in rows], np.float32)


def _none_holds(found: Nearest) -> str:
    """Why no threshold is low enough, with the one that comes closest."""
    counts = {t: found.counted(t) for t in GRID}
    at = min(GRID, key=lambda t: (counts[t][1] + 1) / (counts[t][0] + 1))
    hits, wrong = counts[at]
    if not hits:
        return "No threshold holds: no request is alike enough to an earlier one with the same numbers and negations."
    few = " More labelled tickets may show that it is fewer." if wrong <= MOST_FALSE * hits else ""
    return (
        f"No threshold holds: at the best one, {at:.2f}, {wrong:,} of {hits:,} hits are wrong on the first half, and with one more "
        f"wrong hit counted in it may be {MOST_FALSE:.0%} at most.{few}"
    )


def _does_not_hold(threshold: float, hits: int, wrong: int) -> str:
    if not hits:
        nothing = f"The threshold of {threshold:.2f} has no hits on the other half, so nothing is known of it."
        return f"{nothing} Bring more labelled tickets."
    if wrong <= MOST_FALSE * hits:
        return ""
    return (
        f"The threshold of {threshold:.2f} does not hold: on the other half {wrong:,} of {hits:,} hits are wrong, "
        f"{wrong / hits:.1%}, and it may be {MOST_FALSE:.0%} at most."
    )
