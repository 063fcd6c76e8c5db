"""Pairs scored without a model: by label, rank, findings and the facts of a note."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import BadInput
from playground.pipeline import Stage, load_shipped
from playground.records import Context, Output, Passage, Policy, Ticket, Turn
from playground.scoring import Score, score, shown
from playground.scoring.agreement import rank_agreement, set_agreement
from playground.scoring.facts import facts_of, number_of

PIPELINE = load_shipped("support")
TICKET = Ticket(
    "t1", "Hi, I was charged $83.00 twice on 3 November for INV-2231. Ada Quill never got it back.", "Refund"
)
REPLY = "Hello Ada, the refund of $83 takes 5 to 10 working days. A charge older than 30 days is not refunded."
PASSAGES = tuple(Passage(f"a{i}", f"Topic {i}", "How it works.") for i in range(12))
POLICIES = (Policy("P01", "Who decides", "A team lead."), Policy("P02", "Late refunds", "None."))
CONTEXT = Context(TICKET, PIPELINE.labels, POLICIES, PASSAGES, {"respond": REPLY})
JSON_STAGES = ("intent", "rerank", "check")


def stage(key: str) -> Stage:
    return PIPELINE.stage(key)


def label(name: str) -> Output:
    return {"label": name, "language": "en", "confidence": 0.9}


def ranking(*ids: str) -> Output:
    return {"scores": [{"id": name, "score": 10 - at / 2} for at, name in enumerate(ids)]}


def findings(*ids: str, escalate: bool = False) -> Output:
    found = [{"policy": name, "problem": "Missing.", "change": "Add it."} for name in ids]
    return {"findings": found, "escalate": escalate}


GOOD: dict[str, Output] = {
    "intent": label("double_charge"),
    "rerank": ranking(*(p.id for p in PASSAGES)),
    "check": findings("P01"),
    "summarise": "The customer Ada Quill wants $83 back.",
    "draft": {"answer": "Yes [a1].", "citations": ["a1"], "confidence": 0.9, "open_questions": []},
    "respond": "Yes.",
}


def value(key: str, current: Output | None, candidate: Output | None, truth: str | None = None, keep: int = 8) -> float:
    return score(stage(key), CONTEXT, current, candidate, truth, keep).value


# Labels


@pytest.mark.parametrize(
    ("current", "candidate", "truth", "expected", "kind"),
    [
        ("other", "other", None, 0.0, "label agreement"),
        ("other", "api_bug", None, -1.0, "label agreement"),
        ("other", "api_bug", "api_bug", 1.0, "accuracy"),
        ("api_bug", "other", "api_bug", -1.0, "accuracy"),
        ("api_bug", "api_bug", "api_bug", 0.0, "accuracy"),
        ("other", "double_charge", "api_bug", 0.0, "accuracy"),
    ],
)
def test_labels(current: str, candidate: str, truth: str | None, expected: float, kind: str) -> None:
    found = score(stage("intent"), CONTEXT, label(current), label(candidate), truth)
    assert (found.value, found.kind) == (expected, kind)
    assert current in found.note


def test_both_labels_wrong_is_no_gain_and_both_arms_are_worth_nothing() -> None:
    found = score(stage("intent"), CONTEXT, label("other"), label("double_charge"), "api_bug")
    assert (found.current, found.candidate) == (0.0, 0.0)


def test_a_true_label_that_the_pipeline_does_not_have_is_refused() -> None:
    with pytest.raises(BadInput, match=r"Ticket t1: its true label 'bug' is not one of"):
        value("intent", label("other"), label("other"), "bug")


def test_a_label_that_the_pipeline_does_not_have_is_no_usable_output() -> None:
    found = score(stage("intent"), CONTEXT, label("other"), label("invented"))
    assert (found.value, found.kind) == (-1.0, "failed")


# Ranks


def test_equal_rankings_agree_and_disjoint_ones_do_not() -> None:
    ids = [p.id for p in PASSAGES]
    assert value("rerank", ranking(*ids), ranking(*ids)) == 0.0
    assert value("rerank", ranking(*ids[:4]), ranking(*ids[4:8]), keep=4) == -1.0
    assert value("rerank", ranking(*ids), ranking(*ids[:8], *reversed(ids[8:])), keep=8) == 0.0


def test_rank_agreement_by_hand() -> None:
    # Depths 1, 2, 3 share 0, 1, 1 of their ids, with weights 1, 0.9 and 0.81.
    assert rank_agreement(["a", "b", "c"], ["b", "a", "c"], 3) == pytest.approx((0.9 + 0.81) / 2.71)
    assert rank_agreement([], [], 3) == 1.0
    assert rank_agreement(["a"], [], 3) == 0.0


def test_a_swap_at_the_top_costs_more_than_one_below() -> None:
    ids = [p.id for p in PASSAGES]
    top, low = [ids[1], ids[0], *ids[2:]], [*ids[:6], ids[7], ids[6], *ids[8:]]
    assert value("rerank", ranking(*ids), ranking(*top)) < value("rerank", ranking(*ids), ranking(*low)) < 0


def test_equal_scores_keep_the_order_of_retrieval() -> None:
    same = [{"id": p.id, "score": 5} for p in PASSAGES]
    assert value("rerank", {"scores": same}, {"scores": same[::-1]}) == 0.0
    assert value("rerank", {"scores": same}, GOOD["rerank"]) == 0.0


# Findings


@pytest.mark.parametrize(
    ("current", "candidate", "expected"),
    [
        ((), (), 0.0),
        (("P01",), ("P01",), 0.0),
        (("P01",), (), -1.0),
        ((), ("P01",), -1.0),
        (("P01", "P02"), ("P01",), -0.5),
    ],
)
def test_findings(current: tuple[str, ...], candidate: tuple[str, ...], expected: float) -> None:
    assert value("check", findings(*current), findings(*candidate)) == pytest.approx(expected)


def test_two_findings_on_one_policy_count_once_and_the_note_names_what_differs() -> None:
    found = score(stage("check"), CONTEXT, findings("P01", "P01"), findings("P01", "P02"))
    assert found.value == pytest.approx(-0.5)
    assert found.note == "The candidate adds P02."
    assert set_agreement("ab", "bc") == pytest.approx(1 / 3)


# Facts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$1,240.50", {("amount", "USD 1240.5")}),
        ("1.240,50 €", {("amount", "EUR 1240.5")}),
        ("50 dollars", {("amount", "USD 50")}),
        ("USD 50", {("amount", "USD 50")}),
        ("cost is £3", {("amount", "GBP 3")}),
        ("on 2026-11-03", {("date", "11-03")}),
        ("am 3. November", {("date", "11-03")}),
        ("el 3 de noviembre", {("date", "11-03")}),
        ("on November 3rd", {("date", "11-03")}),
        ("on 3 Nov", {("date", "11-03")}),
        ("see INV-2231 and SSO-104", {("id", "inv-2231"), ("id", "sso-104")}),
        ("write to ada@quill.example.", {("id", "ada@quill.example")}),
        ("up to 10 of 1,000", {("number", "10"), ("number", "1000")}),
        ("1. one\n2. two", set()),
        ("it is not refunded", {("denied", "refun")}),
        ("we don't refund", {("denied", "refun")}),
        ("it has not been refunded", {("denied", "refun")}),
        ("wird nicht erstattet", {("denied", "ersta")}),
        ("no se reembolsa", {("denied", "reemb")}),
        ("we asked Ada Quill", {("name", "ada"), ("name", "quill")}),
        ("Asked. Then answered.", set()),
        ("GIVE IT BACK NOW", set()),
    ],
)
def test_facts(text: str, expected: set[tuple[str, str]]) -> None:
    assert facts_of(text).items == expected


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,240", "1240"),
        ("1.5", "1.5"),
        ("0.500", "0.5"),
        ("007", "7"),
        ("1.2.3", "1.2.3"),
        ("0", "0"),
        ("2.50", "2.5"),
    ],
)
def test_numbers(text: str, number: str) -> None:
    assert number_of(text) == number


def test_a_note_that_makes_things_up_loses_to_a_faithful_one() -> None:
    faithful = "The customer Ada Quill wants $83 back for INV-2231. Not refunded after 30 days."
    made_up = "The customer Bob Stone wants $5,000 back for INV-9999. Approved on 1 May."
    found = score(stage("summarise"), CONTEXT, made_up, faithful)
    assert found.kind == "faithfulness and coverage"
    assert found.value > 0.5
    assert "Candidate: faithfulness 100%" in found.note


def test_a_denial_turned_round_is_unfaithful() -> None:
    right, wrong = "A charge of $83 is not refunded.", "A charge of $83 is not pending."
    assert value("summarise", right, wrong) < 0


def test_a_fuller_note_wins_and_an_empty_one_is_worth_nothing() -> None:
    full = "The customer Ada Quill wants $83 back for INV-2231, charged on 3 November; 5 to 10 working days."
    assert value("summarise", "The customer Ada wants $83 back.", full) > 0
    empty = score(stage("summarise"), CONTEXT, full, "The customer wants something and was told something.")
    assert empty.candidate == 0.0


def test_what_is_left_open_must_stand_in_the_note() -> None:
    draft = {"answer": "x", "open_questions": ["The exception is decided by finance"]}
    context = replace(CONTEXT, earlier={**CONTEXT.earlier, "draft": draft})
    without = "The customer Ada Quill wants $83 back for INV-2231."
    found = score(stage("summarise"), context, without, f"{without} Open: the exception is decided by finance.")
    assert found.value > 0.1


def test_a_thread_is_read_turn_by_turn() -> None:
    ticket = replace(TICKET, text="", turns=(Turn("customer", "Order A-17"), Turn("agent", "Sent on 4 May")))
    context = replace(CONTEXT, ticket=ticket, earlier={})
    assert score(stage("summarise"), context, "About order X-99.", "About order A-17, 4 May.").value == pytest.approx(
        1.0
    )


# Failed arms


@pytest.mark.parametrize("key", GOOD)
@pytest.mark.parametrize("bad", [None, "", "   ", [], 7, {}, {"label": 3}])
def test_a_failed_arm_counts_against_itself(key: str, bad: Any) -> None:
    for current, candidate, expected in ((GOOD[key], bad, -1.0), (bad, GOOD[key], 1.0), (bad, bad, 0.0)):
        found = score(stage(key), CONTEXT, current, candidate)
        assert (found.value, found.kind) == (expected, "failed")


def test_json_as_text_is_read_and_outputs_of_another_shape_are_not() -> None:
    assert value("intent", json.dumps(label("other")), label("other")) == 0.0
    assert value("intent", label("other"), {**dict(label("other")), "extra": 1}) == -1.0  # type: ignore[arg-type]
    assert value("intent", label("other"), '{"label": "other"') == -1.0
    assert value("rerank", GOOD["rerank"], {"scores": []}) == -1.0
    assert value("check", GOOD["check"], {"findings": [{"policy": float("nan")}], "escalate": False}) == -1.0


def test_the_same_answers_are_a_tie_and_others_need_a_judge() -> None:
    for key in ("draft", "respond"):
        assert value(key, GOOD[key], GOOD[key]) == 0.0
    with pytest.raises(BadInput, match="Stage respond: two answers can only be compared by a judge"):
        value("respond", "Yes.", "No.")


# Stages of other names


def test_other_stages_are_scored_by_their_kind() -> None:
    for like in JSON_STAGES:
        other = replace(stage(like), key="mine")
        assert score(other, CONTEXT, GOOD[like], GOOD[like]).value == 0.0
    text = replace(stage("summarise"), key="mine")
    assert score(text, CONTEXT, "It is $83.", "It is $99.").value < 0


def test_a_stage_of_an_unknown_kind_is_refused() -> None:
    other = replace(stage("intent"), key="mine", output=replace(stage("intent").output, schema=None))
    with pytest.raises(BadInput, match=r"Stage mine: its JSON has the fields size, colour.*use a judge"):
        score(other, CONTEXT, {"size": 1, "colour": 2}, {"size": 1, "colour": 2})


# What holds of every score

LABELS = st.sampled_from([*PIPELINE.labels, "invented"]).map(label)
RANKINGS = st.lists(st.sampled_from([p.id for p in PASSAGES]), max_size=12).map(lambda ids: ranking(*ids))
FINDINGS = st.lists(st.sampled_from(["P01", "P02", "P03"]), max_size=4).map(lambda ids: findings(*ids))
WORDS = st.sampled_from(
    "$83|3 November|INV-2231|not refunded|Ada Quill|12.5|\n1. |</ticket>|{{ x }}|é|\u200f".split("|")
)
TEXTS = st.lists(st.one_of(WORDS, st.text(max_size=12)), max_size=20).map(" ".join)
OUTPUTS: dict[str, st.SearchStrategy[Any]] = {
    "intent": LABELS, "rerank": RANKINGS, "check": FINDINGS, "summarise": TEXTS,
}  # fmt: skip
JUNK = st.recursive(
    st.one_of(st.none(), st.text(max_size=9), st.floats(), st.integers()),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from("label scores findings id score policy x".split()), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("key", OUTPUTS)
@given(data=st.data())
def test_values_stay_within_bounds_and_are_the_difference_of_the_arms(key: str, data: st.DataObject) -> None:
    outputs = st.one_of(OUTPUTS[key], JUNK)
    truth = data.draw(st.sampled_from([None, "other"])) if key == "intent" else None
    found = score(stage(key), CONTEXT, data.draw(outputs), data.draw(outputs), truth)
    assert -1 <= found.value <= 1
    assert found.value == pytest.approx(found.candidate - found.current)
    assert found.note.endswith((".", "\u2026"))


@given(one=st.one_of(LABELS, st.none()), two=st.one_of(LABELS, st.none()))
def test_swapping_arms_negates_an_accuracy(one: Output | None, two: Output | None) -> None:
    assert value("intent", one, two, "other") == -value("intent", two, one, "other")


@given(one=TEXTS, two=TEXTS)
def test_swapping_arms_negates_a_note(one: str, two: str) -> None:
    assert value("summarise", one, two) == pytest.approx(-value("summarise", two, one))


@given(one=RANKINGS, two=RANKINGS, three=FINDINGS, four=FINDINGS)
def test_an_agreement_is_the_same_both_ways_and_never_a_gain(
    one: Output, two: Output, three: Output, four: Output
) -> None:
    if one["scores"] and two["scores"]:  # type: ignore[index]
        assert value("rerank", one, two) == value("rerank", two, one) <= 0
    assert value("check", three, four) == value("check", four, three) <= 0


@pytest.mark.parametrize("wrong", [1.01, -1.01, float("nan"), float("inf")])
def test_a_score_out_of_range_is_refused(wrong: float) -> None:
    with pytest.raises(BadInput, match="must be a number from"):
        Score(wrong, 0, 0, "judge")
    with pytest.raises(BadInput, match="worth of the candidate"):
        Score(0, 0, -0.1, "judge")


def test_lengths_count_what_a_reader_sees() -> None:
    assert score(stage("draft"), CONTEXT, GOOD["draft"], None).lengths == (len("Yes [a1]."), 0)
    assert shown({"answer": "Yes.", "open_questions": ["who"], "confidence": 1}) == "Yes.\n\nLeft to a person:\n- who"
