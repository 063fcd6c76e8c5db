"""Prompt caching on the pages: a switch, and in every forecast, beside which it says what it changes at the volume."""

from __future__ import annotations

import re
from decimal import Decimal

from streamlit.testing.v1 import AppTest

from playground.prompt_cache_note import OFF
from tests.pages.test_log_page import press
from tests.pages.test_pages import said, start

ON = re.compile(
    r"in these figures, .* at ([\d,]+) tickets a month, .* and it (adds|takes) \$([\d,.]+) (?:to|off) kr-auto's models"
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
