"""The gate's outcomes, what the parts cost, second opinions and a provider that hangs, on their pages."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from playground.bill import bills
from playground.catalog import Catalog
from playground.forecast import Assumptions, month
from playground.gate_money import SKIPPED
from playground.ledger import Ledger, Recorder
from playground.money import Total, usd
from playground.outage import Outage
from playground.outcomes import DraftOutcome
from playground.pipeline import load_shipped
from playground.recording import UNRECORDED
from playground.records import Ticket, Trace
from playground.ticket_month import spend_of
from playground.ui.state import guards
from playground.workshop import make_router
from tests.pages.test_guards_page import GUARDS, switched_on
from tests.pages.test_log_page import metrics, press
from tests.pages.test_pages import said, start
from tests.pages.test_shadow_page import shadow

OUTCOMES = tuple(
    [DraftOutcome(0.9, i % 10 < 7) for i in range(100)] + [DraftOutcome(0.3, i % 10 < 2) for i in range(50)]
)


def with_outcomes(app: AppTest) -> AppTest:
    app.session_state["draft_outcomes"] = OUTCOMES
    return app.run()


def texts(app: AppTest) -> str:
    return said(app) + "\n".join(str(w.value) for w in app.warning).replace("\\", "")


def table_of(app: AppTest, column: str) -> list[dict[str, object]]:
    return next(d.value.to_dict("records") for d in app.dataframe if column in d.value.columns)


def test_without_outcomes_the_page_says_how_to_get_some() -> None:
    app = start(GUARDS)
    assert not app.exception
    assert "Run a shadow evaluation of the stage Draft" in texts(app)
    assert "which is not calibrated: no outcome is known" in texts(app)


def test_outcomes_are_a_reliability_chart_a_table_and_what_the_gate_goes_by() -> None:
    app = with_outcomes(start(GUARDS))
    assert not app.exception
    text = texts(app)
    assert "Drafts that say 0.90 are right 70% of the time" in text
    assert "Expected calibration error 17% over 150 outcomes" in text
    assert "as calibrated on 150 outcomes: a stated 0.90 counts as 0.70" in text
    rows = {r["Hand over below"]: r for r in table_of(app, "Hand over below")}
    assert rows["0.50"]["Handed over"] == "50 of 150"
    assert rows["0.50"]["Bad, stopped"] == "40"
    assert rows["0.50"]["Bad, let through"] == "30"


def test_a_calibrated_gate_hands_over_on_the_calibrated_value_and_the_cell_says_so() -> None:
    app = switched_on("gate")
    app.session_state["draft_outcomes"] = tuple(DraftOutcome(i / 100, i % 2 == 0) for i in range(100))
    next(s for s in app.slider if s.label == "Hand over below").set_value(0.9)
    press(press(app, "Apply"), "Run ticket")
    held = app.session_state["notebook"].steps["draft"].handover
    assert held is not None
    assert "calibrated on 100 outcomes" in held.reason
    assert "The gate saved about" in texts(app)
    app.switch_page("pages/notebook.py").run()
    assert not app.exception
    assert "as calibrated on 100 outcomes" in texts(app)
    assert "The gate saved about" in texts(app)


def test_a_gate_that_was_calibrated_since_leaves_the_result_stale() -> None:
    app = press(switched_on("gate"), "Run ticket")
    with_outcomes(app).switch_page("pages/notebook.py").run()
    assert any("stale" in b.label for b in app.button)


def test_an_agent_without_a_confidence_has_no_gate_and_is_told_why() -> None:
    app = start(GUARDS)
    flow = load_shipped("support")
    draft = flow.stage("draft")
    bare = {**draft.output.schema, "required": ["answer"], "properties": {"answer": {"type": "string"}}}  # type: ignore[dict-item]
    app.session_state["notebook"].pipeline = flow.with_stage(replace(draft, output=replace(draft.output, schema=bare)))
    app.run()
    assert app.toggle(key="guard_gate").disabled
    assert "the draft's output asks for no confidence" in texts(app)


def test_every_currency_has_a_limit_of_its_own() -> None:
    app = switched_on("escalation")
    next(n for n in app.number_input if n.label == "Refunds above, EUR").set_value(200.0)
    press(app, "Apply")
    rules = app.session_state["notebook"].runtime.escalation
    assert rules.refund_above == {"USD": Decimal(50), "EUR": Decimal(200), "GBP": Decimal(50)}
    app.session_state["notebook"].ticket = Ticket("t", "I was charged twice, please refund 150 EUR.")
    press(app, "Run ticket")
    found = app.session_state["notebook"].steps["draft"].handover
    assert found is None or found.rule != "refund limit"
    app.session_state["notebook"].ticket = Ticket("t", "I was charged twice, please refund 60 GBP.")
    press(app, "Run ticket")
    held = next(s.handover for s in app.session_state["notebook"].steps.values() if s.handover is not None)
    assert held.rule == "refund limit"


def test_parts_that_are_off_leave_the_month_and_the_bill_at_what_the_engine_says() -> None:
    app = switched_on()
    book = app.session_state["notebook"]
    trace = Trace(book.ran_ticket, "support", "kr-auto", "rehearsal", tuple(book.steps.values()))
    routed = Total.of(r.cost_usd for r in trace.receipts).known_usd
    app.switch_page("pages/month.py").run()
    router = book.agent.router
    shown = month(spend_of(trace, router, bills(trace, router)["kr-auto"]), Assumptions())
    assert shown.models_usd == routed * 100_000
    row = app.dataframe[0].value.to_dict("records")[2]
    assert (row["Models"], row["All in"]) == (usd(shown.models_usd), usd(shown.all_in_usd))
    assert not [d for d in app.dataframe if "All in, with" in d.value.columns]
    app.switch_page("pages/bill.py").run()
    assert metrics(app)["kr-auto, run"] == usd(routed)
    assert "What stands around" not in texts(app)


def people_of(app: AppTest) -> str:
    row = table_of(app.switch_page("pages/month.py").run(), "All in, with")[2]
    assert not app.exception
    return str(row["Guardrails, people"])


@pytest.mark.parametrize("part", ["leaks", "escalation", "gate"])
def test_a_guardrail_that_nobody_measured_adds_nobody(part: str) -> None:
    app = switched_on(part)
    assert people_of(app) == "$0.00"
    assert "(not measured, so none are counted)" in texts(app)


def test_the_guards_page_and_the_month_say_the_same_of_one_gate() -> None:
    app = with_outcomes(switched_on("gate"))
    row = next(r for r in table_of(app, "Hand over below") if r["Hand over below"] == "0.50")
    app.switch_page("pages/month.py").run()
    shown = table_of(app, "All in, with")[2]
    assert shown["Guardrails, people"] == f"+{row['People']}"
    assert shown["Guardrails"] == f"-{row['Saved on models']}"
    assert row["People"] == "$93,867"
    assert "confidence gate alone: 50 of 150 drafts with a known outcome" in texts(app)


def test_drafts_of_another_model_say_nothing_of_the_one_that_drafts() -> None:
    app = switched_on("gate")
    own = app.session_state["notebook"].steps["draft"].decision.chosen.key
    low = tuple(DraftOutcome(0.1, False, "another-model") for _ in range(60))
    app.session_state["draft_outcomes"] = low
    assert people_of(app) == "$0.00"
    app.session_state["draft_outcomes"] = (*low, *(DraftOutcome(0.4 if i % 4 else 0.9, True, own) for i in range(20)))
    people_of(app)
    assert f"confidence gate alone: 15 of 20 drafts of {own} with a known outcome" in texts(app)


def sampled(app: AppTest, n: int) -> AppTest:
    """A sample of the log, run on what is on."""
    app.switch_page("pages/log.py").run()
    app.number_input(key="sample_n").set_value(n).run()
    press(app, "Draw and estimate")
    press(app, next(b.label for b in app.button if b.label.startswith(f"Run {n}")))
    desk, ends = app.session_state["sample_desk"], time.monotonic() + 60
    while desk.work is not None and desk.work.running and time.monotonic() < ends:
        time.sleep(0.2)
        app.run()
    assert not app.exception
    return app


def test_tries_at_a_provider_that_is_known_to_be_down_add_nothing_to_the_month() -> None:
    app = switched_on("failover")
    chosen = app.session_state["notebook"].steps["intent"].decision.chosen.model
    app.multiselect(key="providers_down").set_value([chosen.provider]).run()
    sampled(app, 6)
    receipts = [r for p in app.session_state["sample_desk"].payloads.values() for r in p["receipts"]]
    failed = [r for r in receipts if r["outcome"] == "failed"]
    assert failed
    assert sum(float(r["cost_usd"]) for r in failed) == 0
    moved = [r for r in receipts if "instead_of" in r]
    assert {r["instead_of"] for r in moved if r["stage"] == "intent"} == {chosen.name}
    app.switch_page("pages/month.py").run()
    share = next(n for n in app.number_input if n.label == "Failed tries, %").value
    catalog = app.session_state["notebook"].catalog
    asked, paid = (sum(_usd(catalog, r, key) for r in moved) for key in ("instead_of", "model"))
    usual = sum(float(r["cost_usd"]) for r in receipts) - (paid - asked)
    assert share == pytest.approx(max(0.0, paid - asked) / usual * 100, abs=0.05)


def _usd(catalog: Catalog, r: Mapping[str, Any], who: str) -> float:
    """By hand: what the tokens of a call cost at the model's list price, for models that do not think by default."""
    rates = catalog.by_name(r[who].partition("@")[0]).price.rates
    visible = r["output_tokens"] - r["reasoning_tokens"]
    return float(r["input_tokens"] * rates.input_usd_per_mtok + visible * rates.output_usd_per_mtok) / 1e6


