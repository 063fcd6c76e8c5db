"""What a judge says of one order of a pair, read strictly, and both orders joined into a score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from playground.checks import parse_json
from playground.errors import CallFailed
from playground.scoring.scores import Lengths, Score, compared, tie

Winner = Literal["A", "B", "tie"]
CRITERIA = ("factual_accuracy", "tone", "policy_adherence")
"""What the shipped rubric asks for, besides the overall winner."""
REASON_CHARS = 240
_FLIPPED: Mapping[Winner, Winner] = {"A": "B", "B": "A", "tie": "tie"}


@dataclass(frozen=True, slots=True)
class Opinion:
    """The winner of one criterion, and why."""

    criterion: str
    winner: Winner
    reason: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """One order of a pair, judged."""

    overall: Opinion
    opinions: tuple[Opinion, ...] = ()

    @property
    def winner(self) -> Winner:
        """The overall winner."""
        return self.overall.winner

    def flipped(self) -> Judgement:
        """The same judgement with the names of the answers swapped; reasons keep their words."""
        turned = tuple(replace(o, winner=_FLIPPED[o.winner]) for o in (self.overall, *self.opinions))
        return Judgement(turned[0], turned[1:])


def judgement_schema(criteria: Iterable[str] = CRITERIA) -> dict[str, Any]:
    """The JSON Schema of an answer."""
    fields: dict[str, Any] = {"winner": {"type": "string", "enum": ["A", "B", "tie"]}, "reason": {"type": "string"}}
    opinion = {"type": "object", "required": [*fields], "additionalProperties": False, "properties": fields}
    names = [*criteria, "overall"]
    properties = {name: opinion for name in names}
    return {"type": "object", "required": names, "additionalProperties": False, "properties": properties}


def read_judgement(text: str, criteria: Iterable[str] = CRITERIA) -> Judgement:
    """A judge's answer, bare JSON or in a Markdown fence. Raises `CallFailed` of kind malformed for anything else."""
    names = tuple(criteria)
    data, problem = parse_json(text, judgement_schema(names))
    if data is None:
        raise CallFailed("malformed", f"The judge answered off-format. {problem}")
    return Judgement(_opinion(data, "overall"), tuple(_opinion(data, name) for name in names))


def _opinion(data: Mapping[str, Any], name: str) -> Opinion:
    said = " ".join(str(data[name]["reason"]).split())
    reason = said if len(said) <= REASON_CHARS else said[: REASON_CHARS - 1] + "\u2026"
    return Opinion(name, data[name]["winner"], reason)


def joined(first: Judgement, second: Judgement, lengths: Lengths = (0, 0)) -> Score:
    """The score of a pair from both orders: in the first the current answer is A, in the second the candidate's is.

    Orders that agree give that winner; orders that disagree are a tie.
    """
    winner = first.winner if first.winner == second.flipped().winner else None
    reason = f" With the current answer as A: {first.overall.reason}" if first.overall.reason else ""
    if winner == "A":
        return compared(1.0, 0.0, "judge", f"The current answer is better in both orders.{reason}", lengths)
    if winner == "B":
        return compared(0.0, 1.0, "judge", f"The candidate's answer is better in both orders.{reason}", lengths)
    note = "Equally good in both orders." if winner == "tie" else "The two orders disagree, which counts as a tie."
    return tie("judge", f"{note}{reason}", lengths)
