"""The interval for a mean cost per ticket: known answers, invariances, strata by hand and what it refuses."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from playground.bootstrap import WIDENED, Interval, difference_interval, mean_interval

Floats = NDArray[np.float64]


def column(*costs: float) -> Floats:
    return np.array(costs, dtype=float)[:, None]


def skewed(clusters: int, columns: int = 1, seed: int = 3) -> Floats:
    return np.random.default_rng(seed).lognormal(0, 1, (clusters, columns))


def one(totals: Floats, *rest: Any, **options: Any) -> Interval:
    return mean_interval(totals, *rest, **options)[0]


def width(found: Interval) -> float:
    return found.high - found.low


def test_the_estimate_is_costs_over_tickets() -> None:
    found = one(column(10, 2, 6), np.array([5, 1, 3]))
    assert (found.estimate, found.clusters, found.method) == (2.0, 3, "bootstrap-t")
    assert found.low <= found.estimate <= found.high


def test_a_large_normal_sample_gets_the_textbook_limits() -> None:
    costs = np.random.default_rng(5).normal(100, 10, (4000, 1))
    error = float(costs.std(ddof=1) / math.sqrt(len(costs)))
    found, z = one(costs, repetitions=20_000), -ndtri(WIDENED * 0.025)
    assert found.low == pytest.approx(costs.mean() - z * error, abs=0.06 * error)
    assert found.high == pytest.approx(costs.mean() + z * error, abs=0.06 * error)


def test_it_holds_the_mean_of_normal_samples_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(8)
    found = [one(rng.normal(10, 1, (40, 1)), repetitions=400, seed=i) for i in range(400)]
    held = sum(i.low <= 10 <= i.high for i in found) / len(found)
    assert 0.93 <= held <= 0.985


def test_it_holds_the_mean_of_skewed_samples_more_often_than_percentiles_would() -> None:
    rng = np.random.default_rng(9)
    found = [one(rng.lognormal(0, 1.5, (500, 1)), repetitions=400, seed=i) for i in range(200)]
    assert sum(i.low <= math.exp(1.125) <= i.high for i in found) / len(found) >= 0.91


def test_the_limits_of_skewed_costs_reach_farther_up_than_down() -> None:
    found = one(skewed(300))
    assert found.high - found.estimate > 1.1 * (found.estimate - found.low)


@settings(max_examples=25, deadline=None)
@given(st.floats(1e-6, 1e6), st.lists(st.floats(0.01, 100), min_size=2, max_size=30))
def test_costs_in_another_currency_move_the_limits_alike(rate: float, costs: list[float]) -> None:
    here, there = one(column(*costs), repetitions=100), one(column(*costs) * rate, repetitions=100)
    for mine, theirs in ((here.low, there.low), (here.estimate, there.estimate), (here.high, there.high)):
        assert theirs == pytest.approx(mine * rate, rel=1e-4, abs=1e-6 * here.high * rate)


def test_the_order_of_the_clusters_does_not_matter() -> None:
    costs, sizes = skewed(200), np.arange(200) % 4 + 1
    order = np.random.default_rng(1).permutation(200)
    here, there = one(costs, sizes, repetitions=20_000), one(costs[order], sizes[order], repetitions=20_000)
    assert here.estimate == pytest.approx(there.estimate)
    assert abs(here.low - there.low) + abs(here.high - there.high) < 0.1 * width(here)


def test_the_seed_decides_and_nothing_else() -> None:
    costs = skewed(50, 3)
    assert mean_interval(costs, seed=4) == mean_interval(costs, seed=4)
    assert mean_interval(costs, seed=4) != mean_interval(costs, seed=5)


def test_the_columns_share_their_resampled_clusters() -> None:
    costs = skewed(50)
    alone, together = one(costs), mean_interval(np.hstack([skewed(50, seed=11), costs]))
    assert (together[1].low, together[1].high) == pytest.approx((alone.low, alone.high))


def test_tickets_of_one_customer_are_not_counted_as_many() -> None:
    costs = skewed(60)
    customers = one(costs * 10, np.full(60, 10))
    assert width(customers) == pytest.approx(width(one(costs)))
    assert width(one(np.repeat(costs, 10, axis=0))) < 0.5 * width(customers)


def test_a_difference_is_paired_ticket_by_ticket() -> None:
    base = skewed(200)
    totals = np.hstack([base + 0.5, base, base * 2])
    steady = difference_interval(totals, None, 0, 1)
    assert (steady.low, steady.estimate, steady.high) == pytest.approx((0.5, 0.5, 0.5))
    dearer = difference_interval(totals, None, 2, 1)
    assert (dearer.low, dearer.high) == pytest.approx((one(base).low, one(base).high))


def test_a_difference_turned_round_changes_its_sign() -> None:
    totals = skewed(100, 2)
    here, there = difference_interval(totals, None, 0, 1), difference_interval(totals, None, 1, 0)
    assert (here.low, here.estimate, here.high) == pytest.approx((-there.high, -there.estimate, -there.low))
    assert here.low < 0 < here.high


def test_strata_weigh_by_their_tickets_in_the_whole_log() -> None:
    costs, strata = column(1, 3, 10, 20, 30), np.array([0, 0, 1, 1, 1])
    found = one(costs, None, strata, np.array([900.0, 100.0]))
    assert found.estimate == pytest.approx(0.9 * 2 + 0.1 * 20)
    assert (found.clusters, found.method) == (5, "stratified bootstrap-t")


def test_strata_divide_their_costs_by_their_own_tickets() -> None:
    sizes, strata = np.array([1, 3, 2, 2]), np.array([0, 0, 1, 1])
    found = one(column(4, 4, 10, 30), sizes, strata, np.array([60.0, 40.0]))
    assert found.estimate == pytest.approx(0.6 * 8 / 4 + 0.4 * 40 / 4)


def test_a_large_stratified_sample_gets_the_textbook_limits() -> None:
    rng = np.random.default_rng(2)
    costs = np.vstack([rng.normal(10, 1, (3000, 1)), rng.normal(50, 8, (1000, 1))])
    strata, whole = np.repeat([0, 1], [3000, 1000]), np.array([30_000.0, 2_000.0])
    variances = [part.var(ddof=1) / len(part) for part in (costs[:3000], costs[3000:])]
    shares, unseen = whole / whole.sum(), 1 - np.array([3000, 1000]) / whole
    error = math.sqrt(float((shares**2 * unseen * variances).sum()))
    found = one(costs, None, strata, whole, repetitions=20_000)
    assert width(found) == pytest.approx(-2 * ndtri(WIDENED * 0.025) * error, rel=0.03)


def test_a_log_sampled_whole_leaves_no_doubt() -> None:
    found = one(column(1, 2, 6), None, np.zeros(3, int), np.array([3.0]))
    assert (found.low, found.estimate, found.high) == (3.0, 3.0, 3.0)


def test_a_dear_ticket_taken_for_certain_adds_no_spread() -> None:
    costs, strata = np.vstack([skewed(40), column(500)]), np.repeat([0, 1], [40, 1])
    found = one(costs, None, strata, np.array([999.0, 1.0]))
    rest = one(costs[:40], None, np.zeros(40, int), np.array([999.0]))
    assert width(found) == pytest.approx(0.999 * width(rest))
    assert found.estimate == pytest.approx(0.999 * rest.estimate + 0.5)


@pytest.mark.parametrize("strata", [(0, 1, 1, 1), (1, 0, 0, 0), (0, 2, 2, 2)])
def test_a_stratum_of_one_cluster_keeps_its_mean_and_borrows_a_spread(strata: tuple[int, ...]) -> None:
    whole = np.zeros(3)
    whole[list(strata)] = 50.0
    found = one(column(8, 1, 2, 3), None, np.array(strata), whole)
    assert found.estimate == pytest.approx(0.5 * 8 + 0.5 * 2)
    assert found.low < found.estimate < found.high


def test_a_stratum_without_a_cluster_is_taken_for_its_neighbour() -> None:
    found = one(column(1, 3, 10, 20), None, np.array([0, 0, 2, 2]), np.array([40.0, 40.0, 20.0]))
    assert found.estimate == pytest.approx(0.4 * 2 + 0.6 * 15)


@pytest.mark.parametrize("clusters", [((4.0,), None, None, None), ((4.0,), None, np.array([0]), np.array([9.0]))])
def test_one_cluster_has_no_interval(clusters: tuple[Any, ...]) -> None:
    (costs, *rest) = clusters
    found = one(column(*costs), *rest)
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert replace(found, low=0, high=0) == Interval(0, 4.0, 0, 1, "n = 1")


@pytest.mark.parametrize(("costs", "sizes"), [((0.1,) * 7, None), ((0.3, 0.1, 0.2), (3, 1, 2)), ((0.0, 0.0), None)])
def test_equal_costs_have_an_interval_of_one_point(costs: tuple[float, ...], sizes: tuple[int, ...] | None) -> None:
    found = one(column(*costs), None if sizes is None else np.array(sizes))
    assert found.low == found.estimate == found.high


def test_one_dear_ticket_does_not_push_the_limit_to_infinity() -> None:
    found = one(column(*[1.0] * 99, 100.0))
    error = 0.99  # of 99 ones and one hundred: a deviation of 9.9 over the root of 100
    assert found.high == pytest.approx(found.estimate + 6.2 * error, rel=0.02)


def test_two_clusters_reach_as_far_as_student_says() -> None:
    found = one(column(10, 11))
    assert found.high == pytest.approx(10.5 - stdtrit(1, WIDENED * 0.025) * 0.5)


def test_a_mean_of_costs_is_never_below_nothing() -> None:
    assert one(column(0, 9)).low == 0.0


def test_more_clusters_than_blocks_change_neither_the_estimate_nor_the_width() -> None:
    costs = np.random.default_rng(6).gamma(2, 1, (50_003, 1))
    found, error = one(costs), float(costs.std(ddof=1) / math.sqrt(len(costs)))
    assert found.estimate == pytest.approx(costs.mean())
    assert width(found) == pytest.approx(-2 * ndtri(WIDENED * 0.025) * error, rel=0.08)


def test_a_hundred_thousand_clusters_are_quick() -> None:
    costs = skewed(100_000, 3)
    started = time.process_time()
    mean_interval(costs)
    assert time.process_time() - started < 6, "1.5 s on two processors, with room for a busy machine"


GOOD = column(1, 2, 3)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((column(1, math.nan),), {}, "not finite"),
        ((column(1, math.inf),), {}, "not finite"),
        ((column(1, -0.5),), {}, "below 0"),
        ((np.array([1.0, 2.0]),), {}, r"shaped \(2,\)"),
        ((np.empty((0, 1)),), {}, r"shaped \(0, 1\)"),
        ((GOOD, np.array([1, 2])), {}, "each of the 3 clusters"),
        ((GOOD, np.array([1, 0, 2])), {}, "less than one ticket"),
        ((GOOD, None, np.zeros(3, int)), {}, "give both"),
        ((GOOD, None, np.array([0, 0, 2]), np.array([5.0, 5.0])), {}, "from 0 to 1"),
        ((GOOD, None, np.zeros(2, int), np.array([5.0])), {}, "each cluster a number"),
        ((GOOD, None, np.zeros(3, int), np.array([2.0])), {}, "stratum 0 has more tickets"),
        ((GOOD, None, np.zeros(3, int), np.array([math.nan])), {}, "population has a count"),
        ((GOOD, None, np.zeros(3, int), np.array([3.0, 5.0])), {}, "stratum 1 has no cluster"),
        ((GOOD,), {"level": 1.0}, "between 0 and 1"),
        ((GOOD,), {"repetitions": 0}, "at least 1"),
    ],
)
def test_what_cannot_be_right_is_refused_by_name(
    arguments: tuple[Any, ...], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        mean_interval(*arguments, **options)
