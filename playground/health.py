"""Which providers answer, known to every ticket of a process: a circuit breaker for each.

    closed      calls go out; so many failures in a row open it
    open        no call goes out for a while, or for as long as the provider asked
    half-open   one call at a time finds out: it closes the breaker, or opens it again for twice as long
    refused     the provider refused the key; nothing goes out until the key is another one

An account without credit opens it for long. A model that a key may not use is left alone for as long, and no other model with it.

    down        a person switched the provider off

After Nygard, Release It! (2nd ed. 2018), "Circuit Breaker". A result counts only if the breaker has not changed since its call
went out, so a slow success from before an outage closes nothing. Every wait is measured from its own start and starts again where
the clock has gone back, so that a clock that jumps makes a wait shorter or up to twice as long, never endless.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from threading import Lock
from time import monotonic
from typing import Literal

from playground.errors import BadInput
from playground.records import FailureKind, Model

COUNTED: frozenset[FailureKind] = frozenset(
    {"rate_limit", "server", "timeout", "cut_stream", "connection", "malformed"}
)
"""What counts as a provider's failure. A bad request is the request's own fault, and `auth` is the key's."""
LONGEST_ASKED_S = 600.0
"""A provider that asks for a longer wait is asked again after this."""

State = Literal["closed", "open", "half-open", "refused", "down"]


def place_of(model: Model) -> str:
    """Where a model is called: its endpoint, or its provider's own address, which goes by the provider's name."""
    return model.endpoint or model.provider


@dataclass(frozen=True, slots=True)
class Breaker:
    """When a breaker opens and for how long. Raises `BadInput` for figures that make no sense."""

    failures_to_open: int = 3
    """In a row."""
    cooldown_s: float = 10.0
    longest_cooldown_s: float = 300.0
    """The cooldown doubles with every probe that fails, up to this."""

    def __post_init__(self) -> None:
        if self.failures_to_open < 1:
            raise BadInput(f"failures_to_open must be 1 or more, not {self.failures_to_open}.")
        if not (isfinite(self.longest_cooldown_s) and 0 < self.cooldown_s <= self.longest_cooldown_s):
            raise BadInput("cooldown_s must be above zero, and longest_cooldown_s at least as long; both in seconds.")


_OPEN = {"no_credit": "is out of credit", "no_access": "does not let this key use the model"}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a provider stands. `wait_s` is what is left until it is asked again; `kind` is how it failed last."""

    state: State
    failures: int = 0
    wait_s: float = 0.0
    kind: FailureKind | None = None

    def sentence(self, provider: str) -> str:
        """Why a call does not go out."""
        if self.state == "down":
            return f"{provider} is switched off, so it was not asked."
        if self.state == "refused":
            return f"{provider} refused the key, so it is not asked until there is another one."
        if self.state == "half-open":
            return f"{provider} is down, and another call is finding out whether it is back."
        why = _OPEN.get(self.kind or "", "is down")
        return f"{provider} {why}, so it was not asked. The next try is in {max(1, round(self.wait_s))} seconds."


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to make one call; give it back with what became of the call."""

    place: str
    key: str
    turn: int
    probe: bool = False
    model: str = ""


@dataclass(slots=True)
class _Line:
    """One provider under one key. `turn` counts its changes; it is open while `wait_s` is not `None`."""

    turn: int = 0
    failures: int = 0
    openings: int = 0
    """In a row, without a success between."""
    since: float = 0.0
    wait_s: float | None = None
    probing: bool = False
    refused: bool = False
    kind: FailureKind | None = None


