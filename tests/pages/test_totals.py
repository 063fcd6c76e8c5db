"""One road for money: what the pages say of the same runs is equal to the last digit, and what they show is that sum."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from playground.money import Total, usd
from tests.pages.test_log_page import metrics
from tests.pages.test_pages import start


def probe(gate: float | None, plan: str, tickets_run: int) -> None:
    """A page that runs tickets under a plan and asks for their sum as each page does."""
    import streamlit as st

    from playground import tickets
    from playground.ledger import Filter
    from playground.money import Total
    from playground.report.joins import BY, ledger_lines
    from playground.runtime import Runtime
    from playground.ui import state
    from playground.ui.state.customers import customers_of_receipts
    from playground.ui.state.ledger import ledger, run_of

    if "totals" in st.session_state:
        return
    st.session_state.plan = plan
    state.set_runtime(Runtime(confidence_gate=gate))
    notebook, bill, runs = Total(), Total(), Total()
    for ticket in list(tickets.samples().values())[:tickets_run]:
        state.set_ticket(ticket)
        state.start_run()
        run = state.notebook().run
        assert run is not None
        run._thread.join(60)
        state.collect()
        done, plans = state.trace(), state.plan_bills()
        assert done is not None
        assert plans is not None
        notebook += Total.of(r.cost_usd for r in done.receipts)
        bill += plans[done.plan].total
        runs += ledger().spend((), Filter(runs=(run_of(run.agent),)))[0].total
    customers = customers_of_receipts("rehearsal", None)
    st.session_state.totals = {
        "notebook": notebook,
        "bill": bill,
        "ledger, run by run": runs,
        "ledger": ledger().spend((), Filter(provenance="rehearsal"))[0].total,
        "customers": customers.total.cost,
        "report": sum((line.total for line in ledger_lines(ledger().spend(BY, tickets=False))), Total()),
    }


@pytest.mark.parametrize(("gate", "plan"), [(None, "kr-auto"), (0.95, "kr-auto"), (None, "before")])
def test_every_page_has_the_same_sum(gate: float | None, plan: str) -> None:
    app = AppTest.from_function(probe, args=(gate, plan, 3), default_timeout=120).run()
    assert not app.exception
    totals: dict[str, Total] = app.session_state["totals"]
    assert totals["notebook"].known_usd > 0
    assert set(totals.values()) == {totals["notebook"]}, totals


def test_the_receipts_page_shows_what_the_notebook_ran() -> None:
    app = start()
    app.session_state["notebook"].run._thread.join(60)
    app.run()
    paid = Total.of(r.cost_usd for s in app.session_state["notebook"].steps.values() for r in s.receipts)
    app.switch_page("pages/ledger.py").run()
    assert metrics(app)["Spent"] == usd(paid.exact_usd)
