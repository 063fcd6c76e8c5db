"""A replay counts what the caches themselves would have answered."""

from __future__ import annotations

import csv
from contextlib import closing
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.answer_store import Answers
from playground.cache import ExactCache
from playground.cache_replay import SemanticReplay, distinct_bound, exact_hits, nearest_answers, semantic_hits
from playground.errors import BadInput
from playground.hit_threshold import LEXICAL, upper_bound
from playground.records import OutputSpec
from playground.semantic_cache import SemanticCache
from playground.watch import Unwatched
from tests.calls import Answering, call

QUIET = Unwatched()
TEXTS = st.lists(st.tuples(st.sampled_from(["a", "b", "c", ""]), st.sampled_from("xy")), max_size=40)
WORDS = st.sampled_from(
    [
        "card",
        "cards",
        "my",
        "the",
        "refund",
        "reset",
        "not",
        "3",
        "1234",
        "transfer",
        "transferr",
        "tranfser",
        "why",
        "how",
    ]
)
SENTENCES = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)
LABELS = ["card", "money"]


@given(TEXTS)
def test_exact_hits_are_those_with_an_equal_one_before(asked: list[tuple[str, str]]) -> None:
    texts, tenants = [t for t, _ in asked], [c for _, c in asked]
    hits = exact_hits(texts, tenants)
    assert hits.tolist() == [pair in asked[:i] for i, pair in enumerate(asked)]
    assert distinct_bound(texts, tenants) == pytest.approx(hits.mean() if asked else 0)
    assert exact_hits(texts).sum() >= hits.sum()


@given(TEXTS, st.data())
@settings(deadline=None)
def test_exact_hits_with_times_are_those_of_the_store(asked: list[tuple[str, str]], data: st.DataObject) -> None:
    times = sorted(data.draw(st.lists(st.integers(0, 30).map(float), min_size=len(asked), max_size=len(asked))))
    at, found = [0.0], []
    with closing(Answers(None, ttl_s=10, now=lambda: at[0])) as answers:
        for (text, tenant), now in zip(asked, times, strict=True):
            at[0] = now
            found.append(answers.get(f"{tenant}{text}", tenant) is not None)
            if not found[-1]:
                answers.put(f"{tenant}{text}", tenant, "x")
    assert exact_hits([t for t, _ in asked], [c for _, c in asked], times, 10).tolist() == found


def test_an_answer_that_is_too_old_or_from_the_future_is_asked_for_again_and_then_young() -> None:
    assert exact_hits(["a"] * 5, None, [0, 9, 10, 19, 5], 10).tolist() == [False, True, False, True, False]


@given(st.lists(st.tuples(st.text(min_size=1, max_size=2), st.sampled_from("xy")), max_size=25))
@settings(deadline=None, max_examples=40)
def test_the_exact_cache_itself_hits_as_replayed(asked: list[tuple[str, str]]) -> None:
    with closing(Answers(None)) as answers:
        cache = ExactCache(answers, "live")
        found = [
            cache.call(call(t, c, output=OutputSpec("text")), QUIET, Answering("x")).source == "exact cache"
            for t, c in asked
        ]
    assert exact_hits([t for t, _ in asked], [c for _, c in asked]).tolist() == found


def live_hits(asked: list[tuple[str, str, str]], threshold: float) -> tuple[list[bool], int]:
    """What an exact and a semantic cache do: which tickets the semantic one answers, and how often with another label."""
    hits, wrong = [], 0
    with closing(Answers(None)) as answers:
        exact, semantic = ExactCache(answers, "live"), SemanticCache("live", threshold=threshold)
        for text, tenant, label in asked:
            model = Answering(f'{{"label": "{label}"}}')
            done = exact.call(call(text, tenant), QUIET, lambda r, w, m=model: semantic.call(r, w, m))  # type: ignore[misc]
            hits.append(done.source == "semantic cache")
            wrong += hits[-1] and label not in done.text
    return hits, wrong


@given(
    st.lists(st.tuples(SENTENCES, st.sampled_from("xy"), st.sampled_from(LABELS)), max_size=25),
    st.sampled_from([0.7, 0.8, 0.95]),
)
@settings(deadline=None, max_examples=80)
def test_the_semantic_cache_itself_hits_as_replayed(asked: list[tuple[str, str, str]], threshold: float) -> None:
    texts, tenants, labels = (list(column) for column in zip(*asked, strict=True)) if asked else ([], [], [])
    found, (hits, wrong) = semantic_hits(texts, tenants, labels, threshold), live_hits(asked, threshold)
    # The repeat of a text that the semantic cache answered is its hit again in a run; here it counts as exact.
    repeats = exact_hits(texts, tenants)
    assert [h for h, again in zip(hits, repeats, strict=True) if not again] == found.hits[~repeats].tolist()
    assert not (found.hits & repeats).any()
    if not repeats.any():
        assert found.false_hits == wrong


