"""A/B: two variants served to different customers, by the same engine as a shadow evaluation.

A customer stays with one variant and counts once, by the first outcome: a mean that went on changing would change bets that are
settled. The k-th customer of one variant is held against the k-th of the other, in the order in which they came. The difference
lies in [-1, 1] and is -margin or less on average if B is worse by the margin, which is all that the bet needs. Sample size: Fleiss,
Levin and Paik 2003, section 4.2, without continuity correction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import ceil
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from playground.logs import LogRead
from playground.logs.tables import rows_of
from playground.paired import LOOKING_COSTS
from playground.sequential import ALPHA, Decision, decide

Variant = Literal["A", "B"]
VARIANTS: tuple[Variant, ...] = ("A", "B")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one ticket ended: 0 to 1, such as resolved without a person, or satisfaction."""

    customer: str
    variant: Variant
    value: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """B against A. `mixed` customers saw both variants, which a sticky split rules out; they stay with their first."""

    decision: Decision
    customers: Mapping[Variant, int]
    tickets: Mapping[Variant, int]
    means: Mapping[Variant, float | None]
    """Of customers, each counted once; `None` where a variant has none."""
    waiting: int
    """Customers of one variant that have none of the other to stand against yet."""
    mixed: int
    differences: NDArray[np.float64]


def variant_of(customer: str, experiment: str, share_b: float = 0.5) -> Variant:
    """The variant that a customer is served, always the same one for an experiment."""
    number = int(sha256(f"{experiment}\x00{customer}".encode("utf-8", "replace")).hexdigest()[:13], 16) / 16**13
    return "B" if number < share_b else "A"


def compare(outcomes: Sequence[Outcome], margin: float, alpha: float = ALPHA) -> Comparison:
    """Whether B is shown to be not worse than A by the margin. Raises `ValueError` for a margin that is none."""
    # The first variant and outcome stay, whatever comes later: to take a customer out again would undo settled bets.
    first: dict[str, Outcome] = {}
    mixed: set[str] = set()
    for o in outcomes:
        if first.setdefault(o.customer, o).variant != o.variant:
            mixed.add(o.customer)
    by_arm = {arm: [o.value for o in first.values() if o.variant == arm] for arm in VARIANTS}
    pairs = min(map(len, by_arm.values()))
    differences = np.array(by_arm["B"][:pairs]) - np.array(by_arm["A"][:pairs])
    tickets = {arm: sum(o.variant == arm for o in outcomes) for arm in VARIANTS}
    return Comparison(
        decide(differences, margin, alpha),
        {"A": len(by_arm["A"]), "B": len(by_arm["B"])},
        {"A": tickets["A"], "B": tickets["B"]},
        {"A": _mean(by_arm["A"]), "B": _mean(by_arm["B"])},
        sum(map(len, by_arm.values())) - 2 * pairs,
        len(mixed),
        differences,
    )


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def customers_for(rate: float, margin: float, power: float = 0.8, alpha: float = ALPHA) -> int:
    """Customers in each variant, looked at daily, to show that a B as good as A at this rate is not worse by the margin.

    Each customer counts once: what more tickets of the same one add is not relied on.
    """
    z = float(ndtri(1 - alpha) + ndtri(power))
    return ceil(LOOKING_COSTS * z**2 * 2 * rate * (1 - rate) / margin**2)


def read_outcomes(path: Path, read: LogRead | None = None) -> Iterator[Outcome]:
    """Outcomes from a file: customer, variant (A or B) and outcome (0 to 1, or yes and no). A bad row is named and left out."""
    needs = "the columns customer, variant (A or B) and outcome (0 to 1, or yes and no)"
    return rows_of(path, read, lambda names: {"customer", "variant", "outcome"} <= names, needs, _outcome)


_WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}


def _outcome(number: int, row: Mapping[str, Any], read: LogRead) -> Outcome | None:
    customer, variant = str(row["customer"] or "").strip(), str(row["variant"] or "").strip().upper()
    text = str(row["outcome"] if row["outcome"] is not None else "").strip().lower()
    try:
        value = _WORDS[text] if text in _WORDS else float(text)
    except ValueError:
        value = -1.0
    if not customer or variant not in ("A", "B") or not 0 <= value <= 1:
        read.leave_out(number, "needs a customer, a variant A or B, and an outcome from 0 to 1.")
        return None
    return Outcome(customer, "A" if variant == "A" else "B", value)
