"""The SQLite file that answers are kept in: its tables, and which files cannot be used, each with a sentence."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from playground.sqlite_files import by_kind

VERSION = 1
APPLICATION = 0x54506361
"""How SQLite marks our file (`PRAGMA application_id`), so that another program's is left alone."""
BUSY_TIMEOUT_S = 1.0
SCHEMA = (
    "CREATE TABLE answer (key TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, stored_at REAL NOT NULL, used INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL, payload TEXT NOT NULL)",
    "CREATE INDEX by_use ON answer (used)",
    "CREATE INDEX by_age ON answer (stored_at)",
    "CREATE INDEX by_tenant ON answer (tenant)",
    "CREATE TABLE held (bytes INTEGER NOT NULL)",
    "INSERT INTO held VALUES (0)",
    "CREATE TRIGGER kept AFTER INSERT ON answer BEGIN UPDATE held SET bytes = bytes + new.bytes; END",
    "CREATE TRIGGER gone AFTER DELETE ON answer BEGIN UPDATE held SET bytes = bytes - old.bytes; END",
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {VERSION}",
)

ELSEWHERE = "choose another folder with TICKET_PLAYGROUND_HOME"
DAMAGED = "The cache {path} was damaged. It was moved to {aside}, and this run goes on without a cache."
OLDER = "The cache {path} is from an older version of this program. It was moved to {aside}, and this run goes on without a cache."
STUCK = (
    "The cache {path} cannot be used and cannot be moved away, so this run goes on without a cache. Move it yourself."
)
NEWER = (
    "The cache {path} was written by a newer version of this program, so it is left alone and this run goes on without a cache. "
    f"Update the program, or {ELSEWHERE}."
)
FOREIGN = f"The file {{path}} is not a cache, so this run goes on without one. Move the file away, or {ELSEWHERE}."
UNWRITABLE = (
    "The cache {path} cannot be written, so this run goes on without it. Allow writing to it and its folder, "
    f"or {ELSEWHERE}."
)
FULL = "The disk is full, so this run goes on without the cache {path}. Free some space and start again."
UNREADABLE = (
    f"The disk failed under the cache {{path}}, so this run goes on without it. Check the disk, or {ELSEWHERE}."
)
BUSY = "Another program holds the cache {path}, so this run goes on without it. Close that program and start again."
OTHER = f"The cache {{path}} could not be used ({{name}}), so this run goes on without it. Start again, or {ELSEWHERE}."
SENTENCES = by_kind(DAMAGED, UNWRITABLE, FULL, UNREADABLE, BUSY)


def open_file(path: Path | None) -> sqlite3.Connection:
    """A connection that threads may share, to a file or, without a path, to memory. Raises `sqlite3.Error`."""
    connection = sqlite3.connect(
        path or ":memory:", timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    try:
        # What is deleted is overwritten: a forgotten tenant's text must not stay in free pages.
        connection.execute("PRAGMA secure_delete = ON")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def unusable(connection: sqlite3.Connection) -> str:
    """Why a file cannot be used, as a sentence to be filled in; a new file gets its tables. Empty where it can be used."""
    if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        return DAMAGED
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not version and not application and not tables:
        for statement in SCHEMA:
            connection.execute(statement)
        return ""
    if application != APPLICATION:
        return FOREIGN
    if version != VERSION:
        return NEWER if version > VERSION else OLDER
    return "" if tables >= {"answer", "held"} else DAMAGED
