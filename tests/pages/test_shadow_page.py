"""Shadow evaluation, second opinions and A/B under AppTest."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from playground.evidence_file import read_own
from playground.pairs import Pair
from playground.ui import state
from playground.ui.state import sample as sample_state
from playground.ui.state.ledger import ledger
from tests.pages.test_log_page import metrics, press
from tests.pages.test_pages import said, start

SHADOW, DRIFT, AB = "pages/shadow.py", "pages/drift.py", "pages/ab.py"


def shadow(
    stage: str = "intent", candidates: tuple[str, ...] = ("gpt-5.4-mini",), n: int = 12, keep: bool = False
) -> AppTest:
    app = start(SHADOW)
    next(b for b in app.get("button_group") if b.key == "shadow_stage").set_value(stage).run()
    app.multiselect(key=f"shadow_candidates_{stage}").set_value(list(candidates)).run()
    app.number_input(key="shadow_n").set_value(n).run()
    app.checkbox(key="shadow_keep").set_value(keep).run()
    return press(app, "Draw and estimate")


def test_pairs_are_estimated_run_and_judged() -> None:
    app = shadow("draft")
    assert "12 tickets, gpt-5.4-mini against claude-opus-4-5: about" in said(app)
    press(app, "Run 12 tickets")
    assert not app.exception
    text = said(app)
    assert "CONTINUE-badge" in text or "-badge[CONTINUE]" in text
    assert metrics(app)["Pairs"] == "12"
    assert "every difference is simulated" in text
    assert "never counts as proof for live runs" in text
    assert "Judge only: 0 of" in text
    assert next(b for b in app.button if b.label == "Record this verdict").disabled


def test_two_candidates_are_compared_at_once() -> None:
    app = shadow(candidates=("gpt-5.4-mini", "claude-haiku-4-5"))
    press(app, "Run 12 tickets")
    assert [h.value.replace("\\", "") for h in app.subheader][:2] == [
        "Intent: gpt-5.4-mini instead of gpt-5.4",
        "Intent: claude-haiku-4-5 instead of gpt-5.4",
    ]


def test_a_new_session_goes_on_where_the_last_one_stopped() -> None:
    press(shadow(), "Run 12 tickets")
    again = shadow()
    press(again, "Show what ran before")
    assert metrics(again)["Pairs"] == "12"
    assert again.session_state["shadow_desk"].work.resumed == 12


def imported(app: AppTest, values: list[float], **more: object) -> AppTest:
    """Pairs as the importer would take them."""
    app.get("file_uploader")[0].set_value(
        ("pairs.csv", ("ticket,value\n" + "".join(f"t{i},{v}\n" for i, v in enumerate(values))).encode(), "text/csv")
    ).run()
    return app


def test_imported_pairs_cut_over_are_recorded_and_become_proof() -> None:
    app = start(SHADOW)
    app.multiselect(key="shadow_candidates_intent").set_value(["gpt-5.4-mini"]).run()
    imported(app, [0.0] * 500)
    assert not app.exception
    assert "-badge[CUT OVER]" in said(app)
    press(app, "Record this verdict")
    proofs = app.session_state["notebook"].own.proofs
    assert [(p.stage, p.candidate, p.current, p.pairs, p.provenance) for p in proofs] == [
        ("intent", "gpt-5.4-mini", "gpt-5.4", 500, "recorded")
    ]
    assert (proofs[0].margin, proofs[0].unit, proofs[0].judge) == (0.02, "ticket", "")
    (kept,) = ledger().events(kinds=("cut over",))
    assert (kept.subject, kept.said, kept.provenance) == (
        "intent",
        "gpt-5.4-mini at Intent: CUT OVER on 500 pairs.",
        "recorded",
    )
    app.session_state["assurance"] = "proven"
    app.switch_page("pages/notebook.py").run()
    next(b for b in app.button if b.label == "Run ticket").click().run()
    decision = app.session_state["notebook"].steps["intent"].decision
    assert any(c.quality.proven and c.candidate.key == "gpt-5.4-mini" for c in decision.considered)


def test_imported_scores_out_of_range_are_named() -> None:
    app = start(SHADOW)
    app.multiselect(key="shadow_candidates_intent").set_value(["gpt-5.4-mini"]).run()
    imported(app, [0.0, 3.0, -1.0])
    assert "from -1 to 1" in said(app)
    assert metrics(app)["Pairs"] == "2"


def test_losses_keep_the_current_model() -> None:
    app = start(SHADOW)
    app.multiselect(key="shadow_candidates_intent").set_value(["gpt-5.4-mini"]).run()
    imported(app, [-1.0] * 60)
    assert "-badge[KEEP]" in said(app)
    press(app, "Record this verdict")
    assert [p.verdict for p in app.session_state["notebook"].own.proofs] == ["KEEP"]
    app.switch_page("pages/models.py").run()
    assert not app.exception
    assert "Verdicts as CSV" in [d.label for d in app.get("download_button")]


def test_a_recorded_keep_takes_back_what_was_proven() -> None:
    app = start(SHADOW)
    app.multiselect(key="shadow_candidates_intent").set_value(["gpt-5.4-mini"]).run()
    press(imported(app, [0.0] * 500), "Record this verdict")
    press(imported(app, [-1.0] * 60), "Record this verdict")
    assert [p.verdict for p in app.session_state["notebook"].own.proofs] == ["CUT OVER", "KEEP"]
    app.session_state["assurance"] = "proven"
    app.switch_page("pages/notebook.py").run()
    next(b for b in app.button if b.label == "Run ticket").click().run()
    decision = app.session_state["notebook"].steps["intent"].decision
    assert not any(c.quality.proven for c in decision.considered if c.candidate.key == "gpt-5.4-mini")


def test_threads_can_be_what_counts_as_one() -> None:
    app = start(SHADOW)
    app.multiselect(key="shadow_candidates_intent").set_value(["gpt-5.4-mini"]).run()
    rows = "".join(f"t{i},h{i // 5},0\n" for i in range(500))
    app.get("file_uploader")[0].set_value(("pairs.csv", ("ticket,thread,value\n" + rows).encode(), "text/csv")).run()
    next(b for b in app.get("button_group") if b.key == "shadow_unit").set_value("thread").run()
    assert not app.exception
    assert "more threads, if the rest is like these" in said(app)


def test_a_label_is_kept_blind_and_the_next_pair_comes() -> None:
    app = shadow("draft", n=60, keep=True)
    press(app, "Run 60 tickets")
    desk = app.session_state["shadow_desk"]
    button = next((b for b in app.button if b.label == "The same"), None)
    assert button is not None
    button.click().run()
    assert len(desk.labels["gpt-5.4-mini"]) == 1
    assert "of 1 labelled pair so far" in said(app)
    again = shadow("draft", n=60, keep=True)
    press(again, "Show what ran before")
    assert again.session_state["shadow_desk"].labels == desk.labels


def test_a_rubric_with_a_mistake_is_refused_and_not_lost() -> None:
    app = start(SHADOW)
    next(b for b in app.get("button_group") if b.key == "shadow_stage").set_value("draft").run()
    app.multiselect(key="shadow_candidates_draft").set_value(["gpt-5.4-mini"]).run()
    app.text_area(key="rubric_text").set_value("name: x\ncriteria: 3\n").run()
    app.button(key="save_rubric").click().run()
    assert not app.exception
    assert "judge.yaml: line 2" in said(app)
    assert app.text_area(key="rubric_text").value == "name: x\ncriteria: 3\n"


def test_the_planner_counts_pairs() -> None:
    assert "1,963 if you look once" in said(start(SHADOW))


def test_second_opinions_are_drawn_run_and_watched() -> None:
    app = start(DRIFT)
    app.number_input(key="drift_share").set_value(10.0).run()
    press(app, "Draw and estimate")
    press(app, "Ask for")
    assert not app.exception
    assert "-badge[no alarm]" in said(app) or "-badge[alarm]" in said(app)
    assert int(metrics(app)["Second opinions"]) > 30
    stored = sample_state.jobs().done(app.session_state["drift_desk"].job)
    assert all(0 < payload["probability"] <= 1 for payload in stored.values())


def test_imported_second_opinions_raise_an_alarm_that_names_stage_day_and_size() -> None:
    app = start(DRIFT)
    rows = "".join(
        f"t{i},2026-10-{i // 100 + 1:02d},0.02,{'yes' if i % (20 if i < 800 else 4) == 0 else 'no'}\n"
        for i in range(1_400)
    )
    app.get("file_uploader")[0].set_value(
        ("seen.csv", ("ticket,created_at,probability,disagreed\n" + rows).encode(), "text/csv")
    ).run()
    assert not app.exception
    text = said(app)
    assert "-badge[alarm] Intent: disagreement is" in text
    app.run()
    (kept,) = ledger().events(kinds=("drift",))
    assert kept.provenance == "recorded"
    assert kept.said.startswith("Intent: disagreement is")
    assert "since 2026-10-0" in text


def test_second_opinions_drawn_less_often_than_the_share_are_one_sentence() -> None:
    app = start(DRIFT)
    rows = "".join(f"t{i},0.002,no\n" for i in range(50))
    app.get("file_uploader")[0].set_value(
        ("seen.csv", ("ticket,probability,disagreed\n" + rows).encode(), "text/csv")
    ).run()
    assert not app.exception
    assert "less than half the share" in app.error[0].value
    assert "badge" not in said(app)


def test_a_variant_without_customers_has_no_rate() -> None:
    app = start(AB)
    rows = "".join(f"c{i},A,yes\n" for i in range(30))
    app.get("file_uploader")[0].set_value(("out.csv", ("customer,variant,outcome\n" + rows).encode(), "text/csv")).run()
    assert not app.exception
    assert metrics(app)["A, good outcomes"] == "100.0%"
    assert metrics(app)["B, good outcomes"] == "none yet"


def test_an_ab_test_is_planned_and_decided() -> None:
    app = start(AB)
    assert "customers in each variant" in said(app)
    rows = "".join(f"c{i},{'AB'[i % 2]},yes\n" for i in range(900))
    app.get("file_uploader")[0].set_value(("out.csv", ("customer,variant,outcome\n" + rows).encode(), "text/csv")).run()
    assert not app.exception
    assert "-badge[B is good enough]" in said(app)


def test_a_file_that_is_none_is_one_sentence() -> None:
    app = start(AB)
    app.get("file_uploader")[0].set_value(("out.csv", b"a,b\n1,2\n", "text/csv")).run()
    assert "needs the columns customer, variant" in "\n".join(e.value for e in app.error)


def test_a_missing_judgement_is_said() -> None:
    assert state.judge_warning(
        [Pair(f"t{i}", 0.0, kind="judge", orders=("A", "A"), outcomes=("ok", "ok")) for i in range(20)]
    )


def test_a_verdict_of_the_judge_alone_is_not_recorded_as_proof() -> None:
    app = start(SHADOW)
    app.multiselect(key="shadow_candidates_intent").set_value(["gpt-5.4-mini"]).run()
    imported(app, [0.0] * 500)
    desk = app.session_state["shadow_desk"]
    for payload in desk.payloads.values():
        payload["pairs"]["gpt-5.4-mini"]["kind"] = "judge"
    desk.kept = None
    app.run()
    button = next(b for b in app.button if b.label == "Record this verdict")
    assert "-badge[CUT OVER]" in said(app)
    assert button.disabled
    assert button.help.startswith("Judge only")


def test_a_verdict_of_few_pairs_is_not_recorded() -> None:
    app = start(SHADOW)
    app.multiselect(key="shadow_candidates_intent").set_value(["gpt-5.4-mini"]).run()
    imported(app, [1.0] * 90)
    assert "-badge[CUT OVER]" in said(app)
    assert next(b for b in app.button if b.label == "Record this verdict").disabled


def test_pairs_of_a_changed_prompt_are_void_visibly_and_cannot_be_recorded() -> None:
    app = start(SHADOW)
    app.multiselect(key="shadow_candidates_intent").set_value(["gpt-5.4-mini"]).run()
    press(imported(app, [0.0] * 500), "Record this verdict")
    app.switch_page("pages/notebook.py").run()
    app.segmented_control(key="view_intent").set_value("Prompt").run()
    app.text_area(key="system_intent").set_value("Sort this. {{ labels }}")
    press(app, "Save prompt")
    assert "The verdict on gpt" in "".join(i.value for i in app.info)
    app.switch_page(SHADOW).run()
    assert "are void: the prompt has changed since" in "".join(w.value for w in app.warning).replace("\\", "")
    button = next(b for b in app.button if b.label == "Record this verdict")
    assert button.disabled
    assert "void" in button.help


def test_the_same_verdict_is_recorded_once() -> None:
    app = start(SHADOW)
    app.multiselect(key="shadow_candidates_intent").set_value(["gpt-5.4-mini"]).run()
    press(imported(app, [0.0] * 500), "Record this verdict")
    assert next(b for b in app.button if b.label == "Record this verdict").help == "It is recorded already."


def test_rows_that_were_left_out_are_said_where_it_is_seen() -> None:
    app = start(SHADOW)
    app.multiselect(key="shadow_candidates_intent").set_value(["gpt-5.4-mini"]).run()
    imported(app, [0.0, 3.0, -1.0])
    assert "1 row left out" in "".join(i.value for i in app.info)


def test_a_label_screen_says_nothing_of_whose_answer_is_whose() -> None:
    app = shadow("draft", n=60, keep=True)
    press(app, "Run 60 tickets")
    assert "Kind of ticket:" not in said(app)


def test_a_verdict_on_models_that_are_not_offered_does_not_break_the_page() -> None:
    app = start("pages/models.py")
    book = app.session_state["notebook"]
    line = "intent,gpt-5.4-mini,gpt-5.4-mini,support,1,ab,500,2026-11-01,live,max"
    head = "stage,model,model_id,pipeline,version,prompt_digest,pairs,decided_on,provenance,effort"
    book.own = read_own(f"{head}\n{line}\n".encode(), "v.csv", {m.name for m in book.catalog.models})
    assert book.own.proofs
    app.run()
    assert not app.exception
