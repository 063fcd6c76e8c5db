"""One pair of outputs as one number: what the candidate's is worth, less what the current model's is worth."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Literal

from playground.errors import BadInput

Kind = Literal[
    "accuracy", "label agreement", "rank agreement", "findings agreement", "faithfulness and coverage", "judge", "failed",
]  # fmt: skip
Lengths = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Score:
    """Candidate minus current, from -1 to 1; each arm's own worth is from 0 to 1. `lengths` are characters of both arms.

    Where only agreement can be seen, the current output is the yardstick and worth 1: the value is 0 or less either way round.
    """

    value: float
    current: float
    candidate: float
    kind: Kind
    note: str = ""
    lengths: Lengths = (0, 0)

    def __post_init__(self) -> None:
        _within("The score of a pair", self.value, -1.0)
        _within("The worth of the current output", self.current, 0.0)
        _within("The worth of the candidate output", self.candidate, 0.0)


def _within(what: str, number: float, low: float) -> None:
    if not (isfinite(number) and low <= number <= 1.0):
        raise BadInput(f"{what} is {number}; it must be a number from {low:g} to 1. Rescale it.")


def compared(current: float, candidate: float, kind: Kind, note: str, lengths: Lengths) -> Score:
    """The score of two arms that each have a worth of their own."""
    return Score(candidate - current, current, candidate, kind, note, lengths)


def agreement(share: float, kind: Kind, note: str, lengths: Lengths) -> Score:
    """The score of a candidate that agrees with the current output to a share."""
    return compared(1.0, share, kind, note, lengths)


def tie(kind: Kind, note: str, lengths: Lengths) -> Score:
    """Neither arm is better."""
    return compared(0.5, 0.5, kind, note, lengths)


def failed(current: bool, candidate: bool, lengths: Lengths) -> Score:
    """The score where an arm gave no usable output; `current` and `candidate` say which arms did give one."""
    return compared(float(current), float(candidate), "failed", _FAILED[current, candidate], lengths)


_FAILED = {
    (True, False): "The candidate gave no usable output, which counts against it.",
    (False, True): "The current model gave no usable output and the candidate did.",
    (False, False): "Neither model gave a usable output.",
}
