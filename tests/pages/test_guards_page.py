"""Caching and failover on their page: a provider goes down and the call goes on, a second run is served from the cache."""

from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from playground.records import Ticket
from playground.runtime import CostCaps, Runtime
from playground.ui.state import guards
from tests.pages.test_log_page import metrics, press
from tests.pages.test_pages import said, start

GUARDS = "pages/guards.py"
WITHOUT_LUCK = "this run's failed tries, and models that stood in, are left out"


def switched_on(*parts: str) -> AppTest:
    app = start(GUARDS)
    for part in parts:
        app.toggle(key=f"guard_{part}").set_value(True)
    return press(app, "Apply")


def draft_of(app: AppTest) -> list[tuple[str, str, str | None]]:
    return [(r.outcome, r.model, r.failure) for r in app.session_state["notebook"].steps["draft"].receipts]


def test_a_provider_that_is_down_is_gone_round_by_a_stated_rule() -> None:
    app = switched_on("failover")
    chosen = app.session_state["notebook"].steps["draft"].decision.chosen.model
    app.multiselect(key="providers_down").set_value([chosen.provider]).run()
    press(app, "Run ticket")
    assert not app.exception
    failed, answered = draft_of(app)
    assert failed == ("failed", chosen.name, "down")
    assert answered[0] == "ok"
    rule = app.session_state["notebook"].steps["draft"].receipts[-1].rule
    assert f"failover: {chosen.provider} is down" in rule
    assert "clears the bar" in rule
    assert metrics(app)["Answered by an equivalent"] != "0"
    app.switch_page("pages/notebook.py").run()
    assert f"`{answered[1]}` instead of `{chosen.name}`" in said(app)
    assert WITHOUT_LUCK in said(app)


def test_a_run_without_a_failed_try_says_nothing_of_one() -> None:
    app = start()
    assert all(r.outcome == "ok" for s in app.session_state["notebook"].steps.values() for r in s.receipts)
    assert " instead of `" not in said(app)
    assert WITHOUT_LUCK not in said(app)


def test_a_provider_that_comes_up_again_answers_itself() -> None:
    app = switched_on("failover")
    chosen = app.session_state["notebook"].steps["draft"].decision.chosen.model
    app.multiselect(key="providers_down").set_value([chosen.provider]).run()
    app.multiselect(key="providers_down").set_value([]).run()
    press(app, "Run ticket")
    assert draft_of(app)[0] == ("ok", chosen.name, None)


def test_a_second_run_is_served_from_the_cache_and_costs_nothing() -> None:
    app = switched_on("cache")
    press(press(app, "Run ticket"), "Run ticket")
    receipts = [r for s in app.session_state["notebook"].steps.values() for r in s.receipts]
    assert {r.source for r in receipts if r.outcome == "ok"} == {"exact cache"}
    assert sum(r.cost_usd for r in receipts if r.source != "model") == 0
    assert "The cache saved" in said(app)


def test_a_ceiling_of_nothing_holds_every_call_and_says_so() -> None:
    app = switched_on("caps")
    next(n for n in app.number_input if n.label.startswith("A ticket, times")).set_value(0.0)
    press(press(app, "Apply"), "Run ticket")
    assert not app.exception
    steps = app.session_state["notebook"].steps
    assert not [r for s in steps.values() for r in s.receipts]
    assert "The cap on this ticket is zero" in said(app) + "".join(i.value for i in app.info)


def test_equivalents_that_form_a_circle_are_one_sentence_and_nothing_is_lost() -> None:
    app = start(GUARDS)
    app.toggle(key="guard_failover").set_value(True)
    app.text_area(key="guard_equivalents").set_value("gpt-5.4: claude-sonnet-4-6\nclaude-sonnet-4-6: gpt-5.4")
    press(app, "Apply")
    assert "is a circle" in app.error[0].value.replace("\\", "")
    assert "gpt-5.4: claude-sonnet-4-6" in app.text_area(key="guard_equivalents").value
    app.text_area(key="guard_equivalents").set_value("gpt-99: gpt-5.4")
    press(app, "Apply")
    assert "gpt-99" in app.error[0].value.replace("\\", "")


def test_a_draft_that_is_not_sure_goes_to_a_person_and_skips_check_and_response() -> None:
    app = start(GUARDS)
    app.toggle(key="guard_gate").set_value(True)
    next(s for s in app.slider if s.label == "Hand over below").set_value(1.0)
    press(press(app, "Apply"), "Run ticket")
    assert not app.exception
    steps = app.session_state["notebook"].steps
    assert list(steps) == ["intent", "rerank", "draft", "summarise"]
    assert steps["draft"].handover.rule == "confidence gate"
    app.switch_page("pages/notebook.py").run()
    assert not app.exception
    text = said(app)
    assert "handed over" in text
    assert "skipped" in text
    assert "To a person" in "".join(i.value for i in app.info)
    assert [m.label for m in app.metric] == ["Spent"]
    assert "The last ticket went to a person at Draft, who takes over, so" in text
    assert text.count("Skipped, because a person takes over.") == 1
    assert "This stage has not run yet" not in text


