"""A day's digest: spend against the forecast, what was saved, what moved, what went wrong, and who spent most.

All money is the ledger's. Days are in UTC. Receipts of one provenance only: rehearsed, live and recorded ones are never added up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Literal, Protocol

from playground.digest.forecast import Expected, expected
from playground.ledger import EVERYTHING, By, Filter, Spend
from playground.money import Total
from playground.records import Event, EventKind, Provenance, Purpose

Moved = Literal["model", "stage", "customer"]
MOVED: tuple[Moved, ...] = ("model", "stage", "customer")
PROVENANCES: tuple[Provenance, ...] = ("live", "recorded", "rehearsal")
"""In the order in which a digest is made of them, where nobody says which."""
DAYS_BEFORE = 7
TOP = 5
MOST_MOVERS = 3
SERVING: tuple[Purpose, ...] = ("ticket", "sample")
"""Purposes whose calls answer a ticket: only these have a cost before. The rest are evaluations."""
ALARMS: tuple[EventKind, ...] = ("drift", "cap", "handover", "failover")
VERDICTS: tuple[EventKind, ...] = ("cut over", "keep")


class Books(Protocol):
    """The part of a ledger that a digest reads."""

    def spend(self, by: Sequence[By] = ..., where: Filter = ..., tickets: bool = ...) -> tuple[Spend, ...]:
        """Sums of receipts."""

    def events(self, where: Filter = ..., kinds: Sequence[EventKind] = ...) -> tuple[Event, ...]:
        """Events, the oldest first."""


@dataclass(frozen=True, slots=True)
class Line:
    """What one model, stage, plan, customer or day spent; `name` is `None` where no customer is named."""

    name: str | None
    cost: Total
    tickets: int | None = None
    """Those that were answered."""


@dataclass(frozen=True, slots=True)
class Mover:
    """Something whose spend changed: that day, and on an average day of those before."""

    kind: Moved
    name: str
    now: Total
    usual: Total

    @property
    def change_usd(self) -> Decimal:
        """By how much, of what has a price."""
        return self.now.known_usd - self.usual.known_usd


@dataclass(frozen=True, slots=True)
class Alarm:
    """Events of one kind and cause: how many, and the last one's sentence."""

    kind: EventKind
    cause: str
    count: int
    said: str


@dataclass(frozen=True, slots=True)
class Digest:
    """One day. `so_far` says that it was not over at `made_at`."""

    day: date
    so_far: bool
    made_at: datetime
    provenance: Provenance
    cost: Total
    attempts: int
    failed: int
    failed_usd: Decimal
    tickets: int
    """Tickets that were answered; those that were only evaluated are not among them."""
    serving: Total
    """The part of the cost that answered tickets; the rest went into evaluations."""
    before: Total
    """What the same calls cost on the models of today."""
    cached_usd: Decimal
    """What the app's own caches saved."""
    forecast: Expected | None
    days: tuple[Line, ...]
    """The day and those before it that have receipts, the oldest first."""
    days_before: int
    """How many days the movers are compared with; 0 where there is nothing before."""
    models: tuple[Line, ...]
    stages: tuple[Line, ...]
    plans: tuple[Line, ...]
    customers: tuple[Line, ...]
    """Those with tickets that were served, by what these cost: evaluations serve nobody."""
    customers_count: int
    unattributed: Line | None
    movers: tuple[Mover, ...]
    alarms: tuple[Alarm, ...]
    verdicts: tuple[Event, ...]
    """Evaluations that were decided that day, of the digest's provenance."""

    @property
    def saved_usd(self) -> Decimal | None:
        """Before less now, for the calls that answered tickets; `None` where either has an unpriced part."""
        if self.before.exact_usd is None or self.serving.exact_usd is None:
            return None
        return self.before.exact_usd - self.serving.exact_usd


def provenance_of(books: Books, day: date) -> Provenance | None:
    """The provenance that a day's digest is made of: live receipts where there are any. `None` for a day without receipts."""
    held = {s.key[0] for s in books.spend(("provenance",), Filter(since=day, until=day), tickets=False)}
    return next((p for p in PROVENANCES if p in held), None)


