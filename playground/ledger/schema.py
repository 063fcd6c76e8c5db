"""The ledger's file: its tables as a list of steps, and which files cannot be used, each with a sentence.

Receipts are only ever added, or deleted with their customer or their day. Two rollups are kept in the same transaction: sums by
what a call was, and sums by ticket. Money is whole 10^-12 USD; NULL is unpriced. A customer that is not known is the empty string.
"""

from __future__ import annotations

import errno
import sqlite3
from contextlib import suppress
from pathlib import Path

from playground.errors import PlaygroundError
from playground.sqlite_files import by_kind, create_private, error_name

APPLICATION = 0x54506C65
"""How SQLite marks our file (`PRAGMA application_id`), so that another program's is left alone."""
BUSY_TIMEOUT_S = 5.0
CHECKED_BYTES = 32_000_000
"""A larger file is not read from end to end when it is opened; damage then shows where it is read."""

_CELL_1 = ("provenance", "day", "purpose", "plan", "pipeline", "stage", "model", "provider", "outcome")
CELL = (*_CELL_1, "assurance")
"""What a call was: the first rollup's key."""
TICKET = ("provenance", "day", "purpose", "plan", "pipeline", "customer", "run", "ticket_key")
"""Whose call it was: the second rollup's key."""
COUNTS = ("attempts", "failed", "unpriced", "unknown_before", "input_tokens", "output_tokens")
MONEY = ("cost", "failed_cost", "before", "saved")
SUMS = (*COUNTS, *(f"{name}_{part}" for name in MONEY for part in ("high", "low")))
"""What both rollups add up. Money in millions of 10^-12 USD and the rest: one integer ends at 9.2 million USD."""
_RECEIPT_1 = (
    "at", "day", "run", "purpose", "customer", "ticket_key", "ticket_id", "ticket_digest", "text", "pipeline", "plan", "stage",
    "call", "attempt", "model", "provider", "effort", "input_tokens", "output_tokens", "cache_read_tokens",
    "cache_write_tokens", "reasoning_tokens", "counted", "cost", "price_as_of", "provenance", "outcome", "latency_s",
    "first_token_s", "failure", "source", "rule", "waited_s", "saved_input_tokens", "saved_output_tokens",
    "saved_cache_read_tokens", "saved_cache_write_tokens", "saved_reasoning_tokens", "saved_counted", "saved", "before",
)  # fmt: skip
RECEIPT = (*_RECEIPT_1, "assurance")
"""Every column of a receipt besides its id. `at` is in microseconds since 1970, `day` in days; an unknown assurance is empty."""
EVENT = ("at", "day", "kind", "subject", "said", "provenance", "run", "ticket_id", "customer")
PLAN_NOTE = ("at", "kind", "pipeline", "subject", "provenance", "value", "said")
"""What was decided about an agent. It names no customer, and outlives the receipts that it rests on."""

_SUM_COLUMNS = ", ".join(f"{name} INTEGER NOT NULL" for name in SUMS)
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        f"CREATE TABLE receipt (id INTEGER PRIMARY KEY AUTOINCREMENT, {', '.join(_RECEIPT_1)})",
        # Whatever the page asks of one customer, or of calls and customers at once, is answered from this index alone.
        "CREATE INDEX receipt_by_customer ON receipt (provenance, customer, day, stage, model, provider, plan, purpose, pipeline,"
        " outcome, ticket_key, cost, before, saved, input_tokens, output_tokens)",
        f"CREATE TABLE by_cell ({', '.join(_CELL_1)}, {_SUM_COLUMNS}, PRIMARY KEY ({', '.join(_CELL_1)})) WITHOUT ROWID",
        f"CREATE TABLE by_ticket ({', '.join(TICKET)}, {_SUM_COLUMNS}, PRIMARY KEY ({', '.join(TICKET)})) WITHOUT ROWID",
        f"CREATE TABLE event (id INTEGER PRIMARY KEY AUTOINCREMENT, {', '.join(EVENT)})",
        f"PRAGMA application_id = {APPLICATION}",
    ),
    ("CREATE TABLE setting (name TEXT PRIMARY KEY, value)",),
    (
        # How kr-auto chose, with each receipt and in the sums; nobody can say it of older ones.
        "ALTER TABLE receipt ADD COLUMN assurance TEXT NOT NULL DEFAULT ''",
        f"CREATE TABLE by_cell_3 ({', '.join(CELL)}, {_SUM_COLUMNS}, PRIMARY KEY ({', '.join(CELL)})) WITHOUT ROWID",
        f"INSERT INTO by_cell_3 ({', '.join((*CELL, *SUMS))}) SELECT {', '.join(_CELL_1)}, '', {', '.join(SUMS)} FROM by_cell",
        "DROP TABLE by_cell",
        "ALTER TABLE by_cell_3 RENAME TO by_cell",
        f"CREATE TABLE plan_note (id INTEGER PRIMARY KEY AUTOINCREMENT, {', '.join(PLAN_NOTE)})",
    ),
)
"""Step n brings a file from version n to n + 1. A step that was released is never edited: add another."""
TABLES = {"receipt", "by_cell", "by_ticket", "event"}
"""Of every version."""
ADDED = {"setting": 2, "plan_note": 3}
"""A table to the version that it came with."""
WAITING = {*TABLES, "plan_note"}

