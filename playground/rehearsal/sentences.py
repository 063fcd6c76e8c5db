"""The paragraphs, list items and sentences of a text, also of one without punctuation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

READ_CHARS = 20_000
"""Read from either end of a ticket: about ten pages each, where requests stand. The middle of a longer one is left out."""
SENTENCE_CHARS = 400
"""A longer run without punctuation is cut at a space: it is not one statement."""
_WRAPPED_CHARS = range(60, 81)
"""Mail programs wrap lines at 72 to 78 characters, so a shorter or longer line ended on purpose."""
_ITEM = re.compile(r"^\s{0,8}(?:\d{1,2}[.)]|[-*•\u2013])\s+(?=\S)")
# Besides Latin marks those of Chinese, Japanese, Arabic, Urdu and Hindi, which need no space after them.
_END = re.compile(r"(?<=[.!?…])[\"'\u201d\u2019»)\]]*\s+|(?<=[\u3002\uff01\uff1f\u061f\u06d4\u0964])")
_UNFINISHED = re.compile(
    r"(?:\b(?:e\.g|i\.e|z\. ?b|d\. ?h|dr|mrs?|ms|nr|idnr|vs|ca|bzw|inkl|approx|sra?|art)|(?:^|\s)\w)\.$", re.IGNORECASE
)
_ORDINAL = re.compile(r"(?:^|\s)\d{1,2}\.$")
_MONTH = re.compile(r"(?:jan|feb|mär|mar|apr|mai|may|jun|jul|aug|sep|okt|oct|nov|dez|dec)", re.IGNORECASE)


def capped(text: str) -> str:
    """The text, or both ends of one that is too long to read."""
    return text if len(text) <= 2 * READ_CHARS else f"{text[:READ_CHARS]}\n\n{text[-READ_CHARS:]}"


def sentences(text: str) -> list[str]:
    """Sentences in order, also of text without punctuation; a line that ended on purpose ends one."""
    return [part for line in text.split("\n") for part in _split_line(line)]


def _split_line(line: str) -> Iterator[str]:
    start = 0
    for end in _END.finditer(line):
        before = line[max(start, end.start() - 12) : end.start()]
        if _UNFINISHED.search(before) or (_ORDINAL.search(before) and _MONTH.match(line, end.end())):
            continue
        yield from _cut(line[start : end.end()].strip())
        start = end.end()
    yield from _cut(line[start:].strip())


def _cut(sentence: str) -> Iterator[str]:
    while len(sentence) > SENTENCE_CHARS:
        space = sentence.rfind(" ", 1, SENTENCE_CHARS)
        at = space if space > 0 else SENTENCE_CHARS
        yield sentence[:at].rstrip()
        sentence = sentence[at:].lstrip()
    if any(c.isalnum() for c in sentence):
        yield sentence


@dataclass(frozen=True, slots=True)
class Piece:
    """A paragraph, or one item of a list; the items of a list share its `list_no`, a paragraph has none."""

    text: str
    list_no: int | None = None


def pieces(text: str) -> tuple[Piece, ...]:
    """The paragraphs and list items of a text, wrapped lines joined. One numbered line alone is a heading, not a list."""
    found: list[tuple[int | None, list[str]]] = []
    lists, is_open = 0, False
    for line in text.split("\n"):
        item = _ITEM.match(line)
        if item:
            lists += not (found and found[-1][0] is not None)
            found.append((lists, [line[item.end() :].strip()]))
        elif line.strip() and is_open:
            found[-1][1].append(line.strip())
        elif line.strip():
            found.append((None, [line.strip()]))
        is_open = bool(line.strip())
    sizes = Counter(number for number, _ in found)
    return tuple(Piece(_unwrapped(lines), number if sizes[number] > 1 else None) for number, lines in found)


def _unwrapped(lines: Sequence[str]) -> str:
    joints = ["", *(" " if len(line) in _WRAPPED_CHARS else "\n" for line in lines)]
    return "".join(part for pair in zip(joints, lines, strict=False) for part in pair)
