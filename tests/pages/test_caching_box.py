"""What caching would save, on its page: at once for a small log, asked for on a large one, and gone stale with its rules."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from streamlit.testing.v1 import AppTest

from playground.bill import bills
from playground.money import ZERO, usd
from playground.records import Trace
from playground.ticket_month import spend_of
from playground.ui import state
from tests.pages.test_log_page import metrics, press
from tests.pages.test_pages import said, start

GUARDS = "pages/guards.py"


def measured() -> AppTest:
    """The page when its sample is measured: on a busy machine that takes longer than a page waits."""
    app, ends = start(GUARDS), time.monotonic() + 60
    while app.session_state["caching_desk"].work is not None and time.monotonic() < ends:
        time.sleep(0.1)
        app.run()
    return app


def caching_tables(app: AppTest) -> list[str]:
    return [str(t.value) for t in app.dataframe if "Cache" in t.value.columns]


def test_the_sample_log_is_measured_at_once() -> None:
    app = measured()
    assert not app.exception
    assert "priced, not run" in said(app)
    assert "The sample log, made up: 600 tickets of 90 customers" in said(app).replace("\\", "")
    assert metrics(app)["Tickets served whole"] == "0.8%"
    (table,) = caching_tables(app)
    assert "Exact: same words, same customer" in table
    assert "All three" in table


def test_few_tickets_a_month_save_less_and_the_page_says_so() -> None:
    app = measured()
    many = app.session_state["caching_desk"].found.savings
    app.switch_page("pages/month.py").run()
    app.select_slider(key="volume").set_value(1_000).run()
    app.switch_page(GUARDS).run()
    assert not app.exception
    few = next(t.value for t in app.dataframe if "A month, 1,000 tickets" in t.value.columns).to_dict("records")[2]
    assert few["Cache"] == "Prompt caching at the provider"
    assert few["A month, 1,000 tickets"] == usd(many.by_cache(1_000)["prefix"])
    assert metrics(app)["Saved a month"] == usd(sum(many.by_cache(1_000).values(), ZERO))
    assert many.prefix_saving_usd_per_ticket(1_000) < many.prefix_saving_usd_per_ticket(100_000)


def test_other_rules_are_measured_anew() -> None:
    app = measured()
    before = app.session_state["caching_desk"].found
    app.toggle(key="guard_cache").set_value(True)
    next(n for n in app.number_input if n.label == "Keep answers, hours").set_value(720.0)
    press(app, "Apply")
    assert not app.exception
    after = app.session_state["caching_desk"].found
    assert after.rules.ttl_s == 720 * 3_600
    assert after.savings.exact_hit_share > before.savings.exact_hit_share
    assert after.savings.exact_hit_share == pytest.approx(after.distinct_bound)


def test_a_large_log_waits_until_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "AT_ONCE", 10)
    app = start("pages/log.py")
    app.switch_page(GUARDS).run()
    assert not app.exception
    assert "Tickets served whole" not in metrics(app)
    press(app, "Measure on 600 tickets of your log")
    assert metrics(app)["Tickets served whole"] == "0.8%"


def test_a_file_that_is_gone_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    app = start("pages/log.py")
    app.session_state["log_desk"].path.unlink()
    app.switch_page(GUARDS).run()
    assert not app.exception
    assert any("log.csv" in e.value.replace("\\", "") for e in app.error)


def test_a_wrong_label_is_set_against_what_it_saves() -> None:
    (worth,) = (i.value for i in measured().info if "semantic cache saves" in i.value)
    assert "for each wrong label" in worth
    assert "A wrong hit is worse than a miss" in worth


def test_the_month_takes_the_share_of_the_caches_that_are_on() -> None:
    app = measured()
    app.toggle(key="guard_cache").set_value(True)
    press(app, "Apply")
    savings = app.session_state["caching_desk"].found.savings
    app.switch_page("pages/month.py").run()
    assert not app.exception
    assert "the sample log, replayed" in said(app)
    share = savings.served_share(True, False)
    assert 0 < share < 0.02
    book = app.session_state["notebook"]
    trace, router = (
        Trace(book.ran_ticket, "support", "kr-auto", "rehearsal", tuple(book.steps.values())),
        book.agent.router,
    )
    round_usd = spend_of(trace, router, bills(trace, router)["kr-auto"]).cached_usd(100_000)
    rounds = Decimal("1.093") * Decimal("1.01")
    row = next(t.value for t in app.dataframe if "Caches" in t.value.columns).to_dict("records")[2]
    assert row["Caches"] == usd(-Decimal(str(share)) * round_usd * 100_000 * rounds)


def test_a_second_run_out_of_the_cache_leaves_the_ticket_and_the_month_as_they_were() -> None:
    app = start(GUARDS)
    app.toggle(key="guard_cache").set_value(True)
    press(press(app, "Apply"), "Run ticket")
    first = shown_money(app)
    app.switch_page(GUARDS).run()
    press(app, "Run ticket")
    second = shown_money(app)
    assert second == first
    assert first["Models a month, kr-auto"] != "$0.00"
    app.switch_page("pages/bill.py").run()
    assert not app.exception
    assert "saved by our cache" in said(app)
    assert set(calls_of(app)) == {0.0}
    app.switch_page("pages/notebook.py").run()
    assert "saved by our cache" in said(app)


def shown_money(app: AppTest) -> dict[str, str]:
    """The figures of the notebook and every row of the Month page."""
    found = metrics(app.switch_page("pages/notebook.py").run())
    app.switch_page("pages/month.py").run()
    assert not app.exception
    rows = app.dataframe[0].value.to_dict("records")
    return {**found, **{f"{row['Plan']}, {name}": str(v) for row in rows for name, v in row.items()}}


def calls_of(app: AppTest) -> list[float]:
    return list(next(d.value["USD"] for d in app.dataframe if "Share" in d.value.columns))
