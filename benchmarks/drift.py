"""How soon a rise from 5% to 10% disagreement is told, and how seldom an alarm is false."""

from __future__ import annotations

import time

import numpy as np
from _report import quick, report
from numpy.typing import NDArray

from playground.drift import SHARE, bounded_bets, draw_weights, watch

Floats = NDArray[np.float64]

USUAL = 0.05
RISEN = 0.1
THRESHOLD = 10_000
LONGEST = 2000
TICKETS = 100_000


class Desk:
    """A desk's tickets: satisfaction from 1 to 5, unknown for half, and dissatisfied customers' answers dispute more."""

    def __init__(self, rng: np.random.Generator, weighted: bool) -> None:
        known = np.where(
            rng.random(TICKETS) < 0.5, rng.choice([1.0, 2, 3, 4, 5], TICKETS, p=[0.1, 0.1, 0.1, 0.3, 0.4]), np.nan
        )
        self.probability = draw_weights(known) if weighted else np.full(TICKETS, SHARE)
        dispute = np.where(np.isnan(known), 1.0, np.where(known <= 2, 2.0, 0.75))
        self.dispute = dispute / dispute.mean()
        self.floor = SHARE / 2 if weighted else SHARE
        self.cumulative = self.probability.cumsum() / self.probability.sum()

    def sample(self, rng: np.random.Generator, rate: float, size: int) -> tuple[NDArray[np.bool_], Floats]:
        """Whether each drawn ticket's answers disagreed, and the probability that it was drawn with."""
        drawn = np.searchsorted(self.cumulative, rng.random(size))
        return rng.random(size) < rate * self.dispute[drawn], self.probability[drawn]


def delays(rng: np.random.Generator, desk: Desk, repetitions: int) -> Floats:
    """Samples from the rise to the alarm."""
    found = [watch(*desk.sample(rng, RISEN, LONGEST), USUAL, THRESHOLD, floor=desk.floor) for _ in range(repetitions)]
    return np.array([alarm.at + 1 if alarm else LONGEST for alarm in found], dtype=float)


def false_alarms(rng: np.random.Generator, desk: Desk, streams: int, longest: int) -> float:
    """Mean samples between alarms with nothing risen: samples watched over alarms, each stream starting anew after one."""
    bets = bounded_bets(USUAL, SHARE / desk.floor)[:, None]
    statistic, alarms = np.zeros((len(bets), streams)), 0
    for _ in range(longest):
        disagreed, probability = desk.sample(rng, USUAL, streams)
        statistic = (statistic + 1) * (1 + bets * (SHARE / probability * (disagreed - USUAL)))
        told = statistic.mean(axis=0) >= THRESHOLD
        statistic[:, told], alarms = 0.0, alarms + int(told.sum())
    return streams * longest / max(alarms, 1)


def main() -> None:
    """Print the figures."""
    started, rng = time.perf_counter(), np.random.default_rng(20240229)
    repetitions, streams, longest = (1000, 500, 20_000) if quick() else (4000, 500, 80_000)
    weighted, even = Desk(rng, True), Desk(rng, False)
    late, plain = delays(rng, weighted, repetitions), delays(rng, even, repetitions)
    report(
        "drift",
        figures={
            "median_delay_samples": int(np.median(late)),
            "mean_between_false_alarms": round(false_alarms(rng, weighted, streams, longest)),
        },
        targets={"median_delay_samples": 300, "mean_between_false_alarms": THRESHOLD},
        conditions={
            "from": USUAL,
            "to": RISEN,
            "draws": "weighted by satisfaction",
            "p90_delay_samples": int(np.quantile(late, 0.9)),
            "even_draws_median_delay_samples": int(np.median(plain)),
            "even_draws_mean_between_false_alarms": round(false_alarms(rng, even, streams, longest)),
            "repetitions": repetitions,
            "samples_without_rise": streams * longest,
            "seconds": round(time.perf_counter() - started, 1),
        },
    )


if __name__ == "__main__":
    main()
