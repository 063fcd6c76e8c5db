"""A threshold by meaning: what tuning finds on labelled requests, that a cache keeps to what was measured, and what it costs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from playground.caps import Caps, Purse
from playground.embedding_run import BATCH, BATCH_TOKENS, Embedding, batches, expected_usd, wanted
from playground.embedding_threshold import (
    GRID,
    Nearest,
    Requests,
    best_threshold,
    nearest,
    replayed,
    takes_part,
    tuned,
)
from playground.errors import BadInput, CallFailed, Cancelled, HandedOver
from playground.hit_threshold import MOST_FALSE, upper_bound, wide_radius
from playground.labelled_texts import LEAST, MOST, Labelled, enough, of_labels, read_labelled
from playground.ledger import Filter, Ledger, Recorder
from playground.lexical import Said
from playground.logs import LogRead
from playground.middleware import around
from playground.receipts import Biller
from playground.recording import UNRECORDED, Record
from playground.records import Completion, Model, Price, Rates, Request, Ticket, Usage
from playground.semantic_cache import SemanticCache, words_of
from playground.watch import Complete, Unwatched, Watch
from tests.calls import Answering, call
from tests.scripted import make

QUIET = Unwatched()
PRICE = Price(Rates(Decimal("0.02"), Decimal(0)), date(2026, 11, 1), "a test")
MODEL = Model("openai/letters", "letters", "Embedding house", PRICE, 8_000, None)
Floats = NDArray[np.float32]


def unit(*values: float) -> Floats:
    row = np.array(values, np.float32)
    return row / np.float32(np.linalg.norm(row))


def requests_of(rows: list[tuple[str, str]], vectors: list[Floats]) -> Requests:
    return Requests.of([Labelled(*row) for row in rows], np.array(vectors, np.float32))


# What is compared


def test_who_would_answer_and_who_speaks_against_it() -> None:
    rows = [
        ("pay by card", "card"),
        ("use a card", "card"),
        ("get the money", "money"),
        ("not a card", "card"),
        ("card now", "card"),
    ]
    found = nearest(requests_of(rows, [unit(1, 0), unit(0.95, 0.3), unit(0, 1), unit(1, 0), unit(0.9, 0.4)]))
    assert found.alike[0] < 0
    assert found.alike[1] == pytest.approx(0.9536, abs=1e-3)
    assert found.right.tolist()[1:3] == [True, False]
    assert found.alike[3] < 0, "it alone says not"
    assert found.alike[4] == pytest.approx(0.993, abs=1e-2)
    assert found.other[4] == pytest.approx(0.406, abs=1e-2)
    assert found.hits(0.9).tolist() == [False, True, False, False, True]
    assert found.hits(0.7).tolist() == [False, True, False, False, False], "the other label lies within 0.4"


def test_what_takes_no_part_answers_nothing_and_speaks_against_nothing() -> None:
    rows = [("Order 48151623 is lost", "a"), ("my order", "b"), ("my orders", "b"), ("my order", "a"), ("the", "a")]
    found = requests_of(rows, [unit(1, 0)] * 5)
    assert found.part.tolist() == [False, True, True, False, False]
    assert nearest(found).hits(0.9).tolist() == [False, False, True, False, False]
    assert replayed(found, 0.9) == (1, 0)
    assert [takes_part(text) for text, _ in rows] == [False, True, True, True, False]


def test_the_threshold_with_most_hits_and_few_enough_wrong_ones() -> None:
    alike = np.repeat([0.95, 0.85, 0.75], 200).astype(np.float32)
    right = np.ones(600, np.bool_)
    right[[0, 200, *range(400, 440)]] = False
    found = Nearest(alike, right, np.full(600, -1, np.float32))
    assert best_threshold(found) == 0.85, "the strictest of those that let the same requests through"
    assert found.counted(0.76) == (400, 2)
    assert best_threshold(found, 0.005) is None
    assert best_threshold(Nearest(alike, right, np.full(600, 0.75, np.float32))) == 0.95, "0.85 reaches down to 0.7"


@pytest.mark.parametrize(
    ("hits", "wrong", "enough_hits"), [(48, 0, False), (49, 0, True), (98, 1, False), (99, 1, True)]
)
def test_it_takes_enough_hits(hits: int, wrong: int, enough_hits: bool) -> None:
    found = Nearest(np.full(hits, 0.9, np.float32), np.arange(hits) >= wrong, np.full(hits, -1, np.float32))
    assert (best_threshold(found) is not None) is enough_hits


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.floats(-1, 1)), max_size=150), st.floats(0.01, 0.5))
def test_what_is_chosen_keeps_the_promise_and_has_most_hits(rows: list[tuple[float, bool, float]], most: float) -> None:
    alike, right, other = (np.array([r[i] for r in rows]) for i in range(3))
    found = Nearest(alike.astype(np.float32), right.astype(np.bool_), other.astype(np.float32))
    chosen = best_threshold(found, most)
    counts = {t: found.counted(t) for t in GRID}
    holds = {t: hits for t, (hits, wrong) in counts.items() if wrong + 1 <= most * (hits + 1)}
    assert (chosen in holds) if holds else (chosen is None)
    assert not [t for t, hits in holds.items() if chosen is not None and (hits, t) > (holds[chosen], chosen)]


WORDS = ("card", "refund", "not", "why", "how", "3", "from", "login", "48151623")
ROWS = st.lists(
    st.tuples(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3), st.sampled_from("ab"), st.integers(0, 11)),
    min_size=1,
    max_size=40,
)


def turned(step: int) -> Floats:
    """A direction out of twelve, a few degrees apart."""
    return unit(float(np.cos(step * 0.11)), float(np.sin(step * 0.11)))


@given(ROWS, st.sampled_from([0.55, 0.8, 0.9, 0.97]))
@settings(max_examples=80)
def test_the_replay_is_what_the_cache_itself_does(rows: list[tuple[list[str], str, int]], threshold: float) -> None:
    at = {f"{' '.join(words)} {'x' * (step + 1)}": step for words, _, step in rows}
    asked = {f"{' '.join(words)} {'x' * (step + 1)}": label for words, label, step in rows}
    found = requests_of(list(asked.items()), [turned(at[text]) for text in asked])
    by, served = SemanticCache("live", threshold=threshold, embedder=MODEL), []

    def complete(request: Request, watch: Watch) -> Completion:
        if request.output.kind == "vector":
            vector = turned(at[request.prompt.messages[0].content]).tolist()
            return Completion("", Usage(3, 0, counted="provider"), "live", vectors=(tuple(vector),))
        return Answering(f'{{"label": "{asked[request.context.ticket.text]}"}}')(request, watch)

    for text, label in asked.items():
        request = call(text)
        labels = {"a": "", "b": ""}
        done = by.call(replace(request, context=replace(request.context, labels=labels)), QUIET, complete)
        if done.source == "semantic cache":
            served.append(f'"{label}"' in done.text)
    assert replayed(found, threshold) == (len(served), served.count(False))


@given(ROWS)
@settings(max_examples=60)
def test_nearest_is_the_same_one_by_one(rows: list[tuple[list[str], str, int]]) -> None:
    texts = [" ".join(words) for words, _, _ in rows]
    vectors = [turned(step) for _, _, step in rows]
    found = requests_of([(t, label) for t, (_, label, _) in zip(texts, rows, strict=True)], vectors)
    fast, said = nearest(found), [Said.of(t) for t in texts]
    for i in range(len(rows)):
        earlier = [j for j in range(i) if found.part[j]] if found.part[i] else []
        same = [float(vectors[i] @ vectors[j]) for j in earlier if said[i].same_facts(said[j])]
        assert fast.alike[i] == pytest.approx(max(same, default=-2.0), abs=1e-5)


# Both halves


def labelled(groups: int, each: int, noise: float, seed: int = 1) -> tuple[list[Labelled], Mapping[str, Floats]]:
    """Requests in groups far from each other, each with a label; `noise` is the share whose label is another's."""
    rng, rows, at = np.random.default_rng(seed), [], {}
    for g in range(groups):
        for n in range(each):
            text = f"this is my request of {'abcdefghijklmnopqrstuvwxyz'[g]}{'i' * (n + 1)}"
            centre = np.zeros(groups + 2)
            centre[g] = 1.0
            at[text] = unit(*(centre + rng.normal(0, 0.02, groups + 2)))
            rows.append(Labelled(text, f"label {(g + (rng.random() < noise)) % groups}"))
    return rows, at


