"""Days and rounds: every way a help desk writes them, and what is said where they cannot be read."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.log_tickets import NO_TIME
from playground.logs import Columns, LogRead, read_log
from playground.logs.days import Days, second_of_day
from playground.logs.plain import cell_text, cleaned, column_texts
from playground.logs.rounds import MOST, rounds_of
from playground.tickets import clean
from tests.logs_helpers import read, reasons, written

DAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-24",
        "2026-11-24T10:11:12",
        "2026-11-24T23:59:59+02:00",
        " 2026-11-24 10:11 ",
        "2026/11/24",
        "20261124",
        "24/11/2026",
        "11/24/2026",
        "11/24/26 10:11 PM",
        "24.11.2026",
        "24.11.2026, 10:11",
        "24-11-2026",
        "24 Nov 2026 10:11 AM",
        "Tue, 24 Nov 2026 10:11:00 +0000",
        "November 24, 2026",
        datetime(2026, 11, 24, 10),
        DAY,
        1795514400,
        1795514400.5,
        1795514400000,
        Decimal("1795514400"),
        "1795514400",
        "1795514400000",
        46350.5,
    ],
)
def test_a_day_is_read_however_it_is_written(value: object) -> None:
    assert Days(LogRead()).day(value) == DAY.toordinal()


@pytest.mark.parametrize(
    "value",
    [
        *("never", "2026-13-24", "31/31/2026", "Monday", "10:11", "Nov 2026", "5", "1e999", "9" * 400, True, -5, 12),
        *(float("nan"), float("inf"), Decimal("1e999999"), 10**400, [1], {"a": 1}, "24 Nov 2026 " * 20),
    ],
)
def test_what_is_no_date_is_not_taken_for_one(value: object) -> None:
    assert Days(LogRead()).day(value) is None


@given(st.text())
def test_no_text_raises(text: str) -> None:
    days = Days(LogRead())
    days.learn([text])
    days.day(text)


@given(st.dates(date(1990, 1, 1), date(2099, 12, 31)))
def test_a_learned_order_reads_every_day(day: date) -> None:
    days = Days(LogRead())
    days.learn(["24/11/2026"])
    assert days.day(day.strftime("%d/%m/%Y")) == day.toordinal()
    assert days.day(day.isoformat()) == day.toordinal()


def test_the_rows_decide_whether_the_day_comes_first(tmp_path: Path) -> None:
    (batch,), told = read(written(tmp_path, "log.csv", "text,date\na,03/04/2026\nb,24/11/2026\n"))
    assert batch.days.tolist() == [date(2026, 4, 3).toordinal(), DAY.toordinal()]
    assert told.notes == ["log.csv: dates with slashes are read day first, as in 24/11/2026."]


def test_where_nothing_decides_the_month_is_first_and_that_is_said_once(tmp_path: Path) -> None:
    (batch,), told = read(written(tmp_path, "log.csv", "text,date\na,03/04/2026\nb,05/06/2026\n"))
    assert batch.days[0] == date(2026, 3, 4).toordinal()
    assert len(told.notes) == 1
    assert "month first" in told.notes[0]


def test_a_row_far_below_turns_the_order_and_that_is_said(tmp_path: Path) -> None:
    rows = "a,03/04/2026\n" * 3_000 + "b,24/11/2026\n" + "c,03/04/2026\n"
    (batch,), told = read(written(tmp_path, "log.csv", "text,date\n" + rows))
    assert (batch.days[0], batch.days[-1]) == (date(2026, 3, 4).toordinal(), date(2026, 4, 3).toordinal())
    assert "from here on" in told.notes[1]


def test_three_formats_in_one_file_and_one_that_is_none(tmp_path: Path) -> None:
    content = "text,created\na,2026-11-24\nb,24.11.2026\nc,24 Nov 2026 10:11 AM\nd,soon\n"
    (batch,), told = read(written(tmp_path, "log.csv", content))
    assert batch.days.tolist() == [DAY.toordinal()] * 3 + [0]
    assert reasons(told) == ["log.csv, line 5: the date 'soon' cannot be read; write it like 2026-11-24."]
    assert told.left_out == 0


def test_iso_dates_do_not_load_dateutil_nor_does_the_package_load_anything_heavy() -> None:
    code = """
