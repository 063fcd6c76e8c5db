"""The ledger: every attempt's receipt, on the disk before its result is shown, and the one place that money is read from.

A run never stops because of it: see `file`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

from playground.forgotten import DELETIONS
from playground.ledger import query
from playground.ledger.file import CLOSED, LedgerFile
from playground.ledger.rows import clean, event_row, plan_note_row, row_of
from playground.ledger.schema import LedgerError
from playground.ledger.values import EVERYTHING, NOTHING, By, Filter, Kept, Spend
from playground.ledger.writing import (
    Item,
    customer_of,
    delete_before,
    delete_customer,
    keep_days,
    older,
    rewrite,
    set_keep_days,
    shrink,
)
from playground.records import Entry, Event, PlanNote
from playground.sqlite_files import data_folder

STILL_READ = (
    "Deleted, but another program is reading {}, whose journal may still hold it. Close that program and delete again."
)


def default_path() -> Path:
    """Where the ledger is kept unless a caller says otherwise: beside the store of finished work."""
    return data_folder() / "ledger.sqlite"


class Ledger(LedgerFile):
    """Receipts and events in one SQLite file; threads may share it, and several processes may open one file.

    Money is exact to 10^-12 USD. Writing never raises; reading raises `LedgerError` where the file fails under it.
    """

    def add(self, entries: Sequence[Entry], began: int | None = None) -> bool:
        """Keep receipts; true when they are on the disk, false when they wait in memory.

        `began` is how many deletions there were when their run began: a customer deleted since is let go.
        """
        return self._add([("receipt", row_of(entry)) for entry in entries], began)

    def note(self, event: Event, began: int | None = None) -> bool:
        """Keep an event, as `add` does."""
        return self._add([("event", event_row(event))], began)

    def _add(self, items: Sequence[Item], began: int | None) -> bool:
        since = DELETIONS.count if began is None else began
        return self._commits.add([(item, since) for item in items])

    def note_plan(self, note: PlanNote) -> bool:
        """Keep what was decided about an agent, as `add` does. Retention leaves it: it names no customer."""
        return self._add([("plan_note", plan_note_row(note))], None)

    def plan_notes(self, pipeline: str | None = None) -> tuple[PlanNote, ...]:
        """What was decided about an agent, or about all of them, oldest first. Raises `LedgerError`."""
        return self._read(lambda c, waiting: query.plan_notes(c, pipeline, waiting))

    def spend(self, by: Sequence[By] = (), where: Filter = EVERYTHING, tickets: bool = True) -> tuple[Spend, ...]:
        """Sums by these names, sorted by them; without names one sum, also of nothing.

        Tickets by stage, model, provider or outcome are counted receipt by receipt: leave them out where nobody looks at them.
        Raises `LedgerError`.
        """
        found = self._read(lambda c, waiting: tuple(query.spend(c, by, where, waiting, tickets)))
        return found if found or by else (NOTHING,)

    def entries(self, where: Filter = EVERYTHING, limit: int = 100, before_id: int | None = None) -> tuple[Kept, ...]:
        """Receipts, newest first; `before_id` goes on below a number. Raises `LedgerError`."""
        edge = query.LAST_ID if before_id is None else before_id
        return self._read(lambda c, waiting: query.entries(c, where, waiting, limit, edge))

    def batches(self, where: Filter = EVERYTHING, size: int = 5_000) -> Iterator[tuple[Kept, ...]]:
        """All receipts, oldest first, so many at a time: a large ledger is never held as a whole. Raises `LedgerError`."""
        edge = 0
        while found := self._above(where, size, edge):
            yield found
            edge = found[-1].id

    def _above(self, where: Filter, size: int, edge: int) -> tuple[Kept, ...]:
        return self._read(lambda c, waiting: query.entries(c, where, waiting, size, edge, True))

    def events(self, where: Filter = EVERYTHING, kinds: Sequence[str] = ()) -> tuple[Event, ...]:
        """Events, oldest first; of the filter provenance, days, customers and runs count. Raises `LedgerError`."""
        return self._read(lambda c, waiting: query.events(c, where, waiting, kinds))

    def days(self) -> tuple[date, date] | None:
        """The first and the last day with receipts, in UTC; `None` without any. Raises `LedgerError`."""
        return self._read(query.days)

    def names(self, by: By, where: Filter = EVERYTHING) -> tuple[str, ...]:
        """Every value of one name, sorted; an empty customer stands for tickets that name none. Raises `LedgerError`."""
        return self._read(lambda c, waiting: query.names(c, by, where, waiting))

    def forget_customer(self, customer: str) -> int:
        """Delete every receipt and event of a customer, from the file's bytes too, and say how many receipts.

        Raises `LedgerError` where that is not certain.
        """
        who = clean(customer) or ""
        DELETIONS.note(who)

        def delete(connection: sqlite3.Connection) -> int:
            deleted = delete_customer(connection, customer)
            if deleted:
                rewrite(connection)
            return deleted

        return self._forget(delete, lambda item: customer_of(item) == who)

    def forget_before(self, day: date) -> int:
        """Delete what is older than a day, in UTC, and say how many receipts. Raises `LedgerError` as `forget_customer` does.

        Forecasts and verdicts stay: they are of no customer, and later days are read by them.
        """
        return self._forget(lambda c: delete_before(c, day), lambda item: older(item, day))

    @property
    def keep_days(self) -> int | None:
        """For how many days receipts are kept; `None` is for ever, and where there is no file. Raises `LedgerError`."""
        with self._writes:
            try:
                return None if self._writer is None else keep_days(self._writer)
            except sqlite3.Error as error:
                raise self._fail(error) from error

    def keep_for(self, days: int | None) -> int:
        """Delete what is older than so many days, now and once on every later day. Returns how many receipts are deleted now.

        `None` keeps everything from now on. Raises `LedgerError` as `forget_customer` does.
        """
        with self._writes:
            if not self._opened() or self._writer is None:
                raise LedgerError(f"Nothing was changed. {self.problem or CLOSED}", self.damaged)
            try:
                set_keep_days(self._writer, days)
            except sqlite3.Error as error:
                raise self._fail(error) from error
        return 0 if days is None else self.forget_before(self._today() - timedelta(days=days))

    def _forget(self, delete: Callable[[sqlite3.Connection], int], meant: Callable[[Item], bool]) -> int:
        with self._writes, self._reads:
            self._again_at = min(self._again_at, self._clock())
            if not self._opened() or self._writer is None:
                raise LedgerError(f"Nothing was deleted. {self.problem or CLOSED}", self.damaged)
            waited = sum(meant(item) for item in self._waiting if item[0] == "receipt")
            self._now_waiting([item for item in self._waiting if not meant(item)])
            try:
                deleted = delete(self._writer)
                emptied = shrink(self._writer)
            except sqlite3.Error as error:
                raise self._fail(error) from error
            if not emptied:
                raise LedgerError(STILL_READ.format(self.path))
            return deleted + waited
