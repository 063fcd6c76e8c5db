"""How rows get into the tables, and out of them again: always with both rollups, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from typing import Literal

from playground.ledger.rows import Row, adding, clean, day_number, rollups
from playground.ledger.schema import CELL, EVENT, PLAN_NOTE, RECEIPT, SUMS, TICKET

Table = Literal["receipt", "event", "plan_note"]
Item = tuple[Table, Row]
"""A row and the table that it belongs in."""
CUSTOMER: dict[Table, int] = {"receipt": RECEIPT.index("customer"), "event": EVENT.index("customer")}
DAY: dict[Table, int] = {"receipt": RECEIPT.index("day"), "event": EVENT.index("day")}
KIND = EVENT.index("kind")
LASTING = ("forecast", "cut over", "keep")
"""Kinds of events that no time makes old: what a day is held against, and what was decided. They name no customer."""
_COLUMNS: dict[Table, tuple[str, ...]] = {"receipt": RECEIPT, "event": EVENT, "plan_note": PLAN_NOTE}


def customer_of(item: Item) -> str:
    """Whose receipt or event it is; empty where it names nobody."""
    table, row = item
    return str(row[CUSTOMER[table]] or "") if table in CUSTOMER else ""


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


# A ledger in memory reads through the connection that it writes with, where what waits stands in temporary tables of the same
# names; those come first unless the schema is said.


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
    who, mine = clean(customer), "provenance IN (SELECT DISTINCT provenance FROM main.by_ticket) AND customer = ?"
    with transaction(connection):
        rows = connection.execute(f"SELECT {', '.join(RECEIPT)} FROM main.receipt WHERE {mine}", (who,))
        _take_out(connection, rows)
        for table in ("by_ticket", "event"):
            connection.execute(f"DELETE FROM main.{table} WHERE customer = ?", (who,))
        return connection.execute(
            f"DELETE FROM main.receipt WHERE {mine.replace('by_ticket', 'receipt')}", (who,)
        ).rowcount


def _take_out(connection: sqlite3.Connection, rows: Iterable[Row]) -> None:
    cells, _ = rollups(rows)
    less = ", ".join(f"{name} = {name} - ?" for name in SUMS)
    here = " AND ".join(f"{name} = ?" for name in CELL)
    changes = [(*cell[len(CELL) :], *cell[: len(CELL)]) for cell in cells]
    connection.executemany(f"UPDATE main.by_cell SET {less} WHERE {here}", changes)
    connection.execute("DELETE FROM main.by_cell WHERE attempts = 0")


def delete_before(connection: sqlite3.Connection, day: date) -> int:
    """Delete what is older than a day, but for `LASTING` events; returns how many receipts. Holds no transaction."""
    with transaction(connection):
        for table in ("by_cell", "by_ticket"):
            connection.execute(f"DELETE FROM main.{table} WHERE day < ?", (day_number(day),))
        others = f"kind NOT IN ({', '.join('?' * len(LASTING))})"
        connection.execute(f"DELETE FROM main.event WHERE day < ? AND {others}", (day_number(day), *LASTING))
        return connection.execute("DELETE FROM main.receipt WHERE day < ?", (day_number(day),)).rowcount


def older(item: Item, day: date) -> bool:
    """Whether `delete_before` deletes a row that is still to be written."""
    table, row = item
    lasting = table not in DAY or (table == "event" and row[KIND] in LASTING)
    return not lasting and bool(row[DAY[table]] < day_number(day))


def keep_days(connection: sqlite3.Connection) -> int | None:
    """For how many days receipts are kept; `None` is for ever."""
    row = connection.execute("SELECT value FROM setting WHERE name = 'keep_days'").fetchone()
    return None if row is None or row[0] is None else int(row[0])


def set_keep_days(connection: sqlite3.Connection, days: int | None) -> None:
    """Change that. Holds no transaction."""
    connection.execute("INSERT OR REPLACE INTO setting (name, value) VALUES ('keep_days', ?)", (days,))


def rewrite(connection: sqlite3.Connection) -> None:
    """Write the file anew: what is deleted is overwritten where it lies, but pages that were split keep older copies beside it."""
    connection.execute("VACUUM")


def shrink(connection: sqlite3.Connection) -> bool:
    """Give free pages back and empty the journal, which holds what was deleted; false where another program is reading it."""
    # One step frees one page, and `execute` takes only the first step of what returns no columns.
    connection.executescript("PRAGMA incremental_vacuum")
    busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy
