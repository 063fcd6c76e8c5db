"""How alike two short texts are by their letters, and what may not differ between them however alike they are.

Alike: the cosine of counts of 3 to 5 letters inside words, function words counting less. No statistics of a corpus go in, so a
threshold means the same for the first text and for the hundred thousandth.

Cosine alone is blind to what matters most: "not", a number, a name, one word in a long text. So two texts must also say the same
things: the same words but for function words, plurals and slips of the keys, the same numbers, negations and directions.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

COLUMNS = 1 << 18
"""Grams are hashed into as many columns; of a few hundred thousand grams few share one."""
SHORTEST, LONGEST = 3, 5
FUNCTION_WEIGHT = 0.3
LONGEST_CHARS, MOST_DIGITS = 2_000, 3
ADDRESSES = ("@", "://", "www.")
SLIP_LETTERS = 6
"""A word this long may have a slip of the keys."""

FUNCTION_WORDS = frozenset(
    """
    a an the this that these those i me my mine we us our ours you your yours he him his she her hers it its they them their theirs
    im ive id ill youre youve theres am is are was were be been being do does did have has had having will would shall should may
    might can could to of for in on at by with as and or but so if then than there here please hi hey dear thanks thank kindly just
    also really still yet already now some any need want like wish help
    """.split()
)
"""English alone: in another language every word counts, which costs hits and no wrong ones."""
QUESTIONS = frozenset("why how what when where which who whom whose".split())
PARTICLES = frozenset("out off up down".split())
DIRECTIONS = frozenset("from into onto before after over under until since".split())
"""What they point at counts too; so does that of "to" where there is a "from"."""
TELLING = frozenset("me us him her them your yours will shall still yet already".split())
"""Function words that may turn a request into another: call me Sam, my card has not arrived yet."""
NEGATIONS = frozenset(
    """
    not no never cannot without none nothing nobody neither nor unable cant dont doesnt didnt wont isnt arent wasnt werent havent
    hasnt hadnt couldnt wouldnt shouldnt mustnt neednt aint
    """.split()
)
COUNTS = frozenset(
    """
    zero one two three four five six seven eight nine ten eleven twelve dozen hundred thousand once twice thrice half double triple
    first second third last
    """.split()
)
"""Numbers in words: by letters they have to be the same word anyway."""
FOREIGN_NEGATIONS = frozenset(
    "nicht kein keine keinen nie niemals ne pas jamais aucun non nunca jamás ningún niet geen nao não".split()
)
"""Of languages that share short words with English."""
ENGLISH = FUNCTION_WORDS | QUESTIONS | PARTICLES | DIRECTIONS | NEGATIONS
LEAST_ENGLISH = 0.2
"""Share of a text's words that are English function words: an English sentence has twice as many, one in another language few."""
_TOKEN = re.compile(r"\d+(?:[.,:/-]\d+)*|[^\W\d_]+(?:\x27[^\W\d_]+)*|[$\u20ac\xa3\xa5%]")


def tokens_of(text: str) -> list[str]:
    """Words in lower case without apostrophes and a genitive s, numbers whole, and signs of money and percent."""
    plain = unicodedata.normalize("NFKC", text).replace("\u2019", "\x27").casefold()
    return [token.removesuffix("\x27s").replace("\x27", "") for token in _TOKEN.findall(plain)]


@dataclass(frozen=True, slots=True)
class Said:
    """What a text says besides its wording."""

    words: frozenset[str]
    numbers: tuple[str, ...]
    negations: int
    questions: frozenset[str]
    telling: frozenset[str]
    directions: tuple[tuple[str, str], ...]
    """Each with the word that it points at."""
    counts: tuple[str, ...] = ()
    """Numbers in words, in order."""
    english: bool = True
    """Whether it reads as English, the one language whose negations are known."""

    @classmethod
    def of(cls, text: str) -> Said:
        """Read a text."""
        tokens = tokens_of(text)
        return cls(
            frozenset(_singular(t) for t in tokens if t not in ENGLISH and not t[0].isdigit()),
            tuple(t for t in tokens if t[0].isdigit()),
            sum(t in NEGATIONS for t in tokens),
            QUESTIONS.intersection(tokens),
            TELLING.intersection(tokens),
            tuple(_directions(tokens)),
            tuple(t for t in tokens if t in COUNTS),
            _is_english(tokens),
        )

    @property
    def exact(self) -> tuple[object, ...]:
        """What has to be equal to the letter."""
        return self.numbers, self.negations, self.telling, self.directions

    @property
    def facts(self) -> tuple[object, ...]:
        """What has to be equal where words may differ."""
        return *self.exact, self.counts

    def same_facts(self, other: Said) -> bool:
        """Whether numbers, negations, telling words and directions are equal and questions do not contradict; words may differ.

        A text without a word of its own, or that does not read as English, has the same facts as no other.
        """
        known = self.words and other.words and self.english and other.english
        return bool(known) and self.facts == other.facts and self._asks_alike(other)

    def same_as(self, other: Said) -> bool:
        """Whether the two may have one answer; texts without a word of their own never do."""
        if not self.words or not other.words or self.exact != other.exact or not self._asks_alike(other):
            return False
        return _covers(self.words, other.words) and _covers(other.words, self.words)

    def _asks_alike(self, other: Said) -> bool:
        # "My card was declined" asks what "Why was my card declined" does; "How" and "Why" ask for different things.
        return not self.questions or not other.questions or self.questions == other.questions


