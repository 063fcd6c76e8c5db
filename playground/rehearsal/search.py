"""One question looked up: every statement of the passages with its worth for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from playground.records import Passage
from playground.rehearsal.asks import THIN_WORDS, Ask
from playground.rehearsal.matching import Query, Source, Unit
from playground.rehearsal.ranking import Shelf, affinity, relative, shares_of

# What follows was tuned on the sample tickets: moved in round steps until the statements that a support lead would quote
# were in and others out. So were the like figures in ranking, answers and draft.
TICKET_SHARE = 0.5
"""How much a passage's nearness to the whole ticket counts against its nearness to one question."""
NEAR = 0.75
"""A passage may be quoted from this share of the nearest one's nearness: a farther one is about something else."""
KEEPING = 0.25
"""How much a statement's keeping to the question counts against covering it."""
NEIGHBOUR = 0.25
"""Share of its neighbour's worth that a statement gains: the sentence beside a good one usually explains it."""
RIGHT_KIND = 1.4
"""Gain of a statement of the kind that is asked for: a time for when, a place for where."""
OWN_LIST = 1.75
"""Gain of the nearest passage's list of steps where a way to do something is asked for."""
DISCOUNT = 0.7
"""What is left of a step or a sentence that reads like a fragment alone, and of an answer without the kind asked for."""
# A question's words, and what a statement that answers such a question looks like. Languages share a row.
_EXPECTED = tuple(
    (re.compile(rf"\b(?:{question})\b", re.IGNORECASE), re.compile(answer, re.IGNORECASE))
    for question, answer in (
        (
            "when|how (?:long|soon)|wann|wie lange|cuándo|cuánto (?:tiempo|tarda)",
            r"\d+ (?:\w+ )?(?:minut|hour|day|week|month|year|hora|día|mes|stunde|tag|woche|monat|arbeitstag)",
        ),
        ("where|which page|wo|dónde", r" > |\w@\w|\w\.\w+/\w"),
        ("how much|what (?:\\w+ ){0,2}cost|price|wie viel|kostet|cuánto cuesta", r"[$€£] ?\d|\d ?[%€]"),
        ("who|wer|quién", r"\b(?:owner|admin|manager|team|lead|inhaber|teamleitung|propietari|responsable)"),
        ("why|warum|wieso|por qué", r"\b(?:because|means?|weil|bedeutet|porque|significa)\b"),
    )
)
# Asks for a way to do something: a list of steps answers it as a whole, and so does a path through the menus.
_HOW = re.compile(
    r"\b(?:how (?:do|can|could|should|to|would)|(?:what|which) (?:\w+ ){0,2}(?:do|should|has|must|can) |"
    r"what is the (?:\w+ ){0,2}way|wie (?:kann|können|muss|geht)|was (?:muss|kann|soll)|cómo|qué (?:tengo|tiene|debo|hay))\b",
    re.IGNORECASE,
)
_PATH = re.compile(" > ")
# Begins with a word that points back, so that it cannot be quoted alone.
LEANING = re.compile(
    r"(?:(?:\w+ )?(?:then|therefore|otherwise|instead)|in (?:that|this|such a) case|this|these|those|it|they|dies\w*|dann|"
    r"sonst|in diesem fall|esto|en ese caso|entonces)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Pick:
    """A statement and its worth for a question; `at` is its place in its passage."""

    passage: Passage
    at: int
    unit: Unit
    score: float


@dataclass(frozen=True, slots=True)
class Search:
    """One question, looked up: what it expects, and every statement with its worth for it."""

    ask: Ask
    thin: bool
    by_steps: bool
    expected: tuple[re.Pattern[str], ...]
    picks: tuple[Pick, ...] = ()

    @property
    def top(self) -> float:
        """The worth of the best statement."""
        return max((p.score for p in self.picks), default=0.0)


def search(ask: Ask, shelf: Shelf) -> Search:
    """Look one question up."""
    known = sum(map(shelf.weights.knows, set(ask.words)))
    expected = tuple(answer for question, answer in _EXPECTED if question.search(ask.text))
    search = Search(ask, known < THIN_WORDS, _HOW.search(ask.text) is not None, expected)
    return replace(search, picks=tuple(_picks(search, shelf)))


def _picks(search: Search, shelf: Shelf) -> Iterator[Pick]:
    """Every statement of the passages that are near enough; for a thin question, near enough to the whole ticket."""
    queries = [shelf.weights.query(shares_of(search.ask, part)) for part in search.ask.parts or (search.ask.words,)]
    own = relative([max(affinity(q, s) for q in queries) for s in shelf.sources])
    ticket = relative([p.score for p in shelf.passages])
    near = relative([(1 - TICKET_SHARE) * a + TICKET_SHARE * b for a, b in zip(own, ticket, strict=True)])
    for passage, source, close, to_ticket in zip(shelf.passages, shelf.sources, near, ticket, strict=True):
        if close >= NEAR and (to_ticket >= NEAR or not search.thin):
            worth = _with_neighbours(source, _worth(search, queries, source, nearest=close == 1.0))
            units = enumerate(zip(source.units, worth, strict=True))
            yield from (Pick(passage, at, unit, close * w) for at, (unit, w) in units)


def _worth(search: Search, queries: Sequence[Query], source: Source, nearest: bool) -> list[float]:
    """How well each statement suits a question."""
    worth = []
    for unit in source.units:
        fit = max(_fit(q, unit.words) for q in queries)
        if unit.is_step:
            # The line above a list says what it is for; where a way is asked for, all its steps tell.
            told = source.lists[unit.part] if search.by_steps else source.heads[unit.part]
            gain = OWN_LIST if search.by_steps and nearest else 1.0
            fit = max(fit * DISCOUNT, gain * max(_fit(q, told) for q in queries))
        elif LEANING.match(unit.text):
            fit *= DISCOUNT
        wanted = (*search.expected, _PATH) if search.by_steps else search.expected
        worth.append(fit * (RIGHT_KIND if any(w.search(unit.text) for w in wanted) else 1.0))
    return worth


def _fit(query: Query, words: frozenset[str]) -> float:
    return (1 - KEEPING) * query.cover(words) + KEEPING * query.keeps(words)


def _with_neighbours(source: Source, worth: Sequence[float]) -> list[float]:
    """Add to each sentence a share of the better one beside it; steps stand for themselves."""
    parts = [i if u.is_step else u.part - len(worth) for i, u in enumerate(source.units)]
    padded = [(None, 0.0), *zip(parts, worth, strict=True), (None, 0.0)]
    beside = [
        max([w for part, w in (before, after) if part == own], default=0.0)
        for before, (own, _), after in zip(padded, padded[1:], padded[2:], strict=False)
    ]
    return [w + NEIGHBOUR * b for w, b in zip(worth, beside, strict=True)]
