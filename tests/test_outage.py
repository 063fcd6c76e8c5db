"""A provider that hangs for a demo, and what failed tries add to a stage's latency."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import CallFailed, Cancelled
from playground.outage import Outage, added_s
from playground.records import Receipt, Request, Usage
from playground.watch import Unwatched
from tests.calls import Answering, call

FAILED = Receipt(
    "t", "p", "kr-auto", "draft", 1, 1, "m", "P", "default", Usage(0, 0), Decimal(0), None, "live", "failed", 1.0, waited_s=0.2
)  # fmt: skip
ANSWERED = replace(FAILED, outcome="ok", attempt=2, latency_s=9.0, waited_s=0.0)


def test_a_call_to_a_provider_that_hangs_fails_after_the_wait_and_never_goes_out() -> None:
    slept: list[float] = []
    answering = Answering()
    with pytest.raises(CallFailed, match="Fake is switched off for a demo: no answer within 1.2 seconds") as raised:
        Outage(frozenset({"Fake"}), 1.2, slept.append).call(call(), Unwatched(), answering)
    assert raised.value.kind == "timeout"
    assert sum(slept) == pytest.approx(1.2, abs=0.01)
    assert answering.calls == 0


def test_a_call_to_another_provider_goes_through_at_once() -> None:
    slept: list[float] = []
    Outage(frozenset({"Other"}), 1.2, slept.append).call(call(), Unwatched(), answering := Answering())
    assert (slept, answering.calls) == ([], 1)


def test_it_stops_with_the_run_and_waits_no_longer_than_the_call_may_take() -> None:
    class Stopped(Unwatched):
        def cancelled(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        Outage(frozenset({"Fake"})).call(call(), Stopped(), Answering())
    slept: list[float] = []
    short: Request = replace(call(), timeout_s=0.1)
    with pytest.raises(CallFailed, match=r"within 0\.1 seconds"):
        Outage(frozenset({"Fake"}), 5.0, slept.append).call(short, Unwatched(), Answering())
    assert sum(slept) == pytest.approx(0.1)


def test_failed_tries_and_their_waits_add_up_and_calls_run_side_by_side() -> None:
    assert added_s([ANSWERED]) is None
    assert added_s([FAILED, ANSWERED]) == pytest.approx(1.2)
    assert added_s([FAILED, replace(FAILED, attempt=2), ANSWERED]) == pytest.approx(2.4)
    assert added_s([FAILED, replace(FAILED, call=2, latency_s=3.0)]) == pytest.approx(3.2)
    assert added_s([replace(FAILED, latency_s=None, waited_s=0.0)]) == 0


@given(st.lists(st.tuples(st.integers(1, 3), st.floats(0, 9), st.floats(0, 9)), min_size=1))
def test_side_by_side_adds_no_more_than_one_after_the_other(tries: list[tuple[int, float, float]]) -> None:
    found = added_s([replace(FAILED, call=c, latency_s=s, waited_s=w) for c, s, w in tries])
    assert found is not None
    assert max(s + w for _, s, w in tries) - 1e-9 <= found <= sum(s + w for _, s, w in tries) + 1e-9