def test_what_guardrails_held_in_a_sample_is_priced_where_it_was_held() -> None:
    app = sampled(switched_on("escalation"), 12)
    payloads = app.session_state["sample_desk"].payloads.values()
    held = [p for p in payloads if p["handed_over"]]
    assert held
    late = [p for p in held if "check" in {r["stage"] for r in p["receipts"]}]
    people = people_of(app)
    assert f"Guardrails give {len(held) / 12:.1%} to a person ({len(held)} of 12 tickets of the sample)" in texts(app)
    extra = max(0.0, len(held) / 12 - 0.12) * 100_000 * 3.2
    assert people.strip("+") == (usd(Decimal(str(round(extra, 6)))) if extra else "$0.00")
    desk = app.session_state["sample_desk"]
    desk.work, desk.payloads = (
        None,
        {
            str(i): {
                **p,
                "receipts": [*p["receipts"], *({"stage": s, "outcome": "ok", "cost_usd": "0"} for s in SKIPPED)],
            }
            for i, p in enumerate(payloads)
        },
    )
    people_of(app)
    assert table_of(app, "All in, with")[2]["Guardrails"] == "$0.00"
    assert len(late) < len(held)


def test_parts_that_are_on_are_lines_of_the_month_and_bars_of_the_bill() -> None:
    off = switched_on().switch_page("pages/month.py").run()
    before = off.dataframe[0].value.to_dict("records")
    app = switched_on("gate", "second", "failover", "cache")
    app.switch_page("pages/month.py").run()
    assert not app.exception
    assert app.dataframe[0].value.to_dict("records") == before
    row = table_of(app, "All in, with")[2]
    assert {"Guardrails", "Caches", "Failover", "Second opinions", "Guardrails, people"} <= set(row)
    assert (row["Guardrails"], row["Guardrails, people"]) == ("$0.00", "$0.00")
    next(n for n in app.number_input if n.label == "Handed over, %").set_value(10.0).run()
    row = table_of(app, "All in, with")[2]
    assert str(row["Guardrails"]).startswith("-$")
    assert row["Guardrails, people"] == "+$28,160"
    app.switch_page("pages/bill.py").run()
    assert not app.exception
    assert "Guardrails give 10.0% to a person" in texts(app)


