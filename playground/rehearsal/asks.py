"""What a customer asks, one by one, each with the words to find an answer by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from playground.records import Ticket
from playground.rehearsal.message import customer_text, latest_text, plain
from playground.rehearsal.sentences import SENTENCE_CHARS, Piece, pieces, sentences
from playground.rehearsal.words import stems

QUOTE_CHARS = 200
"""A question is quoted back up to this length, about three lines of mail; more reads like the whole message again."""
MOST_ASKS = 6
"""Answered in one reply; a support lead would split a longer list over two. The rest become open questions."""
READ_ASKS = 24
"""Asks read at all: four replies' worth. A ticket with more is a list of something else."""
ABOUT_SENTENCES = 12
"""Sentences that say what a complaint without a question is about; more would bury it."""
THIN_WORDS = 3
"""A question with fewer words of its own says too little to find an answer by, and is read with the subject."""
_ASKED = re.compile(r"[?\u061f\uff1f]")
_PLEA = re.compile(
    r"\b(?:please|tell me|let me know|(?:i|we|you)'d like|(?:i|we) (?:\w+ )?(?:need|want)\b|would (?:\w+ )?like|"
    r"(?:can|could|would) you|bitte|möchten?|brauch(?:e|t|en)|benötigen?|hätten? gern|könn(?:ten|en) sie|por favor|"
    r"necesit(?:o|amos)|quier[oe]n?|quer(?:emos|íamos)|quisi(?:era|éramos)|(?:me|nos) gustaría|solicit(?:o|amos))\b",
    re.IGNORECASE,
)
_ASKING_HEAD = re.compile(
    r"\b(?:(?:we|i) (?:need|want)|questions?|please|fragen?|brauche|bitte|necesito|preguntas?|dudas?)\b[^.]*$",
    re.IGNORECASE,
)
# Said of oneself, it may be a mere remark: "I need to hand this in by noon".
_WISH = re.compile(
    r"^(?!.*[?\u061f\uff1f]|.*\b(?:please|tell me|let me know|bitte|por favor)\b)", re.IGNORECASE | re.DOTALL
)
_SECOND_QUESTION = re.compile(
    r",? (?:and|und|y) (?=(?:how|where|when|what|who|why|which|can|do|is|wie|wo|wann|was|wer|warum|cómo|dónde|cuándo|qué)\b)",
    re.IGNORECASE,
)
_NEXT_POINT = re.compile(r"^\W*(?:also|and|besides|finally|und|außerdem|y|además)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing a customer asks: as it may be quoted, its words and those around it. `direct` is no wish in passing."""

    text: str
    words: tuple[str, ...]
    context: tuple[str, ...] = ()
    direct: bool = True
    parts: tuple[tuple[str, ...], ...] = ()
    """The words of each question, where it holds more than one."""


def asks(ticket: Ticket) -> tuple[Ask, ...]:
    """What the latest message asks, in order; where it asks nothing, what all messages ask, or else what they are about."""
    subject = plain(ticket.subject[:QUOTE_CHARS])
    for text in dict.fromkeys((latest_text(ticket), customer_text(ticket))):
        found = tuple(_distinct(tuple(islice(_asks_in(pieces(plain(text))), READ_ASKS)), stems(subject)))
        if found:
            return found
    said = (subject, *sentences(plain(customer_text(ticket))))
    about = list(islice((s for s in said if stems(s)), ABOUT_SENTENCES))
    words = tuple(stems(" ".join(about)))
    return (Ask(_quote(about[:2]), words),) if words else ()


def _distinct(found: Sequence[Ask], subject: Sequence[str]) -> Iterator[Ask]:
    """Each ask once. A thin one gets the words of the subject too, except those that are what another one asks."""
    claimed = {w for ask in found for w in ask.words}
    seen: list[set[str]] = []
    for ask in found:
        own = set(ask.words)
        if any(own <= earlier for earlier in seen):
            continue
        seen.append(own)
        about = tuple(w for w in subject if w not in claimed) if len(own) < THIN_WORDS else ()
        # A wish for what the subject names is no mere remark; a question of one word often is: "Seriously?"
        direct = (ask.direct and len(own) > 1) or len(own & set(subject)) > 1
        yield replace(ask, context=(*ask.context, *about), direct=direct)


def _asks_in(parts: Sequence[Piece]) -> Iterator[Ask]:
    listed = _asking_lists(parts)
    for at, piece in enumerate(parts):
        said = [s for s in sentences(piece.text) if not s.endswith(":")]
        if piece.list_no is None:
            yield from _asks_in_prose(said)
        elif piece.list_no in listed and stems(piece.text):
            head = next((p.text for p in reversed(parts[:at]) if p.list_no is None), "")
            # What is asked stands in the questions and in the first sentence, which names the matter.
            core = [s for i, s in enumerate(said) if not i or "?" in s]
            around = [s for s in said if s not in core]
            context = (*stems(" ".join(around)), *stems(head[-SENTENCE_CHARS:]))
            yield Ask(_quote(said), tuple(stems(" ".join(core))), context, parts=_questions(core))


def _questions(core: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The words of each question; one with hardly a word of its own goes with what stands before it."""
    found: list[list[str]] = [[]]
    for sentence in core:
        for clause in _SECOND_QUESTION.split(sentence):
            found[-1] += stems(clause)
            if "?" in sentence and len(found[-1]) > 1:
                found.append([])
    rest = found.pop() if len(found) > 1 and len(found[-1]) < 2 else []
    found[-1] += rest
    return tuple(tuple(words) for words in found)


def _asking_lists(parts: Sequence[Piece]) -> set[int]:
    """Lists of which half the items ask something, or whose heading says that they do."""
    items: dict[int, list[str]] = {}
    headed = set()
    for before, piece in zip((Piece(""), *parts), parts, strict=False):
        if piece.list_no is not None:
            items.setdefault(piece.list_no, []).append(piece.text)
            if before.list_no is None and _ASKING_HEAD.search(before.text[-SENTENCE_CHARS:]):
                headed.add(piece.list_no)
    return headed | {n for n, texts in items.items() if 2 * sum(map(_is_asking, texts)) >= len(texts)}


def _asks_in_prose(said: Sequence[str]) -> Iterator[Ask]:
    for at, sentence in enumerate(said):
        if not _is_asking(sentence) or _leads_into_question(said, at):
            continue
        before = said[at - 1] if at else ""
        thin = len(set(stems(sentence))) < 2 and not _is_asking(before)
        joined = bool(before) and (thin or _leads_into_question(said, at - 1))
        words = tuple(stems(f"{before} {sentence}" if joined else sentence))
        if len(words) > 1 or (words and "?" in sentence):
            near = stems(" ".join(said[max(0, at - 2) : at]))
            direct = joined or _WISH.search(sentence) is None
            core = [before, sentence] if joined else [sentence]
            yield Ask(_quote(core), words, tuple(near), direct, _questions(core))


def _leads_into_question(said: Sequence[str], at: int) -> bool:
    """Whether a wish is followed by the question about it, so that the two are one ask."""
    follows = said[at + 1] if at + 1 < len(said) else ""
    return "?" not in said[at] and _is_asking(said[at]) and "?" in follows and not _NEXT_POINT.match(follows)


def _is_asking(text: str) -> bool:
    return _ASKED.search(text) is not None or _PLEA.search(text) is not None


def _quote(said: Sequence[str]) -> str:
    """The sentences, cut to what is worth quoting: all of them, or the questions, or the beginning."""
    whole = " ".join(said)
    if len(whole) > QUOTE_CHARS:
        asked = [s for s in said if "?" in s]
        longer = " … ".join(dict.fromkeys((said[0], *asked)))
        whole = longer if len(longer) <= QUOTE_CHARS else " ".join(asked) or whole
    if len(whole) <= QUOTE_CHARS:
        return whole
    return whole[: whole.rfind(" ", 1, QUOTE_CHARS) if " " in whole[1:QUOTE_CHARS] else QUOTE_CHARS] + " …"
