"""The page of receipts under AppTest: it agrees with the bill, mixes nothing, deletes, and says what is wrong with its file."""

from __future__ import annotations

import json
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from playground.answer_store import Answers
from playground.answer_store import default_path as answers_path
from playground.bill import bills
from playground.ledger import Filter, default_path
from playground.money import Total
from playground.records import Entry
from playground.ui import state
from playground.ui.state import sample as sample_state
from tests.ledger_helpers import entry
from tests.pages.test_log_page import metrics, press, rows, with_log
from tests.pages.test_pages import said, start, state_trace
from tests.pages.test_shadow_page import DRIFT, shadow

PAGE = "pages/ledger.py"
HOSTILE = "<b>**bold** =cmd| [link](http://evil.example) $x$ \U0001f600"


def ran(page: str | None = None) -> AppTest:
    """A page after the user ran the ticket: what a page rehearses by itself leaves no receipt."""
    app = press(start(), "Run ticket")
    return app.switch_page(page).run() if page else app


def kept(*entries: Entry) -> AppTest:
    """The page with these receipts."""
    state.ledger().add(entries)
    return start(PAGE)


def grids(app: AppTest) -> list[list[dict[str, Any]]]:
    return [frame.value.to_dict("records") for frame in app.dataframe]


def test_it_opens_on_what_was_spent_against_before_as_the_bill_says_it() -> None:
    app = ran(PAGE)
    assert not app.exception
    assert not app.error
    trace = state_trace(app)
    plans = bills(trace, app.session_state["notebook"].agent.router)
    found = metrics(app)
    assert found["Spent"] == str(plans["kr-auto"].total)
    assert found["On today's models"] == str(plans["before"].total)
    assert found["Tickets"] == "1"
    text = said(app)
    assert "Rehearsal: no model was called" in text
    assert "Prices of 21 October 2026" in text
    assert f"cost {plans['kr-auto'].total} instead of {plans['before'].total} on today's models (" in text
    assert len(grids(app)[0]) == len(trace.receipts)
    assert state.ledger().spend()[0].total == plans["kr-auto"].total


def test_second_opinions_are_named_where_they_are_part_of_the_sum() -> None:
    app = kept(
        *(
            entry(purpose=p, cost_usd=Decimal(c), provenance="rehearsal")
            for p, c in (("second opinion", "0.25"), ("shadow", "1"))
        )
    )
    assert "Second opinions, beside it: $0.25" in said(app)


def test_without_a_receipt_it_says_where_they_come_from() -> None:
    app = start(PAGE)
    assert not app.exception
    assert "No receipt yet: run a ticket." in "".join(i.value for i in app.info)
    assert "Run a ticket" in {link.proto.label for link in app.get("page_link")}


@pytest.mark.parametrize("page", ["bill", "plan", "report", "guards", "shadow", "month"])
def test_what_a_page_rehearses_by_itself_leaves_no_receipt(page: str) -> None:
    app = start()
    book = app.session_state["notebook"]
    book.run, book.agent, book.steps = None, None, {}
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    assert book.steps
    assert not state.ledger().entries()


def test_after_a_rehearsal_of_its_own_a_part_that_runs_again_is_all_that_is_recorded() -> None:
    app = start()
    app.button(key="from_respond").click().run()
    assert not app.exception
    again = [r.stage for s in app.session_state["notebook"].steps.values() for r in s.receipts]
    stages = [k.entry.receipt.stage for k in reversed(state.ledger().entries())]
    assert 0 < len(stages) < len(again)
    assert stages == again[-len(stages) :]
    assert state.ledger().spend()[0].tickets == 1


