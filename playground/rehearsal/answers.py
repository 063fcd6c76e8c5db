"""The answers to several questions at once: each statement is dealt to the question that it suits best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from playground.rehearsal.asks import Ask
from playground.rehearsal.matching import Weights
from playground.rehearsal.ranking import Shelf, shares_of, source_of
from playground.rehearsal.search import DISCOUNT, LEANING, Pick, Search, search

ANSWER_WORDS = 300
"""Words quoted from passages in one reply, shared by its questions: one screen, and with citations under 900 tokens."""
BESIDE = 0.5
"""A statement joins an answer from this share of the best one's worth."""
BESIDE_CLOSELY = 0.7
"""The same where a question says little, and for a second passage."""
GOOD_ENOUGH = 0.2
"""A question counts as answered from here: nine in ten of the shipped English examples lie above it, one in three of a bank,
which the help centre does not answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to one question. `covered` is how far; `elsewhere` that another answer says it already."""

    ask: Ask
    picks: tuple[Pick, ...] = ()
    covered: float = 0.0
    elsewhere: bool = False

    @property
    def found(self) -> bool:
        """Whether there is anything to say."""
        return self.elsewhere or bool(self.picks)


def answer_all(asked: Sequence[Ask], shelf: Shelf) -> list[Answer]:
    """An answer to each question, found or not."""
    searches = [search(ask, shelf) for ask in asked]
    first = [_answer(s, hand, shelf) for s, hand in zip(searches, _dealt(searches), strict=True)]
    # What was dealt to a question that is not answered after all, another one may use.
    kept = [s for s, a in zip(searches, first, strict=True) if a.found]
    again = {id(s): _answer(s, hand, shelf) for s, hand in zip(kept, _dealt(kept), strict=True)}
    return [again.get(id(s), a) for s, a in zip(searches, first, strict=True)]


def _dealt(searches: Sequence[Search]) -> list[list[Pick]]:
    """Each statement to the question that it suits best, until a question has its share of the words."""
    # Between the worth itself and its share of the question's best: neither do strong questions take all, nor weak ones.
    offers = [(p.score / sqrt(s.top), i, p) for i, s in enumerate(searches) if s.top for p in s.picks]
    hands: list[list[Pick]] = [[] for _ in searches]
    for _, i, pick in sorted(offers, key=lambda offer: -offer[0]):
        words = ANSWER_WORDS // len(searches)
        if _joins(hands[i], pick, searches[i], words) and not _repeats(pick, [p for hand in hands for p in hand]):
            begun = any(p.unit.is_step and list_of(p) == list_of(pick) for p in hands[i])
            taken = _with_companions(pick, whole=begun or searches[i].by_steps)
            places = {(p.passage.id, p.at) for p in taken}
            hands = [[p for p in hand if (p.passage.id, p.at) not in places] for hand in hands]
            hands[i] += taken
    return hands


def list_of(pick: Pick) -> tuple[str, int]:
    """The list or paragraph that a statement stands in."""
    return pick.passage.id, pick.unit.part


def _joins(hand: Sequence[Pick], pick: Pick, search: Search, words: int) -> bool:
    """Whether a statement is good enough for a hand and fits into it: a thin question has one passage, others have two."""
    passages = {p.passage.id for p in (*hand, pick)}
    other = len(passages) > 1 and hand[0].passage.id != pick.passage.id and len(search.ask.parts) < 2
    if pick.score < search.top * (BESIDE_CLOSELY if search.thin or other else BESIDE):
        return False
    said = sum(len(p.unit.text.split()) for p in (*hand, pick))
    return not hand or (said <= words and len(passages) <= (1 if search.thin else 2))


def _repeats(pick: Pick, used: Sequence[Pick]) -> bool:
    """Whether a statement says what another has said: four in five of its words stand there."""
    return any(5 * len(pick.unit.words & u.unit.words) >= 4 * len(pick.unit.words) for u in used)


def _with_companions(pick: Pick, whole: bool) -> list[Pick]:
    """A step with all the others of its list, since half a procedure helps nobody; a sentence with the one it leans on."""
    units = source_of(pick.passage).units
    places = [at for at, unit in enumerate(units) if pick.unit.is_step and whole and unit.part == pick.unit.part]
    if pick.at and units[pick.at - 1].part == pick.unit.part and LEANING.match(pick.unit.text):
        places.append(pick.at - 1)
    return [Pick(pick.passage, at, units[at], pick.score) for at in dict.fromkeys((*places, pick.at))]


def _answer(search: Search, hand: Sequence[Pick], shelf: Shelf) -> Answer:
    if not search.picks:
        return Answer(search.ask)
    order = list(dict.fromkeys(p.passage.id for p in hand))
    picks = tuple(sorted(hand, key=lambda p: (order.index(p.passage.id), p.at)))
    covered = _covered(search, picks or (max(search.picks, key=lambda p: p.score),), shelf.weights)
    return Answer(search.ask, picks, covered, not picks) if covered >= GOOD_ENOUGH else Answer(search.ask)


def _covered(search: Search, picks: Sequence[Pick], weights: Weights) -> float:
    """How far the best statement covers a question, less so where the passages do not know its words."""
    titles = [source_of(p.passage).title for p in picks]
    said = [p.unit.words | title for p, title in zip(picks, titles, strict=True)]
    around = weights.query(shares_of(search.ask))
    # One word in common may be chance, unless it is half of what the article is called.
    if max(map(around.found, said)) < 2 and max(map(around.keeps, titles)) < 0.5:
        return 0.0
    missed = search.expected and not any(e.search(p.unit.text) for p in picks for e in search.expected)
    best = max(_strength(part, said, weights) for part in search.ask.parts or (search.ask.words,))
    return best * (DISCOUNT if missed else 1.0)


def _strength(words: Sequence[str], said: Sequence[frozenset[str]], weights: Weights) -> float:
    query = weights.query(dict.fromkeys(words, 1.0))
    known = sum(map(weights.knows, set(words))) / len(set(words))
    return known * max(map(query.cover, said))