def test_tuning_on_one_half_and_measuring_on_the_other() -> None:
    rows, at = labelled(10, 60, 0.0)
    found = tuned(rows, at.__getitem__)
    assert found.threshold is not None
    assert 0.6 < found.threshold < 1, "lower, the radius would reach the other groups"
    assert (found.requests, found.false_hits, found.why) == (300, 0, "")
    assert 280 < found.hits <= 290, "the first of each group is no hit"
    assert found.false_hit_bound == upper_bound(0, found.hits)
    assert (found.letter_hits, found.letter_false_hits) == (0, 0)


def test_labels_that_contradict_leave_no_threshold_and_the_figures_are_said() -> None:
    rows, at = labelled(10, 60, 0.3)
    found = tuned(rows, at.__getitem__)
    assert found.threshold is None
    assert found.why.startswith("No threshold holds")
    assert found.requests == 300


def test_nothing_alike_is_said_so() -> None:
    rows = [Labelled(f"request {'abcdefgh'[i % 8]}{'i' * i} {i % 900}", "ab"[i % 2]) for i in range(120)]
    found = tuned(rows, lambda text: unit(*np.eye(120)[len(text) % 120]))
    assert found.threshold is None
    assert "no request is alike enough to an earlier one" in found.why


def test_what_does_not_hold_on_the_other_half_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, at = labelled(10, 60, 0.0)
    for counts, says in (((100, 3), "3 of 100 hits are wrong, 3.0%"), ((0, 0), "no hits on the other half")):
        monkeypatch.setattr("playground.embedding_threshold.replayed", lambda requests, t, c=counts: c)
        found = tuned(rows, at.__getitem__)
        assert found.threshold is None
        assert says in found.why


