"""Re-rank: how far a passage covers what is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playground.language import LANGUAGES, Lang
from playground.records import Output, Passage, Request
from playground.rehearsal.asks import MOST_ASKS, Ask, asks
from playground.rehearsal.examples import Example, background_of
from playground.rehearsal.matching import Query, Source, Weights, read_source

CONTEXT_SHARE = 0.2
"""Weight of the words around a question against its own: enough to tell two articles apart, too little to change the topic."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Passages, read and weighed."""

    passages: tuple[Passage, ...]
    sources: tuple[Source, ...]
    weights: Weights

    def only(self, lang: Lang) -> Shelf:
        """The passages in one language, under the same weights."""
        kept = [(p, s) for p, s in zip(self.passages, self.sources, strict=True) if _passage_language(p) == lang]
        return Shelf(tuple(p for p, _ in kept), tuple(s for _, s in kept), self.weights)


def shelf_of(passages: Sequence[Passage], examples: tuple[Example, ...]) -> Shelf:
    """Read and weigh passages; words that are common in the examples weigh less."""
    sources = tuple(source_of(p) for p in passages)
    return Shelf(tuple(passages), sources, Weights(sources, background_of(examples), len(examples)))


def rerank(request: Request, examples: tuple[Example, ...]) -> Output:
    """The output of the re-rank stage: a score for each passage of the call."""
    context, wanted = request.context, request.prompt.passages
    # Weighed over all the passages of the stage, so that the scores of its calls have one scale.
    every = context.passages or wanted
    shelf = shelf_of(every, examples)
    queries = [shelf.weights.query(shares_of(ask)) for ask in asks(context.ticket)[:MOST_ASKS]]
    near = dict(zip((p.id for p in every), relative([p.score for p in every]), strict=True))
    scores = [_usefulness(queries, source_of(p), near.get(p.id, 0.0)) for p in wanted]
    return {"scores": [{"id": p.id, "score": score} for p, score in zip(wanted, scores, strict=True)]}


def source_of(passage: Passage) -> Source:
    """A passage, read."""
    return read_source(passage.title, passage.text)


def _passage_language(passage: Passage) -> Lang:
    ending = passage.id.rpartition(".")[2]
    return next((lang for lang in LANGUAGES if lang == ending), "en")


def shares_of(ask: Ask, part: Sequence[str] = ()) -> dict[str, float]:
    """The words to look for, each with its share of attention."""
    return dict.fromkeys(ask.context, CONTEXT_SHARE) | dict.fromkeys(part or ask.words, 1.0)


def affinity(query: Query, source: Source) -> float:
    """How well a passage suits a query, 0 to 1: all of it, its best statement, and whether its title is what is asked."""
    best = max((query.cover(u.words) for u in source.units), default=0.0)
    return 0.4 * query.cover(source.words) + 0.35 * best + 0.25 * query.keeps(source.title)


def relative(values: Sequence[float]) -> list[float]:
    """The values as shares of the greatest."""
    top = max(values, default=0.0)
    return [v / top if top > 0 else 0.0 for v in values]


def _usefulness(queries: Sequence[Query], source: Source, near: float) -> float:
    """Score from 0 to 10: mostly the question a passage answers best, then how near retrieval put it to the ticket."""
    found = [affinity(q, source) for q in queries] or [0.0]
    return round(10 * min(1.0, 0.6 * max(found) + 0.1 * sum(found) / len(found) + 0.3 * max(0.0, near)), 1)
