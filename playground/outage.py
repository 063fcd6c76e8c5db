"""An outage for a demo: calls to a provider fail after a wait; and what failed tries added to a stage's latency."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from playground.errors import CallFailed, Cancelled
from playground.health import place_of
from playground.middleware import Through
from playground.records import Completion, Receipt, Request
from playground.watch import Complete, Watch

WAIT_S = 1.2
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Outage(Through):
    """Stands inside failover. No call goes out to `places`, named as by `health.place_of`: it fails after `wait_s` seconds."""

    places: frozenset[str]
    wait_s: float = WAIT_S
    sleep: Callable[[float], None] = time.sleep

    def call(self, request: Request, watch: Watch, proceed: Complete) -> Completion:
        """Wait and fail, or pass the call on. Raises `CallFailed` of kind timeout, or `Cancelled`."""
        model = request.candidate.model
        if place_of(model) not in self.places:
            return proceed(request, watch)
        wait_s = min(self.wait_s, request.timeout_s)
        left_s = wait_s
        while left_s > 0:
            if watch.cancelled():
                raise Cancelled(candidate=request.candidate)
            self.sleep(min(left_s, _POLL_S))
            left_s -= _POLL_S
        raise CallFailed(
            "timeout", f"{model.provider} is switched off for a demo: no answer within {wait_s:.1f} seconds."
        )


def added_s(receipts: Sequence[Receipt]) -> float | None:
    """Seconds that failed tries and the waits after them added to a stage, whose calls run side by side; `None` without any.

    A try that is not known to have taken time, such as one at a provider that was known to be down, added none.
    """
    by_call: dict[int, float] = {}
    for r in receipts:
        if r.outcome == "failed":
            by_call[r.call] = by_call.get(r.call, 0.0) + (r.latency_s or 0.0) + r.waited_s
    return max(by_call.values()) if by_call else None