def test_a_second_opinion_stands_in_its_cell_and_on_its_page() -> None:
    app = start(GUARDS)
    app.toggle(key="guard_second").set_value(True)
    next(n for n in app.number_input if n.label == "Share of tickets, %").set_value(100.0)
    press(press(app, "Apply"), "Run ticket")
    assert "gets a second opinion" in texts(app)
    step = app.session_state["notebook"].steps["intent"]
    assert step.second is not None
    app.switch_page("pages/notebook.py").run()
    assert not app.exception
    assert f"Second opinion: {step.second.candidate} agrees, $" in texts(app)
    app.switch_page("pages/drift.py").run()
    assert not app.exception
    assert "1 second opinion asked for by runs of this session, for $" in texts(app)
    app.switch_page("pages/bill.py").run()
    assert "1 second opinion cost $" in texts(app)
    assert "beside this bill; no plan includes it." in texts(app)


def test_the_ledger_hears_of_second_opinions_by_their_own_purpose_in_the_same_run(tmp_path: Path) -> None:
    book = Recorder(Ledger(tmp_path / "l.sqlite"), make_router(load_shipped("support")), "ticket", "rehearsal")
    aside = guards._aside(book)
    assert isinstance(aside, Recorder)
    assert (aside.purpose, aside.run, aside.ledger) == ("second opinion", book.run, book.ledger)
    assert guards._aside(UNRECORDED) is UNRECORDED
    book.ledger.close()


