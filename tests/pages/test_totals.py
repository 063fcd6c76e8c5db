"""One road for money: what the pages say of the same runs is equal to the last digit, and what they show is that sum."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from playground.money import Total, usd
from tests.pages.test_log_page import metrics, press
from tests.pages.test_pages import start

WAYS = ("plain", "gate", "cache", "second opinions", "provider down")
"""What stands around the calls: each makes receipts that another way does not."""


def probe(way: str, plan: str, tickets_run: int) -> None:
    """A page that runs tickets twice under a plan and takes their sum from what every page draws."""
    import csv
    import io
    from decimal import Decimal

    import streamlit as st

    from playground import tickets
    from playground.bill import paid
    from playground.ledger import Filter, export
    from playground.money import Total
    from playground.runtime import ExactCache, FailoverRules, Runtime
    from playground.ui import state
    from playground.ui.failover_preset import suggestion
    from playground.ui.state.customers import customers_of_receipts
    from playground.ui.state.ledger import ledger, run_of

    if "totals" in st.session_state:
        return

    def ran() -> tuple[Total, Total, Total, Total]:
        state.start_run()
        run = state.notebook().run
        assert run is not None
        run._thread.join(60)
        state.collect()
        done, plans = state.trace(), state.plan_bills()
        assert done is not None
        assert plans is not None
        assert plans[done.plan].total.known_usd - plans[done.plan].saved.known_usd == paid(done).total.known_usd
        second = Total.of(r.cost_usd for _, opinion in done.second_opinions for r in opinion.receipts)
        kept = ledger().spend((), Filter(runs=(run_of(run.agent),)))[0].total
        return Total.of(r.cost_usd for r in done.receipts) + second, paid(done).total + second, kept, second

    st.session_state.plan = plan
    sums = [ran()]
    plans = state.plan_bills()
    assert plans is not None
    down = plans["kr-auto"].decisions[0].chosen.model.provider
    if way == "provider down":
        st.session_state.providers_down = [down]
        state.switch_providers()
    state.set_runtime(
        Runtime(
            confidence_gate=0.95 if way == "gate" else None,
            exact_cache=ExactCache() if way == "cache" else None,
            second_opinions=1.0 if way == "second opinions" else None,
            failover=FailoverRules(suggestion().equivalents, up_to_today=True) if way == "provider down" else None,
        )
    )
    for ticket in list(tickets.samples().values())[:tickets_run] * 2:
        state.set_ticket(ticket)
        sums.append(ran())
    notebook, bill, runs, seconds = (sum(parts, Total()) for parts in zip(*sums, strict=True))
    made, problems = state.report()
    assert not problems
    tables = {table.title: table for table in made.tables()}
    kept = tables["Kept receipts, by stage and model"]
    rows = csv.DictReader(io.StringIO(export.as_bytes(ledger().batches(), "csv").decode("utf-8")))
    costs = [row["cost_usd"] for row in rows]
    st.session_state.totals = {
        "notebook": notebook,
        "bill": bill,
        "ledger, run by run": runs,
        "ledger": ledger().spend((), Filter(provenance="rehearsal"))[0].total,
        "customers": (found := customers_of_receipts("rehearsal", None)).total.cost + found.evaluations,
        "report": sum((cell for row in kept.rows if isinstance(cell := row[-1], Total)), Total()),
        "export": Total.of(Decimal(c) if c else None for c in costs),
    }
    last = tables["The ticket's receipts"].rows[-1][-1]
    assert isinstance(last, Total)
    st.session_state.last = (sums[-1][1], last)
    st.session_state.seen = {
        "failed": any(r.outcome == "failed" for entry in ledger().entries() for r in (entry.entry.receipt,)),
        "cached": any(entry.entry.receipt.source != "model" for entry in ledger().entries()),
        "second": bool(seconds.known_usd),
    }


@pytest.mark.parametrize(("way", "plan"), [*((way, "kr-auto") for way in WAYS), ("plain", "before")])
def test_every_page_has_the_same_sum(way: str, plan: str) -> None:
    app = AppTest.from_function(probe, args=(way, plan, 2), default_timeout=120).run()
    assert not app.exception
    totals: dict[str, Total] = app.session_state["totals"]
    assert totals["notebook"].known_usd > 0
    assert set(totals.values()) == {totals["notebook"]}, totals
    assert len(set(app.session_state["last"])) == 1
    seen = {"provider down": "failed", "cache": "cached", "second opinions": "second"}
    assert way not in seen or app.session_state["seen"][seen[way]]


def test_the_receipts_page_shows_what_the_notebook_ran() -> None:
    app = press(start(), "Run ticket")
    app.session_state["notebook"].run._thread.join(60)
    app.run()
    paid = Total.of(r.cost_usd for s in app.session_state["notebook"].steps.values() for r in s.receipts)
    app.switch_page("pages/ledger.py").run()
    assert metrics(app)["Spent"] == usd(paid.exact_usd)
