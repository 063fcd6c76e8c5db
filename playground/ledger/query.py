"""Questions to the ledger as SQL. Sums come from the smallest table that knows every name in the question."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from playground.ledger.rows import HALF, day_number, day_of, entry_of, event_of, plan_note_of
from playground.ledger.schema import CELL, COUNTS, EVENT, MONEY, PLAN_NOTE, RECEIPT, SUMS, TICKET
from playground.ledger.values import By, Filter, Kept, Spend
from playground.money import ZERO, Total
from playground.records import Event, PlanNote

LAST_ID = 2**63 - 1
PENDING_ID = 1 << 62
"""Receipts that wait to be written are numbered from here on: newer than every one in the file."""
_CALLS = {
    "attempts": "1", "failed": "outcome <> 'ok'", "unpriced": "cost IS NULL",
    "unknown_before": "before IS NULL AND outcome = 'ok' AND purpose IN ('ticket', 'sample')",
    "input_tokens": "input_tokens", "output_tokens": "output_tokens", "cost": "coalesce(cost, 0)",
    "failed_cost": "(CASE WHEN outcome <> 'ok' THEN coalesce(cost, 0) ELSE 0 END)", "before": "coalesce(before, 0)",
    "saved": "coalesce(saved, 0)",
}  # fmt: skip
"""What `rows.sums_of` makes of a receipt, in SQL; a sum of money is taken in two halves here, too."""
_FIELDS = {
    "customers": "customer", "stages": "stage", "models": "model", "plans": "plan", "purposes": "purpose", "runs": "run",
    "pipelines": "pipeline", "outcomes": "outcome", "assurances": "assurance",
}  # fmt: skip


class Question:
    """A filter as SQL over the file and, where some wait, over the receipts that are still to be written."""

    def __init__(self, where: Filter, pending: bool) -> None:
        self.pending = pending
        parts = [(name, tuple(getattr(where, field))) for field, name in _FIELDS.items() if getattr(where, field)]
        parts += [("provenance", (where.provenance,))] if where.provenance else []
        self.named = {name for name, _ in parts}
        terms = [f"{name} IN ({', '.join('?' * len(values))})" for name, values in parts]
        self.values: list[Any] = [v for _, values in parts for v in values]
        for sign, day in ((">=", where.since), ("<=", where.until)):
            if day is not None:
                terms.append(f"day {sign} ?")
                self.values.append(day_number(day))
        self.sql = " AND ".join(terms) or "true"

    def source(self, table: str, columns: Sequence[str], how: str = "") -> tuple[str, list[Any]]:
        """A table's rows that match, with these columns, and the values to fill in."""
        schemas = ("main", "temp") if self.pending else ("main",)
        picked = (f"SELECT {', '.join(columns)} FROM {schema}.{table} {how} WHERE {self.sql}" for schema in schemas)
        return " UNION ALL ".join(picked), self.values * len(schemas)


def spend(
    connection: sqlite3.Connection, by: Sequence[By], where: Filter, pending: bool, tickets: bool
) -> Iterator[Spend]:
    """Sums by these names, in their order; without names one sum of all."""
    ask = Question(where, pending)
    used = {*by, *ask.named}
    table = "by_cell" if used <= set(CELL) else "by_ticket" if used <= set(TICKET) else "receipt"
    counts = _tickets(connection, ask, by, used) if tickets and table == "by_cell" else {}
    own = ["ticket_key"] if tickets and table != "by_cell" else []
    source, values = ask.source(table, [*dict.fromkeys(by), *(_from_calls() if table == "receipt" else SUMS), *own])
    picked = ", ".join([*by, *(f"sum({name})" for name in SUMS), *(f"count(DISTINCT {name})" for name in own)])
    for row in connection.execute(f"SELECT {picked} FROM ({source}){_grouped(by)}", values):
        key, sums = row[: len(by)], row[len(by) : len(by) + len(SUMS)]
        if sums[0]:
            found = row[-1] if own else counts.get(key)
            yield _spend(_shown(by, key), sums, found)


def _from_calls() -> list[str]:
    counts = [f"{_CALLS[name]} AS {name}" for name in COUNTS]
    halves = (("/", "high"), ("%", "low"))
    return counts + [f"{_CALLS[name]} {sign} {HALF} AS {name}_{half}" for name in MONEY for sign, half in halves]


def _grouped(by: Sequence[By]) -> str:
    numbers = ", ".join(str(i + 1) for i in range(len(by)))
    return f" GROUP BY {numbers} ORDER BY {numbers}" if by else ""


