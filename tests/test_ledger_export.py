"""One flat table in three formats: the same values in each, exact money, inert cells, and batch by batch."""

from __future__ import annotations

import csv
import io
import json
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.cli import main
from playground.ledger import Kept, Ledger
from playground.ledger.export import FORMATS, as_bytes, write
from playground.ledger.export_columns import COLUMNS, OPERATION, SCHEMA_VERSION
from playground.records import Entry, Usage
from tests.ledger_helpers import ENTRIES, entry

DOCS = Path(__file__).resolve().parents[1] / "docs" / "ledger.md"
HOSTILE = ["=cmd|' /C calc'!A0", "@x", 'a,b\n"c"', "<img src=x>", "\U0001f600", "+1", None]


def kept(entries: Sequence[Entry]) -> list[tuple[Kept, ...]]:
    with closing(Ledger(None)) as ledger:
        ledger.add(entries)
        return list(ledger.batches(size=2))


def rows_of(form: str, data: bytes) -> list[dict[str, Any]]:
    if form == "csv":
        return list(csv.DictReader(io.StringIO(data.decode(), newline="")))
    if form == "ndjson":
        return [json.loads(line) for line in data.decode().split("\n") if line]
    from pyarrow import parquet

    found: list[dict[str, Any]] = parquet.read_table(io.BytesIO(data)).to_pylist()
    return found


@settings(max_examples=25)
@given(st.lists(ENTRIES, max_size=6))
def test_the_three_formats_hold_the_same(entries: list[Entry]) -> None:
    batches = kept(entries)
    whole = {form: rows_of(form, as_bytes(batches, form)) for form in FORMATS}
    assert [len(rows) for rows in whole.values()] == [len(entries)] * 3
    for said, told, exact, e in zip(whole["csv"], whole["ndjson"], whole["parquet"], entries, strict=True):
        assert list(said) == list(told) == list(exact) == [c.name for c in COLUMNS]
        assert exact["cost_usd"] == e.receipt.cost_usd
        assert exact["before_usd"] == e.before_usd
        assert exact["at"] == e.at
        assert exact["customer_id"] == told["customer_id"] == e.customer
        for money in ("cost_usd", "before_usd", "saved_usd"):
            assert (told[money] and Decimal(told[money])) == exact[money]
            assert (Decimal(said[money]) if said[money] else None) == exact[money]
        for c in COLUMNS:
            if c.kind in ("integer", "number") and exact[c.name] is not None:
                assert float(said[c.name]) == told[c.name] == exact[c.name]


def test_times_money_and_days_are_written_as_documented() -> None:
    batches = kept([entry(cost_usd=Decimal("0.000000000001"), usage=Usage(10, 5, counted="provider"))])
    (row,) = rows_of("ndjson", as_bytes(batches, "ndjson"))
    assert (row["schema_version"], row["receipt_id"]) == (SCHEMA_VERSION, 1)
    assert (row["at"], row["day"], row["price_date"]) == ("2026-11-01T08:00:00.000000Z", "2026-11-01", "2026-10-21")
    assert (row["cost_usd"], row["saved_usd"], row["ticket_text"]) == ("0.000000000001", None, None)


def test_no_cell_of_a_csv_begins_like_a_formula() -> None:
    batches = kept([entry(customer=c) for c in HOSTILE])
    rows = rows_of("csv", as_bytes(batches, "csv"))
    assert [r["customer_id"] for r in rows] == ["'=cmd|' /C calc'!A0", "'@x", *HOSTILE[2:5], "'+1", ""]
    assert [r["customer_id"] for r in rows_of("parquet", as_bytes(batches, "parquet"))] == HOSTILE


def test_an_export_of_nothing_has_its_columns() -> None:
    assert as_bytes([], "csv").decode().split("\r\n")[0].split(",") == [c.name for c in COLUMNS]
    assert as_bytes([], "ndjson") == b""
    assert rows_of("parquet", as_bytes([], "parquet")) == []


