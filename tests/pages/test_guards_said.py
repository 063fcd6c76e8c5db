"""What the Guards page says of its guards: what injected instructions got through, and how tickets are compared."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from playground.guardrails.measured import measured
from playground.ui.guard_controls import BY_LETTERS
from tests.pages.test_pages import said, start

GUARDS = "pages/guards.py"


def test_what_injected_instructions_got_through_stands_under_its_guard() -> None:
    page = said(start(GUARDS))
    assert measured().said in page
    assert f"{measured().obeyed_without_a_rule_share:.0%} of {measured().runs_without_a_rule:,} answers obeyed" in page


def test_the_page_says_that_live_tickets_too_are_compared_by_letters() -> None:
    assert BY_LETTERS in said(start(GUARDS))
    assert "with live calls too" in BY_LETTERS


def test_what_is_said_of_live_tickets_holds() -> None:
    """Once embeddings are wired this fails, and the sentence has to change."""

    def script() -> None:
        import streamlit as st

        from playground.ui.state.guards import _semantic

        cache = _semantic("live", 0.8)
        cache._row("I was charged twice.")
        st.text(f"{cache.embedded} texts embedded")

    app = AppTest.from_function(script).run()
    assert [e.value for e in app.text] == ["0 texts embedded"]


def test_an_agent_that_is_loaded_in_settings_runs_with_what_its_file_has_on() -> None:
    def script() -> None:
        import streamlit as st

        from playground.pipeline import parse
        from playground.runtime import Runtime
        from playground.ui import state
        from playground.ui.state.knobs import agent

        state.set_runtime(Runtime())
        text = (
            "name: mine\ntitle: Mine\nextends: support\nstages: []\nruntime: {confidence_gate: 0.5, exact_cache: {}}\n"
        )
        state.set_pipeline(parse(text, "mine.yaml"))
        st.text(" ".join(type(part).__name__ for part in agent().middleware))

    app = AppTest.from_function(script).run()
    assert not app.exception
    assert [e.value for e in app.text] == ["ConfidenceGate ExactCache"]
