"""What makes a ticket hard, in cues a person would name. A cue may raise a stage's bar for this ticket; nothing ever lowers one.

Deterministic and without a model. How far each cue raises a bar is a judgement, not a measurement: a point for what asks for
care, two for what is costly to get wrong, three at most in all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from playground.language import READ_CHARS, language_of
from playground.records import Bar, Cue, Passage, Ticket

LONG_WORDS = 400
MANY_QUESTIONS = 3
MAX_RAISE = 0.03
HIGHEST_BAR = 0.99
WEAK_PASSAGE = 4.0
"""Of 10 after re-ranking: no article of the help centre answers the ticket."""
TEXT_STAGES = ("draft", "check", "respond")
TOPICS = {
    "refund": r"refund|money back|charge ?back|reimburse|erstatt\w*|rückerstattung|geld zurück|reembols\w*|devoluci[oó]n",
    "legal": r"lawyer|attorney|legal action|lawsuit|court|gdpr|dsgvo|anwalt|klage|abogad\w*|demanda|tribunal",
    "security": r"hack(?:ed|er|ers|ing)?|phish\w*|unauthori[sz]ed|compromised|stolen|takeover|suspicious|gehackt|hackeado|"
    r"(?:was not|wasn't) (?:me|us)|someone (?:else )?(?:is in|has|logged|signed|changed)",
    "policy": r"policy|polic(?:ies)|terms of service|exception|goodwill|agb|kulanz|pol[ií]tica|condiciones",
    "anger": r"unacceptable|furious|outrag\w*|ridiculous|disgust\w*|worst|fed up|second time|third time|unversch[aä]mt|inaceptable",
}
"""Topic to its expression; a batch of tickets is searched with the same ones, so they keep to what every engine understands."""
SHOUTED = r"(?:^|[^\w])[A-Z]{3,}(?:[ \t\n\r]+[A-Z]{2,})+(?:$|[^\w])|!{2,}"
_FOUND = {name: re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE) for name, pattern in TOPICS.items()}
_SHOUTED = re.compile(SHOUTED.replace("$", r"\Z"))
_SAID = {
    "refund": ("asks for money back", 0.01, TEXT_STAGES),
    "legal": ("speaks of legal steps", 0.02, ("check", "respond")),
    "security": ("is about account security", 0.02, ("intent", "check", "respond")),
    "policy": ("asks about a policy or an exception", 0.01, ("check",)),
    "anger": ("is angry", 0.01, ("check", "respond")),
}


@lru_cache(maxsize=64)
def cues(ticket: Ticket) -> tuple[Cue, ...]:
    """Everything about a ticket itself that asks for care; kept, because every stage asks."""
    text = f"{ticket.subject}\n{ticket.text}"[:READ_CHARS]
    return (*_shape(text), *_topics(text), *_language(ticket, text))


def raised(base: float, stage: str, found: Sequence[Cue]) -> Bar:
    """A stage's bar for this ticket."""
    here = [cue for cue in found if stage in cue.stages]
    more = min(MAX_RAISE, sum(cue.raise_by for cue in here))
    value = max(base, min(HIGHEST_BAR, round(base + more, 3)))
    return Bar(value, base, tuple(cue.sentence for cue in here) if value > base else ())


def _shape(text: str) -> Iterator[Cue]:
    words, questions = len(text.split()), text.count("?")
    if words >= LONG_WORDS:
        yield Cue("length", f"is long ({words:,} words)", 0.01, ("draft", "respond", "summarise"))
    if questions >= MANY_QUESTIONS:
        yield Cue("questions", f"asks {questions} questions", 0.01, ("draft", "respond", "summarise"))


def _topics(text: str) -> Iterator[Cue]:
    for name, pattern in _FOUND.items():
        if pattern.search(text) or (name == "anger" and _SHOUTED.search(text)):
            yield Cue(name, *_SAID[name])


def _language(ticket: Ticket, text: str) -> Iterator[Cue]:
    code = (ticket.lang or language_of(text))[:2].lower()
    if code != "en":
        # Nearly every benchmark behind the estimates is in English.
        yield Cue("language", f"is not in English ({code})", 0.01, ("intent", "rerank", *TEXT_STAGES, "summarise"))


def retrieval_cues(passages: Sequence[Passage]) -> Iterator[Cue]:
    """Whether the help centre hardly answers the ticket, from passages re-ranked from 0 to 10."""
    best = max((p.score for p in passages), default=None)
    if best is not None and best < WEAK_PASSAGE:
        yield Cue(
            "retrieval", f"is hardly answered by the help centre (best passage {best:.1f} of 10)", 0.01, TEXT_STAGES
        )
