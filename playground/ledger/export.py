"""The ledger as one flat table: CSV, newline JSON or Parquet, written batch by batch, so that its size does not matter.

Money is exact: decimal strings in CSV and JSON, decimal(38, 12) in Parquet. Times are UTC in ISO 8601. In CSV no cell begins like a
formula: an apostrophe goes before it. The other two hold the text as it is.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, BinaryIO, Literal

from playground.ledger.export_columns import COLUMNS, SCHEMA_VERSION
from playground.ledger.values import Kept
from playground.safe_cells import csv_line

Format = Literal["csv", "parquet", "ndjson"]
FORMATS: tuple[Format, ...] = ("csv", "parquet", "ndjson")
MIME: Mapping[Format, str] = {
    "csv": "text/csv", "parquet": "application/vnd.apache.parquet", "ndjson": "application/x-ndjson",
}  # fmt: skip
Batches = Iterable[Sequence[Kept]]


def write(batches: Batches, out: BinaryIO, form: Format) -> int:
    """Write receipts as they come, and return how many."""
    return _WRITERS[form](batches, out)


def as_bytes(batches: Batches, form: Format) -> bytes:
    """The same in memory, for a download."""
    out = io.BytesIO()
    write(batches, out, form)
    return out.getvalue()


def plain(value: Any) -> Any:
    """A value as JSON and CSV hold it."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


def _csv(batches: Batches, out: BinaryIO) -> int:
    count = 0
    out.write(f"{','.join(c.name for c in COLUMNS)}\r\n".encode())
    for batch in batches:
        lines = (csv_line(_cell(c.value(kept)) for c in COLUMNS) for kept in batch)
        out.write("".join(lines).encode())
        count += len(batch)
    return count


def _cell(value: Any) -> Any:
    return value.normalize() if isinstance(value, Decimal) else plain(value)


def _ndjson(batches: Batches, out: BinaryIO) -> int:
    count = 0
    for batch in batches:
        rows = ({c.name: plain(c.value(kept)) for c in COLUMNS} for kept in batch)
        out.write("".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows).encode())
        count += len(batch)
    return count


def _parquet(batches: Batches, out: BinaryIO) -> int:
    import pyarrow as pa
    from pyarrow import parquet

    schema, count = _schema(pa), 0
    with parquet.ParquetWriter(out, schema, compression="zstd") as writer:
        for columns, rows in _arrays(batches, schema, pa):
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            count += rows
    return count


ROWS_IN_A_GROUP = 50_000


def _arrays(batches: Batches, schema: Any, pa: Any) -> Iterator[tuple[list[Any], int]]:
    """Columns of up to so many rows at a time: small groups make a large file that is slow to read."""
    held: list[Kept] = []
    for batch in batches:
        held += batch
        if len(held) >= ROWS_IN_A_GROUP:
            yield _columns(held, schema, pa), len(held)
            held = []
    if held:
        yield _columns(held, schema, pa), len(held)


def _columns(held: Sequence[Kept], schema: Any, pa: Any) -> list[Any]:
    return [pa.array([c.value(k) for k in held], schema.field(c.name).type) for c in COLUMNS]


def _schema(pa: Any) -> Any:
    types = {
        "integer": pa.int64(), "text": pa.string(), "money": pa.decimal128(38, 12), "number": pa.float64(),
        "time": pa.timestamp("us", "UTC"), "day": pa.date32(),
    }  # fmt: skip
    fields = [pa.field(c.name, types[c.kind], metadata={"about": c.about}) for c in COLUMNS]
    return pa.schema(fields, metadata={"schema_version": str(SCHEMA_VERSION)})


_WRITERS: Mapping[Format, Callable[[Batches, BinaryIO], int]] = {"csv": _csv, "parquet": _parquet, "ndjson": _ndjson}