def test_a_legal_threat_is_escalated_by_rule() -> None:
    app = switched_on("escalation")
    app.session_state["notebook"].ticket = Ticket("t", "My lawyer will sue you if the invoice is not corrected today.")
    press(app, "Run ticket")
    assert not app.exception
    found = app.session_state["notebook"].steps["draft"].handover
    assert found is not None
    assert "respond" not in app.session_state["notebook"].steps


def test_leak_guards_let_the_sample_ticket_through() -> None:
    app = press(switched_on("leaks"), "Run ticket")
    assert not app.exception
    assert list(app.session_state["notebook"].steps)[-1] == "summarise"
    assert all(s.handover is None for s in app.session_state["notebook"].steps.values())


def test_a_site_that_is_none_is_one_sentence() -> None:
    app = start(GUARDS)
    app.toggle(key="guard_leaks").set_value(True)
    next(t for t in app.text_input if t.label == "Your own sites").set_value("https://example.com/x")
    press(app, "Apply")
    assert "is no domain" in app.error[0].value


def test_a_ticket_that_says_the_same_gets_its_label_from_the_semantic_cache() -> None:
    app = switched_on("semantic")
    book = app.session_state["notebook"]
    for text in ("How do I change the card we pay with?", "How do I change the card that we pay with?"):
        book.ticket = Ticket(text, text, customer_id="acme")
        press(app, "Run ticket")
    assert not app.exception
    assert [r.source for r in book.steps["intent"].receipts] == ["semantic cache"]
    assert all(r.source == "model" for s in book.steps.values() for r in s.receipts if r.stage != "intent")


def field(app: AppTest, label: str) -> Any:
    return next(n for n in app.number_input if n.label == label)


def test_a_field_that_may_be_empty_can_be_emptied_and_none_is_a_limit_that_holds() -> None:
    app = switched_on("escalation", "caps")
    for currency in ("USD", "EUR", "GBP"):
        field(app, f"Refunds above, {currency}").set_value(None)
    field(app, "A ticket, times what it should cost").set_value(None)
    press(app, "Apply")
    assert not app.error
    found = app.session_state["notebook"].runtime
    assert found.escalation.refund_above == {}
    assert found.cost_caps == CostCaps()
    app.session_state["notebook"].ticket = Ticket("t", "I was charged twice, please refund 1 EUR.")
    press(app, "Run ticket")
    held = next(s.handover for s in app.session_state["notebook"].steps.values() if s.handover is not None)
    assert held.rule == "refund limit"


def test_no_field_that_may_be_empty_has_a_value_to_fall_back_to() -> None:
    """A browser puts a field's own default back when the field is emptied."""
    app = switched_on("escalation", "caps")
    for label in (*(f"Refunds above, {c}" for c in ("USD", "EUR", "GBP")), "A ticket, times what it should cost"):
        assert field(app, label).value is not None
        assert not field(app, label).proto.HasField("default")


def test_switching_a_part_off_and_on_again_keeps_what_it_was_set_to() -> None:
    app = switched_on("caps", "escalation", "leaks")
    field(app, "A whole run or sample, USD").set_value(5.0)
    field(app, "One call, USD").set_value(0.25)
    field(app, "Refunds above, EUR").set_value(80.0)
    next(t for t in app.text_input if t.label == "Your own sites").set_value("example.com")
    press(app, "Apply")
    was = app.session_state["notebook"].runtime
    assert was.cost_caps == CostCaps(Decimal(3), Decimal("0.25"), Decimal(5))
    for on in (False, True):
        for part in ("caps", "escalation", "leaks"):
            app.toggle(key=f"guard_{part}").set_value(on)
        press(app, "Apply")
    assert app.session_state["notebook"].runtime == was


def test_a_cap_on_a_whole_sample_holds_under_a_larger_one_of_the_sample_itself() -> None:
    app = switched_on("caps")
    field(app, "A whole run or sample, USD").set_value(0.2)
    press(app, "Apply")
    app.switch_page("pages/log.py").run()
    app.number_input(key="sample_n").set_value(8).run()
    press(app, "Draw and estimate")
    press(app, next(b.label for b in app.button if b.label.startswith("Run 8")))
    desk, ends = app.session_state["sample_desk"], time.monotonic() + 60
    while desk.work is not None and desk.work.running and time.monotonic() < ends:
        time.sleep(0.2)
        app.run()
    payloads = app.session_state["sample_desk"].payloads.values()
    spent = sum(Decimal(r["cost_usd"]) for p in payloads for r in p["receipts"])
    assert 0 < spent <= Decimal("0.2")
    assert 0 < sum(p["done"] for p in payloads) < 8


