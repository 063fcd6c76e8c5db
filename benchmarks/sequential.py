"""How often the always-valid rule is wrong, looked at after every 100 pairs to 20,000, and how soon it is right."""

from __future__ import annotations

import time

import numpy as np
from _report import quick, report
from numpy.typing import NDArray

from playground.anchored import decide_anchored
from playground.paired import daily_pairs
from playground.sequential import ALPHA, log_e_tally

Floats = NDArray[np.float64]
Looks = NDArray[np.float64]

MARGIN = 0.02
DISCORDANCE = 0.1
PAIRS = 20_000
STEP = 100
OF_ONE_THREAD = 5
ICC = 0.2
LENIENT = 0.03
LABELLED = 0.1
WINS = np.array([1.0, 0.0, -1.0])
NEVER = PAIRS + STEP


def shares(difference: float) -> list[float]:
    """How often the candidate wins, ties and loses."""
    return [(DISCORDANCE + difference) / 2, 1 - DISCORDANCE, (DISCORDANCE - difference) / 2]


def counts(rng: np.random.Generator, difference: float, repetitions: int) -> Looks:
    """Wins, ties and losses at each look, a row for each repetition."""
    return rng.multinomial(STEP, shares(difference), (repetitions, PAIRS // STEP)).cumsum(axis=1)


def first(over: NDArray[np.bool_]) -> Floats:
    """The pairs at the first look that was over the line, or more than there are."""
    return np.where(over.any(axis=1), (over.argmax(axis=1) + 1) * STEP, NEVER)


def decided(values: Floats, seen: Looks) -> tuple[NDArray[np.bool_], NDArray[np.bool_], Floats]:
    """Whether each repetition cut over or kept, and after how many pairs it cut over."""
    cut = first(log_e_tally(values, seen, -MARGIN) >= -np.log(ALPHA))
    keep = first(log_e_tally(-values, seen, MARGIN) >= -np.log(ALPHA))
    return cut < keep, keep < cut, np.where(cut < keep, cut, NEVER)


def naive(seen: Looks) -> NDArray[np.bool_]:
    """Whether the lower end of the textbook 95% interval was above the margin at any look."""
    n, gained = seen.sum(axis=2), seen[..., 0] - seen[..., 2]
    spread = np.sqrt(seen[..., 0] + seen[..., 2] - gained**2 / n)
    return ((gained - 1.96 * spread) / n > -MARGIN).any(axis=1)


def threads(rng: np.random.Generator, repetitions: int) -> NDArray[np.int64]:
    """Scores at the margin, shaped (repetitions, threads, tickets): a ticket takes its thread's score or one of its own."""
    shape = (repetitions, PAIRS // OF_ONE_THREAD, OF_ONE_THREAD)
    edges = np.cumsum(shares(-MARGIN))
    common, own = rng.random((*shape[:2], 1)), rng.random(shape)
    uniform = np.where(rng.random(shape) < np.sqrt(ICC), common, own)
    return 1 - (uniform > edges[0]).astype(np.int8) - (uniform > edges[1])


def occurrences(scores: NDArray[np.int64], low: int, high: int) -> Looks:
    """How often each whole number from `high` down to `low` came, at each look."""
    looks = scores.reshape(len(scores), PAIRS // STEP, -1)
    return np.stack([(looks == v).sum(axis=2) for v in range(high, low - 1, -1)], axis=2).cumsum(axis=1)


def clustered(rng: np.random.Generator, repetitions: int) -> tuple[float, float]:
    """How often it cut over wrongly with the thread as the unit, and how often the textbook interval of tickets did."""
    ours, plain = [], []
    values = np.arange(OF_ONE_THREAD, -OF_ONE_THREAD - 1, -1) / OF_ONE_THREAD
    for _ in range(0, repetitions, 50):
        scores = threads(rng, 50)
        sums = scores.sum(axis=2)
        ours.append(decided(values, occurrences(sums, -OF_ONE_THREAD, OF_ONE_THREAD))[0])
        plain.append(naive(occurrences(scores, -1, 1)))
    return float(np.mean(ours)), float(np.mean(plain))


def judged(rng: np.random.Generator, human: Floats) -> Floats:
    """A judge who sees the human score, or at times one better."""
    return np.minimum(human + (rng.random(len(human)) < LENIENT), 1.0)


def lenient(rng: np.random.Generator, repetitions: int, difference: float) -> tuple[float, float, float]:
    """How often the anchored rule cut over, how often the judge alone did, and the median pairs of the former."""
    anchored, alone = [], []
    for _ in range(repetitions):
        human = rng.choice(WINS, PAIRS, p=shares(difference))
        judge = judged(rng, human)
        labels = np.where(rng.random(PAIRS) < LABELLED, human, np.nan)
        found = decide_anchored(judge, labels, LABELLED, MARGIN)
        anchored.append(found.decided_at if found.verdict == "CUT OVER" else NEVER)
        alone.append(decided(WINS, occurrences(judge[None].astype(np.int64), -1, 1))[0][0])
    return float(np.mean(np.array(anchored) < NEVER)), float(np.mean(alone)), float(np.median(anchored))


def planned(pairs: Floats, power: float) -> float:
    """The share of evaluations without a true difference that have cut over at the number of pairs the planner names."""
    return round(float((pairs <= daily_pairs(MARGIN, DISCORDANCE, power)).mean()), 3)


def main() -> None:
    """Print the figures."""
    started, rng = time.perf_counter(), np.random.default_rng(20240229)
    repetitions, slow = (2000, 500) if quick() else (4000, 4000)
    at_margin, same, worse = (counts(rng, d, repetitions) for d in (-MARGIN, 0.0, -0.04))
    cut_same, _, pairs = decided(WINS, same)
    cut_worse, keep_worse, _ = decided(WINS, worse)
    by_thread, by_ticket = clustered(rng, slow)
    anchored, judge_only, _ = lenient(rng, slow, -MARGIN)
    helped = lenient(rng, slow // 10, 0.0)
    report(
        "sequential",
        figures={
            "wrong_cut_over_at_margin": round(float(decided(WINS, at_margin)[0].mean()), 4),
            "naive_wrong_cut_over": round(float(naive(at_margin).mean()), 4),
            "median_pairs_no_difference": int(np.median(pairs)),
            "keep_share_at_minus_4": round(float(keep_worse.mean()), 4),
            "wrong_cut_over_at_minus_4": round(float(cut_worse.mean()), 4),
            "clustered_wrong_cut_over": round(by_thread, 4),
            "lenient_judge_wrong_cut_over": round(anchored, 4),
        },
        targets={
            "wrong_cut_over_at_margin": 0.025,
            "naive_wrong_cut_over": None,
            "median_pairs_no_difference": 2600,
            "keep_share_at_minus_4": 0.99,
            "wrong_cut_over_at_minus_4": 0.001,
            "clustered_wrong_cut_over": 0.025,
            "lenient_judge_wrong_cut_over": 0.05,
        },
        conditions={
            "repetitions": repetitions,
            "slow_repetitions": slow,
            "pairs": PAIRS,
            "looks_every": STEP,
            "alpha": ALPHA,
            "decided_at_planned_pairs": {f"{power:.0%}": planned(pairs, power) for power in (0.8, 0.9, 0.95)},
            "share_cut_over_no_difference": round(float(cut_same.mean()), 4),
            "clustered_naive_over_tickets": round(by_ticket, 4),
            "lenient_judge_only": round(judge_only, 4),
            "lenient_no_difference_cut_over": round(helped[0], 4),
            "lenient_no_difference_median_pairs": helped[2],
            "seconds": round(time.perf_counter() - started, 1),
        },
    )


if __name__ == "__main__":
    main()
