"""What a judge prefers besides the better answer: the side it stands on, or its length; and how often it cannot be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from playground.scoring.judgements import Winner
from playground.scoring.judging import Judged
from playground.scoring.scores import Lengths

ONE_SIDED = 0.9
"""A judge that decides by content names A half the time, because every pair is shown in both orders."""
MIN_DECIDED = 10
"""Fewer decided orders may lean to one side by chance."""
LENGTHY_DECIDED = 40
"""A longer answer is often the better one, so this takes more than a lean to one side."""
MANY_OFF_FORMAT = 0.2


@dataclass(frozen=True, slots=True)
class Bias:
    """Shares from 0 to 1, `None` where nothing can be counted; ties are left out of `a_share` and `longer_share`."""

    pairs: int
    orders: int
    decided: int
    a_share: float | None
    disagreeing: float | None
    longer_share: float | None
    off_format: float | None
    missing: int

    @property
    def warning(self) -> str:
        """A sentence where the judge should not be trusted; empty otherwise."""
        return self._side() or self._format() or self._ties()

    @property
    def caution(self) -> str:
        """A sentence where the judge may reward length; a longer answer is often the better one, so it only warns."""
        return self._length()

    def _side(self) -> str:
        if self.a_share is None or self.decided < MIN_DECIDED or 1 - ONE_SIDED < self.a_share < ONE_SIDED:
            return ""
        side, share = ("A", self.a_share) if self.a_share >= ONE_SIDED else ("B", 1 - self.a_share)
        return (
            f"This judge names answer {side} in {share:.0%} of {self.decided} decided orders, whatever stands there. "
            "Its verdicts say little: choose another judge."
        )

    def _ties(self) -> str:
        if self.orders < 2 * MIN_DECIDED or self.decided:
            return ""
        return (
            f"This judge called all {self.orders} orders a tie, so it sees no difference at all. Choose another judge."
        )

    def _length(self) -> str:
        if self.longer_share is None or self.decided < LENGTHY_DECIDED or self.longer_share < ONE_SIDED:
            return ""
        return (
            f"This judge names the longer answer in {self.longer_share:.0%} of {self.decided} decided orders. "
            "It may reward length and not quality: let people label some pairs, or choose another judge."
        )

    def _format(self) -> str:
        if self.off_format is None or self.off_format < MANY_OFF_FORMAT:
            return ""
        return (
            f"{self.off_format:.0%} of this judge's answers could not be read, and {self.missing} pairs have no score. "
            "Choose another judge, or make the rubric shorter."
        )


@dataclass(frozen=True, slots=True)
class Ballot:
    """What a judge said of one pair: the side it named in each order, and how each of its attempts ended."""

    first: Winner | None
    second: Winner | None
    lengths: Lengths
    outcomes: tuple[str, ...]


def bias(judged: Iterable[Judged]) -> Bias:
    """Count what a judge prefers over pairs. Pairs that needed no judge are left out."""
    return bias_of(ballot_of(pair) for pair in judged)


def ballot_of(pair: Judged) -> Ballot:
    """A judged pair without its texts."""
    first, second = (None if j is None else j.winner for j in (pair.first, pair.second))
    return Ballot(first, second, pair.lengths, tuple(r.outcome for r in pair.receipts))


def bias_of(ballots: Iterable[Ballot]) -> Bias:
    """The same from what is kept of pairs."""
    asked = [b for b in ballots if b.outcomes]
    orders = [order for b in asked for order in _orders(b)]
    decided = [winner for winner, _ in orders if winner != "tie"]
    uneven = [(winner, longer) for winner, longer in orders if winner != "tie" and longer != "tie"]
    return Bias(
        pairs=len(asked),
        orders=len(orders),
        decided=len(decided),
        a_share=_share([w == "A" for w in decided]),
        disagreeing=_share([_FLIPPED[b.second] != b.first for b in asked if b.first and b.second]),
        longer_share=_share([winner == longer for winner, longer in uneven]),
        off_format=_share([o == "rejected" for b in asked for o in b.outcomes]),
        missing=sum(not (b.first and b.second) for b in asked),
    )


_FLIPPED: Mapping[Winner, Winner] = {"A": "B", "B": "A", "tie": "tie"}


def _orders(ballot: Ballot) -> Iterator[tuple[Winner, Winner]]:
    """The winner of each order, and which side was longer."""
    current, candidate = ballot.lengths
    for winner, a, b in ((ballot.first, current, candidate), (ballot.second, candidate, current)):
        if winner is not None:
            yield winner, "A" if a > b else "B" if b > a else "tie"


def _share(found: Sequence[bool]) -> float | None:
    return sum(found) / len(found) if found else None
