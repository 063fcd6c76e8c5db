"""Sending: a webhook on this machine that refuses, fails, limits or hangs; each day once; and the secret stays one."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from playground.digest.daily import Daily, Schedule
from playground.digest.post import Post
from playground.digest.send import NotDelivered, Patience, Webhook, send
from playground.errors import BadInput
from playground.ledger import Ledger
from tests.test_digest import DAY, books, entry
from tests.webhook_server import HANG, SECRET, webhook

QUICK = Patience(timeout_s=1, tries=3, pause_s=0.001)


class Clock:
    def __init__(self, *at: int) -> None:
        self.now = datetime(*at, tzinfo=UTC)  # type: ignore[misc,arg-type]

    def __call__(self) -> datetime:
        return self.now


def post(ledger: Ledger | None = None, clock: Clock | None = None) -> Post:
    return Post(ledger or books(entry("1", before="2")), clock or Clock(2026, 11, 26, 8), QUICK)


def test_a_digest_goes_out_and_the_ledger_says_so() -> None:
    ours = post()
    with webhook() as fake:
        assert ours.send_once(Webhook.parse(fake.address), DAY)
    assert "Support agent, 25 November 2026" in fake.got[0]["text"]
    note = ours.delivered(DAY)
    assert note is not None
    assert (note.kind, note.subject, note.provenance) == ("delivered", "digest 2026-11-25", "live")
    assert SECRET not in repr(note)
    assert [d.delivered for d in ours.days()] == [note]


def test_a_day_goes_out_once_also_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    first = Ledger(path)
    first.add([entry("1")])
    with webhook() as fake:
        assert post(first).send_once(Webhook.parse(fake.address), DAY)
        first.close()
        again = Ledger(path)
        assert not post(again).send_once(Webhook.parse(fake.address), DAY)
        again.close()
    assert len(fake.got) == 1


def test_what_was_sent_before_the_day_was_over_does_not_stand_for_it() -> None:
    clock = Clock(2026, 11, 25, 15)
    ours = post(clock=clock)
    with webhook() as fake:
        to = Webhook.parse(fake.address)
        early = ours.digest(DAY)
        assert early is not None
        ours.send(to, early)
        assert ours.delivered(DAY) is None
        clock.now += timedelta(1)
        assert ours.send_once(to, DAY)
    assert len(fake.got) == 2


def test_a_server_error_is_tried_again_and_gets_through() -> None:
    with webhook((502, "oops"), (504, "oops"), (200, "ok")) as fake:
        send(Webhook.parse(fake.address), {"text": "x"}, QUICK)
    assert len(fake.got) == 3


def test_the_sentence_counts_the_tries_that_were_made() -> None:
    once = Patience(timeout_s=1, tries=1, pause_s=0.001)
    with webhook((502, "")) as fake, pytest.raises(NotDelivered, match=r"of its own \(502\)\. The digest is kept"):
        send(Webhook.parse(fake.address), {"text": "x"}, once)
    assert len(fake.got) == 1


@pytest.mark.parametrize(
    ("answer", "tries", "sentence"),
    [
        ((404, "no_service"), 1, r"refused the webhook \(404, no_service\).*make a new webhook"),
        ((403, "invalid_token"), 1, r"refused the webhook \(403, invalid_token\)"),
        ((410, "<html>gone</html>"), 1, r"refused the webhook \(410\)"),
        ((500, "oops"), 3, r"error of its own \(500\), at the last of 3 tries.*try again later"),
        ((502, "bad gateway"), 3, r"error of its own \(502\), at the last of 3 tries"),
        ((504, "gateway timeout"), 3, r"error of its own \(504\), at the last of 3 tries"),
        ((599, ""), 3, r"error of its own \(599\), at the last of 3 tries"),
        ((429, "0"), 3, "limiting how often"),
        ((429, "3600"), 1, "limiting how often"),
        ((429, "soon"), 1, "limiting how often"),
        ((304, ""), 1, "without taking the message"),
    ],
)
def test_what_does_not_get_through_is_one_sentence_and_offered_again(
    answer: tuple[int, str], tries: int, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slack_sdk.http_retry.builtin_handlers.time.sleep", lambda _: None)
    ours = post()
    with webhook(answer) as fake, pytest.raises(NotDelivered, match=sentence):
        ours.send_once(Webhook.parse(fake.address), DAY)
    assert len(fake.got) == tries
    failed = ours.failure(DAY)
    assert failed is not None
    assert "The digest is kept" in failed.said
    assert ours.delivered(DAY) is None
    assert [d.failed for d in ours.days()] == [failed]
    with webhook() as fake:
        assert ours.send_once(Webhook.parse(fake.address), DAY)
    assert ours.failure(DAY) is None


def test_a_webhook_that_hangs_is_left_after_its_time_and_not_sent_to_twice() -> None:
    started = time.monotonic()
    with webhook((HANG, "")) as fake, pytest.raises(NotDelivered, match="within 1 s.*may have arrived"):
        send(Webhook.parse(fake.address), {"text": "x"}, QUICK)
    assert time.monotonic() - started < 5
    assert len(fake.got) == 1


def test_a_webhook_that_is_not_there_is_one_sentence() -> None:
    with webhook() as fake:
        address = fake.address
    with pytest.raises(NotDelivered, match="could not be reached"):
        send(Webhook.parse(address), {"text": "x"}, QUICK)


def test_the_address_is_in_no_log_error_or_repr(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("slack_sdk.webhook.client").setLevel(logging.DEBUG)
    told = []
    for answer in ((200, "ok"), (500, "x"), (404, SECRET), (HANG, "")):
        with webhook(answer) as fake:
            to = Webhook.parse(fake.address)
            told += [repr(to), str(to)]
            try:
                send(to, {"text": "x"}, QUICK)
            except NotDelivered as error:
                told += [str(error), repr(error)]
    out = capfd.readouterr()
    for text in (*told, caplog.text, out.out, out.err):
        assert SECRET not in text
        assert "s3cr3t" not in text


@pytest.mark.parametrize(
    "address",
    [
        "", "hooks.slack.com/services/a", "http://hooks.slack.com/services/a/b", "ftp://127.0.0.1/x", "https://", "file:///etc/passwd",
        "https://hooks.slack.com", "https://user:pw@hooks.slack.com/services/x", "http://10.0.0.1/x", "https://a.test/x y",
        "https://hooks.slack.com:port/services/s3cr3t", "javascript:alert(1)", "https://hooks.slack.com/services/a\nHost: b",
    ],
)  # fmt: skip
def test_what_is_no_webhook_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(BadInput, match="no webhook's address") as found:
        Webhook.parse(address)
    assert "s3cr3t" not in str(found.value)


@pytest.mark.parametrize(
    "address", ["https://hooks.slack.com/services/T/B/x", " https://chat.test/hooks/x\n", "http://127.0.0.1:1/x"]
)
def test_what_is_one_is_taken(address: str) -> None:
    assert Webhook.parse(address).address == address.strip()


def daily(clock: Clock, ours: Post) -> Daily:
    return Daily(ours, clock, tick_s=0.005)


def test_the_daily_digest_goes_out_at_its_hour_once_and_again_the_next_day() -> None:
    clock = Clock(2026, 11, 26, 7, 59)
    ours = post(books(entry("1"), entry("2", days_ago=-1)), clock)
    every = Daily(ours, clock)
    with webhook() as fake:
        every.schedule = Schedule(8, Webhook.parse(fake.address))
        assert every.next_at == datetime(2026, 11, 26, 8, tzinfo=UTC)
        assert not every.look()
        clock.now += timedelta(minutes=1)
        assert every.look()
        assert not every.look()
        assert every.next_at == datetime(2026, 11, 27, 8, tzinfo=UTC)
        clock.now += timedelta(hours=20)  # a machine that slept over its hour
        assert not every.look()
        clock.now += timedelta(hours=9)
        assert every.look()
    assert [m["text"].partition(":")[0] for m in fake.got] == [
        "Support agent, 25 November 2026",
        "Support agent, 26 November 2026",
    ]


def test_a_daily_digest_that_fails_is_said_and_tried_again_later() -> None:
    clock = Clock(2026, 11, 26, 9)
    every = Daily(post(clock=clock), clock)
    with webhook((404, "no_service"), (200, "ok")) as fake:
        every.schedule = Schedule(8, Webhook.parse(fake.address))
        assert not every.look()
        assert "refused the webhook" in every.problem
        assert not every.look()
        assert len(fake.got) == 1
        clock.now += timedelta(minutes=16)
        assert every.look()
    assert every.problem == ""


def test_a_day_without_receipts_sends_nothing() -> None:
    clock = Clock(2026, 12, 24, 9)
    every = Daily(post(clock=clock), clock)
    with webhook() as fake:
        every.schedule = Schedule(8, Webhook.parse(fake.address))
        assert not every.look()
    assert fake.got == []


def test_a_day_of_rehearsals_is_sent_daily_only_where_it_is_asked_for() -> None:
    clock = Clock(2026, 11, 26, 9)
    every = Daily(post(books(entry("1", provenance="rehearsal")), clock), clock)
    with webhook() as fake:
        to = Webhook.parse(fake.address)
        every.schedule = Schedule(8, to)
        assert not every.look()
        assert (fake.got, every.problem) == ([], "")
        every.schedule = Schedule(8, to, rehearsals=True)
        assert every.look()
    assert "Rehearsal: no model was called" in str(fake.got[0])


def test_the_thread_sends_and_stops() -> None:
    clock = Clock(2026, 11, 26, 9)
    ours = post(clock=clock)
    every = daily(clock, ours)
    with webhook() as fake:
        every.start(Schedule(8, Webhook.parse(fake.address)))
        until = time.monotonic() + 5
        while ours.delivered(DAY) is None and time.monotonic() < until:
            time.sleep(0.01)
        thread = every._thread
        every.stop()
    assert len(fake.got) == 1
    assert thread is not None
    assert not thread.is_alive()
    assert every.next_at is None


def test_an_unforeseen_error_does_not_end_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(2026, 11, 26, 9)
    ours = post(clock=clock)
    every = daily(clock, ours)

    def broken(*_: object) -> bool:
        raise RuntimeError("with a secret in it")

    with webhook() as fake, monkeypatch.context() as patch:
        patch.setattr(ours, "send_once", broken)
        every.start(Schedule(8, Webhook.parse(fake.address)))
        until = time.monotonic() + 5
        while not every.problem and time.monotonic() < until:
            time.sleep(0.01)
        assert every._thread is not None
        assert every._thread.is_alive()
        every.stop()
    assert "RuntimeError" in every.problem
    assert "secret" not in every.problem
