"""The plan page under AppTest: nothing yet, a priced log, verdicts recorded and taken back, guardrails, and the ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from time import sleep
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from playground.digest.daily import Schedule
from playground.digest.send import Webhook
from playground.ledger import LedgerError
from playground.money import usd
from playground.records import Assurance, Entry, Event, PlanNote, Proof
from playground.remembered import verdict_note
from playground.ui import state
from playground.ui.state import plan as plan_state
from tests.pages.test_log_page import metrics, press, rows, with_log
from tests.pages.test_pages import said, start
from tests.pages.test_shadow_page import imported, shadow

PLAN, MONTH, SHADOW = "pages/plan.py", "pages/month.py", "pages/shadow.py"


def states(app: AppTest) -> dict[str, str]:
    """Each step's title and the state on its badge."""
    texts = [str(m.value).replace("\\", "") for m in app.markdown]
    found = {}
    for badge, title in pairwise(texts):
        if "-badge[" in badge and title.startswith("**"):
            found[title.strip("*")] = badge.partition("[")[2].rstrip("]")
    return found


def proven(app: AppTest, value: float = 0.0, record: bool = True) -> AppTest:
    """500 imported pairs at Intent, their verdict recorded, and the plan opened."""
    app.switch_page(SHADOW).run()
    app.multiselect(key="shadow_candidates_intent").set_value(["gpt-5.4-mini"]).run()
    imported(app, [value] * 500)
    if record:
        press(app, "Record this verdict")
    return app.switch_page(PLAN).run()


def settled(app: AppTest) -> AppTest:
    """The page once the sample ticket is through: a busy machine takes longer than a page."""
    for _ in range(100):
        if not any("A ticket is running" in i.value for i in app.info):
            break
        sleep(0.1)
        app.run()
    return app


def test_with_nothing_yet_the_page_opens_on_the_answer() -> None:
    app = settled(start(PLAN))
    assert not app.exception
    assert not app.error
    found = metrics(app)
    assert (found["Steps done"], found["Saved so far"], found["If you stop here"]) == (
        "0 of 16",
        "nothing yet",
        "$0.00/mo",
    )
    assert "0 of 16 steps done; stopping here saves $0.00 of" in said(app)
    assert "One rehearsed ticket: no model was called" in said(app)
    assert states(app)["Stratify on paper"] == "rehearsed"
    assert states(app)["A week of receipts"] == "ready"
    assert {states(app)[name] for name in ("Cut over: Intent", "kr-auto: Draft")} == {"blocked"}


def test_while_the_sample_ticket_still_runs_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    app = start(MONTH)
    monkeypatch.setattr(state, "is_running", lambda: True)
    app.switch_page(PLAN).run()
    assert not app.exception
    assert any("The month's sums follow" in i.value for i in app.info)


def test_the_potential_is_the_months_own() -> None:
    app = start(PLAN)
    potential = metrics(app)["Potential"].removesuffix("/mo")
    app.switch_page(MONTH).run()
    assert f"Potential saving {potential} (" in said(app)


def test_the_sample_log_is_not_your_own_and_yours_is() -> None:
    app = start("pages/log.py").switch_page(PLAN).run()
    assert states(app)["Stratify on paper"] == "rehearsed"
    mine = press(with_log("mine.csv", rows(120)), "Price the log").switch_page(PLAN).run()
    assert not mine.exception
    assert states(mine)["Stratify on paper"] == "done"
    assert "Your log, 120 tickets, priced and not run." in said(mine)
    potential = metrics(mine)["Potential"].removesuffix("/mo")
    mine.switch_page(MONTH).run()
    assert f"Potential saving {potential} (" in said(mine)


def test_a_log_priced_by_proof_has_the_same_potential() -> None:
    app = press(with_log("mine.csv", rows(120)), "Price the log").switch_page(PLAN).run()
    potential = metrics(app)["Potential"]
    app.session_state["assurance"] = "proven"
    app.switch_page("pages/log.py").run()
    press(app, "Price").switch_page(PLAN).run()
    assert not app.exception
    a, b = (
        float(x.removesuffix("/mo").replace("$", "").replace(",", "")) for x in (potential, metrics(app)["Potential"])
    )
    assert b == pytest.approx(a, rel=0.1)  # one model for the whole log instead of one for each ticket