def _is_english(tokens: Sequence[str]) -> bool:
    return sum(t in ENGLISH for t in tokens) >= LEAST_ENGLISH * len(tokens) and FOREIGN_NEGATIONS.isdisjoint(tokens)


def _directions(tokens: Sequence[str]) -> Iterator[tuple[str, str]]:
    pointing = DIRECTIONS | {"to"} if "from" in tokens else DIRECTIONS
    for i, token in enumerate(tokens):
        if token in PARTICLES:
            yield token, ""
        elif token in pointing:
            yield token, next((_singular(t) for t in tokens[i + 1 :] if t not in FUNCTION_WORDS), "")


def shareable(text: str) -> bool:
    """Whether its answer may go to another text: it is not long, and holds no digits or address that may be somebody's."""
    digits = sum(c.isdigit() for c in text)
    return len(text) <= LONGEST_CHARS and digits <= MOST_DIGITS and not any(a in text.casefold() for a in ADDRESSES)


def _covers(words: frozenset[str], others: frozenset[str]) -> bool:
    return all(any(is_slip(word, other) for word in words) for other in others - words)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def is_slip(one: str, other: str) -> bool:
    """Whether two long words differ by two letters swapped or one left out; one replaced may be another word (change, charge)."""
    if not (one + other).isascii() or one[:1] != other[:1] or min(len(one), len(other)) < SLIP_LETTERS:
        return False
    if len(one) == len(other):
        at = [i for i in range(len(one)) if one[i] != other[i]]
        return len(at) == 2 and at[1] == at[0] + 1 and one[at[0]] == other[at[1]] and one[at[1]] == other[at[0]]
    long, short = (one, other) if len(one) > len(other) else (other, one)
    return len(long) == len(short) + 1 and any(long[:i] + long[i + 1 :] == short for i in range(len(long)))


@lru_cache(maxsize=65_536)
def _grams(word: str) -> NDArray[np.int32]:
    """The columns of a word's grams; a space marks where it begins and ends."""
    padded = f" {word} "
    found = (padded[i : i + n] for n in range(SHORTEST, LONGEST + 1) for i in range(max(1, len(padded) - n + 1)))
    return np.fromiter((zlib.crc32(gram.encode("utf-8", "replace")) % COLUMNS for gram in found), np.int32)


def vectors(texts: Sequence[str]) -> Any:
    """A sparse row of length 1 for each text, shaped (texts, `COLUMNS`); the product of two rows is how alike they are, 0 to 1."""
    from scipy.sparse import csr_matrix

    rows = [_row(text) for text in texts]
    ends = np.cumsum([0, *(len(columns) for columns, _ in rows)])
    columns = np.concatenate([c for c, _ in rows]) if rows else np.empty(0, np.int32)
    weights = np.concatenate([w for _, w in rows]) if rows else np.empty(0, np.float32)
    return csr_matrix((weights, columns, ends), shape=(len(rows), COLUMNS))


def _row(text: str) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    words = tokens_of(text)
    if not words:
        return np.empty(0, np.int32), np.empty(0, np.float32)
    grams = [_grams(word) for word in words]
    each = [FUNCTION_WEIGHT if word in FUNCTION_WORDS else 1.0 for word in words]
    columns, where = np.unique(np.concatenate(grams), return_inverse=True)
    counts = np.bincount(where, np.repeat(each, [len(g) for g in grams]))
    return columns, (counts / np.linalg.norm(counts)).astype(np.float32)
