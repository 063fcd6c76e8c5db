"""The accept rule: what it must do with counts whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.accept import accept, choose, fit

COSTS = np.array([1.0, 2.0, 10.0])


def test_what_clearly_clears_is_chosen_cheapest_first_and_what_does_not_is_left() -> None:
    counts = np.array([[990, 995, 999], [500, 990, 999], [400, 500, 600]])
    found = accept(counts, 1000, COSTS, 0.9)
    assert found.chosen == (0, 1, -1)
    assert found.wrong_share < 0.01


def test_a_lucky_cell_is_pulled_back_by_what_its_row_and_column_say() -> None:
    weak = np.full((6, 4), 35.0)
    weak[2, 1] = 46
    share = fit(weak, 50).share
    assert 0.70 < share[2, 1] < 0.92
    assert fit(weak, 50).sure(0.85)[2, 1] < 0.85


def test_a_cell_without_counts_is_told_from_the_others_and_stays_unsure() -> None:
    k, n = np.full((4, 3), 48.0), np.full((4, 3), 50.0)
    k[0, 0] = n[0, 0] = 0
    belief = fit(k, n)
    assert belief.variance[0, 0] > belief.variance[1, 0]
    assert belief.share[0, 0] > 0.8


def test_enough_counts_speak_for_themselves() -> None:
    k = np.array([[9_000.0, 7_000.0], [9_900.0, 5_000.0]])
    assert fit(k, 10_000).share == pytest.approx(k / 10_000, abs=0.01)


def test_costs_may_differ_by_stage_and_the_bar_too() -> None:
    found = accept([[99, 99], [99, 99]], 100, [[1, 2], [2, 1]], [0.5, 0.5])
    assert found.chosen == (0, 1)


def test_the_fewer_are_accepted_the_surer_each_must_be() -> None:
    one = np.array([[0.95]])
    assert choose(one, np.ones((1, 1)), np.full(1, 9.0), 0.06) == (-1,)
    twelve = np.full((12, 1), 0.95)
    assert choose(twelve, np.ones((12, 1)), np.full(12, 9.0), 0.06) == (0,) * 12


@settings(max_examples=60)
@given(st.data())
def test_no_choice_is_expected_to_be_wrong_in_more_than_was_allowed(data: st.DataObject) -> None:
    rows, columns = data.draw(st.integers(1, 8)), data.draw(st.integers(1, 5))
    sure = np.array(
        data.draw(st.lists(st.lists(st.floats(0, 1), min_size=columns, max_size=columns), min_size=rows, max_size=rows))
    )
    costs = np.tile(np.arange(1.0, columns + 1), (rows, 1))
    chosen = choose(sure, costs, np.full(rows, columns + 1.0), 0.06)
    wrong = [1 - sure[s, c] for s, c in enumerate(chosen) if c >= 0]
    assert sum(wrong) <= 0.06 * (len(wrong) + 1)


@pytest.mark.parametrize(("k", "n"), [([[5]], 4), ([[-1]], 4), ([5], 9), ([[float("nan")]], 4), ([[]], 4)])
def test_counts_that_cannot_be_are_refused(k: object, n: object) -> None:
    with pytest.raises(ValueError, match="successes"):
        accept(k, n, [1.0], 0.9)