def test_a_recorded_verdict_is_a_step_done_that_saves_and_can_be_taken_back() -> None:
    app = proven(start())
    assert not app.exception
    assert (states(app)["Shadow: Intent"], states(app)["Cut over: Intent"]) == ("done", "passed")
    assert metrics(app)["If you stop here"] == "$0.00/mo"
    app.button(key="do_auto").click().run()
    assert states(app)["Cut over: Intent"] == "done"
    assert metrics(app)["If you stop here"] != "$0.00/mo"
    assert "500 pairs show gpt-5.4-mini to be within the margin of 2.0%, and the verdict is recorded." in said(app)
    back = app.button(key="reverse_cut-intent")
    assert back.label.replace("\\", "") == f"Reverse, +{metrics(app)['If you stop here'].removesuffix('/mo')} a month"
    back.click().run()
    assert not app.exception
    assert app.session_state["notebook"].own.proofs == ()
    assert states(app)["Cut over: Intent"] == "ready"  # the pairs are still there
    assert metrics(app)["If you stop here"] == "$0.00/mo"
    assert "Intent is on gpt-5.4 from the next ticket" in said(app)
    noted = [e for e in state.ledger().events(kinds=("keep",)) if e.subject == "intent"]
    assert [e.said for e in noted] == ["The cut-over of intent to gpt-5.4-mini was taken back."]
    press(app, "Record the verdict")
    assert "nothing saved so far; ending here saves $" in said(app)
    assert states(app)["Cut over: Intent"] == "done"


def test_a_pin_goes_with_the_verdict() -> None:
    app = proven(start())
    app.session_state["notebook"].pins["intent"] = "gpt-5.4-mini"
    app.button(key="reverse_cut-intent").click().run()
    assert app.session_state["notebook"].pins == {}


def test_a_keep_is_a_failed_step_with_its_sentence() -> None:
    app = proven(start(), -1.0)
    assert not app.exception
    assert states(app)["Cut over: Intent"] == "failed"
    assert "500 pairs show gpt-5.4-mini to be worse by more than the margin of 2.0%, so gpt-5.4 stays." in said(app)
    assert metrics(app)["If you stop here"] == "$0.00/mo"


def test_rehearsed_pairs_never_count_as_done() -> None:
    app = press(shadow(), "Run 12 tickets").switch_page(PLAN).run()
    assert states(app)["Shadow: Intent"] == "rehearsed"
    assert states(app)["Cut over: Intent"] == "waiting"
    assert "Rehearsed: it proves nothing about live models." in said(app)
    assert metrics(app)["Steps done"].startswith("0 of")


def test_a_rehearsed_keep_leaves_the_potential_and_calls_nobody_worse() -> None:
    before = metrics(settled(start(PLAN)))["Potential"]
    app = press(shadow(candidates=("llama-3.3-70b",), n=120), "Run 120 tickets")
    assert "-badge[KEEP]" in said(app)
    press(app, "Record this verdict").switch_page(PLAN).run()
    assert not app.exception
    assert states(app)["Cut over: Intent"] == "rehearsed"
    assert metrics(app)["Potential"] == before
    assert "Which is right, only true labels or people can say. Rehearsed: it proves nothing" in said(app)
    assert "show llama-3.3-70b to be worse" not in said(app)


def test_pairs_of_a_stage_are_remembered_when_another_stage_is_tried() -> None:
    app = proven(start(), record=False)
    assert states(app)["Cut over: Intent"] == "ready"
    app.switch_page(SHADOW).run()
    next(b for b in app.get("button_group") if b.key == "shadow_stage").set_value("check").run()
    app.multiselect(key="shadow_candidates_check").set_value(["gpt-5.4-mini"]).run()
    imported(app, [0.0] * 40).switch_page(PLAN).run()
    assert states(app)["Cut over: Intent"] == "ready"
    assert "Open its pairs on the Shadow evaluation page again." in said(app)
    assert states(app)["Shadow: Policy and tone check"] == "done"