def _tickets(
    connection: sqlite3.Connection, ask: Question, by: Sequence[By], used: set[str]
) -> dict[tuple[Any, ...], int]:
    source, values = ask.source("by_ticket" if used <= set(TICKET) else "receipt", [*dict.fromkeys(by), "ticket_key"])
    picked = ", ".join([*by, "count(DISTINCT ticket_key)"])
    rows = connection.execute(f"SELECT {picked} FROM ({source}){_grouped(by)}", values)
    return {row[:-1]: row[-1] for row in rows}


def _spend(key: tuple[str | None, ...], sums: Sequence[int], tickets: int | None) -> Spend:
    """A row of sums, in the order of `SUMS`."""
    attempts, failed, unpriced, unknown_before, inputs, outputs, *halves = sums
    cost, lost, before, saved = map(_usd, halves[::2], halves[1::2])
    known, was = Total(cost, unpriced), Total(before, unknown_before)
    return Spend(key, known, was, attempts, failed, tickets, lost, saved, inputs, outputs)


def _usd(high: int, low: int) -> Decimal:
    return Decimal(high * HALF + low).scaleb(-12) if high or low else ZERO


def _shown(by: Sequence[By], key: tuple[Any, ...]) -> tuple[str | None, ...]:
    return tuple(
        _day(value) if name == "day" else (value or None) if name in ("customer", "assurance") else value
        for name, value in zip(by, key, strict=True)
    )


@lru_cache(maxsize=4_096)
def _day(number: int) -> str:
    return day_of(number).isoformat()


def entries(
    connection: sqlite3.Connection, where: Filter, pending: bool, limit: int, edge: int, oldest_first: bool = False
) -> tuple[Kept, ...]:
    """Receipts below a number, newest first; or above it, oldest first."""
    ask = Question(where, pending)
    ask.sql, ask.values = f"({ask.sql}) AND id {'>' if oldest_first else '<'} ?", [*ask.values, edge]
    # Only the few receipts of one customer are worth sorting; else they are read in their order.
    source, values = ask.source("receipt", ["id", *RECEIPT], "" if where.customers else "NOT INDEXED")
    order = "ASC" if oldest_first else "DESC"
    rows = connection.execute(f"{source} ORDER BY id {order} LIMIT ?", [*values, limit]).fetchall()
    return tuple(Kept(row[0], entry_of(row[1:])) for row in rows)


def events(connection: sqlite3.Connection, where: Filter, pending: bool, kinds: Sequence[str]) -> tuple[Event, ...]:
    """Events in the order of their time. Of a filter only provenance, days, customers and runs speak of them."""
    ask = Question(Filter(where.provenance, where.since, where.until, where.customers, runs=where.runs), pending)
    if kinds:
        ask.sql = f"({ask.sql}) AND kind IN ({', '.join('?' * len(kinds))})"
        ask.values = [*ask.values, *kinds]
    source, values = ask.source("event", EVENT)
    return tuple(event_of(row) for row in connection.execute(f"{source} ORDER BY at", values).fetchall())


def plan_notes(connection: sqlite3.Connection, pipeline: str | None, pending: bool) -> tuple[PlanNote, ...]:
    """Notes about an agent, or about all, in the order in which they were written."""
    schemas = ("main", "temp") if pending else ("main",)
    where, values = ("true", []) if pipeline is None else ("pipeline = ?", [pipeline])
    columns = ", ".join(PLAN_NOTE)
    found = (f"SELECT id, {columns} FROM {schema}.plan_note WHERE {where}" for schema in schemas)
    rows = connection.execute(f"{' UNION ALL '.join(found)} ORDER BY id", values * len(schemas)).fetchall()
    return tuple(plan_note_of(row[1:]) for row in rows)


def days(connection: sqlite3.Connection, pending: bool) -> tuple[date, date] | None:
    """The first and the last day with receipts."""
    source, values = Question(Filter(), pending).source("by_cell", ["day"])
    first, last = connection.execute(f"SELECT min(day), max(day) FROM ({source})", values).fetchone()
    return None if first is None else (day_of(first), day_of(last))


def names(connection: sqlite3.Connection, by: By, where: Filter, pending: bool) -> tuple[str, ...]:
    """Every value of one name; an empty customer stands for tickets that name none."""
    source, values = Question(where, pending).source("by_ticket" if by in TICKET else "by_cell", [by])
    return tuple(str(v) for (v,) in connection.execute(f"SELECT DISTINCT {by} FROM ({source}) ORDER BY 1", values))
