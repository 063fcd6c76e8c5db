"""What the Guards page says of its guards: what injected instructions got through, and how tickets are compared."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from playground.guardrails.measured import measured
from tests.pages.test_pages import said, start

GUARDS = "pages/guards.py"


def test_what_injected_instructions_got_through_stands_under_its_guard() -> None:
    page = said(start(GUARDS))
    assert measured().said in page
    assert f"{measured().obeyed_without_a_rule_share:.0%} of {measured().runs_without_a_rule:,} answers obeyed" in page


def test_the_page_says_how_tickets_are_compared() -> None:
    text = said(start(GUARDS))
    assert (
        "Tickets are compared by their letters. No threshold for comparing by meaning has been tuned and put to use."
        in text
    )


def test_without_a_tuned_threshold_nothing_is_embedded() -> None:
    def script() -> None:
        import streamlit as st

        from playground.ui import state
        from playground.ui.state.guards import surroundings

        assert surroundings().semantic is not None
        cache = surroundings().semantic("live", 0.8, None)
        st.text(f"{cache.embedded} texts embedded; {state.by_letters_why()}")

    app = AppTest.from_function(script).run()
    assert not app.exception
    assert app.text[0].value.startswith("0 texts embedded; No threshold")


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