def test_live_receipts_come_first_and_are_never_mixed_with_rehearsed_ones() -> None:
    press(start(), "Run ticket")
    app = kept(entry(cost_usd=Decimal("3")), entry(1, cost_usd=Decimal("4"), before=Decimal("28")))
    assert metrics(app)["Spent"] == "$7.00"
    assert "Live: models were called" in said(app)
    next(b for b in app.get("button_group") if b.key == "ledger_kind").set_value("rehearsal").run()
    assert not app.exception
    assert "Rehearsal: no model was called" in said(app)
    assert {row["Stage"] for row in grids(app)[0]} >= {"Intent", "Draft"}


def test_evaluations_and_unpriced_calls_are_not_compared() -> None:
    app = kept(entry(purpose="shadow", cost_usd=Decimal("5")), entry(cost_usd=Decimal("1")))
    assert "Of it $5.00 went into evaluations" in said(app)
    found = metrics(app)
    assert (found["Spent"], found["On tickets, samples"], found["On evaluations"]) == ("$6.00", "$1.00", "$5.00")
    assert found["On today's models"] == "$0.0100"
    app.multiselect(key="ledger_purposes").set_value(["shadow"]).run()
    assert (metrics(app)["Spent"], metrics(app)["On today's models"]) == ("$5.00", "not compared")
    app.multiselect(key="ledger_purposes").set_value([]).run()
    assert "cost $1.00 instead of $0.0100 on today's models" in said(app)
    app = kept(entry(cost_usd=None, before=None))
    text = said(app)
    assert "1 call unpriced" in text
    assert "Without every price there is no change" in text


def test_filters_leave_what_they_say() -> None:
    app = kept(entry(stage="draft", cost_usd=Decimal("1")), entry(3, stage="check", cost_usd=Decimal("2")))
    app.multiselect(key="ledger_stage").set_value(["check"]).run()
    assert metrics(app)["Spent"] == "$2.00"
    app.multiselect(key="ledger_plans").set_value(["before"]).run()
    assert not app.exception
    assert "No receipt matches the filter" in "".join(i.value for i in app.info)


def test_receipts_are_paged_and_one_is_shown_in_full() -> None:
    app = kept(*(entry(ticket_id=f"t{n:03}") for n in range(60)))
    assert [row["Ticket"] for row in grids(app)[0]][:2] == ["t059", "t058"]
    assert "1 to 50 of 60" in said(app)
    press(app, "Older")
    assert [row["Ticket"] for row in grids(app)[0]] == [f"t{n:03}" for n in range(9, -1, -1)]
    assert "51 to 60 of 60" in said(app)
    one = next(s for s in app.selectbox if s.label == "One receipt in full")
    one.select_index(0).run()
    fields = {row["Field"]: row["Value"] for row in grids(app)[1]}
    assert (fields["Ticket ID"], fields["Cost, USD"], fields["Price date"]) == ("t009", "0.0012", "2026-10-21")
    press(app, "Newer")
    assert "1 to 50 of 60" in said(app)


def test_deleting_what_the_page_stands_on_leads_back_to_the_newest() -> None:
    app = kept(
        *(entry(customer="old", ticket_id=f"o{n}") for n in range(60)), *(entry(ticket_id=f"n{n}") for n in range(60))
    )
    press(press(app, "Older"), "Older")
    assert "101 to 120 of 120" in said(app)
    state.ledger().forget_customer("old")
    app.run()
    assert not app.exception
    assert "1 to 50 of 60" in said(app)


def test_no_cell_of_the_tables_begins_like_a_formula() -> None:
    app = kept(entry(ticket_id="=1+1", customer="@SUM(A1)"))
    assert (grids(app)[0][0]["Ticket"], grids(app)[0][0]["Customer"]) == ("'=1+1", "'@SUM(A1)")
    next(s for s in app.selectbox if s.label == "One receipt in full").select_index(0).run()
    fields = {row["Field"]: row["Value"] for row in grids(app)[1]}
    assert (fields["Ticket ID"], fields["Customer ID"]) == ("'=1+1", "'@SUM(A1)")


