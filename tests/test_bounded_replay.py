"""Caches of a bounded age and size are replayed as the caches themselves would have answered."""

from __future__ import annotations

from contextlib import closing

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.answer_store import ROW_BYTES, Answers
from playground.bounded_replay import bounded_hits
from playground.cache_replay import exact_hits, semantic_hits
from playground.replay_limits import Limits
from playground.semantic_cache import SemanticCache
from playground.watch import Unwatched
from tests.calls import Answering, call

QUIET = Unwatched()
STEPS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4)), min_size=1, max_size=40)


def keys_of(values: list[int]) -> np.ndarray:
    return np.array(values, np.uint64).reshape(-1, 1)


@settings(max_examples=60)
@given(STEPS, st.integers(1, 8), st.integers(1, 5))
def test_hits_are_those_of_the_store_of_the_same_age_and_size(
    steps: list[tuple[int, int]], ttl: int, most: int
) -> None:
    """Steps are a prompt and the seconds since the one before."""
    clock, size = [0.0], ROW_BYTES + 3
    arrived = np.cumsum([gap for _, gap in steps]).tolist()
    found = bounded_hits(keys_of([key for key, _ in steps]), arrived, [size], ttl, most * size)
    with closing(Answers(None, ttl, most * size, lambda: clock[0])) as answers:
        for (key, _), at, hit in zip(steps, arrived, found[:, 0], strict=True):
            clock[0] = at
            assert (answers.get(str(key), "t") is not None) == hit
            if not hit:
                assert answers.put(str(key), "t", "x")


@given(STEPS)
def test_without_bounds_hits_are_the_repeats(steps: list[tuple[int, int]]) -> None:
    keys = [key for key, _ in steps]
    found = bounded_hits(keys_of(keys), [0.0] * len(keys), [1], 1.0, 1 << 60)
    assert found[:, 0].tolist() == exact_hits([str(k) for k in keys]).tolist()


def test_kinds_of_prompts_share_the_space_and_not_the_answers() -> None:
    keys = np.array([[1, 1], [1, 2], [2, 1]], np.uint64)
    assert bounded_hits(keys, [0, 1, 2], [10, 10], 60, 1_000).tolist() == [[False, False], [True, False], [False, True]]
    assert not bounded_hits(keys, [0, 1, 2], [10, 10], 60, 9).any()


SAID = st.sampled_from(
    [
        "reset my card please",
        "reset the card",
        "reset my cards",
        "transfer my refund",
        "transfer refund please",
        "refund",
    ]
)
TICKETS = st.lists(st.tuples(SAID, st.sampled_from("ab"), st.integers(0, 4)), min_size=1, max_size=30)


@settings(max_examples=60)
@given(TICKETS, st.integers(2, 9), st.integers(1, 4))
def test_semantic_hits_are_those_of_the_cache_of_the_same_age_and_size(
    asked: list[tuple[str, str, int]], ttl: int, most: int
) -> None:
    clock, label = [0.0], Answering('{"label": "other"}')
    cache = SemanticCache("live", threshold=0.7, ttl_s=ttl, most_entries=most, now=lambda: clock[0])
    arrived = np.cumsum([gap for *_, gap in asked]).tolist()
    live = []
    for (text, customer, _), at in zip(asked, arrived, strict=True):
        clock[0] = at
        request = call(text, customer)
        object.__setattr__(request.context, "labels", {"other": ""})
        live.append(cache.call(request, QUIET, label).source == "semantic cache")
    texts, tenants = [text for text, *_ in asked], [customer for _, customer, _ in asked]
    limits = Limits(np.zeros(len(asked), np.bool_), arrived, ttl, most)
    found = semantic_hits(texts, tenants, ["other"] * len(asked), 0.7, limits=limits)
    assert found.hits.tolist() == live
