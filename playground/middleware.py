"""What stands around a run: guardrails, caches, failover and caps, each one small part that knows nothing of the others.

A part may open anew for each ticket, stand around every call, and look at every finished step. The first of a list is the
outermost: it sees a call first and its answer last.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import ClassVar, Protocol

from playground.records import Completion, Context, Handover, Plan, Request, Step, Ticket
from playground.watch import Complete, Watch


class Middleware(Protocol):
    """One part. Calls of one ticket may run side by side, and so may tickets: what is shared needs a lock."""

    reroutes: ClassVar[bool]
    """Whether it finds who answers in place of a model that fails; then nothing else does."""

    def opened(self, ticket: Ticket, plan: Plan, done: Sequence[Step]) -> Middleware:
        """The part for one run of a ticket, whose steps in `done` ran before; itself where it keeps nothing of a run."""

    def call(self, request: Request, watch: Watch, proceed: Complete) -> Completion:
        """Answer a call, by `proceed` or without. Raises `CallFailed`, `Cancelled`, or `HandedOver` before a call goes out."""

    def after(self, step: Step, context: Context) -> Handover | None:
        """Why the ticket goes to a person after this step, or `None`."""


class Through:
    """Lets everything through; a part overrides what it does."""

    reroutes: ClassVar[bool] = False

    def opened(self, ticket: Ticket, plan: Plan, done: Sequence[Step]) -> Middleware:
        """Keep nothing of a run."""
        return self

    def call(self, request: Request, watch: Watch, proceed: Complete) -> Completion:
        """Pass the call on."""
        return proceed(request, watch)

    def after(self, step: Step, context: Context) -> Handover | None:
        """Find nothing."""
        return None


def around(parts: Sequence[Middleware], complete: Complete) -> Complete:
    """One way to answer calls, through every part."""
    return reduce(_inside, reversed(parts), complete)


def _inside(proceed: Complete, part: Middleware) -> Complete:
    return lambda request, watch: part.call(request, watch, proceed)
