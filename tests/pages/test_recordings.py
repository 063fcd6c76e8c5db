"""Recordings in the pages: labelled, closable, never mixed with the session's own run; two runs side by side."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from playground.ledger import Filter
from playground.recorded import load, save
from playground.records import Ticket
from playground.ui import state
from tests.pages.test_pages import said, start, state_trace
from tests.recorded_helpers import MADE_AT, lived, raw_of, rehearsed, saved_tree

COMPARE = "pages/compare.py"
LIVE = "Recorded on 12 November 2026 from a live run."


@pytest.fixture(autouse=True)
def _no_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "warm_up", lambda: None)


def upload(app: AppTest, key: str, *files: tuple[str, bytes]) -> AppTest:
    box = next(u for u in app.get("file_uploader") if key in u.proto.id)
    sent = [(name, raw, "application/json") for name, raw in files]
    box.set_value(sent if len(sent) > 1 else sent[0]).run()
    return app


def live_file(ticket: Ticket | None = None) -> bytes:
    trace, agent = lived(ticket=ticket)
    return save(trace, agent.router, made_at=MADE_AT)


def opened(raw: bytes) -> AppTest:
    return upload(start(), "recording_file", ("run.json", raw))


def test_an_open_recording_is_shown_with_its_date_and_its_own_money() -> None:
    raw = live_file()
    app = opened(raw)
    assert not app.exception
    text = said(app)
    assert LIVE in text
    assert "Rehearsal: no model was called" not in text
    assert text.count(":blue-badge[recorded]") == 6
    assert not any(b.label.startswith("Run from here") for b in app.button)
    found = load(raw)
    total = sum(r.cost_usd for r in found.trace.receipts if r.cost_usd is not None)
    assert app.metric[1].value == f"\\${total:.4f}"


@pytest.mark.parametrize("page", ["pages/bill.py", "pages/month.py"])
def test_bill_and_month_show_the_recording_with_its_label(page: str) -> None:
    app = opened(live_file()).switch_page(page).run()
    assert not app.exception
    assert LIVE in said(app)
    assert "Rehearsal: no model was called" not in said(app)


def test_other_pages_stay_with_the_sessions_own_run() -> None:
    app = opened(live_file()).switch_page("pages/bars.py").run()
    assert not app.exception
    assert LIVE not in said(app)
    assert "Rehearsal: no model was called" in said(app)


def test_closing_it_shows_the_own_run_again() -> None:
    app = start()
    before = [m.value for m in app.metric]
    upload(app, "recording_file", ("run.json", live_file()))
    assert [m.value for m in app.metric] != before
    app.button(key="close_recording").click().run()
    assert [m.value for m in app.metric] == before
    assert LIVE not in said(app)


def test_running_its_ticket_leaves_the_recording() -> None:
    app = opened(live_file(Ticket("t-9", "Where is my invoice?", "Invoice")))
    app.button(key="run_recorded").click().run()
    assert not app.exception
    assert app.session_state["recording"] is None
    assert app.session_state["notebook"].ran_ticket.text == "Where is my invoice?"
    assert app.text_area(key="ticket_text").value == "Where is my invoice?"
    assert said(app).count(":green-badge[fresh]") == 6


def test_a_recording_is_never_written_to_the_ledger() -> None:
    app = start()
    next(b for b in app.button if b.label == "Run ticket").click().run()
    before = app.session_state["notebook"].run
    kept = state.ledger().entries(Filter(), 1_000, None)
    upload(app, "recording_file", ("run.json", live_file()))
    app.switch_page("pages/month.py").run()
    assert app.session_state["notebook"].run is before
    assert kept
    assert state.ledger().entries(Filter(), 1_000, None) == kept
    assert {r.provenance for r in app.session_state["recording"].trace.receipts} == {"recorded"}


def test_what_cannot_be_read_is_a_sentence_and_loses_nothing() -> None:
    app = opened(b"{")
    assert "is not valid JSON" in app.error[0].value.replace("\\", "")
    assert said(app).count(":green-badge[fresh]") == 6
    upload(app, "recording_file", ("run.json", live_file()))
    assert not app.error


def test_an_edited_file_says_so_on_the_page() -> None:
    tree = saved_tree(*rehearsed())
    tree["steps"][0]["attempts"][0]["receipt"]["cost_usd"] = "5"
    app = opened(raw_of(tree))
    assert "This file was edited by hand: intent" in app.warning[0].value.replace("\\", "")


def test_hostile_text_is_shown_as_it_is() -> None:
    tree = saved_tree(*rehearsed())
    bad = "<script>alert(1)</script> ![a](https://evil.example/a.png) $x$ :red[x]"
    tree["ticket"]["subject"] = bad
    tree["steps"][0]["decision"]["reason"] = bad
    tree["app_version"] = bad
    app = opened(raw_of(tree))
    assert not app.exception
    drawn = "\n".join(str(e.value) for kind in (app.markdown, app.caption) for e in kind)
    assert "<script>" not in drawn
    assert "![a](" not in drawn


def test_two_shipped_runs_stand_side_by_side() -> None:
    app = start(COMPARE)
    names = app.selectbox(key="compare_a").options
    app.selectbox(key="compare_a").set_value(names[1])
    app.selectbox(key="compare_b").set_value(names[2]).run()
    assert not app.exception
    text = said(app)
    assert "Differs in" in text
    assert "Struck out: only in A. Bold: only in B." in text
    assert ":green-background[" in "".join(m.value for m in app.markdown)
    app.selectbox(key="compare_b").set_value(names[1]).run()
    assert "Both are the same run" in app.info[0].value


def test_a_live_run_beside_a_rehearsal_says_what_that_is_worth() -> None:
    app = upload(start(COMPARE), "compare_files", ("live.json", live_file()))
    live = app.selectbox(key="compare_b").options[-1]
    app.selectbox(key="compare_b").set_value(live).run()
    assert not app.exception
    assert LIVE in said(app)
    assert "One of these is a rehearsal" in app.warning[0].value


def test_a_saved_file_of_this_session_opens_again() -> None:
    app = start()
    raw = save(state_trace(app), app.session_state["notebook"].run.agent.router)
    assert json.loads(raw)["origin"] == "rehearsal"
    upload(app, "recording_file", ("mine.json", raw))
    assert "from a rehearsal: no model was called." in said(app)
