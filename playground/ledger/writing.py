"""How rows get into the tables, and out of them again: always with both rollups, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from typing import Literal

from playground.ledger.rows import Row, adding, clean, day_number, rollups
from playground.ledger.schema import CELL, EVENT, RECEIPT, SUMS, TICKET

Table = Literal["receipt", "event"]
Item = tuple[Table, Row]
"""A row and the table that it belongs in."""
CUSTOMER = {"receipt": RECEIPT.index("customer"), "event": EVENT.index("customer")}
DAY = {"receipt": RECEIPT.index("day"), "event": EVENT.index("day")}
_COLUMNS = {"receipt": RECEIPT, "event": EVENT}


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, under the write lock from the start."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has rolled back by itself after some errors, such as a full disk.
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def insert(connection: sqlite3.Connection, items: Sequence[Item], schema: str = "main") -> None:
    """Add rows, and what receipts add to the rollups. The caller holds a transaction."""
    for table, columns in _COLUMNS.items():
        rows = [row for name, row in items if name == table]
        marks = ", ".join("?" * len(columns))
        connection.executemany(f"INSERT INTO {schema}.{table} ({', '.join(columns)}) VALUES ({marks})", rows)
    cells, tickets = rollups(row for name, row in items if name == "receipt")
    connection.executemany(adding("by_cell", CELL, schema), cells)
    connection.executemany(adding("by_ticket", TICKET, schema), tickets)


def delete_customer(connection: sqlite3.Connection, customer: str) -> int:
    """Delete a customer's receipts and events and take them out of the sums; returns how many receipts. Holds no transaction."""
    who, mine = clean(customer), "provenance IN (SELECT DISTINCT provenance FROM by_ticket) AND customer = ?"
    with transaction(connection):
        rows = connection.execute(f"SELECT {', '.join(RECEIPT)} FROM receipt WHERE {mine}", (who,))
        _take_out(connection, rows)
        for table in ("by_ticket", "event"):
            connection.execute(f"DELETE FROM {table} WHERE customer = ?", (who,))
        return connection.execute(f"DELETE FROM receipt WHERE {mine.replace('by_ticket', 'receipt')}", (who,)).rowcount


def _take_out(connection: sqlite3.Connection, rows: Iterable[Row]) -> None:
    cells, _ = rollups(rows)
    less = ", ".join(f"{name} = {name} - ?" for name in SUMS)
    here = " AND ".join(f"{name} = ?" for name in CELL)
    changes = [(*cell[len(CELL) :], *cell[: len(CELL)]) for cell in cells]
    connection.executemany(f"UPDATE by_cell SET {less} WHERE {here}", changes)
    connection.execute("DELETE FROM by_cell WHERE attempts = 0")


def delete_before(connection: sqlite3.Connection, day: date) -> int:
    """Delete what is older than a day; returns how many receipts. Holds no transaction."""
    with transaction(connection):
        for table in ("by_cell", "by_ticket", "event"):
            connection.execute(f"DELETE FROM {table} WHERE day < ?", (day_number(day),))
        return connection.execute("DELETE FROM receipt WHERE day < ?", (day_number(day),)).rowcount


def keep_days(connection: sqlite3.Connection) -> int | None:
    """For how many days receipts are kept; `None` is for ever."""
    row = connection.execute("SELECT value FROM setting WHERE name = 'keep_days'").fetchone()
    return None if row is None or row[0] is None else int(row[0])


def set_keep_days(connection: sqlite3.Connection, days: int | None) -> None:
    """Change that. Holds no transaction."""
    connection.execute("INSERT OR REPLACE INTO setting (name, value) VALUES ('keep_days', ?)", (days,))


def shrink(connection: sqlite3.Connection) -> bool:
    """Give free pages back and empty the journal, which holds what was deleted; false where another program is reading it."""
    # One step frees one page, and `execute` takes only the first step of what returns no columns.
    connection.executescript("PRAGMA incremental_vacuum")
    busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy
