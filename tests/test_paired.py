"""The fixed-n intervals and tests: oracles of scipy, symmetry, the edges, and what is refused. See the vectors for tables."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, norm

from playground.paired import (
    FixedInterval,
    mcnemar_exact,
    mcnemar_midp,
    newcombe,
    non_inferiority_z,
    pairs_for,
    quantile_interval,
    smallest_sample,
    tango,
    wald,
)

CELL = st.integers(0, 200)


@given(CELL, CELL)
def test_mcnemar_agrees_with_the_binomial_test(b: int, c: int) -> None:
    oracle = binomtest(b, b + c, 0.5).pvalue if b + c else 1.0
    assert mcnemar_exact(b, c) == pytest.approx(oracle, rel=1e-9)
    assert mcnemar_exact(b, c) == mcnemar_exact(c, b)
    assert 0 < mcnemar_midp(b, c) <= mcnemar_exact(b, c)


@given(CELL, CELL)
def test_mid_p_takes_the_observed_table_by_half(b: int, c: int) -> None:
    if b == c:
        assert mcnemar_midp(b, c) == pytest.approx(1 - binom.pmf(b, 2 * b, 0.5) / 2 if b else 1.0)
    else:
        tail = 2 * binom.cdf(min(b, c), b + c, 0.5) - binom.pmf(min(b, c), b + c, 0.5)
        assert mcnemar_midp(b, c) == pytest.approx(tail, rel=1e-9)


@given(CELL, CELL, CELL)
def test_tango_inverts_its_own_test_and_mirrors(b: int, c: int, rest: int) -> None:
    n = b + c + rest + 1
    found, mirror = tango(b, c, n), tango(c, b, n)
    assert -1 <= found.low <= found.estimate <= found.high <= 1
    assert (mirror.low, mirror.high) == pytest.approx((-found.high, -found.low), abs=1e-9)
    if -0.999 < found.low < -1e-9:
        assert non_inferiority_z(b, c, n, -found.low) == pytest.approx(norm.ppf(0.975), abs=1e-5)


@given(CELL, CELL, CELL, CELL)
def test_newcombe_mirrors_and_stays_inside(a: int, b: int, c: int, d: int) -> None:
    if a + b + c + d == 0:
        return
    found, mirror = newcombe(a, b, c, d), newcombe(a, c, b, d)
    assert -1 - 1e-9 <= found.low <= found.estimate + 1e-12
    assert found.estimate - 1e-12 <= found.high <= 1 + 1e-9
    assert (mirror.low, mirror.high) == pytest.approx((-found.high, -found.low), abs=1e-9)


def test_many_pairs_make_the_methods_agree() -> None:
    score, textbook, joined = tango(1000, 1100, 20_000), wald(1000, 1100, 20_000), newcombe(15_000, 1000, 1100, 2900)
    for found in (textbook, joined):
        assert (found.low, found.high) == pytest.approx((score.low, score.high), abs=2e-4)


def test_the_edges_of_tango() -> None:
    assert tango(3, 0, 3).high == 1.0
    assert tango(0, 3, 3).low == -1.0
    assert tango(0, 0, 50).low == pytest.approx(-tango(0, 0, 50).high)
    assert 0 < tango(0, 0, 50).high < 0.1
    assert wald(0, 0, 50) == FixedInterval(0.0, 0.0, 0.0, "Wald, fixed n only")


def test_every_method_says_that_its_n_is_fixed() -> None:
    found = (tango(1, 2, 9), wald(1, 2, 9), newcombe(3, 1, 2, 3), quantile_interval(range(100), 0.5))
    assert all("fixed n only" in interval.method for interval in found)


def test_the_score_z_rises_with_the_margin_and_with_wins() -> None:
    assert non_inferiority_z(100, 100, 2000, 0.03) > non_inferiority_z(100, 100, 2000, 0.02)
    assert non_inferiority_z(120, 100, 2000, 0.02) > non_inferiority_z(100, 100, 2000, 0.02)
    assert non_inferiority_z(0, 40, 2000, 0.02) == pytest.approx(0, abs=1e-9)


def test_the_planned_pairs_have_the_power() -> None:
    n = pairs_for(0.02, 0.1)
    counts = np.random.default_rng(1).multinomial(n, [0.05, 0.9, 0.05], 4000)
    passed = np.mean([non_inferiority_z(int(b), int(c), n, 0.02) >= norm.ppf(0.975) for b, _, c in counts])
    assert passed == pytest.approx(0.8, abs=0.03)
    assert pairs_for(0.01, 0.1) == pytest.approx(4 * n, abs=4)


def test_the_interval_for_a_quantile_covers_it() -> None:
    rng = np.random.default_rng(2)
    inside = [
        f.low <= 1.0 <= f.high
        for f in (quantile_interval(rng.exponential(1 / math.log(20), 300), 0.95) for _ in range(400))
    ]
    assert np.mean(inside) >= 0.93


def test_a_quantile_needs_enough_values() -> None:
    assert (smallest_sample(0.95), smallest_sample(0.99), smallest_sample(0.05)) == (72, 368, 72)
    assert math.isfinite(quantile_interval(range(72), 0.95).high)
    with pytest.raises(ValueError, match=r"71 values: an interval for the 0\.95 quantile needs 72"):
        quantile_interval(range(71), 0.95)
    with pytest.raises(ValueError, match="not finite"):
        quantile_interval([math.nan] * 100, 0.5)


@pytest.mark.parametrize(
    ("b", "c", "n", "says"), [(1, 1, 0, "no pairs"), (-1, 1, 5, "below 0"), (4, 3, 6, "more than")]
)
def test_impossible_tables_are_named(b: int, c: int, n: int, says: str) -> None:
    for call in (tango, wald, lambda *t: non_inferiority_z(*t, 0.02)):
        with pytest.raises(ValueError, match=says):
            call(b, c, n)


def test_other_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="no pairs"):
        newcombe(0, 0, 0, 0)
    with pytest.raises(ValueError, match="below 0"):
        newcombe(-1, 2, 2, 2)
    with pytest.raises(ValueError, match="The level is 1"):
        tango(1, 1, 5, 1.0)
    with pytest.raises(ValueError, match="The margin is 0"):
        non_inferiority_z(1, 1, 5, 0.0)
    with pytest.raises(ValueError, match="The discordance is 0"):
        pairs_for(0.02, 0.0)
    with pytest.raises(ValueError, match="The quantile is 1"):
        smallest_sample(1.0)
