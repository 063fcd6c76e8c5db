"""The same runs on the notebook, the bill, the customers, the ledger and the report: on how many pages the sum differs."""

from __future__ import annotations

import os
import tempfile

from _report import quick, report

from tests.pages.test_totals import WAYS, probe


def main() -> None:
    brief = quick()
    with tempfile.TemporaryDirectory() as home:
        # The ledger is looked for when a page first asks for it.
        os.environ["TICKET_PLAYGROUND_HOME"] = home
        plans, tickets = (("kr-auto",), 2) if brief else (("before", "stratified", "kr-auto"), 12)
        found = [differing(way, plan, tickets) for way in WAYS for plan in plans]
    report(
        "totals",
        {"pages_that_differ": sum(n for n, _ in found)},
        {"pages_that_differ": 0},
        {
            "ways": WAYS,
            "tickets": 2 * tickets + 1,
            "plans": plans,
            "sums_usd": [str(usd) for _, usd in found],
            "quick": brief,
        },
    )


def differing(way: str, plan: str, tickets: int) -> tuple[int, object]:
    """How many pages do not say what the notebook says, and what it says in USD."""
    from streamlit.testing.v1 import AppTest

    from playground.ui.state.ledger import _ledger

    # Each round reads a ledger of its own.
    _ledger.clear()
    os.environ["TICKET_PLAYGROUND_HOME"] = tempfile.mkdtemp(dir=os.environ["TICKET_PLAYGROUND_HOME"])
    app = AppTest.from_function(probe, args=(way, plan, tickets), default_timeout=300).run()
    assert not app.exception
    totals = app.session_state["totals"]
    return sum(t != totals["notebook"] for t in totals.values()), totals["notebook"].known_usd


if __name__ == "__main__":
    main()
