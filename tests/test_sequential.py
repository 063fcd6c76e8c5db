"""The betting e-process: fair under the null, the same by counts and by scores, and honest about bad input."""

from __future__ import annotations

import itertools
import math
import time
from math import comb, exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from playground import sequential
from playground.sequential import (
    Decision,
    by_cluster,
    decide,
    first_crossing,
    holm,
    log_e,
    log_e_scores,
    log_e_tally,
    lower_bound,
    lower_bound_scores,
    p_value,
    trajectory,
    upper_bound,
    upper_bound_scores,
)

Floats = NDArray[np.float64]
MARGIN = 0.02
COUNT = st.integers(0, 300)
SCORES = st.lists(st.floats(-1, 1, allow_subnormal=False), max_size=40)
WINS = st.lists(st.sampled_from([1.0, 0.0, -1.0]), max_size=60)


def draw(difference: float, n: int, seed: int = 1, discordance: float = 0.1) -> Floats:
    shares = [(discordance + difference) / 2, 1 - discordance, (discordance - difference) / 2]
    return np.random.default_rng(seed).choice([1.0, 0.0, -1.0], n, p=shares)


def expectation(n: int, plus: float, minus: float, prior: sequential.Prior) -> float:
    every = [(i, j, n - i - j) for i in range(n + 1) for j in range(n + 1 - i)]
    zero = 1 - plus - minus
    return sum(
        comb(n, i) * comb(n - i, j) * plus**i * zero**j * minus**k * exp(log_e(i, j, k, MARGIN, prior))
        for i, j, k in every
    )


@pytest.mark.parametrize("prior", ["arcsine", "uniform"])
@pytest.mark.parametrize(("plus", "minus"), [(0.04, 0.06), (0.0, 0.02), (0.49, 0.51), (0.2, 0.22)])
def test_e_is_1_on_average_at_the_margin(plus: float, minus: float, prior: sequential.Prior) -> None:
    assert expectation(12, plus, minus, prior) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(("plus", "minus"), [(0.04, 0.07), (0.0, 1.0), (0.0, 0.5), (0.3, 0.4)])
def test_e_is_below_1_on_average_when_worse_than_the_margin(plus: float, minus: float) -> None:
    assert expectation(12, plus, minus, "arcsine") < 1


def test_e_is_1_on_average_for_scores_between_and_for_the_mirrored_bet() -> None:
    values, shares = np.array([0.5, -0.1, -0.6]), np.array([0.2, 0.5, 0.3])
    mean = float(values @ shares)
    for sign in (1, -1):
        ways = itertools.product(range(3), repeat=6)
        total = sum(
            math.prod(shares[list(w)])
            * exp(float(log_e_tally(sign * values, np.bincount(w, minlength=3), sign * mean)))
            for w in ways
        )
        assert total == pytest.approx(1, abs=1e-12)


def test_a_single_win_by_hand() -> None:
    bets = [math.sin(math.pi / 2 * (j + 0.5) / 64) ** 2 for j in range(64)]
    assert exp(log_e(1, 0, 0, 0.5)) == pytest.approx(sum(1 - u + u * 4 for u in bets) / 64)


@given(WINS, st.floats(0.01, 0.9))
def test_counts_and_scores_agree(scores: list[float], margin: float) -> None:
    counts = (scores.count(1.0), scores.count(0.0), scores.count(-1.0))
    running = log_e_scores(scores, margin)
    assert len(running) == len(scores)
    assert log_e(*counts, margin) == pytest.approx(running[-1] if scores else 0.0, abs=1e-9)
    assert lower_bound(*counts) == pytest.approx(lower_bound_scores(scores), abs=1e-9)
    assert upper_bound(*counts) == pytest.approx(upper_bound_scores(scores), abs=1e-9)


@given(SCORES, st.randoms(use_true_random=False))
def test_the_order_of_the_scores_does_not_matter(scores: list[float], random: object) -> None:
    other = sorted(scores)
    assert lower_bound_scores(other) == pytest.approx(lower_bound_scores(scores), abs=1e-9)
    if scores:
        assert log_e_scores(other, MARGIN)[-1] == pytest.approx(log_e_scores(scores, MARGIN)[-1], abs=1e-9)


@given(SCORES)
def test_the_bounds_hold_the_average_and_cannot_both_be_ahead(scores: list[float]) -> None:
    low, high = lower_bound_scores(scores), upper_bound_scores(scores)
    average = sum(scores) / len(scores) if scores else 0.0
    assert -1 <= low <= average + 1e-9
    assert average - 1e-9 <= high <= 1
    mirrored = sequential.log_e_tally([-x for x in scores], np.ones(len(scores)), MARGIN) if scores else np.array(0.0)
    ours = log_e_scores(scores, MARGIN)[-1] if scores else 0.0
    assert min(float(ours), float(mirrored)) <= 1e-12


@given(COUNT, COUNT, COUNT)
def test_bounds_move_with_the_counts_and_with_alpha(plus: int, zero: int, minus: int) -> None:
    low = lower_bound(plus, zero, minus)
    assert lower_bound(plus, zero, minus, 0.05) >= low - 1e-9
    assert lower_bound(plus + 1, zero, minus) >= low - 1e-9
    assert lower_bound(plus, zero, minus + 1) <= low + 1e-9
    assert upper_bound(plus, zero, minus) == -lower_bound(minus, zero, plus)


