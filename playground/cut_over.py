"""What the pairs of a stage say: cut over, keep or go on, at the stage's margin; the same by intent; and what it would save."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from playground.anchored import MINIMUM_LABELS, anchored_scores, decide_anchored, sequence
from playground.money import ZERO
from playground.paired import LOOKING_COSTS, FixedInterval, tango
from playground.pairs import Pair, scored
from playground.sequential import ALPHA, Decision, Trajectory, Verdict, by_cluster, decide, holm, p_value, trajectory

Unit = Literal["ticket", "thread", "customer"]
Z_ERROR, Z_POWER = 1.96, 0.8416
FEWEST_OF_AN_INTENT = 20
POINTS = 200
"""Of a chart."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels by ticket: candidate minus current, -1, 0 or 1. `share` is the probability of a pair to be asked about.

    `by_people` are the tickets that a person was asked about; equal answers are known to be the same without asking.
    """

    values: Mapping[str, float]
    share: float
    by_people: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """One candidate at one stage. `decision` is anchored on people's labels where there are enough, else from scores alone."""

    margin: float
    pairs: int
    missing: int
    """Pairs without a score: the judge gave no usable answer."""
    failed: int
    """Pairs in which the candidate gave no usable output."""
    current_failed: int
    """Pairs in which the current model gave none, which counts for the candidate."""
    unit: Unit
    decision: Decision
    mean: float
    fixed: FixedInterval | None
    """Tango's interval, where every score is a win, a tie or a loss of single tickets."""
    intents: Mapping[str, tuple[Decision, Verdict]]
    labels: int
    agreement: float | None
    """How often a person and the score say the same, among the labelled."""
    anchored: bool
    needed: int | None
    """About how many more units a verdict takes; `None` where none can be said."""
    saved_usd: Decimal | None
    """A ticket, if the stage were cut over; `None` where a price is missing."""
    path: Trajectory
    """The range as the units came."""

    @property
    def verdict(self) -> Verdict:
        """What is to be done."""
        return self.decision.verdict

    @property
    def p_cut(self) -> float:
        """The always-valid p-value against "worse by the margin or more"."""
        return p_value(self.decision.log_e_cut)


def assess(
    pairs: Sequence[Pair], margin: float, unit: Unit = "ticket", labels: Labels | None = None, alpha: float = ALPHA
) -> Assessment:
    """Judge a candidate by its pairs, in the order in which they came."""
    found = scored(pairs)
    people = [p for p in found if labels is not None and p.ticket in labels.by_people]
    anchored = labels is not None and _is_anchored(found, people)
    units = _units(found, unit, labels if anchored else None)
    if anchored and labels is not None:
        human = [labels.values.get(p.ticket, np.nan) for p in found]
        values = [p.value for p in found]
        decision = decide_anchored(values, human, labels.share, margin, alpha, clusters=_clusters(found, unit))
    else:
        decision = decide(units, margin, alpha)
    return Assessment(
        margin=margin,
        pairs=len(found),
        missing=len(pairs) - len(found),
        failed=sum(p.kind == "failed" and p.value < 0 for p in found),
        current_failed=sum(p.kind == "failed" and p.value > 0 for p in found),
        unit=unit,
        decision=decision,
        mean=float(units.mean()) if len(units) else 0.0,
        fixed=_fixed([p.value for p in found]) if unit == "ticket" and not anchored else None,
        # People label too few of each kind to anchor it, and the judge alone must not overrule them.
        intents={} if anchored else _intents(found, margin, unit, alpha),
        labels=len(people),
        agreement=_agreement(people, labels),
        anchored=anchored,
        needed=_needed(units, margin, decision),
        saved_usd=_saved(found),
        path=_path(units, len(found), labels if anchored else None, alpha),
    )


def _is_anchored(pairs: Sequence[Pair], people: Sequence[Pair]) -> bool:
    return any(p.kind == "judge" for p in pairs) and len(people) >= MINIMUM_LABELS


def _units(pairs: Sequence[Pair], unit: Unit, labels: Labels | None) -> NDArray[np.float64]:
    """A score for each unit: as it is, or corrected by people's labels."""
    values = np.array([p.value for p in pairs], float)
    if labels is not None:
        human = [labels.values.get(p.ticket, np.nan) for p in pairs]
        values = anchored_scores(values, human, labels.share)
    return by_cluster(values, _clusters(pairs, unit))


def _path(units: NDArray[np.float64], pairs: int, labels: Labels | None, alpha: float) -> Trajectory:
    """The running range, by the rule that the verdict rests on."""
    if labels is None:
        return trajectory(units, alpha)
    surprise = len(units) / (labels.share * pairs)
    low, high = (np.clip(bound, -1, 1) for bound in sequence(units, alpha, surprise=surprise))
    shown = np.unique(np.linspace(1, len(units), POINTS).round().astype(np.int64))
    return Trajectory(shown, low[shown - 1], high[shown - 1])


def _clusters(pairs: Sequence[Pair], unit: Unit) -> list[str]:
    """What each pair belongs to; a ticket that names no customer, or no thread, is on its own."""
    return [("" if unit == "ticket" else getattr(p, unit)) or f"\x00{p.ticket}" for p in pairs]


def _agreement(people: Sequence[Pair], labels: Labels | None) -> float | None:
    if labels is None or not people:
        return None
    return sum(bool(np.sign(p.value) == np.sign(labels.values[p.ticket])) for p in people) / len(people)


def _fixed(found: Sequence[float]) -> FixedInterval | None:
    values = np.array(found)
    if not len(values) or not np.isin(values, (-1.0, 0.0, 1.0)).all():
        return None
    return tango(int((values == 1).sum()), int((values == -1).sum()), len(values))


def _intents(pairs: Sequence[Pair], margin: float, unit: Unit, alpha: float) -> dict[str, tuple[Decision, Verdict]]:
    found: dict[str, Decision] = {}
    for intent in dict.fromkeys(p.intent for p in pairs):
        own = [p for p in pairs if p.intent == intent]
        if len(own) >= FEWEST_OF_AN_INTENT:
            values = np.array([p.value for p in own], float)
            found[intent] = decide(by_cluster(values, _clusters(own, unit)), margin, alpha)
    verdicts = holm(found, alpha) if found else {}
    return {intent: (decision, verdicts[intent]) for intent, decision in found.items()}


def _needed(units: NDArray[np.float64], margin: float, decision: Decision) -> int | None:
    """From the spread and the distance to the margin so far; nothing where the mean stands at the margin or is decided."""
    if decision.verdict != "CONTINUE" or len(units) < FEWEST_OF_AN_INTENT:
        return None
    distance = abs(float(units.mean()) + margin)
    # A spread of zero is luck: half a pair is taken to have differed.
    spread = max(float(units.var()), 0.5 / len(units))
    if distance < margin / 20:
        return None
    total = LOOKING_COSTS * (Z_ERROR + Z_POWER) ** 2 * spread / distance**2
    return max(1, ceil(total) - len(units))


def _saved(pairs: Sequence[Pair]) -> Decimal | None:
    costs = [(p.current_usd, p.candidate_usd) for p in pairs]
    known = [(a, b) for a, b in costs if a is not None and b is not None]
    return sum((a - b for a, b in known), ZERO) / len(known) if known and len(known) == len(costs) else None


def usual_unit(pairs: Sequence[Pair]) -> Unit:
    """What counts as one unless a user says otherwise: what tickets share, as soon as two share it."""
    for unit in ("customer", "thread"):
        named = [name for p in pairs if (name := getattr(p, unit))]
        if len(set(named)) < len(named):
            return unit
    return "ticket"
