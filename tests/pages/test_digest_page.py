"""The digest's page under AppTest: a preview from the ledger, a webhook on this machine, and the secret nowhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from streamlit.testing.v1 import AppTest

from playground.digest.send import Patience
from playground.records import Entry, Receipt, Usage
from playground.ui import state
from tests.pages.test_log_page import press
from tests.pages.test_pages import said, start
from tests.webhook_server import SECRET, webhook

DIGEST = "pages/digest.py"
CUSTOMER = "<!channel> *Acme*"


def opened() -> AppTest:
    """The page, after a day with one live receipt; on the ledger that the app itself uses."""
    app = start()
    yesterday = datetime.now(UTC) - timedelta(1)
    receipt = Receipt(
        "t",
        "support",
        "kr-auto",
        "draft",
        0,
        1,
        "m1",
        "lab",
        "default",
        Usage(9, 9),
        Decimal("0.5"),
        yesterday.date(),
        "live",
        "ok",
    )
    state.ledger().add([Entry(receipt, yesterday, "r", "ticket", CUSTOMER, before_usd=Decimal(2))])
    state.digest_desk().post.patience = Patience(timeout_s=1, tries=2, pause_s=0.001)
    return app.switch_page(DIGEST).run()


def everything(app: AppTest) -> str:
    """All that the browser is sent, and the session's address."""
    nodes = [node for block in (app.main, app.sidebar) for node in block]
    sent = "\n".join(str(getattr(node, "proto", "")) for node in nodes)
    assert "What does the team hear each day?" in sent
    return sent + repr(dict(app.query_params))


def test_a_newcomers_page_shows_the_rehearsed_ticket_or_says_what_to_do() -> None:
    app = start(DIGEST)
    assert not app.exception
    assert "Rehearsal: no model was called" in said(app) or "Run a ticket" in said(app)


def test_the_preview_is_the_last_whole_days_with_names_inert() -> None:
    app = opened()
    assert not app.exception
    text = said(app)
    assert "$0.5000 for 1 ticket, $1.50 less than on today's models (-75%)." in text
    assert "Live: models were called. Prices of" in text
    assert r"\<\!channel\> \*Acme\*" in "\n".join(m.value for m in app.markdown)
    assert "not sent" in text


def test_a_pasted_webhook_gets_the_day_and_is_shown_nowhere() -> None:
    app = opened()
    with webhook() as fake:
        app.text_input(key="digest_webhook").set_value(fake.address).run()
        press(app, "Send now")
    assert not app.exception
    assert "went out" in "".join(i.value for i in app.info)
    assert "sent" in said(app)
    assert len(fake.got) == 1
    assert "s3cr3t" not in everything(app)
    note = state.ledger().events(kinds=("delivered",))
    assert [e.subject[:6] for e in note] == ["digest"]
    assert SECRET not in repr(note)


def test_a_refused_webhook_is_one_sentence_and_the_digest_is_offered_again() -> None:
    app = opened()
    with webhook((404, "no_service"), (200, "ok")) as fake:
        app.text_input(key="digest_webhook").set_value(fake.address).run()
        press(app, "Send now")
        assert "refused the webhook (404, no_service)" in "".join(e.value for e in app.error).replace("\\", "")
        assert SECRET not in said(app)
        press(app, "Try again")
    assert not app.error
    assert len(fake.got) == 2


@pytest.mark.parametrize("address", ["", "https://", "http://example.com/x", "not an address"])
def test_without_a_usable_address_nothing_is_sent_and_it_is_said(address: str) -> None:
    app = opened()
    app.text_input(key="digest_webhook").set_value(address).run()
    press(app, "Send now")
    assert "webhook" in "".join(e.value for e in app.error)
    assert state.ledger().events(kinds=("delivered",)) == ()


def test_an_address_from_the_environment_is_used_and_not_sent_to_the_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    with webhook() as fake:
        monkeypatch.setenv("SLACK_WEBHOOK_URL", fake.address)
        app = opened()
        assert app.text_input(key="digest_webhook").value == ""
        press(app, "Send now")
    assert len(fake.got) == 1
    assert "s3cr3t" not in everything(app)


def test_daily_sending_is_switched_on_and_off() -> None:
    app = opened()
    with webhook() as fake:
        app.text_input(key="digest_webhook").set_value(fake.address).run()
        app.number_input(key="digest_hour").set_value(23).run()
        press(app, "Send daily")
        assert "Sent daily at 23:00 UTC to a webhook at 127.0.0.1" in said(app)
        schedule = state.digest_desk().daily.schedule
        assert schedule is not None
        assert not schedule.rehearsals
        assert "gives it to the server's memory" in str(app.text_input(key="digest_webhook").proto.help)
        assert SECRET not in said(app)
        press(app, "Stop sending daily")
    assert state.digest_desk().daily.schedule is None


def test_the_months_forecast_is_what_a_digest_is_held_against() -> None:
    app = opened()
    app.switch_page("pages/month.py").run()
    app.switch_page(DIGEST).run()
    press(app, "Take the Month page's forecast")
    assert not app.exception
    assert "a day for models under kr-auto" in said(app)
    assert "Taken on" in said(app)