def make_digest(books: Books, day: date, provenance: Provenance, now: datetime) -> Digest:
    """A day's digest as the ledger stands. `now` is aware of its zone. Raises `LedgerError` where the ledger cannot be read."""
    on = Filter(provenance=provenance, since=day, until=day)
    (whole,) = books.spend((), on)
    (serving,) = books.spend((), replace(on, purposes=SERVING))
    first, days_before = _days_before(books, day, provenance)
    customers = _lines(books, "customer", replace(on, purposes=SERVING))
    named = tuple(c for c in customers if c.name is not None)
    return Digest(
        day=day,
        so_far=now.astimezone(UTC).date() <= day,
        made_at=now.astimezone(UTC),
        provenance=provenance,
        cost=whole.total,
        attempts=whole.attempts,
        failed=whole.failed,
        failed_usd=whole.failed_usd,
        tickets=serving.tickets or 0,
        serving=serving.total,
        before=serving.before,
        cached_usd=whole.saved_usd,
        forecast=expected(books.events(EVERYTHING, ("forecast",)), day),
        days=_by_day(books, Filter(provenance=provenance, since=day - timedelta(DAYS_BEFORE), until=day)),
        days_before=days_before,
        models=_lines(books, "model", on)[:TOP],
        stages=_lines(books, "stage", on),
        plans=_lines(books, "plan", on),
        customers=named[:TOP],
        customers_count=len(named),
        unattributed=next((c for c in customers if c.name is None), None),
        movers=_movers(books, on, first, days_before) if days_before else (),
        alarms=_alarms(books.events(on, ALARMS)),
        verdicts=books.events(on, VERDICTS),
    )


def _lines(books: Books, by: By, where: Filter) -> tuple[Line, ...]:
    """The dearest first."""
    found = books.spend((by,), where, tickets=False)
    answered = _answered(books, by, where) if by in ("customer", "plan") else None
    ordered = sorted(found, key=lambda s: (-s.total.known_usd, s.key[0] or ""))
    return tuple(Line(s.key[0], s.total, None if answered is None else answered.get(s.key[0], 0)) for s in ordered)


def _by_day(books: Books, where: Filter) -> tuple[Line, ...]:
    answered = _answered(books, "day", where)
    return tuple(Line(s.key[0], s.total, answered.get(s.key[0], 0)) for s in books.spend(("day",), where, False))


def _answered(books: Books, by: By, where: Filter) -> dict[str | None, int]:
    """Tickets that were answered; what was only evaluated is none of them."""
    return {s.key[0]: s.tickets or 0 for s in books.spend((by,), replace(where, purposes=SERVING))}


def _days_before(books: Books, day: date, provenance: Provenance) -> tuple[date, int]:
    """The first day with receipts of the week before, and how many days lie between it and the day, itself included."""
    since = day - timedelta(DAYS_BEFORE)
    where = Filter(provenance=provenance, since=since, until=day - timedelta(1))
    first = min((date.fromisoformat(s.key[0] or "") for s in books.spend(("day",), where, tickets=False)), default=day)
    return first, (day - first).days


def _movers(books: Books, on: Filter, first: date, days: int) -> tuple[Mover, ...]:
    """Of each kind the few that changed most, as days without receipts count as nothing spent."""
    assert on.since is not None
    before = Filter(provenance=on.provenance, since=first, until=on.since - timedelta(1))
    found: list[Mover] = []
    for kind in MOVED:
        now, was = ({s.key[0]: s.total for s in books.spend((kind,), w, tickets=False)} for w in (on, before))
        moved = (
            Mover(kind, name, now.get(name, Total()), _average(was.get(name, Total()), days))
            for name in {*now, *was}
            if name is not None
        )
        ordered = sorted((m for m in moved if m.change_usd), key=lambda m: (-abs(m.change_usd), m.name))
        found += ordered[:MOST_MOVERS]
    return tuple(found)


def _average(total: Total, days: int) -> Total:
    return Total(total.known_usd / days, total.unpriced_calls)


def _alarms(events: Sequence[Event]) -> tuple[Alarm, ...]:
    """Events by kind and cause: drift by what drifted, a cap or a handover by its rule, a failover by what answered instead."""
    counts = Counter((e.kind, _cause(e)) for e in events)
    last = {(e.kind, _cause(e)): e.said.removeprefix(f"{_cause(e)}: ") for e in events}
    ordered = sorted(counts, key=lambda k: (ALARMS.index(k[0]), -counts[k], k[1]))
    return tuple(Alarm(kind, cause, counts[kind, cause], last[kind, cause]) for kind, cause in ordered)


def _cause(event: Event) -> str:
    return event.said.partition(": ")[0] if event.kind in ("cap", "handover") else event.subject
