"""What makes each ticket of a batch hard: the same cues as `difficulty.cues`, found for all texts at once.

The expressions are those of the difficulty room, run by Arrow's RE2 in linear time. Only a text that may be in another language,
or is long, is looked at closely.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.difficulty import LONG_WORDS, MANY_QUESTIONS, SHOUTED, TOPICS, cues
from playground.language import OF_ANOTHER, READ_CHARS, languages_of
from playground.log_tickets import LogTickets
from playground.records import Cue, Ticket

CODES = {name: 1 << bit for bit, name in enumerate((*TOPICS, "length", "questions", "language"))}
"""A ticket's cues as one number: the sum of these."""
# RE2's \w is ASCII only; these are the letters, digits and underscore that Python's \w stands for.
_LETTER, _IN_WORD = r"\p{L}", r"\p{L}\p{N}_"
_LETTERS_OF_ANOTHER = "[äöüßñ¿¡áíóúİ]"


def cues_by_kind(tickets: LogTickets) -> Iterator[tuple[NDArray[np.intp], tuple[Cue, ...]]]:
    """Rows of the hard tickets, grouped by what makes them hard, with the cues of the first of each group."""
    codes = codes_of(tickets)
    for code in np.unique(codes[codes > 0]):
        rows = np.flatnonzero(codes == code)
        i = int(rows[0])
        yield rows, cues(Ticket(tickets.ids[i], tickets.texts[i], tickets.subjects[i]))


def codes_of(tickets: LogTickets) -> NDArray[np.int64]:
    """Each ticket's cues, as a sum of `CODES`; 0 for a plain one."""
    heads = [f"{s}\n{t}"[:READ_CHARS] for s, t in zip(tickets.subjects, tickets.texts, strict=True)]
    heads = [h if h.isascii() else h.encode("utf-8", "replace").decode("utf-8") for h in heads]
    found = np.zeros(len(heads), np.int64)
    for name, where in _where(heads):
        found[where] |= CODES[name]
    return found


def _where(heads: Sequence[str]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    import pyarrow
    import pyarrow.compute as arrow

    column = pyarrow.array(heads, pyarrow.string())
    for name in TOPICS:
        yield name, _matches(column, _topic(name), any_case=True)
    yield "anger", _matches(column, SHOUTED.replace(r"\w", _IN_WORD))
    yield "questions", arrow.count_substring(column, "?").to_numpy() >= MANY_QUESTIONS
    long = arrow.utf8_length(column).to_numpy() >= 2 * LONG_WORDS - 1
    yield "length", _checked(long, heads, lambda some: [len(head.split()) >= LONG_WORDS for head in some])
    foreign = _matches(column, _another(), any_case=True)
    yield "language", _checked(foreign, heads, lambda some: [lang != "en" for lang in languages_of(some)])


def _matches(column: Any, pattern: str, any_case: bool = False) -> NDArray[np.bool_]:
    import pyarrow.compute as arrow

    found = arrow.match_substring_regex(column, pattern, ignore_case=any_case)
    return np.asarray(found.to_numpy(zero_copy_only=False), np.bool_)


def _checked(
    maybe: NDArray[np.bool_], heads: Sequence[str], test: Callable[[Sequence[str]], Sequence[bool]]
) -> NDArray[np.bool_]:
    """Of the texts that may be so, those that a closer look finds to be."""
    rows = np.flatnonzero(maybe)
    sure = np.zeros(len(heads), np.bool_)
    sure[rows] = test([heads[row] for row in rows.tolist()])
    return sure


@cache
def _topic(name: str) -> str:
    words = TOPICS[name].replace(r"\w", f"[{_IN_WORD}]")
    return f"(?:^|[^{_IN_WORD}])(?:{words})(?:$|[^{_IN_WORD}])"


@cache
def _another() -> str:
    """A word or a letter that speaks for another language than English; without one, only English can be said."""
    words = "|".join(sorted(OF_ANOTHER))
    return rf"(?:^|[^{_LETTER}])(?:{words})(?:$|[^{_LETTER}])|{_LETTERS_OF_ANOTHER}"
