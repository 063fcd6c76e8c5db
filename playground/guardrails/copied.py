"""Whether a text repeats another one word for word over a stretch that is no chance."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from playground.lookalikes import squeezed


def repeats(text: str, source: str, words: int, open_to_all: str = "") -> bool:
    """Whether so many words in a row of the source stand in the text, however spaced, cased or marked.

    All of its words count as a stretch where the source is shorter. What `open_to_all` says too may be repeated.
    """
    said = squeezed(text)
    found = [stretch for stretch in _stretches(source, words) if stretch in said]
    return bool(found) and not all(stretch in squeezed(open_to_all) for stretch in found)


@lru_cache(maxsize=64)
def _stretches(source: str, words: int) -> tuple[str, ...]:
    plain = [word for raw in source.split() if (word := squeezed(raw))]
    run = min(words, len(plain))
    return tuple("".join(plain[i : i + run]) for i in range(len(plain) - run + 1)) if run else ()


def without(text: str, parts: Iterable[str]) -> str:
    """The text without parts that it holds word for word."""
    for part in sorted(filter(None, parts), key=len, reverse=True):
        text = text.replace(part, " ")
    return text
