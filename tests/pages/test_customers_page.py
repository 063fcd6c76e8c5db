"""The customers' page under AppTest: the sample log at once, one's own log, hostile names, prices and tiers."""

from __future__ import annotations

import csv
import io
import time
from decimal import Decimal

import pytest
from streamlit.testing.v1 import AppTest

from playground.log_pricing import ROUTED
from tests.pages.test_log_page import metrics, press, rows, with_log
from tests.pages.test_pages import said, start

CUSTOMERS = "pages/customers.py"


def opened() -> AppTest:
    """The page with the sample log priced, however slow the machine is."""
    app = start(CUSTOMERS)
    until = time.monotonic() + 60
    while app.session_state["log_desk"].priced is None and time.monotonic() < until:
        assert not app.exception
        time.sleep(0.1)
        app.run()
    return app


def with_customers(content: bytes) -> AppTest:
    return press(with_log("mine.csv", content), "Price the log").switch_page(CUSTOMERS).run()


def of_log(names: list[str]) -> bytes:
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(["id", "customer", "created_at", "text"])
    for i, name in enumerate(names):
        table.writerow([f"t{i}", name, f"2026-10-{i % 28 + 1:02d}", f"Where is invoice {i}?"])
    return out.getvalue().encode()


def test_the_page_opens_on_the_sample_logs_customers() -> None:
    app = opened()
    assert not app.exception
    assert metrics(app)["Customers"] == "90"
    text = said(app)
    assert "The top 10% of customers (9 of 90) carry" in text
    assert "Priced, not run" in text
    assert "Prices of" in text


def test_the_sums_are_those_of_the_ticket_log_page() -> None:
    app = opened()
    desk = app.session_state["log_desk"]
    table = next(d.value for d in app.dataframe if "Spend, USD" in d.value.columns)
    page = {g.name: (g.tickets, float(g.usd[ROUTED])) for g in desk.figures.customers.dearest}
    assert {r["Customer"]: (r["Tickets"], r["Spend, USD"]) for _, r in table.iterrows()} == page
    made = app.session_state["customer_desk"].made[None]
    assert made.total.cost.known_usd == desk.figures.plans[ROUTED].total_usd


def test_names_that_are_markup_formulas_or_endless_stay_text() -> None:
    names = [
        "<img src=x onerror=alert(1)>",
        "=1+1",
        "**bold** $x$ [a](http://x)",
        "Acme, Inc.",
        "\U0001f600",
        "y" * 5_000,
    ]
    app = with_customers(of_log(names * 4 + [""] * 3))
    assert not app.exception
    assert metrics(app)["Customers"] == "6"
    assert metrics(app)["No customer named"].startswith("$")
    table = next(d.value for d in app.dataframe if "Spend, USD" in d.value.columns)
    assert set(table["Customer"]) >= {"'=1+1", "(no customer named)", "<img src=x onerror=alert(1)>", "\U0001f600"}
    assert max(map(len, table["Customer"])) <= 80
    assert "**bold**" not in "".join(m.value for m in app.markdown)
    assert table.iloc[-1]["Customer"] == "(no customer named)"


def test_a_log_without_customers_says_so() -> None:
    app = with_customers(of_log([""] * 5))
    assert not app.exception
    assert "No ticket in these days names a customer" in "".join(i.value for i in app.info)


def test_a_log_without_dates_has_neither_month_nor_trend() -> None:
    app = with_customers(b"id,customer,text\n1,a,Where is it?\n2,b,Where is mine?\n")
    assert not app.exception
    assert "No ticket has a date" in said(app)
    assert "A margin needs dates" in said(app)


def test_days_can_be_narrowed() -> None:
    from datetime import date

    app = with_customers(rows(140))
    app.date_input[0].set_value((date(2026, 10, 1), date(2026, 10, 14))).run()
    assert not app.exception
    assert metrics(app)["Tickets"] == "70"
    assert "14 days" in said(app)


def test_prices_from_a_file_give_margins_of_their_own() -> None:
    app = with_customers(of_log(["a", "b"] * 20))
    app.number_input(key="customer_price").set_value(10.0).run()
    prices = b"customer,price_usd\na,0\nnobody,5\nb,many\n"
    uploader = next(u for u in app.get("file_uploader") if u.label == "Prices")
    uploader.set_value(("prices.csv", prices, "text/csv")).run()
    assert not app.exception
    assert app.session_state["customer_desk"].own_prices == {"a": Decimal(0), "nobody": Decimal(5)}
    text = said(app)
    assert "1 customer of 2 costs more for models than they pay" in text
    assert "Not among the customers: nobody" in text
    assert "1 row left out" in text
    press(app, "Let go of the file")
    assert app.session_state["customer_desk"].own_prices == {}


@pytest.mark.parametrize("measure", ["tickets", "USD"])
def test_who_crosses_is_told_by_either_measure(measure: str) -> None:
    names = ["steady"] * 28 + ["late"] * 28
    content = of_log(names).decode().splitlines()
    late = [line.replace("2026-10-0", "2026-10-2") if ",late," in line else line for line in content]
    app = with_customers("\n".join(late).encode())
    next(c for c in app.get("button_group") if c.key == "tier_measure").set_value(measure).run()
    assert not app.exception
    crossing = [d.value for d in app.dataframe if "From" in d.value.columns and "To" in d.value.columns]
    if measure == "tickets":
        assert list(crossing[0]["Customer"]) == ["late"]
    assert "into a higher tier" in said(app)


def test_a_log_that_is_still_being_priced_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.ui.state.log.SMALL_LOG_WAIT_S", 0.0)
    assert metrics(opened())["Customers"] == "90"


def test_a_file_name_with_a_dollar_sign_is_escaped_once() -> None:
    app = press(with_log("a$b$c.csv", rows(20)), "Price the log").switch_page(CUSTOMERS).run()
    assert not app.exception
    found = next(c.value for c in app.caption if "Priced, not run" in c.value)
    assert "a\\$b\\$c" in found
    assert "\\\\$" not in found


def test_edited_tiers_outlive_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened()
    assert "made-up sample log" in said(app)
    assert "Made-up thresholds" in said(app)
    mine = [{"name": "Free", "start": 0.0}, {"name": "Paid", "start": 7.0}]
    with monkeypatch.context() as edits:
        edits.setattr("streamlit.data_editor", lambda *_, **__: mine)
        app.run()
    app.switch_page("pages/bill.py").run()
    app.switch_page(CUSTOMERS).run()
    assert not app.exception
    assert [t.name for t in app.session_state["customer_desk"].tiers["tickets"]] == ["Free", "Paid"]
    assert "Made-up thresholds" not in said(app)