def test_a_subject_is_compared_as_in_a_run_and_other_labels_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "labelled.csv"
    path.write_text(
        "text,label,subject\nwhere is it,card,My card\nhow much is it,bill,\nwho are you,small talk,Hello\n"
    )
    rows = tuple(read_labelled(path))
    assert rows[0].text == words_of(Ticket("1", "where is it", subject="My card"))
    assert rows[1].text == words_of(Ticket("2", "how much is it"))
    assert [x.label for x in of_labels(rows, ("card", "bill", "refund"))] == ["card", "bill"]
    with pytest.raises(BadInput, match="No label in the file is one that Intent gives.*one of: refund."):
        of_labels(rows, ("refund",))


def test_vectors_of_two_lengths_are_a_sentence() -> None:
    rows, at = labelled(4, 60, 0.0)
    odd = rows[0].text
    with pytest.raises(BadInput, match="not all vectors are of one length|Not all vectors"):
        tuned(rows, lambda text: unit(1, 0) if text == odd else at[text])


def test_ten_thousand_requests_take_seconds() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(MOST, 512)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    names = [f"request {'abcdefghij'[i % 10]}{'klmnopqrst'[i // 10 % 10]}{i // 100 * 'u'}" for i in range(MOST)]
    at = dict(zip(names, vectors, strict=True))
    started = time.perf_counter()
    found = tuned([Labelled(n, n[8]) for n in names], at.__getitem__)
    assert found.requests == MOST // 2
    assert time.perf_counter() - started < 60


# The file


