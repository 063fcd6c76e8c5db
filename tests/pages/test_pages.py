"""Every page under AppTest: what it says first, and that bad input is a sentence and loses nothing."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from playground.bill import bills
from playground.catalog import load_catalog
from playground.evidence_file import PROOF_COLUMNS, read_own
from playground.gateway import KEY_NAMES
from playground.proofs import prompt_digest
from playground.records import Trace
from playground.ui import state
from playground.ui.runner import Run
from playground.ui.state import runs

APP = str(Path(__file__).resolve().parents[2] / "app.py")
PAGES = [
    "pages/notebook.py",
    "pages/bill.py",
    "pages/log.py",
    "pages/month.py",
    "pages/customers.py",
    "pages/digest.py",
    "pages/shadow.py",
    "pages/drift.py",
    "pages/ab.py",
    "pages/bars.py",
    "pages/ledger.py",
    "pages/models.py",
    "pages/article.py",
    "pages/settings.py",
    "pages/report.py",
]


@pytest.fixture(autouse=True)
def _no_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    # An import in a thread that outlives its test would meet pytest's warnings-as-errors half way.
    monkeypatch.setattr(state, "warm_up", lambda: None)


def start(page: str | None = None) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=30).run()
    return app.switch_page(page).run() if page else app


def said(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.text, app.error, app.title, app.info)
    return "\n".join(str(e.value) for kind in kinds for e in kind).replace("\\", "")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_on_an_answer_without_an_error(page: str) -> None:
    app = start(page)
    assert not app.exception
    assert not app.error
    assert app.title


def test_the_first_paint_is_a_finished_rehearsal() -> None:
    app = start()
    text = said(app)
    assert "Rehearsal: no model was called" in text
    assert "Prices of" in text
    assert text.count(":green-badge[fresh]") == 6
    labels = [m.label for m in app.metric]
    assert labels[:2] == ["Ticket, today", "Ticket, kr-auto"]
    assert all(m.value.startswith("\\$") for m in app.metric)


def test_the_headline_is_the_sum_of_the_receipts() -> None:
    app = start()
    book = app.session_state["notebook"]
    run: Run = book.run
    trace = state_trace(app)
    plans = bills(trace, run.agent.router)
    assert app.metric[0].value == "\\" + str(plans["before"].total)
    assert app.metric[1].value == "\\" + str(plans["kr-auto"].total)
    assert plans["kr-auto"].total.known_usd == sum(r.cost_usd for r in trace.receipts)  # type: ignore[misc]


def test_editing_the_ticket_makes_every_cell_stale_and_keeps_the_old_figures() -> None:
    app = start()
    before = app.metric[1].value
    app.text_area(key="ticket_text").set_value("I want my money back for May.").run()
    assert said(app).count(":orange-badge[stale]") == 6
    assert app.metric[1].value == before
    next(b for b in app.button if b.label == "Run 6 stale").click().run()
    assert said(app).count(":green-badge[fresh]") == 6


def test_editing_a_prompt_makes_that_cell_and_those_below_stale() -> None:
    app = start()
    app.segmented_control(key="view_check").set_value("Prompt").run()
    area = app.text_area(key="system_check")
    area.set_value(area.value + "\nBe strict.")
    next(b for b in app.button if b.label == "Save prompt").click().run()
    assert said(app).count(":orange-badge[stale]") == 3
    app.button(key="from_check").click().run()
    assert said(app).count(":green-badge[fresh]") == 6
    sent = app.session_state["notebook"].steps["check"].prompts[0].messages[0].content
    assert sent.endswith("Be strict.")


def test_a_prompt_with_an_unknown_variable_is_refused_in_a_sentence_and_not_lost() -> None:
    app = start()
    app.segmented_control(key="view_draft").set_value("Prompt").run()
    app.text_area(key="user_draft").set_value("{{ tickt }}")
    next(b for b in app.button if b.label == "Save prompt").click().run()
    assert "does not exist here" in app.error[0].value
    assert app.text_area(key="user_draft").value == "{{ tickt }}"
    assert said(app).count(":green-badge[fresh]") == 6


def test_pinning_a_model_uses_it_and_says_so() -> None:
    app = start()
    app.segmented_control(key="view_draft").set_value("Decision").run()
    app.selectbox(key="pin_draft").set_value("gpt-5.5").run()
    assert said(app).count(":orange-badge[stale]") == 4
    app.button(key="from_draft").click().run()
    assert "`gpt-5.5`" in said(app)
    assert "You pinned it" in said(app)


def test_the_bar_makes_cells_stale_and_a_run_follows_it() -> None:
    app = start()
    app.slider(key="bar_shift").set_value(0.10).run()
    assert ":orange-badge[stale]" in said(app)
    next(b for b in app.button if b.label.startswith("Run 6 stale")).click().run()
    assert "No change: nothing cheaper clears 1.00" in said(app)


@pytest.mark.parametrize("text", ["", "   ", "\u200b"])
def test_an_empty_ticket_is_refused_in_a_sentence(text: str) -> None:
    app = start()
    app.text_area(key="ticket_text").set_value(text).run()
    ran = app.session_state["notebook"].run
    next(b for b in app.button if b.label == "Run ticket").click().run()
    assert app.session_state["notebook"].run is ran
    assert "The ticket is empty" in app.error[0].value
    assert app.metric


@pytest.mark.parametrize(
    "text",
    ["שלום, חויבתי פעמיים 😡", "مرحبا، تم خصم المبلغ مرتين", "👩‍👩‍👧‍👦" * 50, "x\u200by\u202ez",
     "<b>bold</b> ![a](https://evil.example/a.png) $x^2$", "word " * 200_000],
    ids=["hebrew", "arabic", "emoji", "zero-width", "markup", "megabyte"],
)  # fmt: skip
def test_odd_tickets_run(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "REHEARSAL_WAIT_S", 60)  # AppTest does not poll; Chromium tests do
    app = start()
    app.text_area(key="ticket_text").set_value(text).run()
    next(b for b in app.button if b.label.startswith("Run ticket")).click().run()
    assert not app.exception
    assert said(app).count(":green-badge[fresh]") == 6


def test_each_plan_can_be_run() -> None:
    for plan in ("before", "stratified"):
        app = start()
        app.segmented_control(key="plan").set_value(plan).run()
        next(b for b in app.button if b.label.startswith("Run ")).click().run()
        assert app.session_state["notebook"].plan == plan
        assert not app.exception


def test_live_without_a_key_says_what_to_do_and_keeps_the_results(monkeypatch: pytest.MonkeyPatch) -> None:
    for names in KEY_NAMES.values():
        for name in names:
            monkeypatch.delenv(name, raising=False)
    app = start()
    app.segmented_control(key="mode").set_value("Live").run()
    assert "Live needs a key" in app.info[0].value
    assert next(b for b in app.button if b.label == "Run ticket").disabled
    assert [m.label for m in app.metric][:2] == ["Ticket, today", "Ticket, kr-auto"]


def test_a_run_that_stops_shows_what_it_spent_and_no_saving() -> None:
    app = start()
    app.multiselect(key="providers").set_value(["Meta"]).run()
    next(b for b in app.button if b.label == "Run ticket").click().run()
    assert "not among the providers you allow" in app.error[0].value.replace("\\", "")
    assert [m.label for m in app.metric] == ["Spent so far"]
    app.switch_page("pages/month.py").run()
    assert "A month needs a ticket that ran through" in app.info[0].value
    assert not app.metric


def test_run_from_here_also_runs_what_is_stale_above() -> None:
    app = start()
    app.segmented_control(key="view_draft").set_value("Prompt").run()
    app.text_area(key="system_draft").set_value("Draft. {{ policies }}")
    next(b for b in app.button if b.label == "Save prompt").click().run()
    app.button(key="from_respond").click().run()
    assert said(app).count(":green-badge[fresh]") == 6
    assert app.session_state["notebook"].steps["draft"].prompts[0].messages[0].content.startswith("Draft.")


def test_the_article_agent_can_be_chosen() -> None:
    app = start()
    app.selectbox(key="pipeline").set_value("article-2025").run()
    assert "claude-opus-4-1" in str([d.chosen.key for d in bill_decisions(app)])


def bill_decisions(app: AppTest) -> tuple:  # type: ignore[type-arg]
    return app.session_state["notebook"].bills[1]["before"].decisions


def test_the_month_follows_its_inputs() -> None:
    app = start("pages/month.py")
    before = [m.value for m in app.metric]
    app.number_input(key="escalation").set_value(50.0).run()
    assert [m.value for m in app.metric] != before
    app.number_input(key="human_cost").set_value(0.0).run()
    assert "no break-even" in said(app)


def test_a_model_is_found_by_a_part_of_its_name() -> None:
    app = start("pages/models.py")
    app.text_input(key="find_model").set_value("opus-4-5").run()
    assert list(app.dataframe[0].value["Model"]) == ["claude-opus-4-5"]


def test_the_article_page_shows_both_tables() -> None:
    app = start("pages/article.py")
    table = app.dataframe[0].value
    assert table.iloc[-1]["Published"] == "$0.3440"
    assert table.iloc[-1]["List price"] == "$0.2904"


def addressed(**asked: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=30)
    for key, value in asked.items():
        app.query_params[key] = value
    return app.run()


@pytest.mark.parametrize(
    ("key", "value", "said_of_it"),
    [
        ("plan", "cheapest", "Allowed: before, stratified, kr-auto."),
        ("pipeline", "mine", "Allowed: support, article-2025."),
        ("escalation", "140", "Allowed: 0 to 100."),
        ("volume", "0", "Allowed: 1 to 10,000,000."),
        ("volume", "many", "Allowed: 1 to 10,000,000."),
        ("providers", "Nobody", "names the provider Nobody"),
        ("sample", "No such ticket", "Allowed: Double charge angry"),
        ("sample", "Your own: paste it below", "paste it again"),
    ],
)
def test_what_the_address_asks_for_and_does_not_exist_is_said(key: str, value: str, said_of_it: str) -> None:
    app = addressed(**{key: value})
    assert not app.exception
    assert said_of_it in said(app)
    assert said(app).count(":green-badge[fresh]") == 6
    assert said_of_it not in said(app.run())


def test_a_plain_number_in_the_address_is_a_volume() -> None:
    app = addressed(volume="5000")
    assert "A month is 5,000 tickets" in said(app)


def test_the_address_names_the_agent() -> None:
    app = addressed(pipeline="article-2025")
    assert app.session_state["notebook"].pipeline.name == "article-2025"
    assert "agent article-2025" in said(app)


def test_a_saved_prompt_can_be_taken_back_and_its_text_with_it() -> None:
    app = start()
    own = app.session_state["notebook"].pipeline.stage("draft").prompt
    app.segmented_control(key="view_draft").set_value("Prompt").run()
    app.text_area(key="system_draft").set_value("Be brief.")
    next(b for b in app.button if b.label == "Save prompt").click().run()
    assert said(app).count(":orange-badge[stale]") == 4
    app.button(key="reset_draft").click().run()
    assert app.text_area(key="system_draft").value == own.system
    assert said(app).count(":green-badge[fresh]") == 6


def test_a_dearer_kr_auto_says_why() -> None:
    app = start()
    app.multiselect(key="providers").set_value(["OpenAI"]).run()
    next(b for b in app.button if b.label == "Run ticket").click().run()
    warning = app.warning[0].value.replace("\\", "")
    assert "kr-auto costs more than today" in warning
    assert "Anthropic is not among the providers you allow" in warning


def test_the_headline_says_what_was_run_and_what_a_retry_cost() -> None:
    app = addressed(sample="07-german")
    failed = bills(state_trace(app), app.session_state["notebook"].agent.router)["kr-auto"].failed
    assert failed.known_usd > 0, "this sample has a spoiled reply"
    assert f"kr-auto was run, with {failed} for attempts that were not used" in said(app)
    assert "1 call climbed to" in said(app), "the cell says why it climbed"


def state_trace(app: AppTest) -> Trace:
    run: Run = app.session_state["notebook"].run
    return Trace(run.ticket, "support", run.plan, "rehearsal", tuple(run.steps))


def run_again(app: AppTest) -> AppTest:
    app.switch_page("pages/notebook.py").run()
    return next(b for b in app.button if b.label == "Run ticket").click().run()


def with_own(app: AppTest, csv: str) -> AppTest:
    book = app.session_state["notebook"]
    book.own = read_own(csv.encode(), "own.csv", {m.name for m in book.catalog.models})
    return app


def verdicts_for_all(app: AppTest, model: str) -> str:
    flow = app.session_state["notebook"].pipeline
    known = load_catalog().by_name(model)
    lines = [",".join(PROOF_COLUMNS)]
    lines += [
        f"{s.key},{model},{known.id},{flow.name},1,{prompt_digest(flow, s)},2000,2026-11-20,rehearsal"
        for s in flow.stages
    ]
    return "\n".join(lines)


@pytest.mark.parametrize("page", ["pages/notebook.py", "pages/bill.py", "pages/month.py", "pages/bars.py"])
def test_both_savings_stand_wherever_savings_do(page: str) -> None:
    app = start(page)
    text = said(app) + " ".join(m.label for m in app.metric)
    assert "potential" in text.lower()
    assert "proven" in text.lower()
    assert "Proven so far: 0 of 6 stages" in text


def test_a_verdict_for_every_stage_is_proven_and_a_changed_prompt_voids_it() -> None:
    app = start()
    run_again(with_own(app, verdicts_for_all(app, "gpt-5.4-mini")))
    assert "Proven so far: 6 of 6 stages" in said(app)
    proven = next(m for m in app.metric if m.label == "Proven saving, one round")
    assert proven.value not in ("\\$0.00", "unpriced")
    assert "one round for every ticket" in proven.help
    app.segmented_control(key="view_draft").set_value("Prompt").run()
    app.text_area(key="system_draft").set_value("Be brief.")
    next(b for b in app.button if b.label == "Save prompt").click().run()
    run_again(app)
    assert "Proven so far: 5 of 6 stages" in said(app)


def test_in_proven_only_what_is_proven_is_used() -> None:
    app = start()
    app.segmented_control(key="assurance").set_value("proven").run()
    run_again(app)
    steps = app.session_state["notebook"].steps
    flow = app.session_state["notebook"].pipeline
    assert all(steps[s.key].decision.chosen.key == s.before for s in flow.stages)


def test_shadow_pairs_change_what_is_chosen() -> None:
    app = start()
    run_again(with_own(app, "stage,model,accepted,pairs\nrerank,gpt-4.1-mini,398,400"))
    assert app.session_state["notebook"].steps["rerank"].decision.chosen.key == "gpt-4.1-mini"


def test_moving_a_bar_on_its_page_moves_the_curve_and_makes_the_cells_stale() -> None:
    app = start("pages/bars.py")
    assert "At a bar of 0.90 the stage runs on" in said(app)
    app.slider(key="page_bar_draft").set_value(0.80).run()
    assert "At a bar of 0.80 the stage runs on" in said(app)
    app.switch_page("pages/notebook.py").run()
    assert said(app).count(":orange-badge[stale]") == 4


def test_a_budget_stops_the_run_before_the_call_and_says_so() -> None:
    app = start("pages/bars.py")
    next(n for n in app.number_input if n.label == "Most a ticket may cost, USD").set_value(0.001)
    next(b for b in app.button if b.label == "Apply").click().run()
    assert "Limits set: $0.0010 a ticket" in said(app)
    run_again(app)
    assert "is left of the ticket's budget" in said(app)
    book = app.session_state["notebook"]
    assert sum(r.cost_usd for s in book.steps.values() for r in s.receipts) <= Decimal("0.001")
    app.switch_page("pages/bars.py").run()
    next(n for n in app.number_input if n.label == "Most a ticket may cost, USD").set_value(5.0)
    next(b for b in app.button if b.label == "Apply").click().run()
    run_again(app)
    assert said(app).count(":green-badge[fresh]") == 6, "a limit that stopped the run can be taken back"


def test_the_models_page_says_where_a_number_comes_from() -> None:
    app = start("pages/models.py")
    text = said(app)
    assert "80% interval" in text
    assert "worth" in text
    app.selectbox(key="evidence_model").set_value("claude-fable-5-1").run()
    assert "insufficient evidence" in said(app)
    app.multiselect(key="find_only").set_value(["with evidence at every stage"]).run()
    assert not app.exception


def test_running_an_empty_own_ticket_says_so_and_keeps_what_was_there() -> None:
    app = start()
    app.selectbox(key="sample").set_value("own").run()
    ran = app.session_state["notebook"].run
    next(b for b in app.button if b.label == "Run ticket").click().run()
    assert "The ticket is empty" in app.error[0].value
    assert app.session_state["notebook"].run is ran


def test_the_bill_of_a_stopped_run_claims_no_saving() -> None:
    app = start("pages/bars.py")
    next(n for n in app.number_input if n.label == "Most a ticket may cost, USD").set_value(0.001)
    next(b for b in app.button if b.label == "Apply").click().run()
    run_again(app)
    app.switch_page("pages/bill.py").run()
    assert "no cost per ticket to compare" in said(app)
    assert "saving" not in said(app)
    assert not any(m.delta for m in app.metric)
    assert not app.exception
