"""Intent: the label whose examples are most like the ticket."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

from playground.records import Output, Request, Ticket
from playground.rehearsal.asks import QUOTE_CHARS, asks
from playground.rehearsal.examples import Example
from playground.rehearsal.matching import Weights
from playground.rehearsal.message import customer_text, plain, ticket_language
from playground.rehearsal.words import stems

LABEL_FLOOR = 0.05
"""Likeness below which a ticket is like no example: three of four examples, each left out in turn, lie above it."""
ONE_WORD_FLOOR = 0.2
"""The same for a ticket of one word, which any label may share by chance."""


def classify(request: Request, examples: tuple[Example, ...]) -> Output:
    """The output of the intent stage."""
    ticket, labels = request.context.ticket, request.context.labels
    gist = _gist(ticket)
    (label, best), (_, second) = (*rank_labels(gist, _learn(examples, tuple(labels.items()))), ("", 0.0))[:2]
    if best < (LABEL_FLOOR if len(gist) > 1 else ONE_WORD_FLOOR) and "other" in labels:
        label = "other"
    # Right about as often as it says, with each example left out in turn: likeness and lead over the next label.
    confidence = min(0.97, 0.25 + 0.45 * min(1.0, 2 * best) + 0.3 * (best - second) / best) if best else 0.2
    language = ticket_language(ticket)
    return {"label": label, "language": language, "confidence": round(confidence, 2)}


@dataclass(frozen=True, slots=True)
class _Labelled:
    """For each label the direction of its examples' mean: word weights of length 1."""

    weights: Weights
    means: Mapping[str, Mapping[str, float]]


@lru_cache(maxsize=16)
def _learn(examples: tuple[Example, ...], labels: tuple[tuple[str, str], ...]) -> _Labelled:
    """Learn the labels from their descriptions and examples; examples of other labels are left out."""
    texts = {label: [f"{label.replace('_', ' ')} {meaning}"] for label, meaning in labels}
    for example in examples:
        texts.get(example.label, []).append(example.text)
    bags = {label: [Counter(stems(t)) for t in said] for label, said in texts.items()}
    every = [bag for found in bags.values() for bag in found]
    weights = Weights((), Counter(w for bag in every for w in bag), len(every))
    return _Labelled(weights, {label: _mean([_weighed(b, weights) for b in found]) for label, found in bags.items()})


def _mean(vectors: Sequence[Mapping[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for vector in vectors:
        for word, x in vector.items():
            total[word] = total.get(word, 0.0) + x
    return _unit(total)


def _weighed(bag: Mapping[str, int], weights: Weights) -> dict[str, float]:
    return _unit({w: sqrt(n) * weights.of(w) for w, n in bag.items()})


def _unit(vector: Mapping[str, float]) -> dict[str, float]:
    length = sqrt(sum(x * x for x in vector.values())) or 1.0
    return {w: x / length for w, x in vector.items()}


def rank_labels(gist: Mapping[str, int], known: _Labelled) -> list[tuple[str, float]]:
    """Every label with its likeness (cosine) to a ticket's words, the most alike first."""
    query = _weighed(gist, known.weights)
    score = {label: sum(x * mean.get(w, 0.0) for w, x in query.items()) for label, mean in known.means.items()}
    return sorted(score.items(), key=lambda pair: -pair[1])


def _gist(ticket: Ticket) -> Counter[str]:
    """The words of a ticket; those of its subject and its questions count more often."""
    bag = Counter(dict.fromkeys(stems(ticket.subject[:QUOTE_CHARS]), 2))
    for ask in asks(ticket):
        bag.update(ask.words)
    bag.update(set(stems(plain(customer_text(ticket)))))
    return bag
