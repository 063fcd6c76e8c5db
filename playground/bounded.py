"""Run units side by side under a cap on spending; what is finished is kept at once, so that a killed run goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count
from queue import SimpleQueue
from threading import Event, Lock
from typing import Any, Literal

from playground.errors import CallFailed, Cancelled, PlaygroundError
from playground.forgotten import DELETIONS
from playground.jobs import Jobs
from playground.money import ZERO

StoppedBy = Literal["", "cap", "cancel", "error"]


@dataclass(frozen=True, slots=True)
class Unit:
    """One piece of work and the most it can cost."""

    key: str
    reserve_usd: Decimal


@dataclass(frozen=True, slots=True)
class Finished:
    """What a unit returned; `payload` is what `Jobs` keeps, and `resumed` says that an earlier run paid for it."""

    key: str
    payload: Mapping[str, Any]
    cost_usd: Decimal
    resumed: bool = False
    why: str = ""
    """Why nobody answered, where the payload is partial; it may hold a provider's words, so it is not kept."""


Work = Callable[[Unit, Event], Finished]
"""Runs in a thread. It stops early when the event is set, and then returns a payload with `"partial": True`.

What it raises carries no cost: work that has spent something returns it.
"""


LOST_IN_A_ROW = 5
"""So many units lost to a provider that does not answer, and the rest is not even begun."""


def giving_up(work: Work) -> Work:
    """The same work, which raises `CallFailed` once so many units in a row got no answer."""
    lost: list[str] = []

    def run_one(unit: Unit, stop: Event) -> Finished:
        if len(lost) >= LOST_IN_A_ROW:
            said = f"{len(lost)} tickets in a row got no answer, so the rest waits. The last: {lost[-1]}"
            lost.clear()  # the same work may be run again, when the provider is back
            raise CallFailed("connection", said)
        found = work(unit, stop)
        if found.payload.get("partial") and not stop.is_set():
            lost.append(found.why)
        else:
            lost.clear()
        return found

    return run_one


def run_bounded(
    units: Sequence[Unit],
    work: Work,
    *,
    workers: int,
    cap_usd: Decimal | None,
    jobs: Jobs,
    job: str,
    stop: Event,
    pause: Event | None = None,
) -> Bounded:
    """Run the units that `jobs` does not hold yet; nothing starts before the result is gone through.

    `pause` starts no more and lets what is under way finish; `stop` ends that too.
    The cap is on all that the job has cost, earlier runs included. It is kept by one process: do not run a job in two.
    """
    if len({u.key for u in units}) < len(units):
        raise ValueError("Two units have the same key.")
    if not all(u.reserve_usd.is_finite() and u.reserve_usd >= 0 for u in units):
        raise ValueError("A unit's reserve is not a sum of money.")
    return Bounded(units, work, workers, cap_usd, _Kept(jobs, job), stop, pause or Event())


def spent_on(jobs: Jobs, job: str) -> Decimal:
    """What a job has cost so far, in USD, units that are not finished included."""
    return _Kept(jobs, job).spent_usd()


