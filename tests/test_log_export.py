"""A priced log as files, read back."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow.parquet as parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.batch_costs import UNPRICED
from playground.log_export import as_csv, as_parquet, as_table
from playground.safe_cells import safe
from tests.test_log_summary import batch

DAY = date(2026, 10, 5)


def test_every_ticket_is_a_row_with_exact_money() -> None:
    priced = batch([1_234_567_890_123, int(UNPRICED)], ["Acme", ""], [DAY.toordinal(), 0])
    rows = list(csv.DictReader(io.StringIO(as_csv(priced).decode())))
    assert rows[0]["before_usd"] == "1.234567890123"
    assert (rows[0]["customer"], rows[0]["created_on"], rows[0]["rounds"]) == ("Acme", "2026-10-05", "")
    assert (rows[1]["before_usd"], rows[1]["created_on"]) == ("", "")


def test_parquet_holds_the_same_table() -> None:
    priced = batch([5, 7])
    assert parquet.read_table(io.BytesIO(as_parquet(priced))).equals(as_table(priced))
    assert as_table(priced)["before_usd"].to_pylist() == [Decimal("0.000000000005"), Decimal("0.000000000007")]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_begins_like_a_formula(start: str) -> None:
    priced = batch([1], [f"{start}HYPERLINK(1)"])
    assert as_table(priced)["customer"].to_pylist() == [f"'{start}HYPERLINK(1)"]


@given(st.text(alphabet="=+-@\t\r\na'é ", max_size=6))
def test_a_column_is_made_safe_as_a_single_cell_is(text: str) -> None:
    assert as_table(batch([1], [text]))["customer"].to_pylist() == [safe(text)]


def test_a_log_without_tickets_is_a_table_without_rows() -> None:
    assert as_table(batch([])).num_rows == 0
    assert isinstance(as_csv(batch([])), bytes)


def test_tokens_of_all_stages_add_up() -> None:
    assert as_table(batch([1, 2]))["input_tokens"].to_pylist() == np.ones(2).tolist()