ELSEWHERE = "choose another folder with TICKET_PLAYGROUND_HOME"
MEANWHILE = "Until then receipts are kept in memory, and lost when the app stops."
DAMAGED = (
    "The ledger {path} is damaged. Set it aside to start a new one; it is then kept under another name. " + MEANWHILE
)
FOREIGN = f"The file {{path}} is not a ledger. Move it away, or {ELSEWHERE}. {MEANWHILE}"
NEWER = f"The ledger {{path}} was written by a newer version of this program. Update the program, or {ELSEWHERE}. {MEANWHILE}"
UNWRITABLE = (
    f"The ledger {{path}} cannot be written. Allow writing to it and to its folder, or {ELSEWHERE}. {MEANWHILE}"
)
FULL = f"The disk is full, so receipts cannot be kept in {{path}}. Free some space. {MEANWHILE}"
UNREADABLE = f"The disk failed under the ledger {{path}}. Check the disk, or {ELSEWHERE}. {MEANWHILE}"
BUSY = f"Another program holds the ledger {{path}}. Wait until it has finished, or close it. {MEANWHILE}"
OTHER = f"The ledger {{path}} could not be used ({{name}}). Start again, or {ELSEWHERE}. {MEANWHILE}"
SENTENCES = by_kind(DAMAGED, UNWRITABLE, FULL, UNREADABLE, BUSY)


class LedgerError(PlaygroundError):
    """The ledger cannot be used; `damaged` is true where `set_aside` is what helps."""

    def __init__(self, message: str, damaged: bool = False) -> None:
        super().__init__(message)
        self.damaged = damaged


def open_file(path: Path | None) -> sqlite3.Connection:
    """A connection for writing that threads may share; a new file gets its tables, an older one is brought up to date.

    Without a path it is in memory. Raises `sqlite3.Error`, `OSError` or `LedgerError`.
    """
    if path:
        create_private(path)
    connection = _connect(path.absolute().as_uri() if path else ":memory:")
    try:
        if path is None or not path.stat().st_size:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        # What is deleted is overwritten.
        connection.execute("PRAGMA secure_delete = ON")
        _prepare(connection, path)
        # A process that finds another one at work leaves the journal as it is: slower, not less safe.
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def reading(path: Path) -> sqlite3.Connection:
    """A connection for reading a file that is there; a missing one is not created. Raises `sqlite3.Error`."""
    return _connect(f"{path.absolute().as_uri()}?mode=rw")


def _connect(place: str) -> sqlite3.Connection:
    return sqlite3.connect(place, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, uri=True)


def _prepare(connection: sqlite3.Connection, path: Path | None) -> None:
    """Under the write lock, so that two processes do not both create or change the tables."""
    connection.execute("BEGIN IMMEDIATE")
    version = _usable(connection, path)
    for step in MIGRATIONS[version:]:
        for statement in step:
            connection.execute(statement)
    if version < len(MIGRATIONS):
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    # SQLite opens a file that it may only read without a word; that must not come up after money was spent.
    connection.execute("DELETE FROM event WHERE false")
    connection.execute("COMMIT")


def _usable(connection: sqlite3.Connection, path: Path | None) -> int:
    """The file's version, 0 for a new one. Raises `LedgerError` where it is not ours, newer or damaged."""
    small = path is None or path.stat().st_size < CHECKED_BYTES
    if small and connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise LedgerError(DAMAGED.format(path=path), damaged=True)
    version, application = (connection.execute(f"PRAGMA {p}").fetchone()[0] for p in ("user_version", "application_id"))
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not version and not application and not tables:
        return 0
    if application != APPLICATION:
        raise LedgerError(FOREIGN.format(path=path))
    if version > len(MIGRATIONS):
        raise LedgerError(NEWER.format(path=path))
    if version < 1 or not tables >= TABLES | {name for name, since in ADDED.items() if since <= version}:
        raise LedgerError(DAMAGED.format(path=path), damaged=True)
    return int(version)


def temporary(connection: sqlite3.Connection, first_id: int) -> None:
    """The same tables for what waits to be written, in this connection's memory only; numbers begin at `first_id`."""
    connection.execute("PRAGMA temp_store = MEMORY")
    found = connection.execute("SELECT name, sql FROM main.sqlite_master WHERE type = 'table'").fetchall()
    for name, sql in found:
        if name in WAITING:
            connection.execute(f"DROP TABLE IF EXISTS temp.{name}")
            connection.execute(sql.replace("CREATE TABLE ", "CREATE TEMP TABLE ", 1))
    for name in ("receipt", "event", "plan_note"):
        connection.execute("INSERT INTO temp.sqlite_sequence (name, seq) VALUES (?, ?)", (name, first_id))


def error_of(error: Exception, path: Path | None) -> LedgerError:
    """Any failure of the file as a sentence."""
    if isinstance(error, LedgerError):
        return error
    where = str(path) if path else "in memory"
    if isinstance(error, OSError):
        return LedgerError((FULL if error.errno == errno.ENOSPC else UNWRITABLE).format(path=where))
    name, kind = error_name(error) if isinstance(error, sqlite3.Error) else (type(error).__name__, "")
    sentence = SENTENCES.get(kind, OTHER)
    return LedgerError(sentence.format(path=where, name=name), damaged=sentence is DAMAGED)
