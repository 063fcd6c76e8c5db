"""The cap holds in every interleaving, nothing runs twice, and what was paid for outlives a cancel, an error and a kill."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from threading import Event, Lock
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.bounded import Bounded, Finished, Unit, Work, run_bounded
from playground.errors import BadModel, Cancelled
from playground.jobs import Jobs, StoreError

ROOT = Path(__file__).resolve().parents[1]
WAIT_S = 20
CENT = Decimal("0.01")
UNITS = 300
WORKERS = 4
KILLED = f"""
import sys, threading, time
from decimal import Decimal
from pathlib import Path
from playground.bounded import Finished, Unit, run_bounded
from playground.jobs import Jobs

ran = Path(sys.argv[2])

def work(unit, stop):
    with ran.open("a") as log:
        log.write(unit.key + "\\n")
    time.sleep(0.005)
    return Finished(unit.key, {{"from": unit.key}}, Decimal("0.01"))

units = [Unit(str(n), Decimal("0.02")) for n in range({UNITS})]
result = run_bounded(
    units, work, workers={WORKERS}, cap_usd=None, jobs=Jobs(Path(sys.argv[1])), job="job", stop=threading.Event()
)
fresh = [f.resumed for f in result]
print(len(fresh), sum(fresh), result.spent_usd, result.stopped_by, result.left)
"""


def units_of(*cents: int) -> list[Unit]:
    return [Unit(str(n), CENT * reserve) for n, reserve in enumerate(cents)]


def free(unit: Unit, stop: Event) -> Finished:
    return Finished(unit.key, {"key": unit.key}, CENT)


def start(
    units: Sequence[Unit],
    work: Work = free,
    workers: int = 1,
    cap_usd: Decimal | None = None,
    jobs: Jobs | None = None,
    stop: Event | None = None,
) -> Bounded:
    jobs = jobs or Jobs(None)
    return run_bounded(units, work, workers=workers, cap_usd=cap_usd, jobs=jobs, job="job", stop=stop or Event())


def keys(finished: Iterable[Finished]) -> list[str]:
    return [f.key for f in finished]


def payload(cost: str, **more: Any) -> dict[str, Any]:
    return {"cost_usd": cost, **more}


def unit_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("unit")]


class Meter:
    """Costs what it is told after giving other threads a turn, and sees the most that could have been owed at once."""

    def __init__(self, costs: dict[str, Decimal]) -> None:
        self.costs = costs
        self.owed = self.most = Decimal(0)
        self.running = self.most_running = 0
        self.ran: list[str] = []
        self._lock = Lock()

    def __call__(self, unit: Unit, stop: Event) -> Finished:
        with self._lock:
            self.ran.append(unit.key)
            self.running += 1
            self.owed += unit.reserve_usd
            self.most = max(self.most, self.owed)
            self.most_running = max(self.most_running, self.running)
        time.sleep(0)
        with self._lock:
            self.running -= 1
            self.owed += self.costs[unit.key] - unit.reserve_usd
        return Finished(unit.key, {}, self.costs[unit.key])


@st.composite
def priced_units(draw: st.DrawFn) -> tuple[list[Unit], dict[str, Decimal]]:
    reserves = draw(st.lists(st.integers(0, 50), max_size=20))
    costs = {str(n): CENT * draw(st.integers(0, most)) for n, most in enumerate(reserves)}
    return units_of(*reserves), costs


@settings(deadline=None)
@given(priced_units(), st.integers(1, 8), st.integers(0, 300))
def test_the_cap_holds_in_every_interleaving_and_nothing_runs_twice(
    priced: tuple[list[Unit], dict[str, Decimal]], workers: int, cap: int
) -> None:
    units, costs = priced
    meter, cap_usd = Meter(costs), CENT * cap
    with closing(Jobs(None)) as jobs:
        result = start(units, meter, workers, cap_usd, jobs)
        landed = list(result)
        assert set(jobs.done("job")) == set(keys(landed)) == set(meter.ran)
    assert meter.most <= cap_usd
    assert meter.most_running <= workers
    assert len(set(meter.ran)) == len(meter.ran) == len(units) - result.left
    assert result.spent_usd == sum(f.cost_usd for f in landed) == meter.owed
    assert (result.stopped_by, result.error) == ("cap" if result.left else "", "")


@settings(deadline=None)
@given(priced_units(), st.integers(1, 8), st.lists(st.integers(0, 300), max_size=4))
def test_a_job_stays_under_its_cap_over_several_runs_and_resumes(
    priced: tuple[list[Unit], dict[str, Decimal]], workers: int, caps: list[int]
) -> None:
    units, costs = priced
    meter = Meter(costs)
    with closing(Jobs(None)) as jobs:
        for cap in sorted(caps):
            before = jobs.done("job")
            result = start(units, meter, workers, CENT * cap, jobs)
            landed = list(result)
            assert {f.key for f in landed[: len(before)] if f.resumed} == set(before)
            assert not any(f.resumed for f in landed[len(before) :])
            assert result.spent_usd == sum(costs[f.key] for f in landed) <= CENT * cap
        rest = start(units, meter, workers, None, jobs)
        assert sorted(keys(rest)) == sorted(meter.ran) == sorted(costs)
        assert (rest.left, rest.stopped_by, rest.spent_usd) == (0, "", sum(costs.values()))


def until_stopped(result: Bounded) -> None:
    until = time.monotonic() + WAIT_S
    while not result.stopped_by:
        assert time.monotonic() < until
        time.sleep(0.001)


def test_a_unit_that_does_not_fit_beside_what_runs_ends_the_run() -> None:
    def work(unit: Unit, stop: Event) -> Finished:
        until_stopped(result)
        return free(unit, stop)

    result = start(units_of(2, 2, 2, 0), work, 3, CENT * 5)
    assert sorted(keys(result)) == ["0", "1"]
    assert (result.spent_usd, result.stopped_by, result.left) == (CENT * 2, "cap", 2)


def test_the_cap_itself_may_be_spent_and_what_was_reserved_comes_back() -> None:
    result = start(units_of(2, 2, 3, 1), cap_usd=CENT * 5)
    assert keys(result) == ["0", "1", "2", "3"]
    tight = start(units_of(2, 2, 4, 1), cap_usd=CENT * 5)
    assert keys(tight) == ["0", "1"]
    assert (tight.spent_usd, tight.stopped_by, tight.left) == (CENT * 2, "cap", 2)


def test_a_unit_is_kept_before_it_is_yielded_with_its_cost() -> None:
    with closing(Jobs(None)) as jobs:
        for finished in start(units_of(1, 1, 1), workers=2, jobs=jobs):
            assert jobs.done("job")[finished.key] == finished.payload == payload("0.01", key=finished.key)


def test_units_are_yielded_in_order_of_completion() -> None:
    second = Event()

    def work(unit: Unit, stop: Event) -> Finished:
        assert unit.key == "1" or second.wait(WAIT_S)
        return free(unit, stop)

    landed = []
    for finished in start(units_of(1, 1), work, 2):
        landed.append(finished.key)
        second.set()
    assert landed == ["1", "0"]


def test_resumed_units_come_first_and_count_against_the_cap_with_all_that_the_job_has_cost() -> None:
    with closing(Jobs(None)) as jobs:
        jobs.add("job", "2", payload("0.03"))
        jobs.add("job", "not asked for now", payload("0.02"))
        jobs.add("job/partial", "0#1", payload("0.04", partial=True))
        result = start(units_of(1, 1, 1), cap_usd=CENT * 10, jobs=jobs)
        assert (result.spent_usd, result.left) == (CENT * 9, 2)
        assert [(f.key, f.cost_usd, f.resumed) for f in result] == [("2", CENT * 3, True), ("0", CENT, False)]
        assert (result.spent_usd, result.left, result.stopped_by) == (CENT * 10, 1, "cap")
        assert list(result) == []


def test_a_job_over_its_cap_still_shows_what_it_has() -> None:
    with closing(Jobs(None)) as jobs:
        jobs.add("job", "0", payload("1"))
        result = start(units_of(0, 0), cap_usd=CENT, jobs=jobs)
        assert keys(result) == ["0"]
        assert (result.left, result.stopped_by) == (1, "cap")


def test_cancel_keeps_what_units_under_way_return_and_starts_nothing_more() -> None:
    stop, both = Event(), threading.Barrier(2, action=lambda: stop.set(), timeout=WAIT_S)

    def work(unit: Unit, given: Event) -> Finished:
        assert given is stop
        both.wait()
        return free(unit, given)

    with closing(Jobs(None)) as jobs:
        result = start(units_of(1, 1, 1, 1), work, 2, jobs=jobs, stop=stop)
        assert sorted(keys(result)) == sorted(jobs.done("job")) == ["0", "1"]
        assert (result.stopped_by, result.left, result.spent_usd) == ("cancel", 2, CENT * 2)


def test_a_partial_unit_costs_and_runs_again() -> None:
    stop, runs = Event(), Counter[str]()

    def work(unit: Unit, given: Event) -> Finished:
        runs[unit.key] += 1
        if runs[unit.key] > 2:
            return free(unit, given)
        stop.set()
        return Finished(unit.key, {"partial": True}, CENT * 3)

    with closing(Jobs(None)) as jobs:
        for n in (1, 2):
            stop.clear()
            result = start(units_of(5), work, jobs=jobs, stop=stop)
            assert list(result) == []
            assert (result.stopped_by, result.left, result.spent_usd) == ("cancel", 1, CENT * 3 * n)
        stop.clear()
        assert list(jobs.done("job/partial")) == ["0#1", "0#2"]
        last = start(units_of(5), work, jobs=jobs, stop=stop)
        assert keys(last) == ["0"]
        assert (last.stopped_by, last.left, last.spent_usd) == ("", 0, CENT * 7)


def test_a_stop_after_the_last_unit_is_no_cancel() -> None:
    stop = Event()
    result = start(units_of(1), stop=stop)
    for _ in result:
        stop.set()
    assert (result.stopped_by, result.left) == ("", 0)


def test_what_another_process_finished_first_stays_and_no_money_is_lost() -> None:
    with closing(Jobs(None)) as jobs:

        def work(unit: Unit, stop: Event) -> Finished:
            jobs.add("job", unit.key, payload("0.02"))
            return free(unit, stop)

        assert keys(start(units_of(5), work, jobs=jobs)) == ["0"]
        assert jobs.done("job") == {"0": payload("0.02")}
        assert start(units_of(5), jobs=jobs).spent_usd == CENT * 3


@pytest.mark.parametrize(
    ("raised", "stopped_by", "error"),
    [
        (BadModel("The model m is unknown."), "error", "The model m is unknown."),
        (ValueError("a ticket's text"), "error", "A unit of work stopped on an internal error (ValueError)."),
        (SystemExit("a ticket's text"), "error", "A unit of work stopped on an internal error (SystemExit)."),
        (Cancelled(), "cancel", ""),
    ],
)
def test_what_a_unit_raises_stops_the_run_and_the_others_finish(
    raised: BaseException, stopped_by: str, error: str
) -> None:
    both = threading.Barrier(2, timeout=WAIT_S)

    def work(unit: Unit, stop: Event) -> Finished:
        both.wait()
        if unit.key == "0":
            raise raised
        until_stopped(result)
        return free(unit, stop)

    result = start(units_of(1, 1, 1, 1), work, 2)
    assert keys(result) == ["1"]
    assert (result.stopped_by, result.error, result.left) == (stopped_by, error, 3)
    assert unit_threads() == []


def test_an_error_is_said_even_where_the_cap_came_first() -> None:
    def work(unit: Unit, stop: Event) -> Finished:
        until_stopped(result)
        raise BadModel("The model m is unknown.")

    result = start(units_of(1, 1), work, 2, CENT)
    assert list(result) == []
    assert (result.stopped_by, result.error) == ("error", "The model m is unknown.")


def test_a_store_that_fails_stops_the_run_and_the_cost_is_known() -> None:
    class Full(Jobs):
        def add(self, job: str, unit: str, payload: Any, began: int | None = None) -> bool:
            raise StoreError("The disk is full.")

    with closing(Full(None)) as jobs:
        result = start(units_of(1, 1), jobs=jobs)
        assert list(result) == []
        assert (result.stopped_by, result.error) == ("error", "The disk is full.")
        assert (result.left, result.spent_usd) == (2, CENT)


def waits_for_stop(unit: Unit, stop: Event) -> Finished:
    if unit.key != "0":
        assert stop.wait(WAIT_S)
    return Finished(unit.key, {"partial": stop.is_set()}, CENT)


@pytest.mark.parametrize("leave", ["close", "drop", "break", "raise"])
def test_who_leaves_early_stops_and_joins_what_runs(leave: str) -> None:
    with closing(Jobs(None)) as jobs:
        result = start(units_of(*[1] * 9), waits_for_stop, 3, jobs=jobs)
        if leave == "break":
            for _ in result:
                break
        elif leave == "raise":
            with pytest.raises(KeyError, match="consumer"):  # noqa: PT012 - the loop is what is tested
                for _ in result:
                    raise KeyError("consumer")
        else:
            iterator = iter(result)
            next(iterator)
            if leave == "close":
                iterator.close()
            del iterator
        assert unit_threads() == []
        assert result.stopped_by == "cancel"
        assert list(jobs.done("job")) == ["0"]
        assert start(units_of(*[1] * 9), jobs=jobs).spent_usd == result.spent_usd


def test_who_leaves_before_anything_ran_cancels_and_who_leaves_at_the_end_does_not() -> None:
    with closing(Jobs(None)) as jobs:
        jobs.add("job", "0", payload("0.01"))
        early, late = (start(units_of(1, 1), jobs=jobs) for _ in range(2))
        assert next(iter(early)).resumed
        assert (early.stopped_by, early.left, list(jobs.done("job"))) == ("cancel", 1, ["0"])
        for finished in late:
            if finished.key == "1":
                break
        assert (late.stopped_by, late.left) == ("", 0)


def test_nothing_starts_before_the_result_is_gone_through() -> None:
    meter = Meter({"0": CENT})
    result = start(units_of(1), meter)
    assert (meter.ran, result.left, unit_threads()) == ([], 1, [])


def test_no_units_is_a_run_that_is_done() -> None:
    result = start([], cap_usd=Decimal(0))
    assert list(result) == []
    assert (result.stopped_by, result.left, result.spent_usd) == ("", 0, 0)


@pytest.mark.parametrize("units", [[Unit("a", CENT), Unit("a", CENT)], [Unit("a", -CENT)], [Unit("a", Decimal("NaN"))]])
def test_units_that_make_no_sense_are_refused(units: list[Unit]) -> None:
    with pytest.raises(ValueError, match="unit"):
        start(units)


def ended(store: Path, ran: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, store, ran], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout.strip()


def killed_after(store: Path, ran: Path, lines: int) -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED, store, ran], cwd=ROOT)
    until = time.monotonic() + WAIT_S
    while not ran.exists() or len(ran.read_text().splitlines()) < lines:
        assert process.poll() is None, "ended before it could be killed"
        assert time.monotonic() < until
        time.sleep(0.001)
    process.kill()
    process.wait(WAIT_S)


def test_a_killed_process_loses_nothing_and_runs_again_only_what_was_in_flight(tmp_path: Path) -> None:
    store, ran = tmp_path / "jobs.sqlite", tmp_path / "ran.txt"
    may_run_again: Counter[str] = Counter()
    for lines in (40, 120):
        killed_after(store, ran, lines)
        with closing(Jobs(store)) as jobs:
            kept = jobs.done("job")
        started = set(ran.read_text().splitlines())
        assert set(kept) <= started
        assert 0 < len(kept) < UNITS
        assert len(started - set(kept)) <= WORKERS
        may_run_again.update(started - set(kept))
    assert ended(store, ran) == f"{UNITS} {len(kept)} {UNITS * CENT}  0"
    runs = Counter(ran.read_text().splitlines())
    assert set(runs) == {str(n) for n in range(UNITS)}
    assert all(times == 1 + may_run_again[key] for key, times in runs.items())
    with closing(Jobs(store)) as jobs:
        assert jobs.done("job") == {str(n): payload("0.01", **{"from": str(n)}) for n in range(UNITS)}


def test_a_pause_starts_no_more_and_lets_what_is_under_way_finish() -> None:
    pause, started = Event(), Event()

    def work(unit: Unit, stop: Event) -> Finished:
        started.set()
        assert pause.wait(WAIT_S)
        return free(unit, stop)

    jobs = Jobs(None)
    result = run_bounded(
        units_of(1, 1, 1), work, workers=1, cap_usd=None, jobs=jobs, job="job", stop=Event(), pause=pause
    )
    threading.Thread(target=lambda: started.wait(WAIT_S) and pause.set()).start()
    assert keys(result) == ["0"]
    assert (result.left, result.stopped_by) == (2, "cancel")
    assert set(jobs.done("job")) == {"0"}
    jobs.close()
