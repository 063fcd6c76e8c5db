"""Answers of model calls, kept in one SQLite file for a time and up to a size, each under one tenant's name.

Unlike the store of finished work this one holds text that was made from tickets. So it is off unless a pipeline asks for it, only
its owner may read it, nothing outlives its time, and a tenant can be forgotten: what is deleted is overwritten.

It is never a reason for a run to stop: a file that cannot be used is put aside or left alone, `problem` says so in a sentence, and
from then on nothing is found and nothing is kept.
"""

from __future__ import annotations

import errno
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from playground.answer_file import BUSY, DAMAGED, FULL, OLDER, OTHER, SENTENCES, STUCK, UNWRITABLE, open_file, unusable
from playground.errors import PlaygroundError
from playground.forgotten import DELETIONS
from playground.sqlite_files import create_private, data_folder, error_name, rename_aside

WEEK_S = 7 * 86_400.0
MOST_BYTES = 64_000_000
ROW_BYTES = 160
"""What an answer takes besides its text: key, numbers and its place in three indexes."""
NOTHING_KEPT = "The cache keeps nothing: its {what}. Give a larger one, or switch the cache off."


def default_path() -> Path:
    """Where answers are kept unless a caller says otherwise: beside the store of finished work."""
    return data_folder() / "answers.sqlite"


@dataclass(frozen=True, slots=True)
class Held:
    """What a store holds now, expired answers included that nothing has cleared away yet."""

    answers: int
    bytes: int


