"""A judge anchored by labels: no bias whatever the judge says, bounds and decisions that agree, and a wait for labels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from playground.anchored import (
    MINIMUM_LABELS,
    anchored_interval,
    anchored_scores,
    best_lambda,
    decide_anchored,
    half_width,
    rho,
    sequence,
)
from playground.sequential import Decision, decide

Floats = NDArray[np.float64]
MARGIN = 0.02


def units(
    difference: float, n: int, lenient: float = 0.0, share: float = 0.1, seed: int = 1
) -> tuple[Floats, Floats, Floats]:
    """The judge's scores, people's labels with nan where there is none, and all of people's scores."""
    rng = np.random.default_rng(seed)
    human = rng.choice([1.0, 0.0, -1.0], n, p=[0.05 + difference / 2, 0.9, 0.05 - difference / 2])
    judge = np.minimum(human + (rng.random(n) < lenient), 1.0)
    return judge, np.where(rng.random(n) < share, human, np.nan), human


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0.05, 1), st.floats(0, 1))
def test_a_unit_is_worth_its_label_on_average(judge: float, human: float, chance: float, lam: float) -> None:
    with_label, without = (anchored_scores([judge], [label], chance, lam)[0] for label in (human, math.nan))
    assert chance * with_label + (1 - chance) * without == pytest.approx(human, abs=1e-9)


def test_lambda_knows_only_the_labels_before() -> None:
    judge, labels, _ = units(0, 400)
    at = int(np.flatnonzero(~np.isnan(labels))[20])
    judge[at] = 1.0
    other = labels.copy()
    labels[at], other[at] = 1.0, -1.0
    one, two = anchored_scores(judge, labels, 0.1), anchored_scores(judge, other, 0.1)
    assert np.array_equal(one[:at], two[:at])
    assert one[at] - two[at] == pytest.approx(2 / 0.1)


def test_lambda_leans_on_a_judge_as_far_as_it_is_right() -> None:
    judge, labels, _ = units(0, 5000, share=0.5)
    blind = np.random.default_rng(9).permutation(judge)
    right, wrong = (anchored_scores(j, labels, 0.5) for j in (judge, blind))
    assert right[-1000:].std() < 0.4
    assert wrong[-1000:].std() == pytest.approx(anchored_scores(blind, labels, 0.5, lam=0.0)[-1000:].std(), rel=0.1)
    unlabelled = np.isnan(labels[-1000:])
    assert np.array_equal(right[-1000:][unlabelled], judge[-1000:][unlabelled])
    assert np.abs(wrong[-1000:][unlabelled]).max() < 0.2


def test_everything_labelled_is_just_the_labels() -> None:
    judge, _, human = units(0, 300, lenient=0.3)
    assert anchored_scores(judge, human, 1.0) == pytest.approx(human)


def test_the_bias_of_a_judge_cancels() -> None:
    judge, labels, human = units(-0.02, 200_000, lenient=0.3)
    assert judge.mean() > 0.2
    assert anchored_scores(judge, labels, 0.1).mean() == pytest.approx(human.mean(), abs=0.02)


def test_the_shortest_interval_leans_on_the_judge() -> None:
    judge, labels, _ = units(0, 4000)
    told = ~np.isnan(labels)
    given_labels = (labels[told], judge[told], judge[~told])
    widths = [f.high - f.low for f in (anchored_interval(*given_labels, lam=lam) for lam in (None, 1.0, 0.0, 0.5))]
    assert widths[0] == pytest.approx(min(widths), rel=1e-3)
    assert 0.8 < best_lambda(*given_labels) <= 1
    assert best_lambda(np.zeros(3), np.zeros(3), np.zeros(5)) == 0.0


def test_the_one_sided_sequence_is_tightest_near_its_n_star() -> None:
    at = {n_star: float(half_width(5000, 1, 0.025, n_star, one_sided=True)) for n_star in (500, 4500, 5000, 50_000)}
    assert at[5000] < at[500]
    assert at[5000] < at[50_000]
    assert float(half_width(100, 0, 0.05)) == 0.0
    assert rho(0.05, 4000) == pytest.approx(rho(0.05, 1000) / 2)


def test_the_sequence_holds_the_mean_at_every_look() -> None:
    rng = np.random.default_rng(4)
    below = sum((sequence(rng.normal(0, 1, 4000), 0.05)[0][50:] > 0).any() for _ in range(300))
    assert below <= 0.05 * 300 + 8


def test_no_difference_cuts_over_and_a_worse_candidate_is_kept_out() -> None:
    assert decide_anchored(*units(0, 20_000)[:2], 0.1, MARGIN).verdict == "CUT OVER"
    assert decide_anchored(*units(-0.06, 20_000)[:2], 0.1, MARGIN).verdict == "KEEP"


def test_a_lenient_judge_fools_the_judge_alone_and_not_the_anchored_rule() -> None:
    judge, labels, _ = units(-0.03, 20_000, lenient=0.05)
    assert decide(judge, MARGIN).verdict == "CUT OVER"
    assert decide_anchored(judge, labels, 0.1, MARGIN).verdict != "CUT OVER"


