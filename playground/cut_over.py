"""What the pairs of a stage say: cut over, keep or go on, at the stage's margin; the same by intent; and what it would save."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from playground.anchored import MINIMUM_LABELS, decide_anchored
from playground.money import ZERO
from playground.paired import FixedInterval, tango
from playground.pairs import Pair, scored
from playground.sequential import ALPHA, Decision, Verdict, by_cluster, decide, holm, p_value

Unit = Literal["ticket", "customer"]
LOOKING_COSTS = 2.1
"""An always-valid rule needs about twice the pairs of one look at a fixed number to decide with the same chance (simulated)."""
Z_ERROR, Z_POWER = 1.96, 0.8416
FEWEST_OF_AN_INTENT = 20


@dataclass(frozen=True, slots=True)
class Labels:
    """People's labels by ticket: candidate minus current, -1, 0 or 1. `share` is the probability of a pair to be asked about."""

    values: Mapping[str, float]
    share: float


@dataclass(frozen=True, slots=True)
class Assessment:
    """One candidate at one stage. `decision` is anchored on people's labels where there are enough, else from scores alone."""

    margin: float
    pairs: int
    missing: int
    """Pairs without a score: the judge gave no usable answer."""
    failed: int
    """Pairs in which the candidate gave no usable output."""
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
    values, clusters = np.array([p.value for p in found], float), _clusters(found, unit)
    units = by_cluster(values, clusters)
    known = _labelled(found, labels)
    judged = any(p.kind == "judge" for p in found)
    anchored = labels is not None and judged and len(known) >= MINIMUM_LABELS
    if anchored and labels is not None:
        human = [known.get(p.ticket, np.nan) for p in found]
        decision = decide_anchored(values, human, labels.share, margin, alpha, clusters=clusters)
    else:
        decision = decide(units, margin, alpha)
    return Assessment(
        margin=margin,
        pairs=len(found),
        missing=len(pairs) - len(found),
        failed=sum(p.kind == "failed" and p.value < 0 for p in found),
        unit=unit,
        decision=decision,
        mean=float(units.mean()) if len(units) else 0.0,
        fixed=_fixed(values) if unit == "ticket" else None,
        intents=_intents(found, margin, unit, alpha),
        labels=len(known),
        agreement=_agreement(found, known),
        anchored=anchored,
        needed=_needed(units, margin, decision),
        saved_usd=_saved(found),
    )


def _labelled(pairs: Sequence[Pair], labels: Labels | None) -> dict[str, float]:
    own = {p.ticket for p in pairs}
    return {} if labels is None else {t: v for t, v in labels.values.items() if t in own}


def _clusters(pairs: Sequence[Pair], unit: Unit) -> list[str]:
    """What each pair belongs to; a ticket that names no customer is on its own."""
    return [(p.customer if unit == "customer" else "") or f"\x00{p.ticket}" for p in pairs]


def _agreement(pairs: Sequence[Pair], known: Mapping[str, float]) -> float | None:
    same = [np.sign(p.value) == np.sign(known[p.ticket]) for p in pairs if p.ticket in known]
    return sum(map(bool, same)) / len(same) if same else None


def _fixed(values: NDArray[np.float64]) -> FixedInterval | None:
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