def bytes_that_hold(name: str) -> set[str]:
    """Stores that hold a name, as it is or as JSON writes it, journals included."""
    written = (name.encode(), json.dumps(name)[1:-1].encode())
    places = default_path().parent.iterdir()
    return {p.name.removesuffix("-wal") for p in places if any(w in p.read_bytes() for w in written)}


def test_a_hostile_name_is_inert_and_a_customer_is_deleted_everywhere() -> None:
    answers_path().parent.mkdir(parents=True, exist_ok=True)
    with closing(Answers(answers_path())) as answers:
        answers.put("key", HOSTILE, "text of theirs")
    sample_state.jobs().add("job", "1", {"pairs": {"gpt": {"customer": HOSTILE, "ticket": "t"}}})
    assert bytes_that_hold(HOSTILE) == {"answers.sqlite", "jobs.sqlite"}
    app = kept(entry(customer=HOSTILE, cost_usd=Decimal("9")), entry(customer="acme", cost_usd=Decimal("1")))
    assert HOSTILE in {row["Customer"] for row in grids(app)[0]}
    assert not any(HOSTILE in str(e.value) for e in (*app.markdown, *app.caption, *app.info))
    app.selectbox(key="ledger_gone").set_value(HOSTILE).run()
    assert app.button(key="ledger_delete_customer").disabled
    app.checkbox(key="ledger_gone_sure").check().run()
    app.button(key="ledger_delete_customer").click().run()
    assert not app.exception
    (section,) = (e for e in app.expander if e.label == "Keep or delete")
    assert section.proto.expanded
    assert any(
        "Deleted: 1 receipt, 1 cached answer, 1 stored result." in i.value.replace("\\", "") for i in section.info
    )
    assert metrics(app)["Spent"] == "$1.00"
    assert not app.checkbox(key="ledger_gone_sure").value
    assert "acme" in state.ledger().names("customer")
    assert HOSTILE not in state.ledger().names("customer")
    assert bytes_that_hold(HOSTILE) == set()


def test_the_log_that_names_a_deleted_customer_is_dropped() -> None:
    app = press(with_log("mine.csv", rows(20)), "Price the log")
    assert app.session_state["log_desk"].priced.customers[3] == "c3"
    state.ledger().add([entry(customer="c3")])
    app.switch_page(PAGE).run()
    app.selectbox(key="ledger_gone").set_value("c3").run()
    app.checkbox(key="ledger_gone_sure").check().run()
    app.button(key="ledger_delete_customer").click().run()
    assert not app.exception
    assert "so it was dropped" in said(app)  # whichever session deleted it
    assert app.session_state["log_desk"].priced is None
    app.switch_page("pages/log.py").run()
    assert "names a customer who was deleted, so it was dropped" in "".join(w.value for w in app.warning)
    press(app, "Use the sample log")
    assert not app.warning


def test_old_receipts_are_deleted_after_a_confirmation() -> None:
    press(start(), "Run ticket")
    app = kept(entry(), entry(run="new", cost_usd=Decimal("1")))
    assert app.button(key="ledger_delete_old").disabled
    app.checkbox(key="ledger_before_sure").check().run()
    app.date_input(key="ledger_before").set_value(entry(1).at.date()).run()
    app.button(key="ledger_delete_old").click().run()
    assert not app.exception
    assert "2 receipts from before 2 November 2026 are deleted" in said(app)
    assert {s.key for s in state.ledger().spend(("provenance",))} == {("rehearsal",)}


def test_how_long_receipts_are_kept_is_set_after_a_confirmation() -> None:
    app = kept(entry(), entry(run="new"))
    app.number_input(key="ledger_keep").set_value(1).run()
    assert app.button(key="ledger_keep_for").disabled
    assert state.ledger().keep_days is None
    app.checkbox(key="ledger_before_sure").check().run()
    app.button(key="ledger_keep_for").click().run()
    assert not app.exception
    assert "Receipts are kept for 1 day. 2 older ones are deleted." in said(app)
    assert state.ledger().keep_days == 1
    app.number_input(key="ledger_keep").set_value(0).run()
    app.button(key="ledger_keep_for").click().run()
    assert state.ledger().keep_days is None


