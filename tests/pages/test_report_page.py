"""The report page under AppTest: the same sums as the pages before it, two switches that are off, and what is missing."""

from __future__ import annotations

import re

import pytest
from streamlit.testing.v1 import AppTest

from playground.errors import PlaygroundError
from playground.ledger import Ledger
from tests.pages.test_pages import APP, said, start
from tests.pages.test_recordings import live_file, opened
from tests.pages.test_shadow_page import imported

PAGE = "pages/report.py"


def metrics(app: AppTest) -> dict[str, str]:
    return {m.label: m.value for m in app.metric}


def folded(app: AppTest) -> list[str]:
    return [re.sub(r"\\", "", e.label) for e in app.expander]


def switch(app: AppTest, label: str) -> AppTest:
    return next(t for t in app.toggle if t.label == label).set_value(True).run()


def everything(app: AppTest) -> str:
    """All that the page shows."""
    return f"{said(app)}{[t.value for t in app.text]}{[d.value.to_csv() for d in app.dataframe]}"


def press(app: AppTest, label: str) -> AppTest:
    return next(b for b in app.button if b.label.startswith(label)).click().run()


def test_a_verdict_just_recorded_is_one_row_with_its_figures() -> None:
    app = start("pages/shadow.py")
    app.multiselect(key="shadow_candidates_intent").set_value(["gpt-5.4-mini"]).run()
    press(imported(app, [-1.0] * 60), "Record this verdict").switch_page(PAGE).run()
    assert not app.exception
    table = next(d.value for d in app.dataframe if "Stands" in d.value.columns)
    assert list(table["Stands"]) == ["holds"]
    assert table["Difference"].notna().all()


def test_the_page_opens_on_the_two_sums_labelled_and_says_what_is_missing() -> None:
    app = start()
    notebook = metrics(app)
    app.switch_page(PAGE).run()
    assert not app.exception
    found, text = metrics(app), said(app)
    assert found["Models a month, today"] == notebook["Models a month, today"]
    assert found["kr-auto, potential"] == notebook["Models a month, kr-auto"]
    assert found["kr-auto, proven"] == notebook["Models a month, today"]
    assert "Rehearsal: what this support agent costs, and what it could cost" in text
    assert "Rehearsal: no model was called" in text
    assert "Prices of" in text
    assert "No log is priced: the month comes from one ticket and has no range." in text
    assert len(app.get("download_button")) == 3


def test_all_in_is_the_month_pages() -> None:
    app = start("pages/month.py")
    month = metrics(app)
    app.switch_page(PAGE).run()
    assert metrics(app)["kr-auto, all in"] == month["kr-auto, all in"]


def test_text_and_names_are_shown_only_when_their_switch_is_on() -> None:
    app = start(PAGE)
    assert "The ticket and the answers" not in folded(app)
    ticket = app.session_state["notebook"].ran_ticket
    assert ticket.text[:40] not in everything(app)
    assert ticket.customer_id not in everything(app)
    switch(app, "Show ticket text and answers")
    assert "The ticket and the answers" in folded(app)
    assert ticket.text[:40] in everything(app)
    assert ticket.customer_id not in everything(app)
    switch(app, "Show customers' names")
    assert ticket.customer_id in everything(app)


def test_the_plan_the_receipts_and_a_priced_log_join() -> None:
    app = press(start(), "Run ticket").switch_page("pages/log.py").run()
    app.switch_page(PAGE).run()
    assert not app.exception
    found = folded(app)
    assert any(label.startswith("Customers: ") for label in found)
    assert any(label.startswith("The migration plan") for label in found)
    assert any(label.startswith("Receipts: 2 tables") for label in found)
    text = said(app)
    assert "The sample log, made up: priced, not run" in text
    assert "No log is priced" not in text
    customers = next(d.value for d in app.dataframe if "Customer" in d.value.columns)
    assert customers["Customer"].str.fullmatch(r"Customer \d+|No customer named").all()


def test_the_plan_is_no_part_of_a_recordings_report() -> None:
    app = opened(live_file()).switch_page(PAGE).run()
    assert not app.exception
    assert app.session_state["recording"] is not None
    assert not any(label.startswith("The migration plan") for label in folded(app))
    app.session_state["recording"] = None
    app.run()
    assert any(label.startswith("The migration plan") for label in folded(app))


def test_a_run_that_cannot_be_made_is_a_report_that_says_so() -> None:
    app = AppTest.from_file(APP, default_timeout=30)
    app.session_state["mode"] = "Live"
    app.run()
    app.switch_page(PAGE).run()
    assert not app.exception
    assert "No ticket has run and no log is priced: there is nothing to report yet." in said(app)


def test_a_ledger_that_cannot_be_read_takes_no_other_part_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise PlaygroundError("The ledger cannot be read.")

    app = start(PAGE)
    monkeypatch.setattr(Ledger, "spend", broken)
    app.run()
    assert not app.exception
    assert "The ledger cannot be read." in [w.value.replace("\\", "") for w in app.warning]
    assert metrics(app)["Models a month, today"].startswith("\\$")


def test_a_customer_who_was_deleted_stands_in_no_report_made_after() -> None:
    app = press(start(), "Run ticket").switch_page(PAGE).run()
    switch(switch(app, "Show ticket text and answers"), "Show customers' names")
    ticket = app.session_state["notebook"].ran_ticket
    assert ticket.text[:40] in everything(app)
    app.switch_page("pages/ledger.py").run()
    next(s for s in app.selectbox if s.label.startswith("Delete everything")).set_value(ticket.customer_id).run()
    next(c for c in app.checkbox if c.label.startswith("Yes, delete this customer")).check().run()
    press(app, "Delete the customer")
    app.switch_page(PAGE).run()
    assert not app.exception
    for kept in (ticket.customer_id, ticket.text[:40], ticket.subject):
        assert kept not in everything(app)
