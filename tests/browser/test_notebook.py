"""What only a browser shows: run, cancel, edit and run from here, the slider, narrow and dark, and that text stays inert."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.harness import Watcher, app_running, go, settled
from tests.fake_server import FakeServer

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
NASTY = """![spy](https://evil.example/spy.png?q=1) <img src="https://evil.example/i.png"> [click](https://evil.example/x)
<script>fetch("https://evil.example/s")</script> <iframe src="https://evil.example/f"></iframe> https://evil.example/bare.png
:material/home: $x$ ![](//evil.example/p.gif) <style>@import url(https://evil.example/c.css)</style> I was charged twice."""
WAIT_MS = 20_000
LIVE_MS = 150_000
"""The first live call loads litellm, which takes a busy machine of two cores more than half a minute."""


def cell(page: Page, stage: str):  # type: ignore[no-untyped-def]
    return page.locator(f".st-key-cell_{stage}")


def fill(page: Page, label: str, text: str) -> None:
    area = page.get_by_label(label, exact=True)
    area.fill(text)
    area.press("Tab")
    settled(page)


def states(page: Page, word: str) -> int:
    return page.locator("[class*=st-key-cell_]").get_by_text(word, exact=True).count()


def test_the_first_paint_is_a_finished_rehearsal(page: Page) -> None:
    assert states(page, "fresh") == 6
    expect(page.get_by_text("Rehearsal: no model was called").first).to_be_visible()
    expect(page.get_by_test_id("stMetricValue").first).to_contain_text("$")


def test_own_ticket_runs_by_keyboard(page: Page) -> None:
    fill(page, "Message", "I was charged twice for May. Please refund one payment.")
    expect(page.get_by_role("button", name="Run 6 stale")).to_be_visible()
    page.get_by_label("Message", exact=True).press("Control+Enter")
    expect(page.locator("[class*=st-key-cell_]").get_by_text("fresh", exact=True)).to_have_count(6, timeout=WAIT_MS)


def test_edit_a_prompt_and_run_from_here(page: Page) -> None:
    cell(page, "check").get_by_role("radio", name="Prompt").click()
    area = cell(page, "check").get_by_label("System message, the same for every ticket")
    area.fill("Check the draft. {{ policies }}")
    cell(page, "check").get_by_role("button", name="Save prompt").click()
    expect(page.locator("[class*=st-key-cell_]").get_by_text("stale", exact=True)).to_have_count(3)
    cell(page, "check").get_by_role("button", name="Run from here").click()
    expect(page.locator("[class*=st-key-cell_]").get_by_text("fresh", exact=True)).to_have_count(6, timeout=WAIT_MS)


def test_the_slider_moves_the_month(page: Page) -> None:
    before = page.get_by_test_id("stMetricValue").all_text_contents()
    thumb = page.get_by_role("slider", name="Tickets a month")
    thumb.focus()
    thumb.press("ArrowRight")
    expect(page.get_by_test_id("stMetricValue").last).not_to_have_text(before[-1])


def test_a_volume_chosen_on_one_page_holds_on_the_next(page: Page) -> None:
    go(page, "Month")
    thumb = page.get_by_role("slider", name="Tickets a month")
    thumb.focus()
    thumb.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"volume=130"))
    page.get_by_role("link", name="Notebook").click()
    expect(page.get_by_text("A month is 130,000 tickets")).to_be_visible(timeout=WAIT_MS)


def test_a_shared_link_carries_the_knobs_and_no_ticket_text(page: Page, app: str) -> None:
    fill(page, "Message", "A secret ticket text.")
    page.get_by_role("radio", name="stratified").click()
    settled(page)
    assert "plan=stratified" in page.url
    assert "secret" not in page.url
    page.goto(page.url)
    page.get_by_text("Hand-over summary").first.wait_for()
    settled(page)
    expect(page.get_by_role("radio", name="stratified")).to_have_attribute("aria-checked", "true")


@pytest.fixture
def narrow(browser: Browser, app: str) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 420, "height": 900}, color_scheme="dark")
    opened.goto(app)
    opened.get_by_text("Hand-over summary").first.wait_for()
    settled(opened)
    yield opened
    opened.close()


def test_on_a_phone_in_the_dark_nothing_is_cut_off(narrow: Page) -> None:
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 420
    wide = narrow.evaluate(
        "[...document.querySelectorAll('[data-testid=stMain] *')].filter(e => e.getBoundingClientRect().right > 421 "
        "&& !e.closest('[data-testid=stDataFrame]')).map(e => e.tagName + '.' + e.className).slice(0, 5)"
    )
    assert wide == []
    dark = narrow.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
    assert sum(int(c) for c in re.findall(r"\d+", dark)[:3]) < 150


