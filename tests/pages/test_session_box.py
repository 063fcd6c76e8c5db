"""The set-up as a file in Settings: loading one restores every control, and the link holds the knobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from playground import tickets
from playground.forecast import Assumptions
from playground.options import Settings
from playground.pipeline import PromptTemplate, load_shipped
from playground.runtime import Runtime
from playground.session_file import SetUp, keep
from playground.ui import state
from tests.pages.test_pages import APP, said, start

SETTINGS = "pages/settings.py"
SETUP = SetUp(
    load_shipped("support"),
    plan="before",
    assurance="proven",
    bar_shift=-0.1,
    providers=frozenset({"OpenAI", "Anthropic"}),
    limits=Settings(never=frozenset({"gpt-5.5"}), ticket_budget_usd=Decimal("0.5")),
    pins={"draft": "gpt-5.4", "check": "gone-1"},
    bars={"draft": 0.8},
    margins={"draft": 0.03},
    edits={"draft": PromptTemplate("Be brief.", "{{ ticket }}")},
    runtime=Runtime(0.6),
    month=Assumptions(5_000, 0.2, human_cost_usd=Decimal("4.5")),
)


@pytest.fixture(autouse=True)
def _no_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "warm_up", lambda: None)


def loaded(raw: bytes) -> AppTest:
    app = start(SETTINGS)
    box = next(u for u in app.get("file_uploader") if "setup_file" in u.proto.id)
    box.set_value(("mine.json", raw, "application/json")).run()
    return app


def link_of(app: AppTest) -> Mapping[str, list[str]]:
    return parse_qs(urlsplit(next(c.value for c in app.code if "?" in c.value)).query)


def test_a_set_up_restores_every_control_and_says_what_it_could_not() -> None:
    app = loaded(keep(SETUP))
    assert not app.exception
    assert not app.error
    notices = "\n".join(i.value for i in app.info).replace("\\", "")
    assert "The set-up of mine.json is loaded" in notices
    assert notices.count("Not restored") == 1
    assert "the pin at check" in notices
    assert app.segmented_control(key="plan").value == "before"
    assert app.segmented_control(key="assurance").value == "proven"
    assert app.slider(key="bar_shift").value == -0.1
    assert app.multiselect(key="providers").value == ["Anthropic", "OpenAI"]
    book = app.session_state["notebook"]
    assert (book.pins, book.bars, book.margins) == ({"draft": "gpt-5.4"}, {"draft": 0.8}, {"draft": 0.03})
    assert book.limits == replace(SETUP.limits, today=book.limits.today)
    assert (book.edits, book.runtime) == (SETUP.edits, SETUP.runtime)
    link = link_of(app)
    assert (link["volume"], link["again"], link["human_cost"]) == (["5,000"], ["20"], ["4.5"])


def test_the_restored_controls_are_what_the_next_run_uses() -> None:
    app = loaded(
        keep(
            replace(
                SETUP, plan="kr-auto", assurance="estimated", bar_shift=0.0, pins={"draft": "gpt-5.4"}, runtime=None
            )
        )
    )
    app.switch_page("pages/notebook.py").run()
    assert not app.exception
    step = app.session_state["notebook"].steps["draft"]
    assert step.decision.chosen.key == "gpt-5.4"
    assert step.prompts[0].messages[0].content.startswith("Be brief.")
    app.switch_page("pages/bars.py").run()
    assert not app.exception
    assert app.slider(key="page_bar_draft").value == 0.8
    assert app.slider(key="page_margin_draft").value == 0.03


def test_the_ticket_of_a_set_up_takes_the_place_of_the_one_at_hand() -> None:
    german = tickets.samples()["07-german"]
    app = loaded(keep(replace(SETUP, ticket=german))).switch_page("pages/notebook.py").run()
    assert app.text_area(key="ticket_text").value == german.text
    kept = loaded(keep(SETUP)).switch_page("pages/notebook.py").run()
    assert kept.text_area(key="ticket_text").value == next(iter(tickets.samples().values())).text


@pytest.mark.parametrize("raw", [b"{", b"[]", b'{"format": "ticket-playground set-up", "schema_version": 99}'])
def test_a_file_that_is_none_changes_nothing(raw: bytes) -> None:
    app = loaded(raw)
    assert not app.exception
    assert len(app.error) == 1
    assert app.segmented_control(key="plan").value == "kr-auto"


def test_the_link_opens_the_same_knobs_and_holds_no_text() -> None:
    app = start()
    app.slider(key="bar_shift").set_value(-0.05)
    app.segmented_control(key="assurance").set_value("proven")
    app.multiselect(key="providers").set_value(["Google", "OpenAI"]).run()
    app.switch_page(SETTINGS).run()
    link = link_of(app)
    assert set(link) <= {"plan", "mode", "assurance", "bar_shift", "providers", "pipeline", "sample", "volume", "again"}
    again = AppTest.from_file(APP, default_timeout=30)
    for key, value in link.items():
        again.query_params[key] = value if len(value) > 1 else value[0]
    again.run()
    assert not again.exception
    assert again.slider(key="bar_shift").value == -0.05
    assert again.segmented_control(key="assurance").value == "proven"
    assert again.multiselect(key="providers").value == ["Google", "OpenAI"]
    assert not [i for i in again.info if "does not exist" in i.value]


def test_the_link_of_a_session_without_a_change_holds_the_sample_alone() -> None:
    app = start()
    app.switch_page(SETTINGS).run()
    assert set(link_of(app)) == {"sample"}


def test_ticket_text_is_never_in_the_link() -> None:
    app = start()
    app.text_area(key="ticket_text").set_value("A very private matter of mine").run()
    app.switch_page(SETTINGS).run()
    assert "private" not in str(link_of(app))
    assert "sample" not in link_of(app)
    assert "very private" not in said(app)
