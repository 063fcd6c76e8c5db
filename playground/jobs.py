"""Finished units of long work, kept in one SQLite file so that a killed run goes on where it stopped.

No ticket text ever goes in: keys, counts, models and sums of money only. Who calls `add` answers for that.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any

from playground.errors import PlaygroundError
from playground.forgotten import DELETIONS
from playground.sqlite_files import by_kind, create_private, data_folder, error_name, rename_aside

VERSION = 1
BUSY_TIMEOUT_S = 10.0
SCHEMA = (
    "CREATE TABLE job (name TEXT PRIMARY KEY, about TEXT NOT NULL)",
    "CREATE TABLE unit (job TEXT NOT NULL, key TEXT NOT NULL, payload TEXT NOT NULL, UNIQUE (job, key))",
    f"PRAGMA user_version = {VERSION}",
)
TABLES = {"job", "unit"}

ELSEWHERE = "choose another folder with TICKET_PLAYGROUND_HOME."
DAMAGED = (
    "The store of finished work {} is damaged. Set it aside to start a new one; it is then kept under another name."
)
FOREIGN = f"The file {{}} is not a store of finished work. Move it away, or {ELSEWHERE}"
NEWER = f"The store of finished work {{}} was written by a newer version of this program. Update the program, or {ELSEWHERE}"
UNWRITABLE = f"The store of finished work {{}} cannot be written. Allow writing to it and to its folder, or {ELSEWHERE}"
FULL = "The disk is full, so finished work cannot be kept in {}. Free some space and start again; what was kept is not lost."
UNREADABLE = f"The disk failed under the store of finished work {{}}. Check the disk, or {ELSEWHERE}"
BUSY = "Another program holds the store of finished work {}. Wait until it has finished, or close it, and start again."
OTHER = f"The store of finished work {{}} could not be used ({{}}). Start again, or {ELSEWHERE}"
SENTENCES = by_kind(DAMAGED, UNWRITABLE, FULL, UNREADABLE, BUSY)


class StoreError(PlaygroundError):
    """The store cannot be used; `damaged` is true where `set_aside` is what helps."""

    def __init__(self, message: str, damaged: bool = False) -> None:
        super().__init__(message)
        self.damaged = damaged


def default_path() -> Path:
    """Where finished work is kept unless a caller says otherwise."""
    return data_folder() / "jobs.sqlite"


def set_aside(path: Path) -> Path:
    """Rename a store that cannot be used, keep all of it, and return its new path."""
    try:
        return rename_aside(path)
    except OSError as error:
        raise StoreError(UNWRITABLE.format(path)) from error


class Jobs:
    """A durable store of finished units, safe to share between threads and to open from several processes.

    A payload is JSON with sums of money as strings, and holds no ticket text. Every method raises `StoreError`.
    """

    def __init__(self, path: Path | None) -> None:
        """Open or create the store; without a path it is in memory and gone with the process."""
        self._where = str(path) if path else "in memory"
        self._lock = Lock()
        with _sentences(self._where):
            if path:
                create_private(path)
            self._connection = _open(path)

    def start(self, job: str, about: Mapping[str, Any]) -> None:
        """Note what a job is; the first note stays."""
        self._run("INSERT INTO job VALUES (?, ?) ON CONFLICT DO NOTHING", job, _json(about))

    def about(self, job: str) -> dict[str, Any] | None:
        """What was noted when the job was started, or `None` where it was not."""
        rows, _ = self._run("SELECT about FROM job WHERE name = ?", job)
        return self._decoded(rows[0][0]) if rows else None

    def done(self, job: str) -> dict[str, dict[str, Any]]:
        """Every finished unit of a job and its payload, in the order in which they were added."""
        rows, _ = self._run("SELECT key, payload FROM unit WHERE job = ? ORDER BY rowid", job)
        return {key: self._decoded(payload) for key, payload in rows}

    def add(self, job: str, unit: str, payload: Mapping[str, Any], began: int | None = None) -> bool:
        """Keep a finished unit before returning; the first one stays, and false says that it was not this one.

        `began` is how many deletions there were when the work began: a unit of a customer deleted since is let go, without a word.
        """
        if _is_late(payload, began):
            return True
        sql = "INSERT INTO unit VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        kept = self._run(sql, job, unit, _json(payload))[1] == 1
        if kept and _is_late(payload, began):
            # The customer was deleted while this was written: whoever comes second takes it away.
            self._run("DELETE FROM unit WHERE job = ? AND key = ?", job, unit)
            self._run("PRAGMA wal_checkpoint(TRUNCATE)")
        return kept

    def forget(self, job: str) -> None:
        """Remove a job, its units and its parts, which are named `job/part`."""
        for table, column in (("unit", "job"), ("job", "name")):
            self._run(
                f"DELETE FROM {table} WHERE {column} = ? OR substr({column}, 1, ?) = ?", job, len(job) + 1, f"{job}/"
            )

    def forget_customer(self, customer: str) -> int:
        """Remove every unit whose payload names a customer, with people's labels of its tickets, and say how many units."""
        DELETIONS.note(customer)
        rows, _ = self._run("SELECT rowid, job, payload FROM unit WHERE instr(payload, ?)", '"customer"')
        theirs = [
            (n, job, found) for n, job, text in rows if customer in (found := names_in(self._decoded(text)))["customer"]
        ]
        for number, job, found in theirs:
            self._run("DELETE FROM unit WHERE rowid = ?", number)
            for ticket in found["ticket"]:
                labels = "job = ? AND json_extract(payload, '$.ticket') = ?"
                self._run(f"DELETE FROM unit WHERE {labels}", f"{job}/labels", ticket)
        if theirs:
            # What is deleted is overwritten where it lies, but pages that were split keep older copies beside it.
            self._run("VACUUM")
        # The journal holds what was deleted until it is written back.
        self._run("PRAGMA wal_checkpoint(TRUNCATE)")
        return len(theirs)

    def close(self) -> None:
        """Close the file; the store cannot be used after this."""
        with self._lock, _sentences(self._where):
            self._connection.close()

    def _run(self, sql: str, *values: object) -> tuple[list[Any], int]:
        """The rows, and how many were changed."""
        with self._lock, _sentences(self._where), closing(self._connection.execute(sql, values)) as cursor:
            return cursor.fetchall(), cursor.rowcount

    def _decoded(self, text: str) -> dict[str, Any]:
        try:
            return dict(json.loads(text))
        except (TypeError, ValueError) as error:
            raise StoreError(DAMAGED.format(self._where), damaged=True) from error