@given(COUNT, COUNT, COUNT)
def test_at_the_lower_bound_e_is_one_over_alpha(plus: int, zero: int, minus: int) -> None:
    low = lower_bound(plus, zero, minus)
    if low > -0.999:
        e = log_e_tally([1.0, 0.0, -1.0], [plus, zero, minus], low)
        assert float(e) == pytest.approx(log(40), abs=1e-4)
    else:
        assert float(log_e_tally([1.0, 0.0, -1.0], [plus, zero, minus], -0.99)) < log(40)


@given(SCORES, st.floats(0.01, 0.5), st.floats(0.01, 0.5))
def test_a_wider_margin_is_easier(scores: list[float], one: float, other: float) -> None:
    narrow, wide = sorted((one, other))
    assert (log_e_scores(scores, wide) >= log_e_scores(scores, narrow) - 1e-9).all()


def test_more_distinct_scores_than_the_lattice_holds_cost_next_to_nothing() -> None:
    scores = np.clip(np.random.default_rng(2).normal(0.01, 0.3, 3000), -1, 1)
    exact = log_e_scores(scores, -lower_bound_scores(scores))[-1] if lower_bound_scores(scores) < 0 else math.nan
    assert log(40) <= exact < log(40) + 0.02


def test_the_lattice_keeps_the_average() -> None:
    scores = (np.random.default_rng(2).integers(-100, 100, 3000) + 0.1) / sequential.LATTICE
    scores += np.random.default_rng(3).uniform(0, 1e-6, 3000)
    low = lower_bound_scores(scores)
    assert low < 0
    assert log(40) <= log_e_scores(scores, -low)[-1] < log(40) + 0.02


def test_long_runs_of_scores_go_on_where_a_chunk_ended() -> None:
    scores = draw(0, 2 * sequential.CHUNK + 10)
    running = log_e_scores(scores, MARGIN)
    for n in (sequential.CHUNK - 1, sequential.CHUNK, sequential.CHUNK + 1, len(scores)):
        seen = scores[:n]
        assert running[n - 1] == pytest.approx(log_e((seen > 0).sum(), (seen == 0).sum(), (seen < 0).sum(), MARGIN))


def test_no_difference_cuts_over_and_four_points_worse_keeps() -> None:
    same, worse = decide(draw(0, 8000), MARGIN), decide(draw(-0.06, 8000), MARGIN)
    assert (same.verdict, worse.verdict) == ("CUT OVER", "KEEP")
    assert same.decided_at is not None
    assert 500 < same.decided_at < 8000
    assert same.low > -MARGIN
    assert worse.high < -MARGIN
    assert log_e_scores(draw(0, 8000)[: same.decided_at], MARGIN)[-1] >= log(40)
    assert log_e_scores(draw(0, 8000)[: same.decided_at - 1], MARGIN).max() < log(40)


def test_a_verdict_once_reached_stays() -> None:
    first = draw(0, 4000)
    before = decide(first, MARGIN)
    after = decide(np.r_[first, -np.ones(600)], MARGIN)
    assert before.verdict == after.verdict == "CUT OVER"
    assert after.decided_at == before.decided_at
    assert after.high < -MARGIN
    assert after.log_e_cut == before.log_e_cut
    assert after.log_e_keep > log(40)


def test_no_scores_and_too_few_say_continue() -> None:
    assert decide([], MARGIN) == Decision("CONTINUE", 0, None, -1.0, 1.0, 0.0, 0.0)
    assert decide([1.0], MARGIN).verdict == "CONTINUE"


def test_all_ties_are_not_worse_and_show_it_in_the_end() -> None:
    few, many = decide([0.0] * 150, MARGIN), decide([0.0] * 400, MARGIN)
    assert (few.verdict, many.verdict) == ("CONTINUE", "CUT OVER")
    assert many.low == pytest.approx(-many.high)


def test_all_losses_keep_soon_and_all_wins_cut_over() -> None:
    losses, wins = decide([-1.0] * 50, MARGIN), decide([1.0] * 50, MARGIN)
    assert (losses.verdict, losses.low, losses.log_e_cut) == ("KEEP", -1.0, 0.0)
    assert (wins.verdict, wins.high, wins.log_e_keep) == ("CUT OVER", 1.0, 0.0)


def test_the_first_crossing_wins() -> None:
    early, late, never = np.array([0.0, 5, 0, 0]), np.array([0.0, 0, 5, 5]), np.zeros(4)
    assert first_crossing(early, late, -1, 1, 0.025).verdict == "CUT OVER"
    assert first_crossing(late, early, -1, 1, 0.025).verdict == "KEEP"
    assert first_crossing(late, never, -1, 1, 0.025).decided_at == 3
    assert first_crossing(never, never, -1, 1, 0.025).decided_at is None