def test_semantic_shares() -> None:
    texts = ["reset my password", "how can I reset the password", "reset my pin", "reset my password", "my order 4711"]
    found = semantic_hits(texts)
    assert found.hits.tolist() == [False, True, False, False, False]
    assert (found.hit_share, found.compared, found.tickets, found.sampled) == (0.2, 5, 5, False)
    assert (found.false_hits, found.false_hit_share) == (None, LEXICAL.false_hit_share)
    labelled = semantic_hits(texts, labels=list("abcde"))
    assert (labelled.false_hits, labelled.false_hit_share) == (1, 1.0)
    assert semantic_hits(texts, tenants=list("abcde")).hit_share == 0
    assert semantic_hits(texts, threshold=0.7).false_hit_share is None


def test_a_long_log_is_replayed_from_its_end_and_says_so() -> None:
    texts = ["reset my password", "a card", "the card", "my card"]
    found = semantic_hits(texts, most=3, labels=np.zeros(4).tolist(), tenants=np.array(["x"] * 4))  # type: ignore[arg-type]
    assert (found.compared, found.tickets, found.sampled) == (3, 4, True)
    assert found.hits.tolist() == [False, True, True]


def test_an_empty_log() -> None:
    none = semantic_hits([], labels=[])
    assert (none.hit_share, none.false_hit_share, none.compared) == (0.0, None, 0)
    assert exact_hits([]).shape == (0,)
    assert distinct_bound([]) == 0
    assert [found.shape for found in nearest_answers([], [])] == [(0,), (0,)]


def test_nearest_answers_are_what_tuning_takes() -> None:
    alike, same = nearest_answers(
        ["reset my password", "reset the password", "pin?", "reset password now"], list("aaab")
    )
    assert alike[[0, 2]].tolist() == [0, 0]
    assert (alike[[1, 3]] > 0.8).all()
    assert same.tolist() == [False, True, False, False]


@pytest.mark.parametrize("threshold", [-0.1, 1.1])
def test_bad_input_is_a_sentence(threshold: float) -> None:
    with pytest.raises(BadInput, match="from 0 to 1"):
        semantic_hits(["a"], threshold=threshold)
    for wrong in (
        lambda: exact_hits(["a"], []),
        lambda: semantic_hits(["a"], labels=["a", "b"]),
        lambda: distinct_bound([], ["a"]),
    ):
        with pytest.raises(BadInput, match="lists of one length"):
            wrong()


def test_a_hundred_thousand_tickets_are_replayed_in_about_a_second() -> None:
    texts = [f"ticket number {i % 61_803}" for i in range(100_000)]
    started = perf_counter()
    hits = exact_hits(texts, [i % 61_803 % 10 for i in range(100_000)])
    assert perf_counter() - started < 2
    assert hits.sum() == 100_000 - 61_803


@pytest.fixture(scope="module")
def questions(shared: Path) -> list[tuple[str, str]]:
    with (shared / "tickets" / "banking77_train.csv").open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["category"]) for row in csv.DictReader(file)]


def test_the_shipped_figures_are_those_measured(questions: list[tuple[str, str]]) -> None:
    order = np.random.default_rng(0).permutation(np.arange(0, len(questions), 2)).tolist()
    found: SemanticReplay = semantic_hits([questions[i][0] for i in order], labels=[questions[i][1] for i in order])
    assert (found.compared, int(found.hits.sum()), found.false_hits) == (
        LEXICAL.requests,
        LEXICAL.hits,
        LEXICAL.false_hits,
    )
    assert upper_bound(LEXICAL.false_hits, LEXICAL.hits) == pytest.approx(LEXICAL.false_hit_bound, abs=1e-4)


def test_on_real_questions_the_cache_itself_hits_as_replayed(questions: list[tuple[str, str]]) -> None:
    order = np.random.default_rng(1).permutation(len(questions))[:600].tolist()
    texts, labels = [questions[i][0] for i in order], [questions[i][1] for i in order]
    semantic, hits = SemanticCache("live"), []
    known = dict.fromkeys(labels, "")
    for text, label in zip(texts, labels, strict=True):
        request = call(text)
        object.__setattr__(request.context, "labels", known)
        hits.append(semantic.call(request, QUIET, Answering(f'{{"label": "{label}"}}')).source == "semantic cache")
    assert semantic_hits(texts, labels=labels).hits.tolist() == hits
    assert 0 < sum(hits) < 60
