"""A customer who is deleted leaves every session: its run, its recordings, its log, its report, and files drawn before."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from playground.errors import BadInput
from playground.forgotten import DELETIONS
from playground.ledger import Filter
from playground.records import Trace
from playground.rehearsal import sample_rehearsal
from playground.sample import as_payload
from playground.ui import state
from playground.ui.state import sample as sample_state
from playground.ui.widgets import unless_deleted
from tests.ledger_helpers import entry
from tests.pages.test_log_page import press, rows, with_log
from tests.pages.test_pages import said, start
from tests.pages.test_recordings import live_file, upload

WHO = "northlight-studio"
"""Whose ticket a session begins with."""


def delete(app: AppTest, customer: str = WHO) -> AppTest:
    app.switch_page("pages/ledger.py").run()
    app.selectbox(key="ledger_gone").set_value(customer).run()
    app.checkbox(key="ledger_gone_sure").check().run()
    app.button(key="ledger_delete_customer").click().run()
    assert not app.exception
    return app


def folded(app: AppTest) -> str:
    return repr([app.session_state["notebook"], *(str(e.proto) for e in app.main.children.values())]) + said(app)


def test_the_run_and_the_ticket_of_a_deleted_customer_are_gone_from_the_notebook() -> None:
    app = delete(press(start(), "Run ticket"))
    book = app.session_state["notebook"]
    assert book.ran_ticket is None
    assert not book.steps
    assert book.ticket.customer_id != WHO
    assert "a sample stands in its place" in said(app)
    app.switch_page("pages/notebook.py").run()
    assert not app.exception
    assert (
        app.session_state["notebook"].ran_ticket.customer_id == app.session_state["notebook"].ticket.customer_id != WHO
    )
    assert WHO not in state.ledger().names("customer")


def test_another_session_lets_go_of_it_too() -> None:
    other, mine = start("pages/report.py"), press(start(), "Run ticket")
    assert other.session_state["notebook"].ran_ticket.customer_id == WHO
    delete(mine)
    next(t for t in other.toggle if t.label == "Show customers' names").set_value(True).run()
    assert not other.exception
    assert other.session_state["notebook"].ticket.customer_id != WHO
    assert WHO not in folded(other)
    assert "the run is dropped" in said(other)


def test_recordings_of_a_deleted_customer_are_closed() -> None:
    app = upload(start(), "recording_file", ("run.json", live_file()))
    found = app.session_state["recording"]
    assert found is not None
    state.ledger().forget_customer(found.trace.ticket.customer_id)
    app.run()
    assert not app.exception
    assert app.session_state["recording"] is None
    assert not app.session_state["recordings"]
    assert "recording of a customer who was deleted is closed" in said(app)


def test_a_log_that_is_not_priced_is_dropped() -> None:
    app = with_log("mine.csv", rows(20))
    assert app.session_state["log_desk"].priced is None
    state.ledger().forget_customer("c3")
    app.run()
    assert not app.exception
    assert app.session_state["log_desk"].path is None
    assert "may name a customer who was deleted" in said(app)


def test_a_session_without_the_customer_keeps_all_it_has() -> None:
    app = start()
    before = app.session_state["notebook"].steps
    state.ledger().forget_customer("somebody-else")
    app.run()
    assert app.session_state["notebook"].steps == before
    assert "deleted" not in said(app)


def test_a_file_drawn_before_a_deletion_is_not_made_after_it() -> None:
    make = unless_deleted(lambda: b"names")
    assert make() == b"names"
    DELETIONS.note("anybody")
    with pytest.raises(BadInput, match="Load the page again"):
        make()


@contextmanager
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, threading.Event]]:
    """A rehearsal whose calls wait in the middle until they are let go."""
    begun, let_go, usual = threading.Event(), threading.Event(), sample_rehearsal()

    def waiting(*args: Any) -> Any:
        begun.set()
        assert let_go.wait(30)
        return usual(*args)

    monkeypatch.setattr("playground.rehearsal.sample_rehearsal", lambda: waiting)
    yield begun, let_go
    let_go.set()


def test_a_run_under_way_writes_nothing_after_the_deletion(monkeypatch: pytest.MonkeyPatch) -> None:
    app = AppTest.from_file(str(Path(__file__).resolve().parents[2] / "app.py"), default_timeout=30)
    with held(monkeypatch) as (begun, let_go):
        app.run()
        assert begun.wait(30)
        run = app.session_state["notebook"].run
        assert run.state == "running"
        state.ledger().add([entry(customer=WHO)])
        delete(app)
        let_go.set()
        run._thread.join(30)
    assert run.state == "cancelled"
    assert state.ledger().names("customer", Filter()) == ()


def test_a_sample_keeps_whose_ticket_it_was() -> None:
    app = start()
    done = app.session_state["notebook"]
    trace = Trace(done.ran_ticket, "support", "kr-auto", "rehearsal", tuple(done.steps.values()))
    assert as_payload(trace, 6)["customer"] == WHO


def test_a_sample_of_a_deleted_customer_is_dropped_and_its_units_deleted() -> None:
    app = press(with_log("mine.csv", rows(20)), "Price the log")
    app.number_input(key="sample_n").set_value(20).run()
    press(press(app, "Draw and estimate"), "Run 20 tickets")
    job = app.session_state["sample_desk"].job
    before = len(sample_state.jobs().done(job))
    state.ledger().add([entry(customer="c3")])
    delete(app, "c3")
    left = sample_state.jobs().done(job)
    assert "sample_desk" not in app.session_state
    assert len(left) < before
    assert "c3" not in {p["customer"] for p in left.values()}


def test_the_log_of_another_session_leaves_the_disk_at_once() -> None:
    other, mine = press(with_log("mine.csv", rows(20)), "Price the log"), start()
    path = other.session_state["log_desk"].path
    state.ledger().add([entry(customer="c3")])
    assert path.is_file()
    delete(mine, "c3")
    assert not path.exists()
