"""A priced log, ticket by ticket, as CSV and Parquet. Money is exact to 10^-12 USD; no cell begins like a formula."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from playground.batch_costs import UNPRICED, Whole
from playground.bill import NOT_RUN
from playground.log_pricing import PricedBatch
from playground.log_tickets import UNKNOWN
from playground.prices import PRICE_DATE
from playground.safe_cells import FORMULA_STARTS

TYPICAL = "typical length"
"""Where the length of answers comes from."""
_EPOCH = date(1970, 1, 1).toordinal()
_PICO_USD = Decimal("0.000000000001")


def as_table(batch: PricedBatch, answers: str = TYPICAL) -> Any:
    """A `pyarrow.Table`, one row a ticket: what it is, what one round costs under each plan, and what kind of number that is.

    `answers` says where the length of answers comes from. Retries are not in it.
    """
    import pyarrow as pa

    columns = {
        "ticket_id": _safe(pa.array(batch.ids, pa.string())),
        "customer": _safe(pa.array(batch.customers, pa.string())),
        "created_on": pa.array(batch.days - _EPOCH, pa.int32(), mask=batch.days == UNKNOWN).cast(pa.date32()),
        "rounds": pa.array(batch.rounds, mask=batch.rounds == UNKNOWN),
        "hard": pa.array(batch.hard),
        "input_tokens": pa.array(batch.input_tokens.sum(axis=1, dtype=np.int64)),
    }
    n = len(batch.ids)
    said = {"provenance": NOT_RUN, "counted": "estimate", "price_date": PRICE_DATE.isoformat(), "answers": answers}
    columns |= {name: pa.array([value] * n, pa.string()).dictionary_encode() for name, value in said.items()}
    for plan in batch.costs:
        columns[f"{_name(plan)}_usd"] = _money(batch.ticket_costs(plan))
    return pa.table(columns)


def as_csv(batch: PricedBatch, answers: str = TYPICAL) -> bytes:
    """The table as CSV in UTF-8."""
    from pyarrow import csv

    out = io.BytesIO()
    csv.write_csv(as_table(batch, answers), out)
    return out.getvalue()


def as_parquet(batch: PricedBatch, answers: str = TYPICAL) -> bytes:
    """The table as Parquet."""
    from pyarrow import parquet

    out = io.BytesIO()
    parquet.write_table(as_table(batch, answers), out)
    return out.getvalue()


def _name(plan: str) -> str:
    return plan.replace("-", "_")


def _safe(column: Any) -> Any:
    import pyarrow.compute as arrow

    starts = "".join(f"\\x{{{ord(c):x}}}" for c in FORMULA_STARTS)
    return arrow.replace_substring_regex(column, f"^( *[{starts}])", r"'\1")


def _money(pico: Whole) -> Any:
    import pyarrow as pa
    import pyarrow.compute as arrow

    whole = pa.array(pico, pa.int64(), mask=pico == UNPRICED).cast(pa.decimal128(19, 0))
    return arrow.multiply(whole, pa.scalar(_PICO_USD, pa.decimal128(13, 12)))
