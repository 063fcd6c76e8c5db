"""Ceilings on what is spent: on one call, on one ticket, and on a run of many tickets side by side.

Place it innermost, inside failover, so that every try at every provider is held to the caps: `(guardrails ..., cache, Failover,
Caps)`. A call that a cache answers never gets here and needs no room.

Before a call goes out, the most that it can cost (`worst_case.request_usd`) is set aside from every cap at once; after it, what it
did cost is entered and the rest set free. So no interleaving of calls sends one that could cross a cap. A call that fits but for
what others have set aside waits for them. One that cannot fit is not sent, and the ticket goes to a person.

What is entered is what the receipts say. Where a live provider reported no usage, that is our own count, and it may bill more. So
the room for that stays set aside (`unsure_usd`): all of it for a call that broke off, timed out or was given up, which may have
thought and written more than arrived; the margin of the count for one that was answered. Should a provider bill more than the
most it was thought to, the excess shows as `over_usd` and stops what comes after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import ceil
from threading import Condition, Lock

from playground.errors import BadInput, CallFailed, Cancelled, HandedOver
from playground.middleware import Middleware, Through
from playground.money import ZERO, usd
from playground.receipts import billed_usd
from playground.records import Candidate, Completion, Plan, Request, Step, Ticket, Try
from playground.watch import Complete, Watch
from playground.worst_case import PRIVATE_TOKENIZERS, request_usd

POLL_S = 0.05
CEILING, CALL_CAP, RUN_CAP = "cost ceiling", "call cap", "run cap"
CAP_RULES = (CEILING, CALL_CAP, RUN_CAP)
"""What a handover by a cap is named."""
MULTIPLE = Decimal(3)
Expected = Callable[[Ticket, Plan], Decimal | None]
"""What a whole ticket should cost under a plan, in USD; `None` where that is not known (`expected_cost.ticket_usd`)."""


def _checked(amount: Decimal, what: str) -> Decimal:
    if not (amount.is_finite() and amount >= 0):
        raise BadInput(f"{what} must be zero or more, not {amount}.")
    return amount


class Purse:
    """A cap on what is spent together. Safe to share between threads. Raises `BadInput` for a cap below zero or without end."""

    def __init__(self, cap_usd: Decimal, spent_usd: Decimal = ZERO, unsure_usd: Decimal = ZERO) -> None:
        self.cap_usd = _checked(cap_usd, "A cap on spending")
        self._spent_usd, self._unsure_usd, self._aside_usd = spent_usd, unsure_usd, ZERO
        self._changed = Condition()

    @property
    def spent_usd(self) -> Decimal:
        """What finished calls have cost, as on their receipts."""
        with self._changed:
            return self._spent_usd

    @property
    def unsure_usd(self) -> Decimal:
        """What may still be billed for calls whose usage no provider reported; room is kept for it."""
        with self._changed:
            return self._unsure_usd

    @property
    def over_usd(self) -> Decimal:
        """How far finished calls have cost more than the cap; above zero only where a provider billed more than it could."""
        return max(ZERO, self.spent_usd - self.cap_usd)

    def set_aside(self, most_usd: Decimal, watch: Watch) -> bool:
        """Keep room for a call, or say that there is none; waits while only calls under way are in its place.

        Raises `Cancelled` where the watch says so meanwhile.
        """
        with self._changed:
            while self._spent_usd + self._unsure_usd + most_usd <= self.cap_usd:
                if self._spent_usd + self._unsure_usd + self._aside_usd + most_usd <= self.cap_usd:
                    self._aside_usd += most_usd
                    return True
                self._changed.wait(POLL_S)
                if watch.cancelled():
                    raise Cancelled
            return False

    def enter(self, most_usd: Decimal, cost_usd: Decimal, unsure_usd: Decimal = ZERO) -> None:
        """A call that had this much set aside is over: it cost so much, and so much more may be billed."""
        with self._changed:
            self._aside_usd -= most_usd
            self._spent_usd += cost_usd
            self._unsure_usd += unsure_usd
            self._changed.notify_all()


class Tickets:
    """The purses of the last tickets of a session, a thousand at most. Safe to share between threads."""

    def __init__(self, most: int = 1_000) -> None:
        self._most, self._lock = most, Lock()
        self._kept: dict[tuple[str, ...], Purse] = {}

    def of(self, ticket: Ticket, plan: Plan) -> Purse | None:
        """The purse of a ticket's last run under a plan; `None` where it is not known."""
        with self._lock:
            return self._kept.get((ticket.id, ticket.subject, ticket.text, plan))

    def keep(self, ticket: Ticket, plan: Plan, purse: Purse) -> None:
        """Remember the purse of a run that begins."""
        with self._lock:
            key = (ticket.id, ticket.subject, ticket.text, plan)
            self._kept.pop(key, None)
            self._kept[key] = purse
            if len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]


