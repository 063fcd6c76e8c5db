"""Prompt caching on the pages: a switch, and in every forecast, beside which it says what it changes at the volume."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from streamlit.testing.v1 import AppTest

from playground.bill import bills
from playground.forecast import Assumptions, break_even_tickets
from playground.gate_money import SKIPPED
from playground.money import usd
from playground.prompt_cache_note import OFF
from playground.records import Trace
from playground.ticket_month import spend_of, stage_spend_of
from tests.pages.test_guards_page import switched_on
from tests.pages.test_log_page import metrics, press
from tests.pages.test_pages import said, start

ON = re.compile(
    r"in these figures, .* at ([\d,]+) tickets a month, .*; it (adds|takes) \$([\d,.]+) (?:to|off) kr-auto's models"
)


def noted(app: AppTest) -> tuple[int, Decimal]:
    found = ON.search(said(app))
    assert found is not None
    saved = Decimal(found[3].replace(",", ""))
    return int(found[1].replace(",", "")), saved if found[2] == "takes" else -saved


def test_the_month_says_what_it_changes_at_her_volume() -> None:
    app = start("pages/month.py")
    app.select_slider(key="volume").set_value(1_000_000).run()
    many, saved = noted(app)
    app.select_slider(key="volume").set_value(1_000).run()
    few, rest = noted(app)
    assert (many, few) == (1_000_000, 1_000)
    assert saved > 0 > rest


def test_the_notebook_s_month_says_the_same() -> None:
    app = start()
    app.select_slider(key="volume").set_value(200_000).run()
    in_notebook = noted(app)
    app.switch_page("pages/month.py").run()
    app.select_slider(key="volume").set_value(200_000).run()
    assert in_notebook == noted(app)


def test_switched_off_it_is_on_no_forecast() -> None:
    app = start("pages/guards.py")
    app.toggle(key="guard_prompt_cache").set_value(False)
    press(app, "Apply")
    assert app.session_state["notebook"].runtime.prompt_cache is False
    for page in ("pages/month.py", "pages/notebook.py"):
        app.switch_page(page).run()
        assert not app.exception
        assert OFF in said(app)
        assert not ON.search(said(app))


def figures_of(app: AppTest) -> dict[str, str]:
    """A figure of kr-auto's month on every page that has one."""
    found = {}
    for page, label in (("month", "kr-auto, all in"), ("plan", "Potential"), ("notebook", "Models a month, kr-auto")):
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception
        found[page] = metrics(app)[label]
    app.switch_page("pages/report.py").run()
    found["report"] = metrics(app)["kr-auto, all in"]
    app.switch_page("pages/bars.py").run()
    found["bars"] = next(str(d.value.iloc[0]) for d in app.dataframe if "Against before" in d.value.columns)
    return found


def switched(app: AppTest, is_on: bool) -> AppTest:
    app.switch_page("pages/guards.py").run()
    app.toggle(key="guard_prompt_cache").set_value(is_on)
    return press(app, "Apply")


@pytest.mark.parametrize("of_log", [False, True])
def test_every_page_follows_the_switch_at_once_and_back(of_log: bool) -> None:
    app = start("pages/log.py")
    if of_log:
        press(app, "A month of such tickets")
    first = figures_of(app)
    off = figures_of(switched(app, False))
    assert all(off[page] != first[page] for page in first)
    for page in ("pages/notebook.py", "pages/month.py", "pages/report.py", "pages/bill.py"):
        app.switch_page(page).run()
        assert "Something changed" not in said(app) + "".join(str(w.value) for w in app.warning)
    assert figures_of(switched(app, True)) == first


def test_the_bill_follows_it_and_explains_only_what_it_shows() -> None:
    app = start("pages/bill.py")
    assert "Prompt caching: each prompt's fixed part" in said(app)
    switched(app, False).switch_page("pages/bill.py").run()
    assert "Prompt caching" not in said(app)


def test_it_pays_from_the_volume_that_the_engine_says() -> None:
    app = start("pages/month.py")
    app.number_input(key="fixed_cost").set_value(20_000.0).run()
    book = app.session_state["notebook"]
    trace = Trace(book.ran_ticket, "support", "kr-auto", "rehearsal", tuple(book.steps.values()))
    spend = spend_of(trace, book.agent.router, bills(trace, book.agent.router)["kr-auto"])
    even = break_even_tickets(spend, Assumptions(fixed_cost_usd=Decimal(20_000)))
    assert f"It pays from {even:,} tickets a month" in said(app)


def test_a_guardrail_saves_what_the_stages_cost_with_the_cache() -> None:
    """Half of the tickets are given away before the check: no check and no answer, at what they cost in a month."""
    app = switched_on("leaks").switch_page("pages/month.py").run()
    app.number_input(key="part_handed_over_0.000000").set_value(50.0).run()
    book = app.session_state["notebook"]
    trace = Trace(book.ran_ticket, "support", "kr-auto", "rehearsal", tuple(book.steps.values()))
    router = book.agent.router
    bill = bills(trace, router)["kr-auto"]
    both = [stage_spend_of(trace, router, bill, stage) for stage in SKIPPED]
    skipped = sum(s.cached_usd(100_000) for s in both)  # type: ignore[union-attr]
    row = next(d.value for d in app.dataframe if "Guardrails" in d.value.columns).to_dict("records")[2]
    assert row["Guardrails"] == usd(-skipped * 50_000 * Decimal("1.01") * Decimal("1.093"))