class Answers:
    """Payloads by key, for `ttl_s` seconds and up to `most_bytes`; then the one that was not used for longest goes first.

    Safe to share between threads, and several processes may open one file. Whether an answer is too old is told by `now`, in
    seconds; one that seems to come from the future, because a clock jumped, is not found. Which answer was used last is counted,
    so that it does not depend on a clock. The file may grow somewhat beyond `most_bytes`, by half-empty pages and SQLite's journal.
    """

    def __init__(
        self,
        path: Path | None,
        ttl_s: float = WEEK_S,
        most_bytes: int = MOST_BYTES,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Open or create the file; without a path it is in memory and gone with the process. Never raises: see `problem`."""
        self._path, self._ttl_s, self._most_bytes, self._now = path, ttl_s, most_bytes, now
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self.problem = pointless(ttl_s, most_bytes, "bytes")
        """Why there is no cache, as a sentence to be shown; empty where there is one."""
        if not self.problem:
            self._start()

    def get(self, key: str, tenant: str) -> str | None:
        """What was kept, or `None`; it then counts as just used."""
        with self._lock:
            try:
                return self._find(key, tenant) if self._connection else None
            except sqlite3.Error as error:
                self._fail(error)
                return None

    def put(self, key: str, tenant: str, payload: str, began: int | None = None) -> bool:
        """Keep an answer in place of what was kept, and say whether it is kept; what is larger than the whole cache is not.

        `began` is how many deletions there were when its call began: of a tenant deleted since nothing is kept.
        """
        size = ROW_BYTES + sum(len(text.encode("utf-8", "backslashreplace")) for text in (key, tenant, payload))
        with self._lock:
            late = began is not None and DELETIONS.since(_plain(tenant), began)
            if self._connection is None or size > self._most_bytes or late:
                return False
            try:
                self._keep(self._connection, (key, _plain(tenant), _plain(payload)), size)
                return True
            except sqlite3.Error as error:
                self._fail(error)
                return False

    def forget(self, tenant: str) -> int:
        """Delete every answer of one tenant, and say how many. Raises `PlaygroundError` where that is not certain."""
        DELETIONS.note(_plain(tenant))
        return self._delete("DELETE FROM answer WHERE tenant = ?", _plain(tenant))

    def clear(self) -> int:
        """Delete every answer, and say how many. Raises `PlaygroundError` where that is not certain."""
        return self._delete("DELETE FROM answer WHERE true")

    def held(self) -> Held:
        """How much is kept; nothing where there is no cache."""
        with self._lock:
            if self._connection is None:
                return Held(0, 0)
            try:
                query = "SELECT (SELECT count(*) FROM answer), (SELECT bytes FROM held)"
                return Held(*self._connection.execute(query).fetchone())
            except sqlite3.Error as error:
                self._fail(error)
                return Held(0, 0)

    def close(self) -> None:
        """Close the file; nothing is found or kept after this."""
        with self._lock:
            self._close()

    def _start(self) -> None:
        try:
            if self._path:
                create_private(self._path)
            self._connection = open_file(self._path)
            self._prepare(self._connection)
        except OSError as error:
            sentence = FULL if error.errno == errno.ENOSPC else UNWRITABLE
            self._give_up(sentence)
        except sqlite3.Error as error:
            self._fail(error, transient=False)

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Under the write lock, so that two processes do not both create the tables."""
        connection.execute("BEGIN IMMEDIATE")
        if sentence := unusable(connection):
            connection.execute("ROLLBACK")
            self._give_up(sentence)
            return
        # SQLite opens a file that it may only read without a word.
        connection.execute("DELETE FROM answer WHERE false")
        self._expire(connection)
        self._make_room(connection, 0)
        connection.execute("COMMIT")
        # A process that finds another one at work leaves the journal as it is: slower, not less safe.
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")

    def _find(self, key: str, tenant: str) -> str | None:
        assert self._connection is not None
        query = "SELECT payload, stored_at FROM answer WHERE key = ? AND tenant = ? AND typeof(stored_at) = 'real'"
        row = self._connection.execute(query, (key, _plain(tenant))).fetchone()
        # The clock is read last: an answer that another process has just stored is then not from the future.
        if row is None or not 0 <= self._now() - row[1] < self._ttl_s:
            return None
        # An answer that is found is good, also where another process holds the file and its use cannot be noted.
        with suppress(sqlite3.OperationalError):
            use = "UPDATE answer SET used = (SELECT max(used) + 1 FROM answer) WHERE key = ?"
            self._connection.execute(use, (key,))
        return str(row[0])

    def _keep(self, connection: sqlite3.Connection, answer: tuple[str, str, str], size: int) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._expire(connection)
            connection.execute("DELETE FROM answer WHERE key = ?", answer[:1])
            self._make_room(connection, size)
            connection.execute(
                "INSERT INTO answer (key, tenant, payload, stored_at, bytes, used)"
                " VALUES (?, ?, ?, ?, ?, (SELECT coalesce(max(used), 0) + 1 FROM answer))",
                (*answer, self._now(), size),
            )
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise

    def _expire(self, connection: sqlite3.Connection) -> None:
        now = self._now()
        connection.execute("DELETE FROM answer WHERE stored_at <= ? OR stored_at > ?", (now - self._ttl_s, now))

    def _make_room(self, connection: sqlite3.Connection, size: int) -> None:
        while connection.execute("SELECT coalesce(sum(bytes), 0) FROM held").fetchone()[0] + size > self._most_bytes:
            oldest = "DELETE FROM answer WHERE rowid = (SELECT rowid FROM answer ORDER BY used LIMIT 1)"
            if not connection.execute(oldest).rowcount:
                return

    def _delete(self, sql: str, *values: str) -> int:
        with self._lock:
            if self._connection is None:
                raise PlaygroundError(self.problem or "The cache is closed. Open it again to delete what it holds.")
            try:
                with closing(self._connection.execute(sql, values)) as cursor:
                    deleted = cursor.rowcount
            except sqlite3.Error as error:
                self._fail(error)
                why = self.problem or BUSY.format(path=self._where)
                raise PlaygroundError(f"Nothing was deleted. {why}") from error
            # Pages that were split keep copies beside what is overwritten, and the journal holds what was deleted until it is
            # written back; another process that reads may put both off.
            with suppress(sqlite3.Error):
                if deleted:
                    self._connection.execute("VACUUM")
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            return deleted

    @property
    def _where(self) -> str:
        return str(self._path) if self._path else "in memory"

    def _fail(self, error: sqlite3.Error, transient: bool = True) -> None:
        """Give the cache up, unless only another process is in the way for now."""
        name, kind = error_name(error)
        sentence = SENTENCES.get(kind, OTHER)
        if not (transient and sentence is BUSY):
            self._give_up(sentence, name)

    def _give_up(self, sentence: str, name: str = "") -> None:
        self._close()
        aside = None
        if sentence in (DAMAGED, OLDER) and self._path:
            try:
                aside = rename_aside(self._path)
            except OSError:
                sentence = STUCK
        self.problem = sentence.format(path=self._where, aside=aside, name=name)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()


def pointless(ttl_s: float, most: int, unit: str) -> str:
    """Why a cache of this time and size keeps nothing, as a sentence; empty where it keeps something."""
    if not ttl_s > 0:
        return NOTHING_KEPT.format(what=f"answers are kept for {ttl_s:g} seconds")
    return "" if most > 0 else NOTHING_KEPT.format(what=f"size is {most:,} {unit}")


def _plain(text: str) -> str:
    """Text that SQLite takes: half of a surrogate pair cannot be written as UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()
