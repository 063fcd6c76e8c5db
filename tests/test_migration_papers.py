"""The plan's dates, chart and exports, each read back by somebody else's parser."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.charts.plan import plan_chart
from playground.errors import BadInput
from playground.migration import (
    STATES,
    Facts,
    Paperwork,
    as_calendar,
    as_issues_csv,
    as_issues_json,
    as_markdown,
    finding,
    plan,
    savings,
    schedule,
)
from playground.prices import PRICE_DATE
from playground.safe_cells import FORMULA_STARTS
from tests.test_migration import LIVE_AUTO, ON, PRICED, at, stage, trial

MONDAY = date(2026, 11, 23)
HOSTILE = "=cmd|'/c calc'!A1\r\nATTACH:http://evil.example/x;,\\ <img src=//evil.example> [x](http://evil.example)"


NINE = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def papers(facts: Facts, start: date = MONDAY, at_time: datetime = NINE) -> Paperwork:
    return Paperwork(facts.agent, schedule(plan(facts), start), savings(facts), facts.basis, facts.on, at_time)


def hostile() -> Facts:
    named = replace(stage("intent"), title=HOSTILE, before=HOSTILE, routed=HOSTILE)
    return replace(PRICED, agent=HOSTILE, stages=(named, *PRICED.stages[1:]), basis=HOSTILE)


def events(raw: bytes) -> list[icalendar.Event]:
    return list(icalendar.Calendar.from_ical(raw).walk("VEVENT"))


def test_every_step_falls_into_its_week() -> None:
    slots = schedule(plan(PRICED), MONDAY)
    for slot in slots:
        monday = MONDAY + timedelta(weeks=slot.step.week - 1)
        assert monday <= slot.first <= slot.last < monday + timedelta(days=7)
    assert (slots[0].first, slots[0].last) == (date(2026, 11, 23), date(2026, 11, 29))
    assert next(s for s in slots if s.step.key == "digest").last == date(2026, 12, 18)


def test_a_start_at_the_end_of_time_is_refused() -> None:
    with pytest.raises(BadInput, match="choose a day before"):
        schedule(plan(PRICED), date(9999, 12, 31))


def test_the_calendar_is_read_back_day_by_day() -> None:
    paper = papers(at("intent", trial(), **LIVE_AUTO))
    found = events(as_calendar(paper))
    assert len(found) == len(paper.slots) == 16
    for event, slot in zip(found, paper.slots, strict=True):
        assert (event["DTSTART"].dt, event["DTEND"].dt) == (slot.first, slot.last + timedelta(days=1))
        assert event["DTSTART"].params["VALUE"] == "DATE"
        assert str(event["SUMMARY"]) == f"{slot.step.title} ({slot.step.state})"
        assert f"Prices of {PRICE_DATE}." in str(event["DESCRIPTION"])
        assert slot.step.because in str(event["DESCRIPTION"])
    assert {str(e["STATUS"]) for e in found} == {"TENTATIVE", "CONFIRMED"}
    assert [str(e["STATUS"]) for e, s in zip(found, paper.slots, strict=True) if s.step.key == "cut-intent"] == [
        "CONFIRMED"
    ]


def test_an_event_keeps_its_uid_when_it_moves_or_is_done_and_no_two_share_one() -> None:
    first = [str(e["UID"]) for e in events(as_calendar(papers(PRICED)))]
    later = [
        str(e["UID"]) for e in events(as_calendar(papers(at("intent", trial(usd_month=D(100))), MONDAY + timedelta(9))))
    ]
    assert first == later
    assert len(set(first)) == len(first)
    other = events(as_calendar(papers(replace(PRICED, agent="rag"))))
    assert not set(first) & {str(e["UID"]) for e in other}


def test_a_later_file_of_one_day_moves_the_events_of_the_earlier() -> None:
    """RFC 5545, 3.8.7.4: of one UID the higher SEQUENCE counts."""
    first, later = (events(as_calendar(papers(PRICED, at_time=NINE + timedelta(minutes=n))))[0] for n in (0, 5))
    assert first["DTSTAMP"].dt == NINE
    assert later["DTSTAMP"].dt == NINE + timedelta(minutes=5)
    # 323 days, 9 hours and 30 minutes of 2026
    assert (first["SEQUENCE"], later["SEQUENCE"]) == (465_690, 465_695)


def test_what_names_hold_starts_no_line_of_the_calendar() -> None:
    raw = as_calendar(papers(hostile()))
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))
    lines = raw.replace(b"\r\n ", b"").split(b"\r\n")
    assert {line.partition(b":")[0].partition(b";")[0] for line in lines if line} == {
        b"BEGIN", b"END", b"VERSION", b"PRODID", b"X-WR-CALNAME", b"UID", b"SEQUENCE", b"DTSTAMP", b"DTSTART", b"DTEND", b"SUMMARY",
        b"DESCRIPTION", b"STATUS", b"TRANSP", b"CATEGORIES",
    }  # fmt: skip
    shown = [str(e["SUMMARY"]) for e in events(raw)]
    assert any(s.startswith("Shadow: =cmd|'/c calc'!A1 ATTACH:http://evil.example/x;,\\ <img") for s in shown)


def test_the_issue_list_is_read_back_and_leaves_out_what_is_done() -> None:
    paper = papers(at("intent", trial(), **LIVE_AUTO))
    rows = list(csv.DictReader(io.StringIO(as_issues_csv(paper).decode(), newline="")))
    still = [s for s in paper.slots if not s.step.is_done]
    assert len(rows) == len(still) == 12
    assert [r["Title"] for r in rows] == [s.step.title for s in still]
    assert [date.fromisoformat(r["Due date"]) for r in rows] == [s.last for s in still]
    assert rows[0]["Labels"] == "migration,week-1,ready"
    assert all(f"Prices of {PRICE_DATE}." in r["Body"] and "estimates" in r["Body"] for r in rows)


@given(st.text(max_size=60))
def test_no_cell_of_the_issue_list_begins_like_a_formula(name: str) -> None:
    found = papers(
        replace(PRICED, agent=name, stages=tuple(replace(s, title=name, routed=name) for s in PRICED.stages))
    )
    raw = as_issues_csv(found).decode()
    for row in csv.reader(io.StringIO(raw, newline="")):
        assert len(row) == 4
        assert not any(cell.startswith(FORMULA_STARTS) for cell in row)
    assert len(events(as_calendar(found))) == 16
    assert json.loads(as_issues_json(found))["agent"] == name


def test_a_title_that_would_run_as_a_formula_is_a_text() -> None:
    slots = schedule(plan(PRICED), MONDAY)
    bad = replace(slots[0], step=replace(slots[0].step, title='=HYPERLINK("http://evil.example")'))
    rows = list(csv.reader(io.StringIO(as_issues_csv(replace(papers(PRICED), slots=(bad,))).decode())))
    assert rows[1][0] == '\'=HYPERLINK("http://evil.example")'


def test_the_json_holds_every_step_and_the_sums_as_decimals() -> None:
    found = json.loads(as_issues_json(papers(at("intent", trial(live=False)))))
    assert (found["kind"], found["version"], found["price_date"]) == ("migration plan", 1, PRICE_DATE.isoformat())
    assert found["sums"]["stop_here_usd_month"] == "0"
    assert found["sums"]["rehearsed_only_usd_month"] == "700"
    assert found["sums"]["saved_so_far_usd"] is None
    assert [i["key"] for i in found["issues"]] == [s.key for s in plan(PRICED)]
    assert {i["state"] for i in found["issues"]} <= set(STATES)


def test_the_checklist_ticks_only_what_counts_for_production() -> None:
    text = as_markdown(papers(at("intent", trial(), trial(live=False), **LIVE_AUTO)))
    assert text.count("- [x] ") == 4
    assert "(passed, due 2026-12-11)" in as_markdown(papers(at("intent", trial())))
    assert "If the plan ends after this step and all before it hold, it saves \\$700.00 a month." in text
    assert "with failed attempts and tickets that come back" in text
    rehearsed = as_markdown(papers(at("intent", trial(live=False))))
    assert rehearsed.count("- [x] ") == 1
    assert "(rehearsed, due 2026-12-11)" in rehearsed
    assert "Prices of" in text
    assert next(line for line in text.splitlines() if line.startswith("## ")) == (
        "## Week 1: Receipts, and nothing else changes (2026-11-23 to 2026-11-29)"
    )


def test_the_checklist_shows_names_inert() -> None:
    text = as_markdown(papers(hostile()))
    assert "<img" not in text.replace("\\<img", "")
    assert "](http" not in text
    assert "http://" not in text


def test_the_chart_states_the_finding_and_says_every_step() -> None:
    facts = at("intent", trial(), **LIVE_AUTO)
    slots, found = schedule(plan(facts), MONDAY), savings(facts)
    chart = plan_chart(slots, found, ON)
    assert chart.title == finding(found) == "4 of 16 steps done; stopping here saves $700.00 of $11,700 a month"
    assert all(s.step.title in chart.alt and s.step.state in chart.alt for s in slots)
    made = chart.chart.to_dict()
    data = next(iter(made["datasets"].values()))
    assert len(data) == 16
    assert {"from": "2026-11-23T00:00:00", "to": "2026-11-30T00:00:00", "due": "2026-11-29T00:00:00"}.items() <= data[
        0
    ].items()
    assert plan_chart((), found, ON).chart is None


def test_today_is_drawn_within_the_plan_only() -> None:
    slots, found = schedule(plan(PRICED), MONDAY), savings(PRICED)
    assert "Dashed: today." not in plan_chart(slots, found, ON).subtitle
    assert "Dashed: today." in plan_chart(slots, found, MONDAY).subtitle
