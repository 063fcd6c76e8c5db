"""Digests on their way out: each day once, what failed is offered again, and the ledger says what was delivered.

A digest is made anew from the ledger each time it is sent, so nothing is kept of one that failed but that it did. It goes out at
least once: a machine that dies between the webhook's answer and the note of it sends that day again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from typing import Protocol

from playground.digest import Books, Digest, make_digest, provenance_of
from playground.digest.send import NotDelivered, Patience, Webhook, send
from playground.digest.slack import payload
from playground.ledger import Filter
from playground.records import Event, Provenance

DAYS_OFFERED = 14


class Keeping(Books, Protocol):
    """A ledger that is read and written."""

    def note(self, event: Event) -> bool:
        """Keep an event; false where it waits in memory."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A try that did not get through."""

    at: datetime
    said: str
    tries: int


@dataclass(frozen=True, slots=True)
class DayState:
    """Where a day's digest stands."""

    day: date
    provenance: Provenance
    delivered: Event | None
    failed: Failed | None


def now_utc() -> datetime:
    """The clock, unless another is passed in."""
    return datetime.now(UTC)


class Post:
    """Sends digests of one ledger, one at a time; threads may share it."""

    def __init__(
        self, books: Keeping, clock: Callable[[], datetime] = now_utc, patience: Patience | None = None
    ) -> None:
        self.books, self.clock, self.patience = books, clock, patience
        self._failed: dict[date, Failed] = {}
        self._turn = Lock()

    def digest(self, day: date, provenance: Provenance | None = None) -> Digest | None:
        """A day's digest as it stands now; `None` for a day without receipts. Raises `LedgerError`."""
        kind = provenance or provenance_of(self.books, day)
        return None if kind is None else make_digest(self.books, day, kind, self.clock())

    def send(self, webhook: Webhook, digest: Digest) -> None:
        """Send a digest and note that it went out. Raises `NotDelivered`; the day is then offered again."""
        with self._turn:
            self._send(webhook, digest)

    def send_once(self, webhook: Webhook, day: date, rehearsals: bool = True) -> bool:
        """Send a whole day's digest unless it went out already, and say whether there was one to send. Raises `NotDelivered`.

        Without `rehearsals` a day without live receipts is not sent: the app rehearses a ticket by itself when it is opened.
        """
        with self._turn:
            if self.delivered(day) is not None:
                return False
            digest = self.digest(day)
            if digest is None or not (rehearsals or digest.provenance == "live"):
                return False
            self._send(webhook, digest)
            return True

    def delivered(self, day: date) -> Event | None:
        """The note that a whole day's digest went out; `None` where there is none. Raises `LedgerError`."""
        found = (e for e in self.books.events(Filter(since=day), ("delivered",)) if e.subject == subject(day))
        return next(found, None)

    def failure(self, day: date) -> Failed | None:
        """The last try of a day that did not get through since this program started."""
        return self._failed.get(day)

    def days(self) -> tuple[DayState, ...]:
        """The last days that have receipts, the newest first, and where each digest stands. Raises `LedgerError`."""
        today = self.clock().astimezone(UTC).date()
        since = today - timedelta(DAYS_OFFERED)
        gone = {e.subject: e for e in self.books.events(Filter(since=since), ("delivered",))}
        held = {
            date.fromisoformat(s.key[0] or "") for s in self.books.spend(("day",), Filter(since=since), tickets=False)
        }
        found = ((day, provenance_of(self.books, day)) for day in sorted(held, reverse=True) if day < today)
        return tuple(
            DayState(day, kind, gone.get(subject(day)), self._failed.get(day))
            for day, kind in found
            if kind is not None
        )

    def _send(self, webhook: Webhook, digest: Digest) -> None:
        try:
            send(webhook, payload(digest), self.patience)
        except NotDelivered as error:
            before = self._failed.get(digest.day)
            self._failed[digest.day] = Failed(self.clock(), str(error), 1 if before is None else before.tries + 1)
            raise
        self._failed.pop(digest.day, None)
        said = f"The digest of {digest.day:%-d %B %Y}{' so far' if digest.so_far else ''} went out to {webhook}."
        self.books.note(Event(self.clock(), "delivered", subject(digest.day, digest.so_far), said, digest.provenance))


def subject(day: date, so_far: bool = False) -> str:
    """How the ledger names a digest. One that was sent before its day was over does not stand for the whole day."""
    return f"digest {day.isoformat()}{' so far' if so_far else ''}"