def _is_late(payload: Mapping[str, Any], began: int | None) -> bool:
    if began is None or began == DELETIONS.count:
        return False
    return any(DELETIONS.since(name, began) for name in names_in(payload)["customer"])


def names_in(payload: object) -> dict[str, set[str]]:
    """Every customer and ticket that is named anywhere in a payload."""
    found: dict[str, set[str]] = {"customer": set(), "ticket": set()}
    waiting = [payload]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            for name in found.keys() & value.keys():
                found[name].add(str(value[name]))
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return found


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(dict(value), allow_nan=False)


def _open(path: Path | None) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path or ":memory:", timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    try:
        _prepare(connection, path)
        _tune(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path | None) -> None:
    """Under the write lock, so that two processes do not both create the tables."""
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise StoreError(DAMAGED.format(path), damaged=True)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not version and not tables:
        for statement in SCHEMA:
            connection.execute(statement)
    elif version != VERSION or not tables >= TABLES:
        raise StoreError((NEWER if version > VERSION and tables >= TABLES else FOREIGN).format(path))
    # SQLite opens a file that it may only read without a word; that must not come up after money was spent.
    connection.execute("DELETE FROM unit WHERE false")
    connection.execute("COMMIT")


def _tune(connection: sqlite3.Connection) -> None:
    # A process that finds another one at work leaves the journal as it is: slower, not less safe, and the next one sets it.
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode = WAL")
    # What is deleted is overwritten: a forgotten customer must not stay in free pages.
    connection.execute("PRAGMA secure_delete = ON")
    # A commit is then in the system's memory, which outlives a killed process. Only a power cut may take the last ones.
    connection.execute("PRAGMA synchronous = NORMAL")


@contextmanager
def _sentences(where: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        name, kind = error_name(error)
        sentence = SENTENCES.get(kind, OTHER)
        raise StoreError(sentence.format(where, name), damaged=sentence is DAMAGED) from error
    except OSError as error:
        raise StoreError(UNWRITABLE.format(where)) from error
