"""A day's digest against sums by hand, and the shapes it is sent in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from playground.digest import Digest, make_digest, provenance_of
from playground.digest.forecast import expected, forecast_event
from playground.digest.markdown import as_markdown
from playground.digest.slack import LONGEST_TEXT, MOST_BLOCKS, payload
from playground.digest.words import headline, sections
from playground.ledger import Ledger
from playground.records import Entry, Event, Outcome, Plan, Provenance, Purpose, Receipt, Usage

DAY = date(2026, 11, 25)
NOW = datetime(2026, 11, 26, 8, 30, tzinfo=UTC)
HOSTILE = "<!channel> *bold* & [x](http://evil.test) `code`\n# head"


def entry(
    usd: str | None,
    days_ago: int = 0,
    who: str | None = "acme",
    model: str = "m1",
    stage: str = "draft",
    ticket: str = "t1",
    before: str | None = None,
    provenance: Provenance = "live",
    purpose: Purpose = "ticket",
    outcome: Outcome = "ok",
    plan: Plan = "kr-auto",
) -> Entry:
    at = datetime.combine(DAY, datetime.min.time(), UTC) + timedelta(hours=10, days=-days_ago)
    cost = None if usd is None else Decimal(usd)
    receipt = Receipt(
        ticket, "support", plan, stage, 0, 1, model, "lab", "default", Usage(100, 10), cost, DAY, provenance, outcome
    )
    return Entry(receipt, at, f"run-{days_ago}", purpose, who, before_usd=None if before is None else Decimal(before))


def books(*entries: Entry, events: tuple[Event, ...] = ()) -> Ledger:
    ledger = Ledger(None)
    ledger.add(entries)
    for event in events:
        ledger.note(event)
    return ledger


def digest(*entries: Entry, events: tuple[Event, ...] = (), now: datetime = NOW) -> Digest:
    return make_digest(books(*entries, events=events), DAY, "live", now)


def rows(found: Digest, title: str) -> dict[str, str]:
    return {r.name: r.said for s in sections(found) if s.title == title for r in s.rows}


def test_sums_and_savings_are_the_ledgers() -> None:
    found = digest(
        entry("0.10", before="0.40"),
        entry("0.05", ticket="t2", who="beta", before="0.20"),
        entry("0.02", outcome="failed"),
        entry("1", purpose="shadow"),
        entry("9", provenance="rehearsal"),
        entry("7", days_ago=1),
    )
    assert (found.cost.known_usd, found.tickets, found.attempts) == (Decimal("1.17"), 2, 4)
    assert (found.failed, found.failed_usd) == (1, Decimal("0.02"))
    assert (found.serving.known_usd, found.before.known_usd) == (Decimal("0.17"), Decimal("0.60"))
    assert found.saved_usd == Decimal("0.43")
    assert headline(found) == (
        "$0.1700 for 2 tickets, $0.4300 less than on today's models (-72%). Evaluations cost $1.00 more."
    )
    assert rows(found, "Spend")["Of it for evaluations"] == "$1.00"
    assert rows(found, "Spend")["Failed attempts"] == "1, $0.0200"


def test_what_has_no_price_is_at_least_and_never_nothing() -> None:
    found = digest(entry("0.10", before="0.40"), entry(None, ticket="t2"))
    assert found.saved_usd is None
    assert headline(found).startswith("At least $0.1000 for 2 tickets: not every call has a price")
    assert rows(found, "Spend")["Spent"].startswith("at least $0.1000, 1 call unpriced")


def test_the_forecast_is_of_answering_tickets_and_is_held_against_nothing_else() -> None:
    taken = forecast_event("kr-auto", 3_044, Decimal("60.875"), datetime(2026, 11, 1, tzinfo=UTC))
    evaluated = (entry("5", purpose="shadow", ticket=f"s{n}") for n in range(7))
    found = digest(entry("3"), *evaluated, entry("1", purpose="second opinion"), events=(taken,))
    assert found.tickets == 1
    assert rows(found, "Spend")["Forecast for a day"] == "$2.00 under kr-auto; answering tickets took $3.00 (+50%)."
    assert rows(found, "Spend")["Tickets expected"] == "100; 1 came, $3.00 a ticket where $0.0200 was expected"
    assert rows(found, "Spend")["Of it for evaluations"] == "$36.00"
    assert rows(found, "Top customers") == {"acme": "$3.00, 1 ticket, 100% of what customers spent"}
    assert [(line.cost.known_usd, line.tickets) for line in found.days] == [(39, 1)]


def test_movers_are_against_an_average_day_with_both_sums() -> None:
    found = digest(
        entry("3", model="grew"),
        entry("1", model="same"),
        entry("2", model="appeared"),
        entry("2", days_ago=2, model="grew"),
        entry("2", days_ago=2, model="same"),
        entry("4", days_ago=1, model="gone"),
        entry("99", days_ago=8, model="long ago"),
    )
    assert found.days_before == 2
    models = {m.name: (m.now.known_usd, m.usual.known_usd) for m in found.movers if m.kind == "model"}
    assert models == {"grew": (3, 1), "appeared": (2, 0), "gone": (0, 2)}
    said = rows(found, "Movers")
    assert said["model grew"] == "$3.00, was $1.00 (+200%)"
    assert said["model appeared"] == "$2.00, was $0.00 (new)"
    assert said["model gone"] == "$0.00, was $2.00 (-100%)"


def test_without_days_before_nothing_moved() -> None:
    found = digest(entry("3"))
    assert (found.days_before, found.movers) == (0, ())


def test_alarms_are_counted_by_kind_and_cause() -> None:
    at = datetime(2026, 11, 25, 12, tzinfo=UTC)
    events = (
        Event(at, "handover", "draft", "cap on tickets: no room for one.", "live"),
        Event(at + timedelta(1), "handover", "draft", "cap on tickets: tomorrow.", "live"),
        Event(at, "handover", "draft", "cap on tickets: no room for two.", "live"),
        Event(at, "failover", "draft: m2", "failover: lab is down", "live"),
        Event(at, "drift", "intent", "Disagreement is 9% since Monday.", "live"),
        Event(at, "drift", "intent", "rehearsed", "rehearsal"),
        Event(at, "cut over", "draft", "m2 at Draft: CUT OVER on 900 pairs.", "live"),
        Event(at, "keep", "intent", "m3 at Intent: KEEP on 90 pairs.", "live"),
        Event(at, "keep", "intent", "rehearsed", "rehearsal"),
        Event(at, "cap", "check", "cost ceiling: A call to m2 can cost up to $1.00.", "live"),
        Event(at, "cap", "sample", "sample run: the cap of $5.00 ended it; 12 tickets did not run.", "live"),
    )
    found = digest(entry("1"), events=events)
    assert [(a.kind, a.cause, a.count, a.said) for a in found.alarms] == [
        ("drift", "intent", 1, "Disagreement is 9% since Monday."),
        ("cap", "cost ceiling", 1, "A call to m2 can cost up to $1.00."),
        ("cap", "sample run", 1, "the cap of $5.00 ended it; 12 tickets did not run."),
        ("handover", "cap on tickets", 2, "no room for two."),
        ("failover", "draft: m2", 1, "failover: lab is down"),
    ]
    assert list(rows(found, "Alarms")) == [
        "Drift: Intent",
        "Cap on spending: cost ceiling",
        "Cap on spending: sample run",
        "Handed to a person: cap on tickets",
        "Failover at Draft to m2",
    ]
    assert rows(found, "Alarms")["Failover at Draft to m2"] == "lab is down"
    assert rows(found, "Verdicts") == {
        "Cut over": "m2 at Draft: CUT OVER on 900 pairs.",
        "Keep today's model": "m3 at Intent: KEEP on 90 pairs.",
    }


def test_stages_are_called_by_their_titles() -> None:
    found = digest(entry("3", stage="check"), entry("1", stage="judge"), entry("1", days_ago=1, stage="check"))
    assert list(rows(found, "Stages")) == ["Policy and tone check", "Judge"]
    assert "stage Policy and tone check" in rows(found, "Movers")


def test_the_forecast_is_the_last_one_taken_before_the_day_was_over() -> None:
    early = forecast_event("kr-auto", 3_044, Decimal("60.875"), datetime(2026, 11, 1, tzinfo=UTC))
    late = forecast_event("before", 1, Decimal(1), datetime(2026, 11, 26, 1, tzinfo=UTC))
    found = digest(entry("3"), events=(early, late))
    assert found.forecast is not None
    assert found.forecast.usd_a_day == 2
    assert rows(found, "Spend")["Forecast for a day"] == "$2.00 under kr-auto; answering tickets took $3.00 (+50%)."
    assert rows(found, "Spend")["Tickets expected"] == "100; 1 came, $3.00 a ticket where $0.0200 was expected"
    other = Event(NOW, "forecast", "anything else", "", "live")
    assert expected((other,), DAY) is None


def test_who_spent_most_and_nobody_apart() -> None:
    entries = [entry(str(i), who=f"c{i}", ticket=f"t{i}") for i in range(1, 8)]
    found = digest(*entries, entry("50", who=None, ticket="t9"))
    assert [c.name for c in found.customers] == ["c7", "c6", "c5", "c4", "c3"]
    assert found.customers_count == 7
    said = rows(found, "Top customers")
    assert said["c7"] == "$7.00, 1 ticket, 25% of what customers spent"
    assert said["no customer named"] == "$50.00, 1 ticket"


def test_a_day_that_is_not_over_says_so() -> None:
    found = digest(entry("1"), now=datetime(2026, 11, 25, 23, 59, tzinfo=UTC))
    assert found.so_far
    assert "so far" in payload(found)["text"]
    assert not digest(entry("1")).so_far


def test_live_receipts_come_before_rehearsed_ones_and_a_day_without_any_has_no_digest() -> None:
    assert provenance_of(books(entry("1", provenance="rehearsal")), DAY) == "rehearsal"
    assert provenance_of(books(entry("1", provenance="rehearsal"), entry("1")), DAY) == "live"
    assert provenance_of(books(), DAY) is None


def texts(block: dict[str, Any]) -> list[dict[str, Any]]:
    return [block["text"]] if "text" in block else block.get("elements", [])


@pytest.mark.parametrize("many", [1, 400])
def test_blocks_are_what_slack_takes_however_much_there_is(many: int) -> None:
    from slack_sdk.models.blocks import Block

    events = tuple(
        Event(NOW - timedelta(1), "failover", f"stage {i}: {'<&>' * 60}", "&" * 2_000, "live") for i in range(many)
    )
    found = digest(*(entry("1", who=f"{HOSTILE}{i}" * 20, stage=f"s{i}") for i in range(many)), events=events)
    sent = payload(found)
    assert len(sent["blocks"]) <= MOST_BLOCKS
    for block in sent["blocks"]:
        Block.parse(block).validate_json()  # type: ignore[union-attr]
        for text in texts(block):
            assert 0 < len(text["text"]) <= (150 if block["type"] == "header" else LONGEST_TEXT)
            assert not text["text"].endswith(("&", "&a", "&am", "&amp", "&l", "&lt", "&g", "&gt"))


def test_hostile_names_are_plain_text_with_slacks_three_characters_written_out() -> None:
    sent = payload(digest(entry("1", who=HOSTILE, model="<http://evil.test|m>")))
    found = [t for b in sent["blocks"] for t in texts(b)]
    outside = [t for t in found if "channel" in t["text"] or "evil" in t["text"]]
    assert outside
    for text in outside:
        assert (text["type"], text["emoji"]) == ("plain_text", False)
        assert "<" not in text["text"]
        assert ">" not in text["text"]
    assert any("&lt;!channel&gt; *bold* &amp; " in t["text"] for t in outside)
    assert "evil" not in sent["text"]
    assert sent["mrkdwn"] is False


def test_markdown_holds_the_same_and_a_hostile_name_stays_text() -> None:
    found = as_markdown(digest(entry("1", who=HOSTILE)))
    assert "Live\\: models were called\\. Prices of" in found
    assert "\\<\\!channel\\> \\*bold\\* & \\[x\\]\\(http\\:" in found.replace("\\&", "&")
    assert "\n# head" not in found
    for heading in ("# Support agent", "## Spend", "## Top customers", "## Models", "## Stages", "## Plans"):
        assert heading in found


def test_a_rehearsal_is_called_one_in_every_shape() -> None:
    found = make_digest(books(entry("1", provenance="rehearsal")), DAY, "rehearsal", NOW)
    assert "Rehearsal: no model was called" in str(payload(found))
    assert "Rehearsal" in as_markdown(found)
