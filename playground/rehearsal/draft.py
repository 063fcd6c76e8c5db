"""Draft: for each question the best statements, in the order in which their passage has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from playground.language import Lang
from playground.records import Context, Output
from playground.rehearsal.answers import Answer, answer_all, list_of
from playground.rehearsal.asks import MOST_ASKS, asks
from playground.rehearsal.message import all_text, plain, reply_language, signed_by
from playground.rehearsal.phrases import PHRASES, Phrases
from playground.rehearsal.policy import applying, says_any
from playground.rehearsal.private import is_private, told
from playground.rehearsal.ranking import Shelf, source_of
from playground.rehearsal.search import Pick
from playground.rehearsal.words import stems

VAGUE_WORDS = 5
"""A ticket with no more words that mean something cannot be acted on; the customer is asked for details."""
SURE = 0.7
"""An answer that covers so much could not be surer."""


class Drafting:
    """One draft in the making."""

    def __init__(self, context: Context, shelf: Shelf) -> None:
        self.context = context
        every = asks(context.ticket)
        self.asks, self.left = every[:MOST_ASKS], every[MOST_ASKS:]
        self.lang, answers = self._in_best_language(shelf)
        # A remark that nothing answers was no question, unless it is all there is.
        self.answers = [a for a in answers if a.found or a.ask.direct] or answers
        said = set(stems(plain(all_text(context.ticket))))
        self.raised = [p for p in applying(context) if p.escalate]
        self.vague = len(said) <= VAGUE_WORDS and not self.raised and not any(a.found for a in answers)

    def output(self) -> Output:
        """The draft as the stage wants it."""
        is_open = [*self._left_open(), *(f"{p.id} {p.title}: a person decides." for p in self.raised)]
        covered = [min(1.0, a.covered / SURE) for a in self.answers] or [0.0]
        return {
            "answer": "\n\n".join(self._paragraphs(bool(is_open))),
            "citations": list(dict.fromkeys(p.passage.id for a in self.answers for p in a.picks)),
            "confidence": round(0.1 + 0.85 * sum(covered) / len(covered), 2),
            "open_questions": is_open,
        }

    def _in_best_language(self, shelf: Shelf) -> tuple[Lang, list[Answer]]:
        """The customer's language if a passage in it answers something, else English if one in English does."""
        lang = reply_language(self.context.ticket)
        own = answer_all(self.asks, shelf.only(lang))
        if lang == "en" or any(a.found for a in own):
            return lang, own
        english = answer_all(self.asks, shelf.only("en"))
        return ("en", english) if any(a.found for a in english) else (lang, own)

    def _left_open(self) -> Iterator[str]:
        if self.vague:
            yield "Too little to act on: which function, what happens, since when and for whom."
            return
        yield from (f"The help centre does not answer: {told(a.ask)}" for a in self.answers if not a.found)
        yield from (f"Not answered yet: {told(ask)}" for ask in self.left)

    def _paragraphs(self, is_open: bool) -> Iterator[str]:
        say = PHRASES[self.lang]
        name = signed_by(self.context.ticket)
        yield say.hello_name.format(name=name) if name and self._quotable(name) else say.hello
        yield from self._asking_back(say) if self.vague else self._answered(say)
        yield say.then if self.vague else self._next(say, is_open)
        yield say.sign_off

    def _next(self, say: Phrases, is_open: bool) -> str:
        waiting = self.left or not all(a.found for a in self.answers)
        return f"{say.colleague if waiting else say.colleague_too} {say.reply}" if is_open else say.reply

    def _asking_back(self, say: Phrases) -> Iterator[str]:
        yield f"{say.thanks} {say.vague}"
        yield "\n".join(f"{n}. {question}" for n, question in enumerate(say.details, 1))

    def _answered(self, say: Phrases) -> Iterator[str]:
        if not any(a.found for a in self.answers):
            yield from (say.thanks, say.unanswered)
            return
        several = len(self.answers) > 1
        yield f"{say.thanks} {say.one_by_one.format(count=len(self.answers))}" if several else say.thanks
        for answer in self.answers:
            if several and self._quotable(answer.ask.text):
                yield f"> {answer.ask.text}"
            yield _body(answer, say)

    def _quotable(self, text: str) -> bool:
        """Whether a customer's words may stand in the reply: no policy forbids them, and they hold no secret or link."""
        forbidden = (phrase for p in self.context.policies for phrase in p.forbids)
        return not (is_private(text) or says_any(text, forbidden))


def _body(answer: Answer, say: Phrases) -> str:
    if not answer.picks:
        return say.above if answer.elsewhere else say.unanswered
    steps = Counter(list_of(p) for p in answer.picks if p.unit.is_step)
    blocks = groupby(answer.picks, lambda p: (p.passage.id, p.unit.part if steps[list_of(p)] > 1 else None))
    return "\n\n".join(_block(list(picks), part, say) for (_, part), picks in blocks)


def _block(picks: Sequence[Pick], list_part: int | None, say: Phrases) -> str:
    """A paragraph of statements, or the numbered steps of a list under their heading."""
    lines = [f"{p.unit.text} [{p.passage.id}]" for p in picks]
    if list_part is None:
        return " ".join(lines)
    lead = source_of(picks[0].passage).leads[list_part] or say.steps
    return "\n".join([lead, *(f"{n}. {line}" for n, line in enumerate(lines, 1))])
