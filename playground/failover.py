"""A call goes on at an equivalent where its own provider fails, and every try is kept and billed.

Place it inside what may answer without a call (caches) and outside what must see every try (caps): of the middleware that is
`(guardrails ..., cache, Failover, Caps)`.

A failed call is repeated at the same provider where that may help, after a wait with full jitter (Brooker 2015, "Exponential
Backoff And Jitter") or after the wait that the provider asked for where that is short, and only while the shared retry budget
lasts. Then the equivalents are asked in order, each at most once, where a rule allows it and its provider is not known to be
down; last, by the same rule, whom the stage would climb to. What was asked for is always asked first; nothing goes out after the
deadline.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar, NoReturn

from playground.catalog import reasoning_tokens
from playground.equivalents import Allowed, Equivalents, in_order, listed_for
from playground.errors import CallFailed, Cancelled, HandedOver
from playground.health import Health, Permit, Standing, place_of
from playground.loop import THINKING_ROOM
from playground.middleware import Through
from playground.patience import HAPPENED, REPEATED, USUAL, Patience
from playground.records import Candidate, Completion, FailureKind, Model, Request, Try
from playground.retry_budget import RetryBudget
from playground.watch import Complete, Watch

_POLL_S = 0.05
_LATER_S = 0.01
"""Beyond a wait that was asked for: two clocks do not agree to the last digit."""
_NEARLY = 0.9


def _no_key(model: Model) -> str:
    return ""


def _unknown(stage: str, candidate: Candidate) -> float | None:
    return None


@dataclass(frozen=True, slots=True)
class Failover(Through):
    """Stands around calls. `health` and `budget` are shared by all tickets of a process.

    `key_of` names the key that a model is called with, never the key itself (`Gateway.key_id`); `quality` is the estimate of a
    candidate at a stage, for the rehearsal. `clock`, `sleep` and `jitter` (0 to 1) are the outside world.
    """

    reroutes: ClassVar[bool] = True
    equivalents: Equivalents
    allowed: Allowed
    health: Health
    budget: RetryBudget
    patience: Patience = USUAL
    key_of: Callable[[Model], str] = _no_key
    quality: Callable[[str, Candidate], float | None] = _unknown
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def call(self, request: Request, watch: Watch, proceed: Complete) -> Completion:
        """Answer a call by its candidate or an equivalent. Raises `CallFailed`, `Cancelled` or `HandedOver` with all tries."""
        return _Walk(self, request, watch, proceed).run()


@dataclass(slots=True)
class _Walk:
    """One call on its way through the candidates."""

    by: Failover
    request: Request
    watch: Watch
    proceed: Complete
    tries: list[Try] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    retry_after_s: float | None = None
    ends: float = 0.0

    def run(self) -> Completion:
        by, own = self.by, self.request.candidate
        by.budget.deposit()
        self.ends = by.clock() + by.patience.deadline_factor * self.request.timeout_s
        done = self._ask(own, "")
        if done is not None:
            return done
        listed = in_order(by.equivalents, own)
        for candidate in () if self._final() else self._others(listed):
            ruling = by.allowed(self.request, candidate)
            if not ruling.ok:
                self.left_out.append(f"{candidate.key}: {ruling.sentence}")
                continue
            done = self._ask(candidate, self._rule(candidate, ruling.sentence, candidate in listed))
            if done is not None:
                return done
            if self._final():
                break
        self._give_up()

    def _others(self, listed: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        """Everybody else, each once; an answer that was rejected is not asked for again. Nobody else's vectors can stand in."""
        if self.request.output.kind == "vector":
            return ()
        not_again = (self.request.candidate, *self.request.rejected)
        return tuple(c for c in dict.fromkeys((*listed, *self.request.rungs)) if c not in not_again)

    def _rule(self, candidate: Candidate, allowed_by: str, is_listed: bool) -> str:
        last = self.tries[-1]
        why = f"{last.candidate.model.provider} {HAPPENED[self._kind]}"
        is_own = candidate in listed_for(self.by.equivalents, self.request.candidate)
        listed = "is listed as an equivalent" if is_own else "is an equivalent of one that is listed"
        place = listed if is_listed else "is the next step up"
        return f"failover: {why}; {candidate.key} {place}, {allowed_by}"

    @property
    def _kind(self) -> FailureKind:
        """How the last try failed."""
        kind = self.tries[-1].kind
        assert kind is not None, "only what failed is kept here last"
        return kind

    def _final(self) -> bool:
        """Whether nobody else is asked: the request is at fault, or its time is up."""
        refused = self.tries[-1].kind == "bad_request" and not self.by.patience.after_bad_request
        return refused or self._left_s() <= 0

    def _left_s(self) -> float:
        return self.ends - self.by.clock()

    def _ask(self, candidate: Candidate, rule: str) -> Completion | None:
        """Ask one candidate, again where it may help; `None` where it gave no answer."""
        for number in range(self.by.patience.repeats + 1):
            model = candidate.model
            permit = self._admitted(model)
            if isinstance(permit, Standing):
                if not number:  # a repeat that is not sent leaves no trace beside the try before it
                    kind: FailureKind = "auth" if permit.state == "refused" else "down"
                    self.tries.append(Try(candidate, kind, permit.sentence(model.provider), rule=rule, latency_s=0.0))
                return None
            done = self._try(permit, candidate, rule)
            if done is not None or not self._again(number):
                return done
        return None

    def _admitted(self, model: Model) -> Permit | Standing:
        """Leave to call a model. Vectors have a breaker of their own: what befalls them says little of answers, and the reverse.

        A provider limits each model apart, and a vector that arrives must not hide that answers fail.
        """
        place, key = place_of(model), self.by.key_of(model)
        stands = self.by.health.standing(place, key)
        if self._key(model) != key and stands.state not in ("closed", "half-open"):
            return stands
        return self.by.health.admit(place, self._key(model), model.id)

    def _key(self, model: Model) -> str:
        key = self.by.key_of(model)
        return f"{key} vectors" if self.request.output.kind == "vector" else key

    def _try(self, permit: Permit, candidate: Candidate, rule: str) -> Completion | None:
        asked, health = self._asked(candidate), self.by.health
        if self.tries:
            self.watch.restart(asked)
        started, verdict = self.by.clock(), False
        try:
            done = self.proceed(asked, self.watch)
            verdict = True
            health.succeeded(permit)
        except CallFailed as failure:
            verdict = True
            self._failed(failure, permit, asked, rule, max(0.0, self.by.clock() - started))
            return None
        except Cancelled as stop:
            stop.tries, stop.rule = (*self.tries, *stop.tries), rule or stop.rule
            stop.candidate = stop.candidate or candidate
            raise
        except HandedOver as held:
            held.tries = (*self.tries, *held.tries)
            raise
        finally:
            if not verdict:
                health.release(permit)
        return self._whole(done, candidate, rule)

    def _asked(self, candidate: Candidate) -> Request:
        """The request as this candidate gets it: room for its own thinking, and no more time than is left."""
        request, typical = self.request, self.request.typical_output_tokens
        timeout_s = min(request.timeout_s, max(self._left_s(), _POLL_S))
        if candidate == request.candidate:
            return request if timeout_s == request.timeout_s else replace(request, timeout_s=timeout_s)
        thinking = reasoning_tokens(candidate, typical) - reasoning_tokens(request.candidate, typical)
        return replace(
            request,
            candidate=candidate,
            max_output_tokens=request.max_output_tokens + THINKING_ROOM * thinking,
            quality=self.by.quality(request.prompt.stage, candidate),
            timeout_s=timeout_s,
        )

    def _failed(self, failure: CallFailed, permit: Permit, asked: Request, rule: str, latency_s: float) -> None:
        if failure.kind == "timeout" and asked.timeout_s < _NEARLY * self.request.timeout_s:
            # It had only what was left of the deadline, which says little about the provider.
            self.by.health.release(permit)
        else:
            self.by.health.failed(permit, failure.kind, failure.retry_after_s)
        self.retry_after_s = failure.retry_after_s
        last = failure.last or Try(asked.candidate, failure.kind, str(failure), failure.partial)
        self.tries += [*failure.tries, replace(last, rule=rule or last.rule, latency_s=latency_s)]

    def _whole(self, done: Completion, candidate: Candidate, rule: str) -> Completion:
        if not self.tries:
            return done
        moved = candidate != self.request.candidate
        return replace(
            done,
            candidate=done.candidate or (candidate if moved else None),
            rule=rule or done.rule,
            tries=(*self.tries, *done.tries),
        )

    def _again(self, number: int) -> bool:
        """Whether to repeat the last try; if so, the wait is over."""
        by, last = self.by, self.tries[-1]
        if number >= by.patience.repeats or last.kind not in REPEATED or not self._worth_it(last.candidate):
            return False
        asked_s, jitter_s = self.retry_after_s or 0.0, by.patience.backoff_s * 2.0**number * by.jitter()
        wait_s = asked_s + max(jitter_s, _LATER_S if asked_s else 0.0)
        if asked_s > by.patience.longest_wait_s or wait_s >= self._left_s() or not by.budget.withdraw():
            return False
        self._wait(wait_s)
        return True

    def _worth_it(self, candidate: Candidate) -> bool:
        """Whether the provider may be asked again: not where it has just been found to be down, but where it asked to wait."""
        model = candidate.model
        stands = self.by.health.standing(place_of(model), self._key(model))
        return stands.state in ("closed", "half-open") or bool(
            self.retry_after_s and stands.wait_s <= self.retry_after_s
        )

    def _wait(self, seconds: float) -> None:
        left_s = seconds
        while left_s > 0:
            if self.watch.cancelled():
                last = self.tries[-1]
                raise Cancelled(tries=tuple(self.tries), candidate=last.candidate, rule=last.rule)
            step_s = min(left_s, _POLL_S)
            self.by.sleep(step_s)
            left_s -= step_s
        self.tries[-1] = replace(self.tries[-1], waited_s=seconds)

    def _give_up(self) -> NoReturn:
        *before, last = self.tries
        message = " ".join((last.message, *self._why_nobody_else()))
        raise CallFailed(
            self._kind, message, last.partial, tuple(before), self.retry_after_s, replace(last, message=message)
        )

    def _why_nobody_else(self) -> list[str]:
        said = [f"Left out: {'; '.join(self.left_out)}."] if self.left_out else []
        if self.tries[-1].kind != "bad_request" and self._left_s() <= 0:
            limit_s = self.by.patience.deadline_factor * self.request.timeout_s
            said.append(f"The {limit_s:g} seconds for all tries of this call are up.")
        return said