def test_nothing_is_decided_before_there_are_enough_labels() -> None:
    judge, labels, _ = units(0.04, 20_000, share=0.02)
    assert (~np.isnan(labels)).sum() >= MINIMUM_LABELS - 50
    found = decide_anchored(judge, labels, 0.02, MARGIN, minimum_labels=300)
    assert found.verdict == "CUT OVER"
    assert found.decided_at is not None
    assert (~np.isnan(labels[: found.decided_at])).sum() == 300
    assert decide_anchored(judge, labels, 0.02, MARGIN, minimum_labels=10_000) == Decision(
        "CONTINUE", 20_000, None, -1.0, 1.0, 0.0, 0.0
    )


def test_a_decision_is_the_bound_crossing_the_margin() -> None:
    judge, labels, _ = units(0, 20_000)
    found = decide_anchored(judge, labels, 0.1, MARGIN, minimum_labels=100)
    low, high = sequence(anchored_scores(judge, labels, 0.1), surprise=10.0)
    enough = np.nancumsum(~np.isnan(labels)) >= 100
    assert found.decided_at == np.flatnonzero((low >= -MARGIN) & enough)[0] + 1
    assert (found.low, found.high) == (low[-1], high[-1])


def test_a_judge_no_label_contradicts_is_not_taken_for_certain() -> None:
    ties = np.zeros(4000)
    labels = np.where(np.arange(4000) % 10 == 0, 0.0, np.nan)
    found = decide_anchored(ties, labels, 0.1, MARGIN)
    assert found.verdict == "CUT OVER"
    assert 3 / 400 <= found.high < MARGIN
    assert decide_anchored(ties, labels, 0.1, 0.005).verdict == "CONTINUE"


def test_the_spread_by_hand() -> None:
    scores = np.array([0.2, -0.4, 0.9, 0.1])
    low, high = sequence(scores, 0.05)
    expected = half_width(4, scores.std(ddof=1), 0.05, one_sided=True)
    assert (low[-1], high[-1]) == pytest.approx((scores.mean() - expected, scores.mean() + expected))
    assert low[0] == -math.inf
    assert sequence(scores, 0.05, surprise=2.0)[0][-1] < low[-1]


def test_lambda_weighs_labels_by_how_seldom_they_are() -> None:
    chance, labels = np.array([0.1, 0.5, 0.5]), np.array([-1.0, 1.0, np.nan])
    weights = np.array([1 / 0.1 * (1 / 0.1 - 1), 1 / 0.5 * (1 / 0.5 - 1)])
    start = 5 * np.median(weights)
    slope = max((start - weights[0] + weights[1]) / (start + weights.sum()), 0.0)
    assert anchored_scores([1.0, 1.0, 1.0], labels, chance)[-1] == pytest.approx(slope)
    assert 0 < slope < 1


def test_threads_are_counted_once() -> None:
    judge, labels, _ = units(0.1, 3000, share=0.5)
    names = [i // 5 for i in range(3000)]
    found = decide_anchored(judge, labels, 0.5, MARGIN, clusters=names)
    assert found.pairs == 600
    assert decide_anchored(judge, labels, 0.5, MARGIN, clusters=["one"] * 3000).verdict == "CONTINUE"
    known = np.array([(~np.isnan(labels[i : i + 5])).any() for i in range(0, 3000, 5)])
    assert found.verdict == "CUT OVER"
    assert found.decided_at is not None
    assert known[: found.decided_at].sum() == MINIMUM_LABELS


def test_degenerate_input_decides_nothing() -> None:
    none = np.full(500, np.nan)
    assert decide_anchored([], [], 0.1, MARGIN) == Decision("CONTINUE", 0, None, -1.0, 1.0, 0.0, 0.0)
    assert decide_anchored(np.zeros(500), none, 0.1, MARGIN).verdict == "CONTINUE"
    assert decide_anchored([1.0], [1.0], 1.0, MARGIN, minimum_labels=0).verdict == "CONTINUE"


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="2 judged units and 1 labels"):
        anchored_scores([0.0, 0.0], [0.0], 0.1)
    with pytest.raises(ValueError, match="Unit 1 is labelled with probability 0"):
        anchored_scores([0.0, 0.0], [0.0, 0.0], [0.1, 0.0])
    with pytest.raises(ValueError, match=r"outside \[-1, 1\]"):
        anchored_scores([0.0], [1.5], 0.1)
    with pytest.raises(ValueError, match=r"outside \[-1, 1\]"):
        anchored_scores([math.nan], [0.5], 0.1)
    with pytest.raises(ValueError, match="The margin is 1"):
        decide_anchored([0.0], [0.0], 0.1, 1.0)
    with pytest.raises(ValueError, match="1 labels, 2 judged"):
        anchored_interval([0.0], [0.0, 0.0], [0.0])
