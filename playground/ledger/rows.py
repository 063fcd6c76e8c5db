"""A receipt's row in the file and back, and what it adds to the rollups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from playground.ledger.schema import CELL, EVENT, RECEIPT, SUMS, TICKET
from playground.receipts import PICO_USD
from playground.records import Entry, Event, PlanNote, Receipt, Usage

Row = tuple[Any, ...]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = date(1970, 1, 1)
MOST = 2**63 - 1
"""SQLite's largest integer: as money, 9.2 million USD."""
HALF = 1_000_000
"""Where a sum of money is parted in two."""
COMPARED = ("ticket", "sample")
"""Purposes whose calls are compared with before. An evaluation's calls serve nobody, so they replace no call of today's model."""
_AT = {name: i for i, name in enumerate(RECEIPT)}
_CELL_AT, _TICKET_AT = ([_AT[name] for name in key] for key in (CELL, TICKET))


def pico(usd: Decimal | None) -> int | None:
    """Money as the file keeps it; `None` where there is no price, or more than the file can hold."""
    whole = None if usd is None else int((usd / PICO_USD).to_integral_value())
    return whole if whole is None or abs(whole) <= MOST else None


def money(whole: int | None) -> Decimal | None:
    """What `pico` kept, in USD."""
    return None if whole is None else Decimal(whole).scaleb(-12)


def day_number(day: date) -> int:
    """Days since 1970."""
    return (day - EPOCH_DAY).days


def day_of(number: int) -> date:
    """What `day_number` made."""
    return EPOCH_DAY + timedelta(days=number)


def micros(at: datetime) -> int:
    """Microseconds since 1970; a time without a zone is UTC."""
    return (at.replace(tzinfo=at.tzinfo or UTC) - EPOCH) // timedelta(microseconds=1)


def time_of(at: int) -> datetime:
    """What `micros` made."""
    return EPOCH + timedelta(microseconds=at)


def clean(text: str | None) -> str | None:
    """Text that SQLite takes: half of a surrogate pair cannot be written as UTF-8."""
    return None if text is None else text.encode("utf-8", "backslashreplace").decode()


def ticket_key(entry: Entry) -> int:
    """Tells one ticket of one run from all others."""
    parts = repr((entry.run, entry.receipt.ticket_id, entry.customer or "")).encode("utf-8", "backslashreplace")
    return int.from_bytes(blake2b(parts, digest_size=8).digest(), "big", signed=True)


def row_of(entry: Entry) -> Row:
    """An entry in the order of `RECEIPT`."""
    r, at = entry.receipt, micros(entry.at)
    return (
        at, at // 86_400_000_000, clean(entry.run), entry.purpose, clean(entry.customer) or "", ticket_key(entry),
        clean(r.ticket_id), entry.ticket_digest, clean(entry.text), clean(r.pipeline), r.plan, clean(r.stage), r.call, r.attempt,
        clean(r.model), clean(r.provider), r.effort, *_usage(r.usage), pico(r.cost_usd),
        r.price_as_of and r.price_as_of.isoformat(), r.provenance, r.outcome, r.latency_s, r.first_token_s, r.failure, r.source,
        clean(r.rule), r.waited_s, *_usage(r.saved), pico(r.saved_usd), pico(entry.before_usd),
        entry.assurance or "",
    )  # fmt: skip


def _usage(u: Usage | None) -> Row:
    if u is None:
        return (None,) * 6
    counts = (u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_tokens, u.reasoning_tokens)
    return (*(max(-MOST, min(n, MOST)) for n in counts), u.counted)


def entry_of(row: Row) -> Entry:
    """A row in the order of `RECEIPT` as the entry that it was made from."""
    v = dict(zip(RECEIPT, row, strict=True))
    receipt = Receipt(
        **{name: v[name] for name in _SAME},
        usage=Usage(*(v[name] for name in _USAGE)),
        cost_usd=money(v["cost"]),
        price_as_of=v["price_as_of"] and date.fromisoformat(v["price_as_of"]),
        saved=None if v["saved_counted"] is None else Usage(*(v[f"saved_{name}"] for name in _USAGE)),
        saved_usd=money(v["saved"]),
    )
    at, who, before = time_of(v["at"]), v["customer"] or None, money(v["before"])
    return Entry(
        receipt, at, v["run"], v["purpose"], who, v["ticket_digest"], before, v["text"], v["assurance"] or None
    )


_USAGE = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "counted")
_SAME = (
    "ticket_id", "pipeline", "plan", "stage", "call", "attempt", "model", "provider", "effort", "provenance", "outcome",
    "latency_s", "first_token_s", "failure", "source", "rule", "waited_s",
)  # fmt: skip


def event_row(event: Event) -> Row:
    """An event in the order of `EVENT`."""
    at, texts = micros(event.at), (event.subject, event.said, event.provenance, event.run, event.ticket_id)
    return (at, at // 86_400_000_000, event.kind, *map(clean, texts), clean(event.customer) or "")


def event_of(row: Row) -> Event:
    """A row in the order of `EVENT` as an event."""
    v = dict(zip(EVENT, row, strict=True))
    who = v["customer"] or None
    return Event(time_of(v["at"]), v["kind"], v["subject"], v["said"], v["provenance"], v["run"], v["ticket_id"], who)


def plan_note_row(note: PlanNote) -> Row:
    """A note in the order of `PLAN_NOTE`."""
    texts = (note.kind, note.pipeline, note.subject, note.provenance, note.value, note.said)
    return (micros(note.at), *map(clean, texts))


def plan_note_of(row: Row) -> PlanNote:
    """A row in the order of `PLAN_NOTE` as a note."""
    at, *rest = row
    return PlanNote(time_of(at), *rest)


def sums_of(row: Row) -> tuple[int, ...]:
    """What one receipt adds to the rollups, in the order of `SUMS`."""
    cost, before, failed = row[_AT["cost"]], row[_AT["before"]], row[_AT["outcome"]] != "ok"
    unknown = before is None and not failed and row[_AT["purpose"]] in COMPARED
    amounts = (cost or 0, failed * (cost or 0), before or 0, row[_AT["saved"]] or 0)
    halves = (half for amount in amounts for half in divmod(amount, HALF))
    return (1, failed, cost is None, unknown, row[_AT["input_tokens"]], row[_AT["output_tokens"]], *halves)


def rollups(rows: Iterable[Row]) -> tuple[Iterator[Row], Iterator[Row]]:
    """What receipts add to the sums by call and to those by ticket: key, then sums."""
    cells: dict[Row, list[int]] = {}
    tickets: dict[Row, list[int]] = {}
    for row in rows:
        more = sums_of(row)
        for found, places in ((cells, _CELL_AT), (tickets, _TICKET_AT)):
            key = tuple(row[i] for i in places)
            found[key] = [a + b for a, b in zip(found[key], more, strict=True)] if key in found else list(more)
    return _flat(cells), _flat(tickets)


def _flat(found: Mapping[Row, list[int]]) -> Iterator[Row]:
    return ((*key, *map(int, sums)) for key, sums in found.items())


def adding(table: str, key: tuple[str, ...], schema: str = "main") -> str:
    """The statement that adds a row of `rollups` to its table."""
    columns = (*key, *SUMS)
    more = ", ".join(f"{name} = {name} + excluded.{name}" for name in SUMS)
    marks = ", ".join("?" * len(columns))
    return (
        f"INSERT INTO {schema}.{table} ({', '.join(columns)}) VALUES ({marks}) ON CONFLICT ({', '.join(key)}) "
        f"DO UPDATE SET {more}"
    )
