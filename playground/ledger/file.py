"""The ledger's file while a program has it open: one connection that writes, one that reads, and what waits in memory.

What cannot be written waits, `problem` says why in a sentence, the connection that reads shows it in tables of its own, and the
next write that succeeds takes it along.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import RLock
from typing import TypeVar

from playground.forgotten import DELETIONS
from playground.ledger import query
from playground.ledger.commits import GroupCommit
from playground.ledger.schema import LedgerError, error_of, open_file, reading, temporary
from playground.ledger.writing import Item, customer_of, delete_before, insert, keep_days, shrink, transaction
from playground.sqlite_files import rename_aside

AGAIN_S = 5.0
"""After a write failed the next ones go to memory at once for so long: a run does not wait for a locked file at every call."""
CLOSED = "The ledger is closed. Open it again."
T = TypeVar("T")
Brought = tuple[Item, int]
"""What is to be written, and how many deletions there were when its run began."""


class LedgerFile:
    """A file that threads share. Writing never raises; reading raises `LedgerError` where the file fails under it."""

    def __init__(
        self,
        path: Path | None,
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        """Open or create the file; without a path it is in memory and gone with the process. Never raises: see `problem`."""
        self.path, self._clock, self._today = path, clock, today
        self._tidied: date | None = None
        self.problem = ""
        """Why receipts are only in memory, as a sentence to be shown; empty where they are on the disk."""
        self.damaged = False
        """Whether `set_aside` is what helps."""
        self._waiting: list[Item] = []
        self._shown = 0
        """How many of those that wait the reading connection knows."""
        self._writes = RLock()
        self._reads = RLock() if path else self._writes
        self._again_at = 0.0
        self._known = False
        """Whether the file is a ledger: it can then be read, also while it cannot be written."""
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._commits: GroupCommit[Brought] = GroupCommit(self._write)
        self._opened()

    @property
    def pending(self) -> int:
        """How many receipts and events wait to be written."""
        return len(self._waiting)

    def close(self) -> None:
        """Close the file, after a last try to write what waits; what is added later stays in memory."""
        with self._writes, self._reads:
            if self._waiting and self._writer is not None:
                self._again_at = 0.0
                self._write([])
            self._shut()
            self.problem, self._again_at = self.problem or CLOSED, float("inf")

    def set_aside(self) -> Path:
        """Rename a file that cannot be used, keep all of it, and start a new one with what waits. Raises `LedgerError`."""
        if self.path is None:
            raise LedgerError("This ledger is in memory, so there is no file to set aside.")
        with self._writes, self._reads:
            self._shut()
            try:
                aside = rename_aside(self.path)
            except OSError as error:
                raise error_of(error, self.path) from error
            self._again_at = 0.0
            self._write([])
        return aside

    def _write(self, brought: Sequence[Brought]) -> bool:
        """Write these with all that waits; where that fails they wait too. What is of a customer deleted meanwhile is let go."""
        with self._writes:
            items = [item for item, began in brought if not DELETIONS.since(customer_of(item), began)]
            kept = self._opened() and self._flushed(items)
            if not kept:
                self._waiting += items
            return kept

    def _opened(self) -> bool:
        """Whether there is a file to write to; one that could not be opened is tried again after a while."""
        with self._writes:
            if self._clock() < self._again_at:
                return False
            if self._writer is None:
                try:
                    self._writer = open_file(self.path)
                except (sqlite3.Error, OSError, LedgerError) as error:
                    self._fail(error)
                    return False
                self._known = True
                self._drop_reader()
                self.problem, self.damaged = "", False
                self._tidy()
            return True

    def _tidy(self) -> None:
        """Once a day delete what is older than receipts are kept for."""
        today, writer = self._today(), self._writer
        if writer is None or self._tidied == today:
            return
        self._tidied = today
        # It is tried again tomorrow; a run is no place to say it.
        with suppress(sqlite3.Error):
            days = keep_days(writer)
            if days is not None and delete_before(writer, today - timedelta(days=days)):
                shrink(writer)

    def _flushed(self, items: Sequence[Item]) -> bool:
        assert self._writer is not None
        # Nobody may read while what waits stands in the file and still in memory.
        alone: AbstractContextManager[object] = self._reads if self._waiting else nullcontext()
        with alone:
            try:
                with transaction(self._writer):
                    insert(self._writer, [*self._waiting, *items])
            except Exception as error:
                # Whatever it is, it must not take along what others have brought.
                self._fail(error)
                return False
            self._now_waiting([])
        self.problem, self.damaged = "", False
        self._tidy()
        return True

    def _fail(self, error: Exception) -> LedgerError:
        """Say what is wrong, and let the file be opened anew at the next try: it may have been moved away."""
        told = error_of(error, self.path)
        self.problem, self.damaged = str(told), told.damaged
        self._again_at = self._clock() + AGAIN_S
        if self.path is not None and self._writer is not None:
            with suppress(sqlite3.Error):
                self._writer.close()
            self._writer = None
        return told

    def _now_waiting(self, items: list[Item]) -> None:
        if self._waiting:
            self._drop_reader()
        self._waiting = items

    def _read(self, ask: Callable[[sqlite3.Connection, bool], T]) -> T:
        if self._writer is None:
            self._opened()
        with self._reads:
            try:
                connection = self._reading()
                return ask(connection, self._shown > 0)
            except sqlite3.Error as error:
                told = error_of(error, self.path)
                self.problem, self.damaged = str(told), told.damaged
                raise told from error

    def _reading(self) -> sqlite3.Connection:
        """The connection for reading, with what waits in tables of its own; without a file it knows only that."""
        if self._reader is None:
            self._reader = self._writer if self.path is None else None
            if self._reader is None:
                self._reader = reading(self.path) if self._known and self.path else open_file(None)
            temporary(self._reader, query.PENDING_ID)
            self._shown = 0
        fresh = self._waiting[self._shown :]
        if fresh:
            insert(self._reader, fresh, "temp")
            self._shown += len(fresh)
        return self._reader

    def _drop_reader(self) -> None:
        with self._reads:
            reader, self._reader, self._shown = self._reader, None, 0
            if reader is not None and reader is not self._writer:
                reader.close()

    def _shut(self) -> None:
        self._known = False
        self._drop_reader()
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(sqlite3.Error):
                writer.close()
