"""Two texts word by word: what only one of them says. Words are compared with difflib's matching of blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

Kind = Literal["same", "removed", "added"]
MOST_WORDS = 1_500
"""Of both texts together; matching takes the square of it. Longer texts are compared line by line."""
_WORDS = re.compile(r"\n|[^\S\n]+|[^\s]+")
_LINES = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that both hold, only the first, or only the second."""

    kind: Kind
    text: str


def pieces(first: str, second: str) -> tuple[Piece, ...]:
    """Both texts as one row of pieces: without `added` they are the first text, without `removed` the second."""
    if first == second:
        return (Piece("same", first),) if first else ()
    split = _WORDS if len(_WORDS.findall(first)) + len(_WORDS.findall(second)) <= 2 * MOST_WORDS else _LINES
    return tuple(_joined(_matched(split.findall(first), split.findall(second))))


def _matched(first: Sequence[str], second: Sequence[str]) -> Iterator[Piece]:
    for tag, a, b, c, d in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if tag == "equal":
            yield Piece("same", "".join(first[a:b]))
            continue
        yield Piece("removed", "".join(first[a:b]))
        yield Piece("added", "".join(second[c:d]))


def _joined(found: Iterator[Piece]) -> Iterator[Piece]:
    """Fewer, longer pieces: a lone space that both hold does not part a change in two."""
    held = {"removed": "", "added": ""}
    for piece in found:
        changed = any(held.values())
        if piece.kind != "same":
            held[piece.kind] += piece.text
        elif changed and not piece.text.strip() and "\n" not in piece.text:
            held = {kind: text + piece.text for kind, text in held.items()}
        else:
            yield from _flushed(held)
            held = {"removed": "", "added": ""}
            yield piece
    yield from _flushed(held)


def _flushed(held: dict[str, str]) -> Iterator[Piece]:
    """What was held back; a space at the end of both belongs to neither's change."""
    removed, added = held["removed"], held["added"]
    tail = " " if removed.endswith(" ") and added.endswith(" ") else ""
    cut = -1 if tail else None
    if removed[:cut]:
        yield Piece("removed", removed[:cut])
    if added[:cut]:
        yield Piece("added", added[:cut])
    if tail:
        yield Piece("same", tail)