@dataclass(frozen=True, slots=True)
class Ceiling:
    """One cap as a call meets it: `of` is what it is on, `rule` its name in a handover, `why` how its amount came about.

    `purse` is `None` where the amount cannot be known, and then nothing goes out under it. `shut` was set to zero by the user: it
    holds back even what is free.
    """

    rule: str
    of: str
    purse: Purse | None
    why: str = ""
    shut: bool = False

    def set_aside(self, most_usd: Decimal, request: Request, watch: Watch) -> None:
        """Keep room for a call. Raises `HandedOver` where there is none."""
        if self.shut:
            raise HandedOver(self.rule, f"The cap on {self.of} is zero, so no call goes out. Raise it to run.")
        if self.purse is None:
            why = "a model that it would use has no price, so its ceiling is not known and no call goes out."
            raise HandedOver(self.rule, f"What {self.of} should cost is not known: {why} Give it a price.")
        if not self.purse.set_aside(most_usd, watch):
            raise HandedOver(self.rule, self._no_room(most_usd, request.candidate, self.purse))

    def _no_room(self, most_usd: Decimal, candidate: Candidate, purse: Purse) -> str:
        spent, cap = purse.spent_usd, f"{usd(purse.cap_usd)}{self.why}"
        so_far = f"{usd(spent)} of {cap} is spent" if spent else f"the cap is {cap}"
        if unsure := purse.unsure_usd:
            so_far += f", and {usd(unsure)} more may be billed for calls that reported no usage"
        return (
            f"A call to {candidate.key} can cost up to {usd(most_usd)}, which could cross the cap on {self.of}: {so_far}. "
            "It was not sent."
        )