class Bounded:
    """The finished units, in order of completion, to go through once.

    Leaving early sets `stop` and waits for the units under way. `left` counts the units without a kept result.
    """

    def __init__(
        self,
        units: Sequence[Unit],
        work: Work,
        workers: int,
        cap_usd: Decimal | None,
        kept: _Kept,
        stop: Event,
        pause: Event,
    ) -> None:
        done = kept.done()
        self.stopped_by: StoppedBy = ""
        self.error = ""
        self.spent_usd = kept.spent_usd()
        self.left = sum(u.key not in done for u in units)
        own = {u.key for u in units}
        # In the order in which they were kept: what is decided in order must not change when it is read again.
        self._resumed = deque(Finished(k, p, _cost_usd(p), True) for k, p in done.items() if k in own)
        self._waiting = deque(u for u in units if u.key not in done)
        self._running: dict[str, Decimal] = {}
        self._work, self._workers, self._cap_usd, self._kept = work, workers, cap_usd, kept
        self._stop, self._pause = stop, pause
        self._lock = Lock()
        self._landed: SimpleQueue[Finished | None] = SimpleQueue()

    def __iter__(self) -> Iterator[Finished]:
        with ThreadPoolExecutor(self._workers, "unit") as pool:
            try:
                while self._resumed:
                    yield self._resumed.popleft()
                yield from self._arrivals(pool)
            except BaseException:  # who leaves early, by whatever way, pays for nothing more
                self._stop.set()
                self._halt("cancel")
                raise

    def _arrivals(self, pool: ThreadPoolExecutor) -> Iterator[Finished]:
        """Every worker ends with `None`."""
        workers = [pool.submit(self._worker) for _ in range(min(self._workers, len(self._waiting)))]
        for _ in workers:
            yield from iter(self._landed.get, None)

    def _worker(self) -> None:
        try:
            while unit := self._take():
                self._land(unit, self._work(unit, self._stop))
        except Cancelled:
            self._halt("cancel")
        except PlaygroundError as error:
            self._halt("error", str(error))
        except BaseException as error:  # nobody else looks; the text may hold a ticket's, the type does not
            self._halt("error", f"A unit of work stopped on an internal error ({type(error).__name__}).")
        finally:
            self._landed.put(None)

    def _take(self) -> Unit | None:
        with self._lock:
            if not self._waiting or self.stopped_by:
                return None
            unit = self._waiting[0]
            asked = self._stop.is_set() or self._pause.is_set()
            if asked or not self._fits(unit):
                self.stopped_by = "cancel" if asked else "cap"
                return None
            self._running[unit.key] = unit.reserve_usd
            return self._waiting.popleft()

    def _fits(self, unit: Unit) -> bool:
        reserved_usd = sum(self._running.values(), unit.reserve_usd)
        return self._cap_usd is None or self.spent_usd + reserved_usd <= self._cap_usd

    def _land(self, unit: Unit, finished: Finished) -> None:
        with self._lock:
            # The reserve goes in the moment the cost comes, and both before a store that may fail.
            self.spent_usd += finished.cost_usd
            del self._running[unit.key]
        payload = {**finished.payload, "cost_usd": str(finished.cost_usd)}
        if self._kept.add(unit.key, payload):
            with self._lock:
                self.left -= 1
            self._landed.put(replace(finished, key=unit.key, payload=payload))
        elif self._stop.is_set():
            self._halt("cancel")

    def _halt(self, by: StoppedBy, error: str = "") -> None:
        """The first reason stays, but that an error is said."""
        with self._lock:
            if self.left and (not self.stopped_by or (by == "error" and not self.error)):
                self.stopped_by, self.error = by, error


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a job has in the store: finished units, and what partial ones cost."""

    jobs: Jobs
    job: str
    began: int = field(default_factory=lambda: DELETIONS.count)
    """How many deletions of customers there were before."""

    @property
    def partial(self) -> str:
        return f"{self.job}/partial"

    def done(self) -> dict[str, dict[str, Any]]:
        return self.jobs.done(self.job)

    def spent_usd(self) -> Decimal:
        payloads = (*self.done().values(), *self.jobs.done(self.partial).values())
        return sum((_cost_usd(p) for p in payloads), ZERO)

    def add(self, key: str, payload: Mapping[str, Any]) -> bool:
        """Whether the unit is finished. A partial one only adds its cost, and so does one that another process finished."""
        partial = bool(payload.get("partial"))
        if partial or not self.jobs.add(self.job, key, payload, self.began):
            next(n for n in count(1) if self.jobs.add(self.partial, f"{key}#{n}", payload, self.began))
        return not partial


def _cost_usd(payload: Mapping[str, Any]) -> Decimal:
    return Decimal(payload["cost_usd"])