def test_a_threshold_below_a_half_stays_what_the_agent_s_file_says() -> None:
    app = start(GUARDS)
    app.session_state["notebook"].runtime = Runtime(semantic_cache=0.3)
    app.run()
    app.toggle(key="guard_semantic").set_value(True)
    press(app, "Apply")
    assert app.session_state["notebook"].runtime.semantic_cache == 0.3


def test_a_stage_that_failover_cannot_help_is_said_with_a_list_that_can() -> None:
    app = switched_on("failover")
    (preset,) = [b for b in app.button if b.key == "failover_preset"]
    (told,) = [c.value for c in app.caption if "times as much a call" in c.value]
    assert "Failover does not cover" in told
    preset.click().run()
    assert not app.exception
    rules = app.session_state["notebook"].runtime.failover
    assert preset.label == f"Use a suggested list, up to {rules.dearer_up_to:f} times"
    assert not [b for b in app.button if b.key == "failover_preset"]
    chosen = app.session_state["notebook"].steps["rerank"].decision.chosen.model.provider
    app.multiselect(key="providers_down").set_value([chosen]).run()
    press(app, "Run ticket")
    assert [s.state for s in app.session_state["notebook"].steps.values()] == ["done"] * 6


def test_a_damaged_store_is_put_aside_and_the_next_run_keeps_answers_again(tmp_path: Path) -> None:
    guards._answers.clear()
    home = tmp_path / "home"
    home.mkdir(parents=True, exist_ok=True)
    (home / "answers.sqlite").write_bytes(b"no database at all" * 100)
    app = switched_on("cache")
    assert any("goes on without" in w.value for w in app.warning)
    press(app, "Run ticket")
    assert not app.warning
    press(app, "Run ticket")
    receipts = [r for s in app.session_state["notebook"].steps.values() for r in s.receipts]
    assert {r.source for r in receipts if r.outcome == "ok"} == {"exact cache"}
    guards._answers.clear()


def test_a_guard_leaves_the_log_s_prices_as_they_are_and_makes_its_sample_another() -> None:
    app = start("pages/log.py")
    app.number_input(key="sample_n").set_value(4).run()
    press(app, "Draw and estimate")
    before = app.session_state["sample_desk"].job
    app.switch_page(GUARDS).run()
    app.toggle(key="guard_escalation").set_value(True)
    press(app, "Apply")
    app.switch_page("pages/log.py").run()
    assert not [w for w in app.warning if "changed" in w.value]
    press(app, "Draw and estimate")
    assert app.session_state["sample_desk"].job != before


def test_a_try_that_failed_at_an_equivalent_stands_once_in_the_table() -> None:
    app = switched_on("failover")
    chosen = app.session_state["notebook"].steps["draft"].decision.chosen.model
    app.multiselect(key="providers_down").set_value([chosen.provider]).run()
    press(app, "Run ticket")
    step = app.session_state["notebook"].steps["draft"]
    bad = replace(step.attempts[0], receipt=replace(step.attempts[0].receipt, rule="failover: somebody is down"))
    book = app.session_state["notebook"]
    book.run, book.steps["draft"] = None, replace(step, attempts=(bad, *step.attempts[1:]))
    app.run()
    assert not app.exception
    rows = next(d.value for d in app.dataframe if "Why this model" in d.value.columns).to_dict("records")
    assert sum(r["Why this model"] == "failover: somebody is down" for r in rows) == 1


def test_the_words_of_the_page_are_explained() -> None:
    text = said(start(GUARDS))
    for word in ("equivalent", "confidence", "calibrated", "second opinion", "exact cache", "semantic cache"):
        assert f"**{word}**" in text
    assert "exp(" not in text


def test_a_suggested_list_is_what_its_box_shows_and_apply_keeps_it() -> None:
    """Applied with a list of one's own before: the box has a value by then, and lines for other stages stay."""
    app = switched_on()
    app.toggle(key="guard_failover").set_value(True)
    app.text_area(key="guard_equivalents").set_value("llama-3.3-70b: gpt-5.4-mini")
    press(press(app, "Apply"), "Use a suggested list")
    rules = app.session_state["notebook"].runtime.failover
    assert len(rules.equivalents) > 1
    assert "llama-3.3-70b" in rules.equivalents
    shown = app.text_area(key="guard_equivalents").value
    assert shown == "\n".join(f"{name}: {', '.join(others)}" for name, others in rules.equivalents.items())
    press(app, "Apply")
    assert app.session_state["notebook"].runtime.failover == rules
