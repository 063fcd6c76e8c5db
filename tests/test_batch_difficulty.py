"""Cues found for a whole batch are those found for each ticket alone."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from playground import tickets
from playground.batch_difficulty import CODES, codes_of, cues_by_kind
from playground.difficulty import _FOUND, cues
from playground.language import language_of, languages_of
from playground.log_tickets import LogTickets
from playground.records import Ticket


def batch(texts: Sequence[str], subjects: Sequence[str] = ()) -> LogTickets:
    n = len(texts)
    return LogTickets(tuple(map(str, range(n))), tuple(texts), tuple(subjects) or ("",) * n, ("",) * n)


def found_in_batch(texts: Sequence[str]) -> list[set[str]]:
    return [{name for name, bit in CODES.items() if code & bit} for code in codes_of(batch(texts))]


def found_alone(text: str) -> set[str]:
    return {c.name for c in cues(Ticket("t", text))}


def agree(texts: Sequence[str]) -> None:
    for text, together in zip(texts, found_in_batch(texts), strict=True):
        assert together == found_alone(text), text


def test_on_the_samples() -> None:
    agree([t.text for t in tickets.samples().values()])


def test_on_real_tickets(shared: Path) -> None:
    with (shared / "tickets" / "banking77_train.csv").open(encoding="utf-8", newline="") as file:
        agree([row["text"] for row in csv.DictReader(file)][:4000])
    lines = (shared / "tickets" / "cucom_600.jsonl").read_text(encoding="utf-8").splitlines()
    agree([json.loads(line)["text"] for line in lines])


@given(st.text(max_size=200))
@example("REFUNDé refund")
@example("érefund")
@example("refund_now")
@example("ich M\u0130S unos")
@example("ABC\u00a0DEF GHI")
@example("THIS IS_NOT")
@example("Gebührerstattungen und Rückerstattung")
@example("\ud800 refund")
@example("de\u00b2 la casa es muy buena")
@example("refund\n")
@example("NO GO\n")
@example("ABC DEF\n")
@example("word " * 400)
@example("a " * 399 + "b")
def test_on_any_text(text: str) -> None:
    agree([text])


@given(
    st.lists(
        st.sampled_from(
            [
                *"?!. ,\n",
                "REFUND",
                "refund",
                "lawyer",
                "ä",
                "hack",
                "ed",
                "the",
                "der",
                "para",
                "que",
                "WORST",
                "_",
                "9",
            ]
        ),
        max_size=30,
    ).map("".join)
)
def test_on_texts_made_of_what_matters(text: str) -> None:
    agree([text])


@given(st.sampled_from(sorted(_FOUND)).flatmap(lambda name: st.tuples(st.just(name), st.from_regex(_FOUND[name]))))
def test_a_topic_is_found_wherever_its_expression_matches(case: tuple[str, str]) -> None:
    name, text = case
    assert name in found_in_batch([text])[0]


def test_tickets_are_grouped_by_what_makes_them_hard() -> None:
    texts = ["Where is it", "Please refund me", "My account was hacked", "A refund please"]
    groups = {tuple(rows.tolist()): [c.name for c in found] for rows, found in cues_by_kind(batch(texts))}
    assert groups == {(1, 3): ["refund"], (2,): ["security"]}


@pytest.mark.parametrize("subject", ["Refund", ""])
def test_the_subject_counts(subject: str) -> None:
    assert bool(codes_of(batch(["It broke"], [subject]))[0]) == bool(subject)


@given(
    st.text(max_size=80) | st.lists(st.sampled_from("the de² la und ich İ ñ 5 _ Die für, como".split())).map(" ".join)
)
def test_the_language_of_many_texts_is_that_of_each(text: str) -> None:
    whole = text.encode("utf-8", "replace").decode()
    assert languages_of([whole, ""]) == [language_of(whole), "en"]