def test_looking_every_day_at_the_margin_is_seldom_wrong() -> None:
    counts = np.random.default_rng(3).multinomial(100, [0.04, 0.9, 0.06], (1000, 100)).cumsum(axis=1)
    e = log_e_tally([1.0, 0.0, -1.0], counts, -MARGIN)
    assert 0 < (e >= log(40)).any(axis=1).mean() <= 0.025


def test_the_trajectory_ends_where_the_bounds_stand() -> None:
    scores = draw(0, 5000)
    line = trajectory(scores, points=50)
    assert (line.n[0], line.n[-1], len(line.n)) == (1, 5000, 50)
    assert line.low[-1] == pytest.approx(lower_bound_scores(scores), abs=1e-9)
    assert line.high[-1] == pytest.approx(upper_bound_scores(scores), abs=1e-9)
    middle = int(line.n[20])
    assert line.low[20] == pytest.approx(lower_bound_scores(scores[:middle]), abs=1e-9)
    assert (line.low <= line.high).all()


def test_the_trajectory_of_fine_scores_and_of_none() -> None:
    line = trajectory(np.clip(np.random.default_rng(4).normal(0, 0.2, 3000), -1, 1), points=20)
    assert line.low[-1] > line.low[5]
    assert len(trajectory([]).n) == 0
    assert list(trajectory([0.5, -0.5], points=200).n) == [1, 2]


def test_clusters_are_averaged_in_order_of_first_appearance() -> None:
    assert list(by_cluster([1, 0, -1, 1], ["b", "a", "b", "c"])) == [0.0, 0.0, 1.0]
    assert list(by_cluster([0.5, -0.5], [7, 7])) == [0.0]
    assert len(by_cluster([], [])) == 0


def test_one_cluster_decides_nothing() -> None:
    assert decide(by_cluster([-1.0] * 500, ["one"] * 500), MARGIN).verdict == "CONTINUE"


def decision(cut: float, keep: float = 0.0) -> Decision:
    return first_crossing(np.array([cut]), np.array([keep]), -1, 1, 0.025)


def test_holm_takes_back_what_would_not_hold_for_all() -> None:
    strong, weak = decision(log(1000)), decision(log(45))
    assert holm({"a": weak}) == {"a": "CUT OVER"}
    assert holm({"a": weak, "b": decision(0)}) == {"a": "CONTINUE", "b": "CONTINUE"}
    assert holm({"a": weak, "b": strong}) == {"a": "CUT OVER", "b": "CUT OVER"}
    assert holm({"a": strong, "b": decision(0.0, log(1000)), "c": decision(1)}) == {
        "a": "CUT OVER",
        "b": "KEEP",
        "c": "CONTINUE",
    }
    assert holm({}) == {}


@given(st.lists(st.floats(0, 12), min_size=1, max_size=8))
def test_holm_lies_between_bonferroni_and_no_correction(logs: list[float]) -> None:
    found = holm({str(i): decision(x) for i, x in enumerate(logs)})
    for i, x in enumerate(logs):
        if p_value(x) <= 0.025 / len(logs) * (1 - 1e-9):
            assert found[str(i)] == "CUT OVER"
        if p_value(x) > 0.025:
            assert found[str(i)] == "CONTINUE"


def test_a_p_value_is_at_most_1() -> None:
    assert p_value(log(40)) == pytest.approx(0.025)
    assert p_value(-3.0) == p_value(0.0) == 1.0


@pytest.mark.parametrize("bad", [[0.0, 1.5], [math.nan], [0.1, -1.0001], [math.inf]])
def test_scores_out_of_range_are_named(bad: list[float]) -> None:
    with pytest.raises(ValueError, match=rf"Score {len(bad) - 1} is .*outside \[-1, 1\]: give candidate less current"):
        decide(bad, MARGIN)


@pytest.mark.parametrize("margin", [0.0, 1.0, -0.02, 2.0, math.nan])
def test_a_margin_out_of_range_is_named(margin: float) -> None:
    for call in (lambda: decide([], margin), lambda: log_e(1, 1, 1, margin), lambda: log_e_scores([0.0], margin)):
        with pytest.raises(ValueError, match=r"The margin is .*: give a share between 0 and 1"):
            call()


def test_other_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="alpha is 0"):
        lower_bound(1, 1, 1, 0.0)
    with pytest.raises(ValueError, match="alpha is 1"):
        decide([0.0], MARGIN, alpha=1)
    with pytest.raises(ValueError, match="none can be below 0"):
        log_e(1, -1, 1, MARGIN)
    with pytest.raises(ValueError, match=r"shaped \(1, 2\)"):
        decide([[0.0, 1.0]], MARGIN)
    with pytest.raises(ValueError, match="2 scores and 1 clusters"):
        by_cluster([0.0, 1.0], ["a"])
    with pytest.raises(ValueError, match="'arcsine' or 'uniform'"):
        log_e(1, 1, 1, MARGIN, "flat")  # type: ignore[arg-type]


def test_twenty_thousand_scores_are_decided_in_seconds() -> None:
    started = time.perf_counter()
    decide(np.random.default_rng(1).uniform(-1, 1, 20_000), MARGIN)
    assert time.perf_counter() - started < 10