class Health:
    """Every provider's breaker; safe to share between threads. Places are named as by `place_of`.

    `key` is a short name for the key that calls are made with, never the key itself. Limits and refusals belong to a key, so each
    key has a breaker of its own, and another key starts afresh. `clock` gives seconds that only rise.
    """

    def __init__(self, breaker: Breaker | None = None, clock: Callable[[], float] = monotonic) -> None:
        self._rules, self._clock = breaker or Breaker(), clock
        self._lock = Lock()
        self._lines: dict[tuple[str, str], _Line] = {}
        self._barred: dict[tuple[str, str, str], _Line] = {}
        self._down: set[str] = set()

    def take_down(self, place: str) -> None:
        """Switch a provider off, as in an outage, until `bring_up`."""
        with self._lock:
            self._down.add(place)

    def bring_up(self, place: str) -> None:
        """Switch a provider on, and forget how it failed: a person says that it answers again, or that its key does."""
        with self._lock:
            self._down.discard(place)
            for barred in [k for k in self._barred if k[0] == place]:
                del self._barred[barred]
            for key in [k for k in self._lines if k[0] == place]:
                self._lines[key] = _Line(turn=self._lines[key].turn + 1)

    def standing(self, place: str, key: str = "") -> Standing:
        """How a provider stands; asking changes nothing."""
        with self._lock:
            return self._standing(place, self._line(place, key))

    def admit(self, place: str, key: str = "", model: str = "") -> Permit | Standing:
        """Leave to call a model at a provider, or how that stands where it is not to be called now."""
        with self._lock:
            line = self._line(place, key)
            stands = self._standing(place, line)
            if stands.state not in ("closed", "half-open"):
                return stands
            barred = self._barred.get((place, key, model))
            if barred is not None and (left_s := self._left_s(barred)) > 0:
                return Standing("open", stands.failures, left_s, "no_access")
            if stands.state == "closed":
                return Permit(place, key, line.turn, model=model)
            if line.probing:
                return stands
            line.probing = True
            return Permit(place, key, line.turn, probe=True, model=model)

    def succeeded(self, permit: Permit) -> None:
        """The call was answered."""
        with self._lock:
            line = self._line(permit.place, permit.key)
            if line.turn == permit.turn:
                turn = line.turn + (line.wait_s is not None)
                self._lines[permit.place, permit.key] = _Line(turn=turn)

    def failed(self, permit: Permit, kind: FailureKind, retry_after_s: float | None = None) -> None:
        """The call failed. What is no fault of the provider's changes nothing; a wait that it asked for is kept at once."""
        with self._lock:
            line = self._line(permit.place, permit.key)
            if line.turn != permit.turn:
                return
            if kind == "auth":
                line.refused, line.kind, line.turn = True, kind, line.turn + 1
            elif kind == "no_credit":
                line.failures, line.kind = line.failures + 1, kind
                self._open(line, LONGEST_ASKED_S)
            elif kind == "no_access":
                line.probing = False
                self._barred[permit.place, permit.key, permit.model] = _Line(
                    since=self._clock(), wait_s=LONGEST_ASKED_S
                )
            elif kind in COUNTED:
                self._count(line, kind, min(max(retry_after_s or 0.0, 0.0), LONGEST_ASKED_S))
            else:
                line.probing = False

    def release(self, permit: Permit) -> None:
        """The call says nothing of the provider: it was cancelled, or never sent."""
        with self._lock:
            line = self._line(permit.place, permit.key)
            if line.turn == permit.turn and permit.probe:
                line.probing = False

    def _line(self, place: str, key: str) -> _Line:
        return self._lines.setdefault((place, key), _Line())

    def _standing(self, place: str, line: _Line) -> Standing:
        if place in self._down:
            return Standing("down", line.failures, kind="down")
        if line.refused:
            return Standing("refused", line.failures, kind=line.kind)
        if line.wait_s is None:
            return Standing("closed", line.failures, kind=line.kind)
        left_s = self._left_s(line)
        return Standing("open" if left_s > 0 else "half-open", line.failures, max(left_s, 0.0), line.kind)

    def _left_s(self, line: _Line) -> float:
        return 0.0 if line.wait_s is None else line.wait_s - self._passed_s(line)

    def _passed_s(self, line: _Line) -> float:
        now = self._clock()
        if now < line.since:
            line.since = now
        return now - line.since

    def _count(self, line: _Line, kind: FailureKind, asked_s: float) -> None:
        line.failures, line.kind = line.failures + 1, kind
        if line.wait_s is not None or line.failures >= self._rules.failures_to_open:
            # More doublings than this are past every longest cooldown, and past what a float holds.
            cooldown_s = self._rules.cooldown_s * 2.0 ** min(line.openings, 60)
            line.openings += 1
            self._open(line, max(asked_s, min(cooldown_s, self._rules.longest_cooldown_s)))
        elif asked_s:
            self._open(line, asked_s)

    def _open(self, line: _Line, wait_s: float) -> None:
        line.since, line.wait_s, line.probing, line.turn = self._clock(), wait_s, False, line.turn + 1