def test_a_provider_that_hangs_adds_its_wait_and_the_page_says_that_it_is_simulated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = switched_on("failover")
    chosen = app.session_state["notebook"].steps["draft"].decision.chosen.model
    app.multiselect(key="providers_down").set_value([chosen.provider]).run()
    app.toggle(key="providers_hang").set_value(True).run()
    monkeypatch.setattr(Outage, "__init__", _quick)
    press(app, "Run ticket")
    assert not app.exception
    draft = app.session_state["notebook"].steps["draft"].receipts
    assert [r.outcome for r in draft] == ["failed", "ok"]
    assert "s to this ticket (simulated)." in texts(app)
    app.switch_page("pages/notebook.py").run()
    assert f"Failed tries at {chosen.provider} added" in texts(app)
    assert not any("stale" in b.label for b in app.button)


def _quick(self: Outage, places: frozenset[str]) -> None:
    for name, value in (("places", places), ("wait_s", 0.06), ("sleep", __import__("time").sleep)):
        object.__setattr__(self, name, value)


def test_a_provider_that_is_known_to_be_down_adds_nothing() -> None:
    app = switched_on("failover")
    chosen = app.session_state["notebook"].steps["draft"].decision.chosen.model
    app.multiselect(key="providers_down").set_value([chosen.provider]).run()
    press(app, "Run ticket")
    assert "Failed tries added 0.0 s to this ticket." in texts(app)


def test_a_cache_that_cannot_be_used_is_said_and_the_run_goes_on(tmp_path: Path) -> None:
    guards._answers.clear()
    home = tmp_path / "home"
    home.mkdir(parents=True, exist_ok=True)
    (home / "answers.sqlite").write_bytes(b"no database at all" * 100)
    app = switched_on("cache")
    assert not app.exception
    assert "this run goes on without" in texts(app)
    app.switch_page("pages/notebook.py").run()
    assert "this run goes on without" in texts(app)
    press(app, "Run ticket")
    assert app.session_state["notebook"].steps["respond"].state == "done"
    guards._answers.clear()


def test_a_shadow_evaluation_of_the_draft_is_where_outcomes_come_from() -> None:
    app = press(shadow("draft", n=30), "Run 30 tickets")
    app.switch_page(GUARDS).run()
    assert not app.exception
    text = texts(app)
    assert "compared by the judge. Rehearsal: no model was called, and these count for rehearsal only." in text
    assert "Not calibrated:" in text
    assert "Drafts that say" in text
    app.session_state["mode"] = "Live"
    assert "No outcome of a draft is known" in texts(app.run())


def test_a_sample_asks_for_second_opinions_and_counts_them_apart_and_under_its_cap() -> None:
    app = switched_on()
    app.toggle(key="guard_second").set_value(True)
    next(n for n in app.number_input if n.label == "Share of tickets, %").set_value(100.0)
    press(app, "Apply")
    app.switch_page("pages/log.py").run()
    app.number_input(key="sample_n").set_value(6).run()
    press(app, "Draw and estimate")
    desk = app.session_state["sample_desk"]
    most = float(desk.most_usd)
    press(app, next(b.label for b in app.button if b.label.startswith("Run 6")))
    assert not app.exception
    assert "6 second opinions cost $" in texts(app)
    spent = sum(float(r["cost_usd"]) for p in desk.payloads.values() for s in p["second"] for r in s["receipts"])
    assert 0 < spent < most
    assert len(app.session_state["sample_desk"].payloads) == 6
    app.switch_page("pages/drift.py").run()
    assert not app.exception
    assert "second opinions asked for by runs of this session" in texts(app)


def test_the_parts_of_a_log_s_month_are_priced_on_the_log() -> None:
    app = switched_on("gate", "second")
    app.switch_page("pages/log.py").run()
    app.switch_page("pages/month.py").run()
    ticket = table_of(app, "All in, with")[2]
    next(b for b in app.get("button_group") if b.key == "month_of").set_value("log").run()
    assert not app.exception
    of_log = table_of(app, "All in, with")[2]
    assert set(of_log) == set(ticket)
    assert of_log["Second opinions"] != ticket["Second opinions"]
    next(n for n in app.number_input if n.label == "Handed over, %").set_value(10.0).run()
    assert str(table_of(app, "All in, with")[2]["Guardrails"]).startswith("-$")
