"""A passage read into statements, and how far words that are looked for are found in one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log

from playground.rehearsal.sentences import capped, pieces, sentences
from playground.rehearsal.words import ALIKE, stems


@dataclass(frozen=True, slots=True)
class Unit:
    """One quotable statement of a passage, and the number of the paragraph or list that it belongs to."""

    text: str
    words: frozenset[str]
    part: int
    is_step: bool


@dataclass(frozen=True, slots=True)
class Source:
    """A passage, read: its statements in order, and the words of its title, of each list and of all of it."""

    title: frozenset[str]
    units: tuple[Unit, ...]
    words: frozenset[str]
    lists: Mapping[int, frozenset[str]]
    leads: Mapping[int, str]
    """The line that ends with a colon above each list, or nothing."""
    heads: Mapping[int, frozenset[str]]
    """The words of those lines."""


@lru_cache(maxsize=2048)
def read_source(title: str, text: str) -> Source:
    """A passage's statements. Cached, because a help centre is read once and asked about for every ticket."""
    units: list[Unit] = []
    leads: dict[int, str] = {}
    for number, piece in enumerate(pieces(capped(text))):
        is_step = piece.list_no is not None
        # Paragraphs are numbered below zero, so that they never share a list's number.
        part = piece.list_no if piece.list_no is not None else -1 - number
        if is_step and part not in leads:
            leads[part] = units.pop().text if units and units[-1].text.endswith(":") else ""
        said = [" ".join(piece.text.split())] if is_step else sentences(piece.text)
        units += [Unit(s, frozenset(stems(s)), part, is_step) for s in said]
    named = frozenset(stems(title))
    heads = {n: frozenset(stems(lead)) for n, lead in leads.items()}
    lists = {n: words.union(*(u.words for u in units if u.part == n)) for n, words in heads.items()}
    return Source(named, tuple(units), named.union(*(u.words for u in units)), lists, leads, heads)


@dataclass(frozen=True, slots=True)
class Query:
    """Words to look for: each with its weight and the words of the same meaning."""

    items: tuple[tuple[str, float, frozenset[str]], ...]
    total: float

    def hit(self, words: Collection[str]) -> float:
        """The weight found in `words`; a word of the same meaning counts 60%."""
        return sum(
            w if stem in words else 0.6 * w
            for stem, w, alike in self.items
            if stem in words or not alike.isdisjoint(words)
        )

    def cover(self, words: Collection[str]) -> float:
        """The share of the weight found in `words`."""
        return self.hit(words) / self.total if self.total else 0.0

    def found(self, words: Collection[str]) -> int:
        """How many of the words looked for are in `words`."""
        return sum(stem in words or not alike.isdisjoint(words) for stem, _, alike in self.items)

    def keeps(self, words: Collection[str]) -> float:
        """The share of `words` that is looked for."""
        return sum(stem in words for stem, _, _ in self.items) / len(words) if words else 0.0


class Weights:
    """How much a word says: its inverse document frequency over statements (BM25's, Robertson and Zaragoza 2009)."""

    def __init__(self, sources: Sequence[Source], background: Mapping[str, int], documents: int) -> None:
        self._here = Counter(w for source in sources for unit in source.units for w in unit.words)
        self._background = background
        self._documents = documents + sum(len(s.units) for s in sources)

    def of(self, stem: str) -> float:
        """The weight of a stem. No source can answer to one that none has, often a name or a slip, so it counts half."""
        here = self._here[stem]
        seen = here + self._background.get(stem, 0)
        rarity = log(1 + (self._documents - seen + 0.5) / (seen + 0.5))
        return rarity if here else rarity / 2

    def knows(self, stem: str) -> bool:
        """Whether a source has the word."""
        return self._here[stem] > 0

    def query(self, shares: Mapping[str, float]) -> Query:
        """Weigh stems, each with its share of attention."""
        items = tuple((s, share * self.of(s), ALIKE.get(s, frozenset())) for s, share in shares.items())
        return Query(items, sum(w for _, w, _ in items))