def written(tmp_path: Path, text: str | bytes, name: str = "labelled.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_file_is_read(tmp_path: Path) -> None:
    read = LogRead()
    path = written(tmp_path, "Text,Label\nWhere is my card?,card\n,card\nMy money,\n")
    assert list(read_labelled(path, read)) == [Labelled("Where is my card?", "card")]
    assert [p.reason for p in read.problems] == [
        "labelled.csv, line 3: the text is empty.",
        "labelled.csv, line 4: the label is empty.",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty|no rows"),
        ("text,label\n", "no rows"),
        ("question,answer\na,b\n", "needs the columns text and label. Found: question, answer."),
        ("text,label\n,\n", "the text is empty"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_sentence(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        list(read_labelled(written(tmp_path, text)))


def test_too_few_one_label_and_too_many() -> None:
    rows = [Labelled(f"text {i}", f"label {i % 3}") for i in range(MOST + 5)]
    with pytest.raises(BadInput, match=f"The file has {LEAST - 1} different texts, and tuning takes {LEAST} at least"):
        enough(rows[: LEAST - 1])
    with pytest.raises(BadInput, match="the same label"):
        enough([replace(r, label="a") for r in rows[:LEAST]])
    assert enough(rows[:LEAST]) == tuple(rows[:LEAST])
    drawn = enough(rows)
    assert len(drawn) == MOST
    assert drawn == enough(rows)
    assert set(drawn) < set(rows)


# Turning texts into vectors


def answered(request: Request, watch: Watch) -> Completion:
    """Vectors by the length of each text."""
    found = tuple((1.0, float(len(m.content))) for m in request.prompt.messages)
    return Completion("", Usage(10 * len(found), 0, counted="provider"), "live", 0.1, vectors=found)


def embedding(complete: Complete = answered, record: Record = UNRECORDED, model: Model = MODEL) -> Embedding:
    return Embedding(model, complete, Biller("support", "kr-auto", "intent", "live", record))


TEXTS = [f"text {'n' * n}" for n in range(150)]


def test_texts_go_out_in_batches_and_each_once() -> None:
    sizes: list[int] = []

    def complete(request: Request, watch: Watch) -> Completion:
        sizes.append(len(request.prompt.messages))
        return answered(request, watch)

    known: dict[str, Floats] = {}
    costs = list(embedding(complete).run(TEXTS, known, QUIET))
    assert sizes == [BATCH, BATCH, 150 - 2 * BATCH]
    assert sum(c for c in costs if c is not None) == Decimal(1500) * Decimal("0.02") / 1_000_000
    assert set(known) == set(TEXTS)
    assert known[TEXTS[3]] == pytest.approx(unit(1, len(TEXTS[3])))
    assert wanted([Labelled(t, "a") for t in TEXTS], known) == []


def test_a_batch_is_no_longer_than_it_may_be() -> None:
    long = ["word " * 390 + "x" * n for n in range(60)]
    found = list(batches(long))
    assert [t for batch in found for t in batch] == long
    assert max(len(batch) for batch in found) <= BATCH_TOKENS // 390
    assert list(batches([])) == []
    assert list(batches(["word " * 20_000])) == [["word " * 20_000]]


def test_what_may_not_be_shared_is_not_sent() -> None:
    rows = [Labelled(t, "a") for t in ("My card", "My card", "Order 48151623", "the", "x@y.com is me")]
    assert wanted(rows, {}) == ["My card"]
    assert expected_usd(MODEL, ["My card"]) == Decimal("0.00000004")
    assert expected_usd(replace(MODEL, price=None), ["My card"]) is None
    assert expected_usd(MODEL, []) == 0


@pytest.mark.parametrize(
    "stop",
    [CallFailed("rate_limit", "Limits calls."), Cancelled(), HandedOver("run cap", "Over the cap."), "short"],
    ids=repr,
)
def test_what_was_embedded_before_it_stopped_is_kept(stop: Exception | str) -> None:
    def complete(request: Request, watch: Watch) -> Completion:
        if TEXTS[100] not in [m.content for m in request.prompt.messages]:
            return answered(request, watch)
        if isinstance(stop, Exception):
            raise stop
        return replace(answered(request, watch), vectors=((1.0,),))

    known: dict[str, Floats] = {}
    with pytest.raises(type(stop) if isinstance(stop, Exception) else BadInput):
        list(embedding(complete).run(TEXTS, known, QUIET))
    assert len(known) == BATCH
    rest = [t for t in TEXTS if t not in known]
    list(embedding().run(rest, known, QUIET))
    assert len(known) == 150


def test_receipts_stand_apart_from_tickets_in_the_ledger() -> None:
    with closing(Ledger(None)) as book:
        record = Recorder(book, make().router, "tuning", "live")
        list(embedding(record=record).run(TEXTS, {}, QUIET))
        (whole,) = book.spend(())
        assert whole.total.exact_usd == Decimal(1500) * Decimal("0.02") / 1_000_000
        assert whole.attempts == 3
        (tickets,) = book.spend((), Filter(purposes=("ticket", "sample")))
        assert tickets.attempts == 0
        kept = [k.entry for k in book.entries()]
        assert {(e.purpose, e.receipt.ticket_id, e.receipt.stage, e.before_usd) for e in kept} == {
            ("tuning", "tuning", "intent", None)
        }
        assert all(e.receipt.embedded for e in kept)


def test_a_cap_on_a_run_holds_and_what_it_lets_through_is_kept() -> None:
    purse = Purse(Decimal("0.00009"))
    complete = around((Caps(run=purse),), answered)
    known: dict[str, Floats] = {}
    with pytest.raises(HandedOver, match="could cross the cap on this run"):
        list(embedding(complete).run(TEXTS, known, QUIET))
    assert 0 < len(known) < 150
    assert purse.spent_usd <= purse.cap_usd
    with pytest.raises(HandedOver, match="zero"):
        list(embedding(around((Caps(run=Purse(Decimal(0))),), answered)).run(TEXTS, {}, QUIET))
    with pytest.raises(HandedOver, match="has no known price"):
        list(embedding(complete, model=replace(MODEL, price=None)).run(TEXTS, {}, QUIET))


def test_the_promise() -> None:
    assert MOST_FALSE == 0.02
    assert GRID[0] == 0.5
    assert GRID[-1] == 1.0
    assert wide_radius(GRID[0]) == 0
