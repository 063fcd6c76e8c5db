"""The tour says what is next, marks what was done, and can be ended."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from playground.tour import STOPS, next_stop
from tests.pages.test_log_page import press
from tests.pages.test_pages import said, start


def steps(app: AppTest) -> list[str]:
    return [link.proto.label for link in app.get("page_link") if link.proto.label[:1].isdigit()]


def toured() -> AppTest:
    return press(start(), "Take the ten-minute tour")


def test_the_tour_begins_where_the_newcomer_stands() -> None:
    app = toured()
    assert not app.exception
    assert "Tour, step 2 of 7: The decisions" in said(app)
    assert steps(app)[0] == "1 A sample ticket, done"
    assert [s.partition(" ")[2].removesuffix(", done") for s in steps(app)] == [s.title for s in STOPS]


def test_looking_at_a_decision_marks_the_step() -> None:
    app = toured()
    app.segmented_control(key="view_draft").set_value("Decision").run()
    assert "Tour, step 3 of 7: The month" in said(app)
    app.segmented_control(key="view_draft").set_value("Output").run()
    assert "Tour, step 3 of 7: The month" in said(app)


def test_the_month_is_done_when_the_volume_is_hers_and_a_sample_log_is_not_her_own_until_she_looks() -> None:
    app = toured()
    app.segmented_control(key="view_draft").set_value("Decision").run()
    app.switch_page("pages/month.py").run()
    assert "Tour, step 3 of 7: The month" in said(app)
    next(s for s in app.select_slider if s.label == "Tickets a month").set_value(250_000).run()
    assert "Tour, step 4 of 7: Your own log" in said(app)
    app.switch_page("pages/customers.py").run(timeout=60)
    assert "Tour, step 4 of 7: Your own log" in said(app)


def test_the_tour_can_be_ended_and_offered_again() -> None:
    app = press(toured(), "End tour")
    assert "Tour, step" not in said(app)
    assert not steps(app)
    assert "Take the ten-minute tour" in [b.label for b in app.button]


def test_the_next_step_is_the_first_that_is_not_done() -> None:
    keys = [s.key for s in STOPS]
    assert next_stop(()) == STOPS[0]
    assert next_stop(keys[1:]) == STOPS[0]
    assert next_stop(keys) is None