def test_guardrails_go_on_and_off_on_the_page() -> None:
    app = start(PLAN)
    for key in ("gate", "ceiling", "opinions"):
        app.button(key=f"do_{key}").click().run()
    assert not app.exception
    assert {states(app)[n] for n in ("Confidence gate", "Cost ceiling", "Second opinions")} == {"done"}
    assert metrics(app)["Steps done"] == "3 of 16"
    assert app.session_state["notebook"].runtime.cost_caps.times_expected == 3
    app.switch_page("pages/guards.py").run()
    assert app.toggle(key="guard_gate").value
    app.switch_page(PLAN).run()
    for key in ("gate", "ceiling", "opinions"):
        app.button(key=f"reverse_{key}").click().run()
    assert app.session_state["notebook"].runtime.is_off
    assert metrics(app)["Steps done"] == "0 of 16"


def test_kr_auto_goes_on_by_proof_and_back() -> None:
    app = start(PLAN)
    app.button(key="do_auto").click().run()
    assert (app.session_state["plan"], app.session_state["assurance"]) == ("kr-auto", "proven")
    assert states(app)["kr-auto by proof"] in ("ready", "rehearsed")
    app.button(key="reverse_auto").click().run()
    assert app.session_state["plan"] == "before"
    assert "The plan is before." in said(app)


def live_week(app: AppTest) -> None:
    """Eight days of live receipts under before, then three that kr-auto saved on, made from one that ran."""
    entry = state.ledger().entries(limit=1)[0].entry
    first = datetime(2026, 11, 2, 9, tzinfo=UTC)
    made: list[Entry] = []
    for day in range(8):
        made.append(_entry(entry, first + timedelta(day), "before", "acme", "0.50", "0.50"))
    for day in range(3):
        made.append(_entry(entry, first + timedelta(9 + day), "kr-auto", "acme", "0.10", "0.50"))
    state.ledger().add(made)
    state.ledger().note(Event(first, "delivered", "digest", "Delivered.", "live"))
    app.run()


def _entry(like: Entry, at: datetime, plan: str, customer: str, cost: str, before: str) -> Entry:
    receipt = replace(like.receipt, plan=plan, provenance="live", cost_usd=Decimal(cost))
    return replace(
        like, receipt=receipt, at=at, run=f"r{at.day}", purpose="ticket", customer=customer, before_usd=Decimal(before)
    )


def routed(app: AppTest, *assurances: Assurance | None) -> str:
    """The sentence of kr-auto by proof after a live receipt under it for each of these."""
    like = state.ledger().entries(limit=1)[0].entry
    at = datetime(2026, 11, 2, 9, tzinfo=UTC)
    made = [_entry(like, at + timedelta(n), "kr-auto", "acme", "0.10", "0.50") for n in range(len(assurances))]
    state.ledger().add([replace(e, assurance=a) for e, a in zip(made, assurances, strict=True)])
    app.session_state["plan"], app.session_state["assurance"] = "kr-auto", "proven"
    app.run()
    assert not app.exception
    return states(app)["kr-auto by proof"]


def test_receipts_of_estimated_choices_do_not_make_kr_auto_done_by_proof() -> None:
    app = press(start(), "Run ticket").switch_page(PLAN).run()
    assert routed(app, "estimated", "estimated") != "done"
    assert routed(app, None) != "done"
    assert "1 older live receipt under kr-auto without a word on whether it chose by proof." in said(app)
    assert routed(app, "proven") == "done"
    assert "kr-auto is on, by proof; 1 live receipt under it." in said(app)


def again() -> AppTest:
    """Another tab, later: nothing of a session is left but the server's files."""
    return start(PLAN)


def test_a_verdict_outlives_the_tab_and_says_where_it_was_made() -> None:
    proven(start())
    later = again()
    assert not later.exception
    assert states(later)["Cut over: Intent"] == "passed"
    text = said(later)
    assert "Intent: CUT OVER for gpt-5.4-mini, 500 pairs, recorded. Recorded on" in text
    assert f"margin of 2.0%. Recorded on {datetime.now(UTC):%-d %B %Y} on the Shadow evaluation page." in text
    assert [p.stage for p in later.session_state["notebook"].own.proofs] == ["intent"]
    later.button(key="do_auto").click().run()
    assert states(later)["Cut over: Intent"] == "done"


def test_a_verdict_that_was_taken_back_is_gone_in_the_next_tab() -> None:
    proven(start()).button(key="reverse_cut-intent").click().run()
    later = again()
    assert later.session_state["notebook"].own.proofs == ()
    assert states(later)["Cut over: Intent"] == "blocked"


