"""The judge, rehearsed: two answers compared by what rules can see, with a little noise and a slight liking for the first.

What counts: the customer's questions answered from the passages, statements that no passage or policy has, citations that are
missing from a draft, and policy breaches. The liking and the noise are small against a whole question, so that they decide only
close pairs, and both orders of those disagree now and then, as they do with a model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from hashlib import sha256
from string import Formatter
from typing import Any

from playground.records import Context, Output, Request
from playground.rehearsal.asks import MOST_ASKS, Ask, asks
from playground.rehearsal.phrases import PHRASES
from playground.rehearsal.policy import check, part_of
from playground.rehearsal.ranking import source_of
from playground.rehearsal.sentences import sentences
from playground.rehearsal.words import ALIKE, stems

# Weights in points, a whole answered question being the unit; what is small against it decides only between like answers.
ANSWERED, STATEMENT, ADDRESSED, UNSUPPORTED, UNCITED, BREACH, DISCOURTEOUS = 1.0, 0.25, 0.2, 0.5, 0.15, 0.5, 0.3
NOISE = 0.1
"""At most this much is added or taken at random: less than one statement."""
LIKES_FIRST = 0.05
TIE = 0.15
"""A smaller difference is none."""
SUPPORTED = 0.75
"""A statement is supported where one passage has this share of its words."""
_MARK = re.compile(r"\[[\w.-]{1,80}\]")
_LATE_MARK = re.compile(r"([.!?…])[ \t]{1,4}(\[[\w.-]{1,80}\])")
"""A citation after the stop, which would be read as part of the next sentence."""
_LEFT_OPEN = "Left to a person:"


@dataclass(frozen=True, slots=True)
class Merits:
    """What rules see of one answer."""

    answered: float
    addressed: int
    statements: int
    unsupported: int
    uncited: int
    breaches: int
    courteous: bool

    @property
    def factual_accuracy(self) -> float:
        """Points for what is said."""
        gained = ANSWERED * self.answered + ADDRESSED * self.addressed + STATEMENT * self.statements
        return gained - UNSUPPORTED * self.unsupported - UNCITED * self.uncited

    @property
    def policy_adherence(self) -> float:
        """Points for the rules kept."""
        return -BREACH * self.breaches

    @property
    def tone(self) -> float:
        """Points for greeting and closing."""
        return 0.0 if self.courteous else -DISCOURTEOUS

    def __str__(self) -> str:
        return (
            f"{self.answered:.1f} questions answered, {self.statements} statements supported, "
            f"{self.unsupported} not, {self.uncited} without a citation, {self.breaches} policy breaches"
        )


def judge(request: Request) -> Output:
    """The winner of each criterion that the request asks for, and overall."""
    earlier = request.context.earlier
    one, two = (merits(request, part_of(earlier.get(side, ""), "answer")) for side in "AB")
    total = sum(_differences(one, two).values()) + _lean(request)
    why = f"A: {one}. B: {two}."
    known = {name: _opinion(difference, why) for name, difference in _differences(one, two).items()}
    overall = _opinion(total, why)
    return {name: known.get(name, overall) for name in _asked(request)} | {"overall": overall}


def _asked(request: Request) -> Sequence[str]:
    schema = request.output.schema or {}
    return tuple(schema.get("required", ())) or ("factual_accuracy", "tone", "policy_adherence")


def _differences(one: Merits, two: Merits) -> dict[str, float]:
    names = ("factual_accuracy", "tone", "policy_adherence")
    return {name: getattr(one, name) - getattr(two, name) for name in names}


def _opinion(difference: float, why: str) -> dict[str, str]:
    winner = "tie" if abs(difference) < TIE else "A" if difference > 0 else "B"
    return {"winner": winner, "reason": why}


def _lean(request: Request) -> float:
    """The liking for the first answer and the noise of this ticket, judge and order of texts."""
    context = request.context
    texts = [str(context.earlier.get(side, "")) for side in "AB"]
    key = json.dumps([context.ticket.id, *texts, request.candidate.key])
    chance = int.from_bytes(sha256(key.encode()).digest()[:8], "big") / 2**64
    return LIKES_FIRST + NOISE * (2 * chance - 1)


def turned(output: Mapping[str, Any]) -> Mapping[str, Any]:
    """The judgement with its winners swapped: what an erring judge says."""
    other = {"A": "B", "B": "A", "tie": "A"}
    return {name: {**opinion, "winner": other[opinion["winner"]]} for name, opinion in output.items()}


@dataclass(frozen=True, slots=True)
class _Case:
    """One answer to one ticket; `key` holds all that its merits depend on."""

    key: tuple[Hashable, ...]
    request: Request = field(compare=False)
    answer: str = field(compare=False)


def merits(request: Request, answer: str) -> Merits:
    """What rules see of one answer."""
    context = request.context
    policies = tuple((p.id, p.text, p.cues, p.needs, p.forbids, *p.add.items()) for p in context.policies)
    is_draft = context.earlier.get("judged") == "draft"
    return _merits(_Case((answer, context.ticket, context.passages, policies, is_draft), request, answer))


@lru_cache(maxsize=256)
def _merits(case: _Case) -> Merits:
    """Cached, because both orders of a pair ask for the same. Quoted words and what is left to a person are no statements."""
    request, answer, context = case.request, case.answer, case.request.context
    lines = answer.partition(_LEFT_OPEN)[0].split("\n")
    own = _LATE_MARK.sub(r" \2\1", "\n".join(n for n in lines if not n.startswith(">")))
    said = [s for s in sentences(own) if len(set(stems(_MARK.sub("", s)))) > 2]
    words = [frozenset(stems(_MARK.sub("", s))) for s in said]
    told = [not w <= _courtesies() for w in words]
    supported = [t and _is_supported(context, w) for t, w in zip(told, words, strict=True)]
    marked = [_MARK.search(s) is not None for s in said]
    is_draft = context.earlier.get("judged") == "draft"
    return Merits(
        answered=_answered(context, [w for w, s in zip(words, supported, strict=True) if s]),
        addressed=min(sum(n.startswith(">") for n in lines), len(_asked_in(context))),
        statements=sum(supported),
        unsupported=sum(t and not s for t, s in zip(told, supported, strict=True)),
        uncited=sum(s and not m for s, m in zip(supported, marked, strict=True)) if is_draft else 0,
        breaches=_breaches(request, answer),
        courteous=_is_courteous(answer),
    )


def _is_supported(context: Context, words: frozenset[str]) -> bool:
    sources = [source_of(p).words for p in context.passages]
    sources += [_policy_words(f"{p.text} {' '.join(p.add.values())}") for p in context.policies]
    return any(len(words & known) >= SUPPORTED * len(words) for known in sources)


@cache
def _policy_words(text: str) -> frozenset[str]:
    return frozenset(stems(text))


def _answered(context: Context, said: Sequence[frozenset[str]]) -> float:
    """The customer's questions, each by the share of its words that the statement nearest to it has."""
    shares = [[_share(ask.words, words) for words in said] for ask in _asked_in(context)]
    return sum(max(found, default=0.0) for found in shares)


def _asked_in(context: Context) -> Sequence[Ask]:
    return asks(context.ticket)[:MOST_ASKS]


def _share(asked: Sequence[str], words: frozenset[str]) -> float:
    wanted = set(asked)
    return sum(w in words or bool(ALIKE.get(w, frozenset()) & words) for w in wanted) / len(wanted) if wanted else 0.0


def _breaches(request: Request, answer: str) -> int:
    """What the check finds in it; for a draft that includes the sentences a policy asks to be added."""
    found = check(replace(request, context=replace(request.context, earlier={"draft": answer})))
    return 0 if isinstance(found, str) else len(found["findings"])


@cache
def _courtesies() -> frozenset[str]:
    texts = [getattr(say, name) for say in PHRASES.values() for name in say.__dataclass_fields__]
    flat = [t for text in texts for t in (text if isinstance(text, tuple) else (text,))]
    return frozenset(w for text in flat for w in stems(" ".join(part for part, *_ in Formatter().parse(text))))


def _is_courteous(answer: str) -> bool:
    """Whether it greets and closes, in any of the languages."""
    greets = any(answer.startswith(say.hello[:4]) for say in PHRASES.values())
    return greets and any(say.sign_off in answer for say in PHRASES.values())
