"""The watch for drift: fair under any weights, the recursion of the paper, the sample it restarts from, and the draws."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from playground.drift import BETS, SHARE, bounded_bets, draw_weights, log_paths, log_statistic, watch

Floats = NDArray[np.float64]
EVEN = {"share": SHARE, "floor": SHARE}
TICKETS = st.lists(st.tuples(st.booleans(), st.floats(0.01, 0.2)), min_size=1, max_size=40)


def stream(rates: list[tuple[float, int]], seed: int = 1) -> NDArray[np.bool_]:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.random(n) < rate for rate, n in rates])


@given(TICKETS, st.floats(0.01, 0.5))
def test_the_sums_are_the_recursion(tickets: list[tuple[bool, float]], expected: float) -> None:
    disagreed, weights = np.array([t[0] for t in tickets]), SHARE / np.array([t[1] for t in tickets])
    bets, m = bounded_bets(expected, 2.0), np.zeros(len(BETS))
    found = log_statistic(log_paths(disagreed, weights, expected, 2.0))
    for i, (x, w) in enumerate(zip(disagreed, weights, strict=True)):
        m = (m + 1) * (1 + bets * w * (x - expected))
        assert math.exp(found[i]) == pytest.approx(m.mean(), rel=1e-6)


def test_a_bet_is_fair_when_dissatisfied_tickets_are_drawn_more_and_dispute_more() -> None:
    shares, chance, rates = np.array([0.3, 0.5, 0.2]), np.array([0.01, 0.02, 0.035]), np.array([0.02, 0.05, 0.3])
    expected = float(shares @ rates)
    drawn = shares * chance / (shares @ chance)
    weights = SHARE / chance
    mean = sum(
        drawn[k] * (rates[k] if x else 1 - rates[k]) * (1 + bounded_bets(expected, 2.0) * weights[k] * (x - expected))
        for k, x in itertools.product(range(3), (0, 1))
    )
    assert mean == pytest.approx(np.ones(4), abs=1e-12)
    assert drawn @ rates > 1.3 * expected


@given(st.floats(0.001, 0.999), st.floats(1, 50))
def test_no_sample_loses_all(expected: float, largest: float) -> None:
    worst = log_paths([0], [largest], expected, largest)
    assert np.exp(worst.min()) >= 0.1 - 1e-9
    assert bounded_bets(0.05).tolist() == list(BETS)


def test_a_rise_is_told_with_when_and_how_much() -> None:
    probability = np.full(3000, SHARE)
    alarm = watch(stream([(0.05, 1000), (0.2, 2000)]), probability, 0.05, **EVEN)
    assert alarm is not None
    assert 1000 < alarm.at < 1300
    assert abs(alarm.since - 1000) < 60
    assert alarm.disagreement == pytest.approx(0.2, abs=0.08)
    assert alarm.log_statistic >= math.log(10_000)
    assert alarm.expected == 0.05


def test_the_alarm_is_the_first_and_later_samples_do_not_move_it() -> None:
    disagreed = stream([(0.05, 200), (0.3, 800)])
    first = watch(disagreed, np.full(1000, SHARE), 0.05, **EVEN)
    assert first is not None
    cut = first.at + 1
    assert watch(disagreed[:cut], np.full(cut, SHARE), 0.05, **EVEN) == first
    assert watch(disagreed[: cut - 1], np.full(cut - 1, SHARE), 0.05, **EVEN) is None


def test_no_rise_no_alarm_and_no_samples_none() -> None:
    assert watch(stream([(0.05, 2000)]), np.full(2000, SHARE), 0.05) is None
    assert watch(np.zeros(5000, dtype=bool), np.full(5000, SHARE), 0.05) is None
    assert watch([], [], 0.05) is None


def test_the_first_sample_of_the_rise_is_named() -> None:
    alarm = watch(np.r_[np.zeros(100), np.ones(20)], np.full(120, SHARE), 0.05, **EVEN)
    assert alarm is not None
    assert alarm.since == 100


def test_everything_disagreeing_is_told_within_a_handful() -> None:
    alarm = watch(np.ones(50, dtype=bool), np.full(50, SHARE), 0.05, **EVEN)
    assert alarm is not None
    assert (alarm.since, alarm.disagreement) == (0, 1.0)
    assert alarm.at < 12


def test_the_rate_since_is_weighted_back() -> None:
    rng = np.random.default_rng(5)
    dissatisfied = rng.random(100_000) < 0.2
    probability = draw_weights(np.where(dissatisfied, 1.0, 5.0))
    drawn = rng.random(100_000) < probability
    disagreed = (rng.random(100_000) < np.where(dissatisfied, 0.6, 0.05))[drawn]
    alarm = watch(disagreed, probability[drawn], 0.03)
    assert alarm is not None
    seen = slice(alarm.since, alarm.at + 1)
    weights = 1 / probability[drawn][seen]
    assert alarm.disagreement == pytest.approx((disagreed[seen] * weights).sum() / weights.sum())
    assert alarm.disagreement < disagreed[seen].mean()


def test_a_larger_threshold_is_slower() -> None:
    disagreed, probability = stream([(0.15, 2000)]), np.full(2000, SHARE)
    slow, fast = (watch(disagreed, probability, 0.05, t) for t in (10_000, 100))
    assert slow is not None
    assert fast is not None
    assert fast.at < slow.at


SATISFACTION = st.lists(st.one_of(st.just(math.nan), st.floats(-100, 100)), min_size=1, max_size=200)


@given(SATISFACTION, st.floats(0.001, 0.9), st.floats(0.05, 1))
def test_draws_keep_their_share_and_floor(satisfaction: list[float], share: float, part: float) -> None:
    found = draw_weights(satisfaction, share, part * share)
    assert found.mean() == pytest.approx(share, rel=1e-6)
    assert found.min() >= part * share
    assert found.max() <= 1
    known = [(s, p) for s, p in zip(satisfaction, found, strict=True) if not math.isnan(s)]
    for (s, p), (other, q) in itertools.pairwise(sorted(known)):
        assert s == other or p >= q - 1e-12
    assert all(p == share for s, p in zip(satisfaction, found, strict=True) if math.isnan(s))


def test_draws_by_hand() -> None:
    assert draw_weights([1, 3, 5, math.nan]) == pytest.approx([0.03, 0.02, 0.01, 0.02])
    assert draw_weights([4, 4]) == pytest.approx([0.02, 0.02])
    assert draw_weights([1, 5], 0.02, 0.02) == pytest.approx([0.02, 0.02])
    assert draw_weights([1.0] + [5.0] * 999).max() == 1.0
    assert len(draw_weights([])) == 0


def test_drawn_samples_fit_the_watch() -> None:
    probability = draw_weights(np.random.default_rng(3).choice([1.0, 2, 3, 4, 5], 1000))
    assert watch(np.zeros(1000, dtype=bool), probability, 0.05) is None


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="2 samples and 1 probabilities"):
        watch([True, False], [0.02], 0.05)
    with pytest.raises(ValueError, match=r"Sample 1 was drawn with probability 0\.001"):
        watch([True, False], [0.02, 0.001], 0.05)
    with pytest.raises(ValueError, match="Sample 0 was drawn with probability nan"):
        watch([True], [math.nan], 0.05)
    with pytest.raises(ValueError, match="neither true nor false"):
        watch([0.5], [0.02], 0.05)
    with pytest.raises(ValueError, match="The expected disagreement is 0"):
        watch([True], [0.02], 0.0)
    with pytest.raises(ValueError, match="The threshold is 1"):
        watch([True], [0.02], 0.05, 1)
    with pytest.raises(ValueError, match="the floor is not above the share"):
        draw_weights([1.0], 0.02, 0.03)
    with pytest.raises(ValueError, match="infinite"):
        draw_weights([math.inf])