import sys
from playground.log_tickets import NO_TIME
from playground.logs import Columns, LogRead, read_log
from playground.logs.days import Days, second_of_day
Days(LogRead()).day("2026-11-24T10:11:12+01:00")
print({"dateutil", "openpyxl", "ijson", "charset_normalizer"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("set()", "")


def turns(who: str) -> list[object]:
    return [{"role": {"c": "customer", "a": "agent"}[w]} for w in who]


@pytest.mark.parametrize(
    ("value", "of_both", "of_customer"),
    [
        (None, 0, 0),
        ("", 0, 0),
        ([], 0, 0),
        (4, 2, 4),
        (5, 3, 5),
        ("5", 3, 5),
        ("5.0", 3, 5),
        (0, 1, 1),
        (10**6, MOST, MOST),
        (10**400, None, None),
        ("many", None, None),
        (-1, None, None),
        (True, None, None),
        ("nan", None, None),
        ({"a": 1}, None, None),
        (["Hello", "And?"], 2, 2),
        ('["Hello", "And?"]', 2, 2),
        (turns("cca"), 1, 1),
        (turns("caccac"), 3, 3),
        (turns("aa"), 1, 1),
        ([{"text": "who?"}], None, None),
        ([{"incoming": True}, {"incoming": False}, {"incoming": True}], 2, 2),
        ([{"incoming": True}, {"incoming": False, "private": True}, {"incoming": True}], 1, 1),
        ([{"author": {"type": "user"}}, {"author": {"type": "bot"}}, {"from": "End-User"}], 2, 2),
        ("[" * 100_000, None, None),
    ],
)
def test_rounds(value: object, of_both: int | None, of_customer: int | None) -> None:
    assert rounds_of(value, "both") == of_both
    assert rounds_of(value, "customer") == of_customer


@given(st.lists(st.booleans(), min_size=1))
def test_runs_of_the_customer_are_counted_and_never_none(said: list[bool]) -> None:
    shown = "".join("c" if s else "a" for s in said)
    assert rounds_of(turns(shown), "both") == min(MOST, max(1, len([r for r in shown.split("a") if r])))


def test_rounds_that_cannot_be_read_are_said_and_the_row_is_kept(tmp_path: Path) -> None:
    (batch,), told = read(written(tmp_path, "log.csv", "text,turns\na,3\nb,lots\n"))
    assert batch.rounds.tolist() == [2, 0]
    assert reasons(told)[0].startswith("log.csv, line 3: the customer's messages cannot be counted")


@given(st.text(st.characters(codec=None)) | st.text(st.characters(max_codepoint=127)))
def test_the_short_way_to_a_clean_text_leads_to_the_same(text: str) -> None:
    assert cleaned(text) == clean(text)[0]


@given(st.lists(st.none() | st.integers() | st.text() | st.dictionaries(st.text(), st.text())))
def test_a_column_is_read_like_its_cells(values: list[object]) -> None:
    assert column_texts(values) == [cell_text(v) for v in values]


@pytest.mark.parametrize(
    ("value", "second"),
    [
        ("2026-10-01T00:59:14Z", 3_554), ("2026-10-01 23:59", 86_340), ("2026-10-01T10:11:12.345+02:00", 36_672),
        ("24 Nov 2026 10:11 PM", 79_860), ("11/24/2026, 12:05 AM", 300), ("24/11/2026 12:05 p.m.", 43_500),
        ("2026-10-01", NO_TIME), ("", NO_TIME), (None, NO_TIME), ("2026-10-01 25:00", NO_TIME), (True, NO_TIME),
        (datetime(2026, 10, 1, 6, 30, 5), 23_405), (date(2026, 10, 1), NO_TIME), (1_764_160_000, 44_800),
        (1_764_160_000_000, 44_800),
        ("1764160000", 44_800), (46_000.5, 43_200), (46_000, NO_TIME), (float("nan"), NO_TIME), (7, NO_TIME),
    ],
)  # fmt: skip
def test_the_second_of_the_day_is_read_where_it_is_said(value: object, second: int) -> None:
    assert second_of_day(value) == second


def test_times_are_read_when_they_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("text,created_at\nOne,2026-10-01T00:00:05Z\nTwo,2026-10-02\n")
    columns = Columns("text", created_at="created_at")
    (asked,), (plain,) = (list(read_log(path, columns, times=times)) for times in (True, False))
    assert asked.seconds.tolist() == [5, NO_TIME]
    assert plain.seconds.tolist() == [NO_TIME, NO_TIME]
    (undated,) = read_log(path, Columns("text"), times=True)
    assert undated.seconds.tolist() == [NO_TIME, NO_TIME]
