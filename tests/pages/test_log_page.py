"""The log page and the month of a log under AppTest; files are loaded as the uploader's callback would."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from playground.forecast import Assumptions, month
from playground.log_forecast import LogForecast
from playground.money import usd
from playground.ui import state
from tests.pages.test_pages import said, start

LOG, MONTH = "pages/log.py", "pages/month.py"


def with_log(name: str, content: bytes) -> AppTest:
    app = start(LOG)
    app.get("file_uploader")[0].set_value((name, content, "text/csv")).run()
    return app


def press(app: AppTest, label: str) -> AppTest:
    return next(b for b in app.button if b.label.startswith(label)).click().run()


def metrics(app: AppTest) -> dict[str, str]:
    return {m.label: m.value.replace("\\", "") for m in app.metric}


def rows(n: int, extra: str = "") -> bytes:
    head = "id,customer,created_at,text,customer_messages\n"
    line = "".join(
        f"t{i},c{i % 40},2026-10-{i % 28 + 1:02d},Where is invoice {i}? I paid it.,{i % 3 + 1}\n" for i in range(n)
    )
    return (head + line + extra).encode()


def test_the_page_opens_on_the_sample_log_priced() -> None:
    app = start(LOG)
    assert not app.exception
    assert "The sample log, made up: 600 tickets, priced and not run" in "\n".join(h.value for h in app.subheader)
    assert set(metrics(app)) >= {"A ticket, today", "A ticket, stratified", "A ticket, kr-auto"}
    app.switch_page(MONTH).run()
    assert "n = 1" in said(app)  # the sample log is not the user's: her ticket stays the month's basis


def test_a_log_is_mapped_priced_and_its_bad_rows_are_named() -> None:
    app = with_log("mine.csv", rows(120, "x,c1,2026-10-01,,1\n"))
    picked = {s.label: s.value for s in app.selectbox}
    assert picked["Ticket text"] == "text"
    assert picked["Messages"] == "customer_messages"
    press(app, "Price the log")
    assert not app.exception
    text = said(app)
    assert "120 tickets, priced and not run" in "\n".join(h.value for h in app.subheader)
    assert "One round of the loop each" in text
    assert "1 rows left out" in "\n".join(e.label for e in app.expander)
    problems = next(d.value for d in app.dataframe if "Why" in d.value.columns)
    assert "mine.csv, line 122" in problems.iloc[0]["Why"]


def test_the_months_figures_are_the_logs_and_have_a_range() -> None:
    app = press(with_log("mine.csv", rows(150)), "Price the log")
    app.switch_page(MONTH).run()
    assert not app.exception
    found: LogForecast = app.session_state["log_desk"].forecast
    assert found.tickets_per_month is not None
    base = Assumptions(found.tickets_per_month)
    m = month(found.spends["kr-auto"], base)
    assert metrics(app)["kr-auto, all in"] == usd(m.all_in_usd)
    assert m.low_usd is not None
    assert (
        f"kr-auto, all in: {usd(m.low_usd)} to {usd(m.high_usd)}. 95% confidence, by bootstrap-t over 40 customers"
        in said(app)
    )
    assert f"{found.tickets_per_month:,} tickets a month like the 150 of the log" in said(app)
    app.number_input(key="escalation").set_value(50.0).run()
    half = month(found.spends["kr-auto"], replace(base, escalation_share=0.5))
    assert metrics(app)["kr-auto, all in"] == usd(half.all_in_usd)
    app.toggle(key="own_rounds").set_value(False).run()
    assert "9.3% come back for 1 more rounds" in said(app)
    app.number_input(key="typed_volume").set_value(12_345).run()
    assert "12,345 tickets a month like" in said(app)
    app.number_input(key="own_bill").set_value(900.0).run()
    assert metrics(app)["Your models now"] == "$900.00"


def test_the_ticket_can_be_asked_for_instead() -> None:
    app = press(with_log("mine.csv", rows(150)), "Price the log")
    app.switch_page(MONTH).run()
    next(c for c in app.get("button_group") if c.key == "month_of").set_value("ticket").run()
    assert "n = 1" in said(app)


def test_the_log_stays_the_months_basis_on_every_page() -> None:
    app = start(LOG)
    for _ in range(60):
        if app.session_state["log_desk"].forecast is not None:
            break
        app.run()
    press(app, "A month of such tickets, with a range")
    assert "The sample log, 600 tickets" in str([c.options for c in app.get("button_group") if c.key == "month_of"])
    ranged = "kr-auto, all in: $"
    assert ranged in said(app)
    app.switch_page("pages/report.py").run()
    assert "the month comes from one ticket" not in said(app)
    app.switch_page(MONTH).run()
    assert ranged in said(app)


def test_a_change_makes_the_logs_prices_stale() -> None:
    app = press(with_log("mine.csv", rows(80)), "Price the log")
    app.session_state["bar_shift"] = -0.05
    app.run()
    assert "Something changed since the log was priced" in "\n".join(w.value for w in app.warning)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.csv", b"", "the file has no rows"),
        ("head.csv", b"id,text\n", "the file has no rows"),
        ("broken.xlsx", b"PK\x03\x04 cut off", "broken.xlsx"),
        ("odd.jsonl", b"not json\n", "odd.jsonl, line 1"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_sentence_and_the_old_log_stays(
    name: str, content: bytes, sentence: str
) -> None:
    app = with_log(name, content)
    assert not app.exception
    assert sentence in said(app)
    assert "600 tickets" in "\n".join(h.value for h in app.subheader)


def test_a_file_without_a_text_column_asks_which_one_it_is() -> None:
    app = with_log("odd.csv", b"a,b\nWhere is my invoice?,2\n")
    assert not app.exception
    assert "no column looks like the ticket's text" in "\n".join(w.value for w in app.warning).replace("\\", "")
    assert next(b for b in app.button if b.label == "Price the log").disabled
    next(b for b in app.selectbox if b.label == "Ticket text").set_value("a").run()
    press(app, "Price the log")
    assert "1 tickets, priced and not run" in "\n".join(h.value for h in app.subheader)


def test_hostile_cells_stay_text() -> None:
    content = b'customer,text\n"=HYPERLINK(""http://x"")","<script>alert(1)</script> **bold** $x$"\n'
    app = press(with_log("=evil*.csv", content), "Price the log")
    assert not app.exception
    shown = "\n".join(str(d.value.to_dict()) for d in app.dataframe)
    assert "'=HYPERLINK" in shown
    assert not re.search(r"[^']=HYPERLINK", shown.replace("'=HYPERLINK", ""))


def test_a_sample_runs_under_its_cap_and_goes_on_where_it_stopped() -> None:
    app = start(LOG)
    app.number_input(key="sample_n").set_value(12).run()
    press(app, "Draw and estimate")
    text = said(app)
    assert "12 tickets under kr-auto: about" in text
    cap = next(n for n in app.number_input if n.label == "Cap, USD")
    whole = Decimal(str(cap.value))
    cap.set_value(float(whole / 3)).run()
    press(app, "Run 12 tickets")
    assert not app.exception
    assert "The cap was reached" in "\n".join(w.value for w in app.warning)
    desk = app.session_state["sample_desk"]
    ran = len(desk.payloads)
    assert 0 < ran < 12
    assert desk.work.spent_usd <= whole / 3
    (told,) = state.ledger().events(kinds=("cap",))
    assert (told.subject, told.provenance, told.run) == ("sample", "rehearsal", desk.job)
    assert told.said.endswith(f"ended it; {12 - ran} tickets did not run.")
    next(n for n in app.number_input if n.label == "Cap, USD").set_value(float(whole)).run()
    press(app, f"Go on: {ran} of 12")
    assert len(app.session_state["sample_desk"].payloads) == 12
    assert app.session_state["sample_desk"].work.resumed == ran
    assert metrics(app)["Tickets that ran"] == "12"
    assert "95% confidence" not in said(app)  # a rehearsed answer is no measure of a model's
    assert "shorter than a model's" in said(app)
    assert state.ledger().events(kinds=("cap",)) == (told,)


def test_a_new_file_brings_its_own_columns_and_takes_the_sample_with_it() -> None:
    app = start(LOG)
    app.number_input(key="sample_n").set_value(3).run()
    press(app, "Draw and estimate")
    press(app, "Run 3 tickets")
    german = "Nr,Betreff,Anfrage,Firma\n1,Rechnung,Wo ist meine Rechnung?,Acme\n"
    app.get("file_uploader")[0].set_value(("other.csv", german.encode(), "text/csv")).run()
    picked = {s.label: s.value for s in app.selectbox}
    assert (picked["Ticket text"], picked["Subject"], picked["Customer"]) == ("Anfrage", "Betreff", "Firma")
    press(app, "Price the log")
    assert not app.exception
    assert "sample_desk" not in app.session_state


def test_lengths_seen_in_a_sample_can_price_the_log() -> None:
    app = start(LOG)
    before = metrics(app)["A ticket, today"]
    app.number_input(key="sample_n").set_value(6).run()
    press(app, "Draw and estimate")
    press(app, "Run 6 tickets")
    app.radio(key="log_lengths").set_value("sample").run()
    press(app, "Price the log")
    assert not app.exception
    assert metrics(app)["A ticket, today"] != before
    assert "as in the sample of this log that ran" in said(app)


def test_a_store_that_cannot_be_opened_is_said_and_a_sample_runs_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "broken"
    home.mkdir()
    (home / "jobs.sqlite").write_bytes(b"this is no database, and long enough not to be taken for an empty one" * 20)
    monkeypatch.setenv("TICKET_PLAYGROUND_HOME", str(home))
    app = start(LOG)
    app.number_input(key="sample_n").set_value(3).run()
    press(app, "Draw and estimate")
    press(app, "Run 3 tickets")
    assert not app.exception
    assert metrics(app)["Tickets that ran"] == "3"
    assert (home / "jobs.sqlite").read_bytes().startswith(b"this is no database")


def test_a_log_taken_away_is_gone_and_the_sample_does_not_come_back_by_itself() -> None:
    app = press(with_log("mine.csv", rows(40)), "Price the log")
    press(app, "Remove this log")
    assert not app.exception
    assert app.session_state["log_desk"].priced is None
    assert "Drop in an export" in said(app)
