"""Second opinions: a share of the tickets is answered by the next tier up as well, and the disagreement is watched for a rise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.bounded import Finished, Unit, Work
from playground.drift import FLOOR, SHARE, Alarm, draw_weights, log_paths, log_statistic, watch
from playground.errors import BadInput
from playground.log_pricing import PricedBatch
from playground.logs import LogRead
from playground.logs.tables import Named, Once, rows_of
from playground.pairs import Pair
from playground.pipeline import Pipeline, Stage

TIERS = ("cheap", "mid", "frontier")
BETTER = 0.1
"""How much better a summary of the higher tier must be to contradict the served one."""
DIFFERENT = 0.5
"""How far two outputs must lie apart to count as disagreeing, where agreement has degrees."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One second opinion: the probability that its ticket was drawn with, and whether the higher tier disagreed."""

    ticket: str
    probability: float
    disagreed: bool
    day: str = ""


def tier_above(flow: Pipeline, stage: Stage) -> str:
    """The model of the next tier up from a stage's own; the top tier's for the top."""
    place = TIERS.index(stage.tier) if stage.tier in TIERS else len(TIERS) - 1
    return flow.tiers[TIERS[min(place + 1, len(TIERS) - 1)]]


def drawn(batch: PricedBatch, share: float = SHARE, seed: int = 0) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rows that get a second opinion, in the order of their days, and the probability that each was drawn with."""
    probability = draw_weights(batch.satisfaction, share)
    rows = np.flatnonzero(np.random.default_rng(seed).random(len(probability)) < probability)
    order = rows[np.argsort(batch.days[rows], kind="stable")]
    return order, probability[order]


def opinion_work(work: Work, probability: Mapping[str, float]) -> Work:
    """The same work, keeping beside each result the probability that its ticket was drawn with."""

    def run_one(unit: Unit, stop: Event) -> Finished:
        done = work(unit, stop)
        return replace(done, payload={**done.payload, "probability": probability[unit.key]})

    return run_one


def disagrees(pair: Pair) -> bool:
    """Whether the higher tier contradicts what was served: it is better, or, where only agreement can be seen, it is different."""
    if "agreement" in pair.kind:
        return pair.value <= -DIFFERENT
    return pair.value > (BETTER if pair.kind == "faithfulness and coverage" else 0)


def share_of(samples: Sequence[Sample]) -> float:
    """The share of all tickets on which the higher tier disagrees: each sample weighted back by its probability."""
    weights = np.array([1 / s.probability for s in samples])
    return float(np.average([s.disagreed for s in samples], weights=weights)) if samples else 0.0


def alarm_of(
    samples: Sequence[Sample], expected: float, threshold: float = 10_000, share: float = SHARE
) -> Alarm | None:
    """The first alarm, or `None`; samples in the order in which they came. Raises `BadInput` for one drawn below the floor."""
    if not samples:
        return None
    said, probability = _checked(samples, share)
    return watch(said, probability, expected, threshold, share=share)


def path_of(samples: Sequence[Sample], expected: float, share: float = SHARE) -> NDArray[np.float64]:
    """The base-10 log of the watched statistic after every sample. Raises `BadInput` as `alarm_of` does."""
    said, probability = _checked(samples, share)
    return np.asarray(log_statistic(log_paths(said, share / probability, expected, 1 / FLOOR)) / np.log(10))


def _checked(samples: Sequence[Sample], share: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What was said and the probabilities. The floor is fixed beforehand: one that followed the samples would undo an alarm."""
    said, probability = (np.array([getattr(s, name) for s in samples], float) for name in ("disagreed", "probability"))
    if (low := float(probability.min())) < share * FLOOR * (1 - 1e-9):
        raise BadInput(
            f"A second opinion was drawn with probability {low:g}, less than half the share of {share:g}. Set the share "
            "that they were drawn with, or leave it out."
        )
    return said, probability


def read_samples(path: Path, read: LogRead | None = None) -> Iterator[Sample]:
    """Second opinions that were logged elsewhere: columns disagreed (yes or no) and probability; also ticket and created_at."""
    once = Once()

    def take(number: int, row: Named, told: LogRead) -> Sample | None:
        sample = _sample(number, row, told)
        return sample if sample is not None and once.is_new(sample.ticket, number, told) else None

    needs = "the columns disagreed (yes or no) and probability (above 0, at most 1)"
    return rows_of(path, read, lambda names: {"disagreed", "probability"} <= names, needs, take)


_SAID: Mapping[str, bool] = {
    **dict.fromkeys(("1", "yes", "true", "1.0"), True), **dict.fromkeys(("0", "no", "false", "0.0"), False),
}  # fmt: skip


def _sample(number: int, row: Mapping[str, Any], read: LogRead) -> Sample | None:
    said = _SAID.get(str(row["disagreed"]).strip().lower())
    try:
        probability = float(str(row["probability"]))
    except ValueError:
        probability = 0.0
    if said is None or not 0 < probability <= 1:
        read.leave_out(number, "disagreed must be yes or no, and probability above 0 and at most 1.")
        return None
    return Sample(str(row.get("ticket") or number), probability, said, str(row.get("created_at") or "")[:40])