def test_a_damaged_ledger_is_said_set_aside_and_what_waited_is_kept() -> None:
    default_path().parent.mkdir(parents=True)
    default_path().write_text("not a database " * 99)
    app = ran(PAGE)
    assert not app.exception
    assert "is damaged. Set it aside" in app.error[0].value.replace("\\", "")
    assert "8 entries wait in memory" in said(app)
    spent = metrics(app)["Spent"]
    app.button(key="ledger_aside").click().run()
    assert not app.exception
    assert not app.error
    assert "The old ledger is kept as" in said(app)
    assert metrics(app)["Spent"] == spent
    assert (default_path().parent / "ledger.sqlite.aside-1").read_text().startswith("not a database")


def test_a_file_that_fails_under_its_settings_is_a_sentence() -> None:
    app = ran(PAGE)
    book = state.ledger()
    assert book._writer is not None
    book._writer.execute("DROP TABLE setting")
    app.run()
    assert not app.exception
    assert "could not be used" in "".join(e.value for e in app.error)


def test_text_is_kept_from_the_next_run_on_where_it_was_asked_for() -> None:
    app = ran(PAGE)
    app.toggle(key="keep_texts").set_value(True).run()
    assert {k.entry.text for k in state.ledger().entries()} == {None}
    app.switch_page("pages/notebook.py").run()
    press(app, "Run ticket")
    texts = [k.entry.text for k in state.ledger().entries(limit=8)]
    assert all(app.session_state["notebook"].ticket.text in str(t) for t in texts)


def test_a_part_of_a_ticket_that_runs_again_belongs_to_its_run() -> None:
    app = ran()
    first = {k.entry.run for k in state.ledger().entries()}
    app.button(key="from_respond").click().run()
    assert not app.exception
    (whole,) = state.ledger().spend()
    assert whole.attempts > 8
    assert ({k.entry.run for k in state.ledger().entries()}, whole.tickets) == (first, 1)


@pytest.mark.parametrize("purpose", ["sample", "shadow", "second opinion"])
def test_every_run_records_what_it_was_made_for(purpose: Any) -> None:
    if purpose == "sample":
        app = start("pages/log.py")
        app.number_input(key="sample_n").set_value(3).run()
        press(press(app, "Draw and estimate"), "Run 3 tickets")
        desk = app.session_state["sample_desk"]
    elif purpose == "shadow":
        app = press(shadow("draft", n=3), "Run 3 tickets")
        desk = app.session_state["shadow_desk"]
    else:
        app = start(DRIFT)
        app.number_input(key="drift_share").set_value(2.0).run()
        press(app, "Draw and estimate")
        press(app, next(b.label for b in app.button if b.label.startswith("Ask for")))
        desk = app.session_state["drift_desk"]
    assert not app.exception
    (whole,) = state.ledger().spend((), Filter(purposes=(purpose,), runs=(desk.job,)))
    assert whole.total == Total(desk.work.spent_usd)
    assert whole.tickets == len(desk.units)


def test_every_page_says_that_receipts_are_not_kept() -> None:
    default_path().parent.mkdir(parents=True)
    default_path().write_text("not a database " * 99)
    app = ran("pages/bill.py")
    assert not app.exception
    assert "is damaged" in "".join(w.value for w in app.warning)
    press(app.switch_page(PAGE).run(), "Set it aside")
    assert not app.switch_page("pages/bill.py").run().warning


def test_a_ledger_that_fails_while_a_page_reads_it_is_a_sentence() -> None:
    app = ran()
    book = state.ledger()
    assert book._writer is not None
    book._writer.execute("DROP TABLE by_cell")
    app.switch_page("pages/customers.py").run()
    assert not app.exception
    assert "could not be used" in "".join(e.value for e in app.error)