def test_markup_in_a_ticket_makes_no_request_and_no_link(page: Page) -> None:
    fill(page, "Message", NASTY)
    page.get_by_role("button", name="Run ticket").click()
    expect(page.locator("[class*=st-key-cell_]").get_by_text("fresh", exact=True)).to_have_count(6, timeout=WAIT_MS)
    for stage in ("intent", "rerank", "draft", "check", "respond", "summarise"):
        for view in ("Output", "Prompt", "Decision", "Receipts"):
            cell(page, stage).get_by_role("radio", name=view).click()
            settled(page)
            if view == "Prompt":
                cell(page, stage).get_by_text("As sent, call 1").click()
                settled(page)
    assert (
        page.locator("a[href*='evil.example'], img[src*='evil.example'], iframe, [data-testid=stMain] script").count()
        == 0
    )


@pytest.fixture
def live(browser: Browser, app: str, server: FakeServer) -> Iterator[Page]:
    """A page set to run every stage live on the fake server's slow model."""
    opened = browser.new_page(viewport={"width": 1400, "height": 1000})
    watcher = Watcher(opened, app)
    opened.goto(f"{app}/settings")
    settled(opened)
    connect(opened, server, "nasty, hang, bad-key")
    yield opened
    opened.close()
    assert watcher.foreign == []


def connect(page: Page, server: FakeServer, models: str) -> None:
    page.get_by_label("Base URL").fill(server.base_url)
    page.get_by_label("Models, separated by commas").fill(models)
    page.get_by_label("Key, if it needs one").fill("sk-test-0123456789abcdef")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("combobox", name="Use one model at every stage").wait_for()
    settled(page)


def pin_everywhere(page: Page, model: str) -> None:
    page.get_by_role("combobox", name="Use one model at every stage").click()
    page.get_by_role("option").filter(has_text=re.compile(f"^{model}")).click()
    page.get_by_role("button", name="Apply").click()
    page.get_by_text("Every stage is pinned").wait_for()
    page.get_by_role("radio", name="Live").click()
    page.get_by_role("link", name="Notebook").click()
    page.get_by_role("button", name="Run ticket").wait_for()
    settled(page)


def test_a_live_run_streams_and_what_a_model_says_stays_inert(live: Page) -> None:
    pin_everywhere(live, "nasty")
    live.get_by_role("button", name="Run ticket").click()
    expect(live.get_by_text("Live: models were called on your keys").first).to_be_visible(timeout=LIVE_MS)
    expect(live.locator("[class*=st-key-cell_]").get_by_text("fresh", exact=True)).to_have_count(6, timeout=LIVE_MS)
    settled(live)  # until then the running page's cells stand beside the finished ones
    expect(cell(live, "respond")).to_contain_text("evil.example")
    assert live.locator("a[href*='evil.example'], img[src*='evil.example']").count() == 0
    cell(live, "respond").get_by_role("radio", name="Receipts").click()
    settled(live)


def test_a_hung_call_can_be_cancelled_and_stays_billed(live: Page) -> None:
    pin_everywhere(live, "hang")
    live.get_by_role("button", name="Run ticket").click()
    live.get_by_text("Waiting for the first words.").wait_for(timeout=LIVE_MS)
    live.wait_for_timeout(1_000)  # a click in the middle of the redraw that follows Run would be lost
    live.get_by_role("button", name="Cancel").click(timeout=LIVE_MS)
    expect(live.locator("[class*=st-key-cell_]").get_by_text("cancelled", exact=True)).to_have_count(1, timeout=WAIT_MS)
    expect(live.get_by_text("Spent so far")).to_be_visible()
    expect(live.get_by_role("button", name="Run ticket")).to_be_visible()


def test_a_refused_key_is_a_sentence_with_a_next_step_and_never_shown(live: Page) -> None:
    pin_everywhere(live, "bad-key")
    live.get_by_role("button", name="Run ticket").click()
    expect(cell(live, "intent").get_by_role("alert")).to_contain_text("key", timeout=LIVE_MS)
    expect(cell(live, "intent").get_by_role("link", name="Add or change a key")).to_be_visible()
    assert "sk-test" not in live.content()
    assert "sk-test" not in live.url


def test_a_page_opened_by_its_address_on_a_new_server_has_its_frame(browser: Browser) -> None:
    with app_running() as fresh:
        opened = browser.new_page()
        opened.goto(f"{fresh}/bill")
        expect(opened.get_by_test_id("stTopNavSection")).to_have_count(4, timeout=WAIT_MS)
        expect(opened.get_by_role("heading", name="What did each call cost?")).to_be_visible()
        opened.close()


def test_an_address_in_a_text_from_outside_is_no_link(page: Page) -> None:
    fill(page, "Subject", "See https://evil.example/x, www.evil.example or mail bob@evil.example")
    page.get_by_role("button", name="Run ticket").click()
    expect(page.get_by_text("mail bob@").first).to_be_visible(timeout=WAIT_MS)
    settled(page)
    assert page.locator("a[href*='evil.example']").count() == 0
