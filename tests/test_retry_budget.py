"""How often calls may be repeated: a share of all calls, and a few."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import BadInput
from playground.retry_budget import RetryBudget


@given(st.lists(st.booleans(), max_size=400), st.integers(0, 100), st.integers(0, 20))
def test_repeats_never_pass_their_share_of_calls_and_a_few(wants_repeat: list[bool], percent: int, few: int) -> None:
    budget, repeats = RetryBudget(percent, few), 0
    for calls, wants in enumerate(wants_repeat, 1):
        budget.deposit()
        repeats += wants and budget.withdraw()
        assert repeats <= few + calls * percent / 100


def test_a_long_quiet_time_saves_up_no_storm() -> None:
    budget = RetryBudget(10, 5)
    for _ in range(10_000):
        budget.deposit()
    assert sum(budget.withdraw() for _ in range(100)) == 5


def test_ten_calls_pay_for_one_repeat() -> None:
    budget = RetryBudget(10, 0)
    assert not budget.withdraw()
    for _ in range(10):
        budget.deposit()
    assert [budget.withdraw(), budget.withdraw()] == [True, False]


def test_threads_share_it() -> None:
    budget = RetryBudget(0, 50)
    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(lambda _: budget.withdraw(), range(500))) == 50


@pytest.mark.parametrize(("percent", "few"), [(-1, 5), (101, 5), (10, -1)])
def test_figures_that_make_no_sense_are_refused(percent: int, few: int) -> None:
    with pytest.raises(BadInput, match="retry budget"):
        RetryBudget(percent, few)