@dataclass(frozen=True, slots=True)
class Caps(Through):
    """Any of three ceilings. `run` is shared by every ticket of a batch: make one for each batch.

    `expected` is what a ticket should cost, or how to find out; its ceiling is `multiple` times that. Raises `BadInput` for an
    amount that is negative or not finite. An amount of zero holds back every call.
    """

    expected: Decimal | Expected | None = None
    multiple: Decimal = MULTIPLE
    call_usd: Decimal | None = None
    run: Purse | None = None
    ticket: Ceiling | None = None
    """The ceiling of the ticket under way; `opened` sets it."""
    tickets: Tickets | None = None
    """What tickets have cost before, for one that goes on from a stage: steps that are run again were paid for too."""

    def __post_init__(self) -> None:
        _checked(self.multiple, "The cost ceiling's multiple")
        if isinstance(self.expected, Decimal):
            _checked(self.expected, "The expected cost of a ticket")
        if self.call_usd is not None:
            _checked(self.call_usd, "The cap on one call")

    def opened(self, ticket: Ticket, plan: Plan, done: Sequence[Step]) -> Middleware:
        """The caps for one run of a ticket; what its earlier steps cost counts."""
        if self.expected is None:
            return self
        expected = self.expected(ticket, plan) if callable(self.expected) else self.expected
        purse = None if expected is None else self._purse(expected * self.multiple, ticket, plan, done)
        why = f", {self.multiple:f} times what it should cost"
        return replace(self, ticket=Ceiling(CEILING, "this ticket", purse, why, shut=not self.multiple))

    def _purse(self, cap_usd: Decimal, ticket: Ticket, plan: Plan, done: Sequence[Step]) -> Purse:
        spent = sum((r.cost_usd for s in done for r in s.receipts if r.cost_usd is not None), ZERO)
        if self.tickets is None:
            return Purse(cap_usd, spent)
        before = self.tickets.of(ticket, plan) if done else None
        purse = (
            Purse(cap_usd, spent) if before is None else Purse(cap_usd, max(spent, before.spent_usd), before.unsure_usd)
        )
        self.tickets.keep(ticket, plan, purse)
        return purse

    def call(self, request: Request, watch: Watch, proceed: Complete) -> Completion:
        """Make a call that no cap speaks against. Raises `HandedOver` before one that could cross a cap."""
        ceilings = tuple(c for c in (self._one_call(), self.ticket, self._whole_run()) if c is not None)
        if not ceilings:
            return proceed(request, watch)
        most = request_usd(request)
        if most is None:
            why = f"{request.candidate.key} has no known price, so it cannot be held to a cap on spending and was not called."
            raise HandedOver(ceilings[0].rule, f"{why} Give it a price, choose another model, or take the cap off.")
        purses = _set_aside(ceilings, most, request, watch)
        ended = _Ended(request, most)
        try:
            done = proceed(request, watch)
            ended.answered(done)
            return done
        except CallFailed as failure:
            ended.broke_off(failure.last or Try(request.candidate, failure.kind, "", failure.partial), *failure.tries)
            raise
        except Cancelled as stop:
            ended.broke_off(Try(stop.candidate or request.candidate, "down", "", stop.partial), *stop.tries)
            raise
        except HandedOver as held:
            ended.broke_off(*held.tries)
            raise
        finally:
            for purse in purses:
                purse.enter(most, ended.cost_usd, ended.unsure_usd)

    def _one_call(self) -> Ceiling | None:
        if self.call_usd is None:
            return None
        return Ceiling(CALL_CAP, "one call", Purse(self.call_usd), shut=not self.call_usd)

    def _whole_run(self) -> Ceiling | None:
        return None if self.run is None else Ceiling(RUN_CAP, "this run", self.run, shut=not self.run.cap_usd)


def _set_aside(ceilings: Sequence[Ceiling], most_usd: Decimal, request: Request, watch: Watch) -> list[Purse]:
    """Keep room under every ceiling, or under none. The run's comes last: who waits for it waits for calls, never for a waiter."""
    kept: list[Purse] = []
    try:
        for ceiling in ceilings:
            ceiling.set_aside(most_usd, request, watch)
            assert ceiling.purse is not None
            kept.append(ceiling.purse)
    except BaseException:
        for purse in kept:
            purse.enter(most_usd, ZERO)
        raise
    return kept


class _Ended:
    """What a call cost and what more it may be billed. An unforeseen error is taken to have cost the most."""

    def __init__(self, request: Request, most_usd: Decimal) -> None:
        self._request, self._most_usd = request, most_usd
        self.cost_usd, self.unsure_usd = most_usd, ZERO

    def answered(self, done: Completion) -> None:
        """By this, after the tries that it carries."""
        self.broke_off(*done.tries)
        own = billed_usd(done, done.candidate or self._request.candidate)
        if own is None:
            self.cost_usd, self.unsure_usd = self._most_usd, ZERO
        else:
            self.cost_usd += own
            self.unsure_usd += max(ZERO, self._most_of(done) - own) if _guessed(done) else ZERO

    def broke_off(self, *tries: Try) -> None:
        """After these tries, none of which was answered."""
        costs = [billed_usd(t.partial, t.candidate) for t in tries if t.partial is not None]
        self.cost_usd = self._most_usd if None in costs else sum((c for c in costs if c is not None), ZERO)
        if any(t.partial is not None and _guessed(t.partial) for t in tries):
            self.unsure_usd = max(ZERO, self._most_usd - self.cost_usd)

    def _most_of(self, done: Completion) -> Decimal:
        longest = min(self._request.max_output_tokens, ceil(done.usage.output_tokens * PRIVATE_TOKENIZERS))
        return request_usd(replace(self._request, max_output_tokens=longest)) or ZERO


def _guessed(done: Completion) -> bool:
    """Whether a live provider was paid by our own count. What is rehearsed is paid to nobody."""
    return done.provenance == "live" and done.source == "model" and done.usage.counted != "provider"