@pytest.mark.parametrize("form", FORMATS)
def test_no_more_than_some_batches_are_held(form: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from playground.ledger import export

    monkeypatch.setattr(export, "ROWS_IN_A_GROUP", 4)
    (some,) = kept([entry(), entry()])
    out = io.BytesIO()
    told: list[int] = []

    def batches() -> Iterator[tuple[Kept, ...]]:
        for _ in range(10):
            told.append(out.tell())
            yield some

    assert write(batches(), out, form) == 20
    assert told[-1] > told[4] > told[0]


def test_a_parquet_file_says_what_its_columns_are() -> None:
    import pyarrow as pa
    from pyarrow import parquet

    file = parquet.ParquetFile(io.BytesIO(as_bytes(kept([entry()]), "parquet")))
    assert file.schema_arrow.metadata[b"schema_version"] == b"1"
    assert file.schema_arrow.field("cost_usd").type == pa.decimal128(38, 12)
    assert file.schema_arrow.field("at").type == pa.timestamp("us", "UTC")
    assert file.schema_arrow.field("customer_id").metadata[b"about"]


def test_the_documentation_lists_every_column_and_its_mapping() -> None:
    text = DOCS.read_text(encoding="utf-8")
    documented = re.findall(r"^\| `(\w+)` \| (\w+) \| (.+?) \| (.*?) \|$", text, re.M)
    assert documented == [(c.name, c.kind, c.about, f"`{c.otel}`" if "." in c.otel else c.otel) for c in COLUMNS]
    assert f"`{OPERATION[0]}` is `{OPERATION[1]}`" in text
    assert f"Schema version {SCHEMA_VERSION}" in text


def snippet(name: str) -> str:
    found = re.search(rf"### {name}\n.*?```sql\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.S)
    assert found
    return found[1]


@pytest.mark.parametrize("form", FORMATS)
def test_the_documented_duckdb_query_runs_on_every_format(
    form: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    duckdb = pytest.importorskip("duckdb")
    entries = [entry(), entry(1), entry(1, outcome="failed", cost_usd=None), entry(provenance="rehearsal")]
    (tmp_path / f"receipts.{form}").write_bytes(as_bytes(kept(entries), form))
    monkeypatch.chdir(tmp_path)
    sql = snippet("DuckDB").replace("receipts.parquet", f"receipts.{form}")
    rows = duckdb.sql(sql).fetchall()
    assert [(r[0], *map(float, r[3:5]), r[5]) for r in rows] == [
        (date(2026, 11, 1), 0.0012, 0.01, 0),
        (date(2026, 11, 2), 0.0012, 0.01, 1),
    ]


def test_every_snippet_names_columns_that_exist() -> None:
    names = {c.name for c in COLUMNS}
    for place in ("BigQuery", "Snowflake", "DuckDB"):
        used = set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", snippet(place)))
        assert used & names >= {"cost_usd", "before_usd"}
        assert used - names <= {
            "decimal_target_types", "bq_dataset", "parquet_format", "spent_usd", "on_todays_models_usd", "without_price",
            "my_stage", "file_format",
        }  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "ledger.sqlite"
    with closing(Ledger(found)) as ledger:
        ledger.add([entry(), entry(1, "Zoë, Ltd", stage="check"), entry(2, provenance="rehearsal")])
    return found


def test_the_command_writes_what_its_filter_leaves(path: Path, tmp_path: Path, capsysbinary: Any) -> None:
    out = tmp_path / "receipts.jsonl"
    asked = ["export", "--ledger", str(path), "--provenance", "live", "--since", "2026-11-02", "--out", str(out)]
    assert main(asked) == 0
    assert [r["customer_id"] for r in rows_of("ndjson", out.read_bytes())] == ["Zoë, Ltd"]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert capsysbinary.readouterr().err == b"1 receipt written.\n"
    assert main(["export", "--ledger", str(path), "--customer", "acme", "--customer", "Zoë, Ltd"]) == 0
    said = capsysbinary.readouterr()
    assert [r["stage"] for r in rows_of("csv", said.out)] == ["draft", "check", "draft"]
    assert said.err == b"3 receipts written.\n"


def test_a_file_that_exists_is_not_written_over(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "receipts.csv"
    out.write_text("mine")
    asked = ["export", "--ledger", str(path), "--out", str(out)]
    assert main(asked) == 2
    assert "--force" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert main([*asked, "--force"]) == 0
    assert out.read_text().startswith("schema_version,")


def test_a_ledger_that_is_not_there_or_cannot_be_used_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "--ledger", str(tmp_path / "none.sqlite")]) == 2
    assert "there is no ledger here" in capsys.readouterr().err
    assert not (tmp_path / "none.sqlite").exists()
    (tmp_path / "text.sqlite").write_text("no database, " * 50)
    assert main(["export", "--ledger", str(tmp_path / "text.sqlite")]) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert "is damaged" in said.err
    assert "memory" not in said.err


def test_a_run_writes_where_it_is_told_to_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TICKET_PLAYGROUND_HOME", str(tmp_path / "home"))
    assert main(["run", "02-password-reset", "--json"]) == 0
    assert not (tmp_path / "home" / "ledger.sqlite").exists()
    capsys.readouterr()
    assert main(["run", "02-password-reset", "--json", "--ledger", str(tmp_path / "own.sqlite")]) == 0
    said = json.loads(capsys.readouterr().out)
    with closing(Ledger(tmp_path / "own.sqlite")) as ledger:
        (whole,) = ledger.spend()
        assert whole.total.exact_usd == Decimal(said["cost_usd"])
        assert datetime.now(UTC).date() == ledger.days()[1]  # type: ignore[index]
    (tmp_path / "text.sqlite").write_text("no database, " * 50)
    assert main(["run", "02-password-reset", "--ledger", str(tmp_path / "text.sqlite")]) == 2
    assert capsys.readouterr().out == ""