def test_a_session_leaves_earlier_ones_out_with_one_press() -> None:
    proven(start())
    later = again()
    later.button(key="leave_out_earlier").click().run()
    assert not later.exception
    assert later.session_state["notebook"].own.proofs == ()
    assert states(later)["Cut over: Intent"] == "blocked"
    assert not any(b.key == "leave_out_earlier" for b in later.button)
    assert states(again())["Cut over: Intent"] == "passed"


def test_a_verdict_of_another_agent_stays_with_that_agent() -> None:
    proof = Proof(
        "intent", "gpt-5.4-mini", "gpt-5.4-mini", "rag", "1", "x", 500, date(2026, 11, 1), "live", current="gpt-5.4"
    )
    state.ledger().note_plan(verdict_note(proof, datetime(2026, 11, 1, tzinfo=UTC), "Elsewhere."))
    app = start(PLAN)
    assert states(app)["Cut over: Intent"] == "blocked"
    assert "Elsewhere." not in said(app)


def test_guardrails_and_the_first_day_are_remembered() -> None:
    app = start(PLAN)
    app.button(key="do_gate").click().run()
    app.date_input(key="plan_start").set_value(date(2026, 12, 7)).run()
    later = again()
    assert later.date_input(key="plan_start").value == date(2026, 12, 7)
    assert states(later)["Confidence gate"] == "ready"
    assert "It is off in this session; an earlier one switched it on" in said(later)
    app.button(key="reverse_gate").click().run()
    assert "an earlier one switched it on" not in said(again())


def test_notes_that_cannot_be_read_are_said_and_stop_nothing() -> None:
    found = PlanNote(datetime(2026, 11, 1, tzinfo=UTC), "verdict", "support", "intent", "live", "{")
    state.ledger().note_plan(found)
    app = start(PLAN)
    assert not app.exception
    assert "1 note of earlier sessions cannot be read by this version." in said(app)


def test_receipts_in_the_ledger_move_the_plan_and_say_what_was_saved() -> None:
    app = press(start(), "Run ticket").switch_page(PLAN).run()
    live_week(app)
    assert not app.exception
    assert "8 receipts on 8 days, $4.00 paid." in said(app)
    assert (states(app)["A week of receipts"], states(app)["Customers named"]) == ("done", "done")
    assert states(app)["Slack digest"] == "done"
    assert metrics(app)["Saved so far"] == usd(Decimal("1.20"))


def test_the_daily_digest_is_stopped_on_the_plan() -> None:
    app = start(PLAN)
    daily = state.digest_desk().daily
    daily.start(Schedule(8, Webhook.parse("http://127.0.0.1:9/x")))
    try:
        app.run().button(key="reverse_digest").click().run()
        assert daily.schedule is None
        assert not app.exception
        assert not any(b.key == "reverse_digest" for b in app.button)
    finally:
        daily.stop()


def test_a_ledger_that_cannot_be_read_is_a_sentence_and_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> tuple[()]:
        raise LedgerError("The ledger is locked. Try again.")

    found = SimpleNamespace(spend=broken, events=broken, problem="", note=lambda _: True)
    monkeypatch.setattr(plan_state, "ledger", lambda: found)
    app = start(PLAN)
    assert not app.exception
    assert "The ledger is locked" in app.warning[0].value
    assert states(app)["A week of receipts"] == "ready"


def test_a_verdict_for_a_model_that_is_gone_is_void_and_said(tmp_path: Path) -> None:
    app = start(PLAN)
    book = app.session_state["notebook"]
    proof = Proof("intent", "gpt-99", "gpt-99", "support", "1", "x", 500, date(2026, 11, 1), "live", current="gpt-5.4")
    book.own = type(book.own)(book.own.rows, book.own.pairs, (proof,), book.own.problems)
    app.run()
    assert not app.exception
    assert states(app)["Cut over: Intent"] == "ready"
    assert "The verdict for gpt-99 is void" in said(app)


def test_the_first_day_moves_the_weeks() -> None:
    app = start(PLAN)
    app.date_input(key="plan_start").set_value(date(2026, 12, 7)).run()
    assert "7 Dec to 13 Dec 2026." in said(app)
    app.date_input(key="plan_start").set_value(date(9999, 12, 1)).run()
    assert not app.exception


def test_the_default_is_the_next_monday() -> None:
    assert state.next_monday(date(2026, 11, 26)) == date(2026, 11, 30)
    assert state.next_monday(date(2026, 11, 30)) == date(2026, 12, 7)
