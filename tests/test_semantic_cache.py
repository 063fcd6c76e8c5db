"""A wrong hit is worse than a miss: what is equal, what may differ, and what is done about everything that goes wrong."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.answer_store import Answers
from playground.cache import ExactCache, one_tenant
from playground.errors import BadInput
from playground.hit_threshold import GRID, LEXICAL, MOST_FALSE, RADIUS, tune, upper_bound
from playground.lexical import Said, shareable
from playground.loop import run_all
from playground.records import Candidate, Passage, Request, Usage
from playground.semantic_cache import SemanticCache, words_of
from playground.watch import Unwatched
from tests.calls import MODEL, USED, Answering, call
from tests.scripted import TICKET, Scripted, make

QUIET = Unwatched()
FIRST, AGAIN = "How do I reset my password?", "how can I reset the password, please"
NEAR = "Why do I reset my password?"


class Clock:
    """A clock that a test sets."""

    at = 1_000_000.0

    def __call__(self) -> float:
        return self.at


def cache(**changes: Any) -> SemanticCache:
    return SemanticCache(**{"provenance": "live", **changes})


def source(by: SemanticCache, request: Request, text: str = '{"label": "card"}') -> str:
    """Where the answer came from; a hit must hold what the model wrote before."""
    return by.call(request, QUIET, Answering(text)).source


def test_a_near_identical_request_gets_the_earlier_answer() -> None:
    by = cache()
    first = by.call(call(FIRST), QUIET, Answering('{"label": "card"}'))
    second = by.call(call(AGAIN), QUIET, Answering('{"label": "money"}'))
    assert (first.source, second.source) == ("model", "semantic cache")
    assert (second.text, second.usage, second.saved) == (first.text, Usage(0, 0, counted="provider"), USED)
    assert second.provenance == "live"
    assert second.latency_s is not None


def test_the_receipt_says_so() -> None:
    model, by = Scripted(), cache(tenant_of=one_tenant("us"))
    agent = replace(make(model), middleware=(by,))
    run_all(agent, TICKET, "kr-auto")
    again = replace(TICKET, id="t2", text="Where's my refund for the topic 3, please?", customer_id="other")
    trace = run_all(agent, again, "kr-auto")
    assert [r.stage for r in trace.receipts if r.source == "semantic cache"] == ["intent"]
    assert trace.receipts[0].saved_usd
    assert trace.receipts[0].cost_usd == 0
    assert len(model.requests) == 15


@pytest.mark.parametrize(
    "text",
    [
        "How do I reset my password not",
        "Why do I reset my password?",
        "How do I reset my 2 passwords?",
        "How do I reset my PIN?",
        "I reset my password and then it asked me for another one, how?",
    ],
)
def test_other_words_are_a_miss(text: str) -> None:
    by = cache()
    assert [source(by, call(FIRST)), source(by, call(text))] == ["model", "model"]


OTHERWISE = {
    "tenant": call(AGAIN, customer="other"),
    "no tenant": call(AGAIN, customer=None),
    "system message": call(AGAIN, system="Sort it well."),
    "subject": call(AGAIN, subject="Account"),
    "model": call(AGAIN, model=replace(MODEL, id="openai/other")),
    "endpoint": call(AGAIN, model=replace(MODEL, endpoint="http://127.0.0.1:1")),
    "effort": replace(call(AGAIN), candidate=Candidate(MODEL, "high")),
    "limit": replace(call(AGAIN), max_output_tokens=5),
    "schema": replace(call(AGAIN), output=replace(call().output, schema={"type": "object"})),
    "stage": call(AGAIN, stage="check"),
}


@pytest.mark.parametrize("what", OTHERWISE)
def test_all_else_must_be_equal(what: str) -> None:
    by = cache(stages=("intent", "check"))
    assert [source(by, call(FIRST)), source(by, OTHERWISE[what]), source(by, call(AGAIN))] == [
        "model",
        "model",
        "semantic cache",
    ]


def test_what_stands_around_the_ticket_must_be_equal_to_the_letter() -> None:
    """A customer's name, passages and a draft are in the user message."""

    def with_more(request: Request, more: str) -> Request:
        first, last = request.prompt.messages
        longer = replace(last, content=f"{last.content}\n<passages>\n{more}\n</passages>")
        return replace(request, prompt=replace(request.prompt, messages=(first, longer)))

    by = cache()
    assert source(by, with_more(call(FIRST), "One article")) == "model"
    assert source(by, with_more(call(AGAIN), "Two articles")) == "model"
    assert source(by, with_more(call(AGAIN), "One article")) == "semantic cache"


def test_a_prompt_that_does_not_show_the_ticket_takes_no_part() -> None:
    by = cache()
    hidden = replace(call(FIRST), prompt=call("Something else").prompt)
    assert [source(by, hidden), source(by, hidden)] == ["model", "model"]


def test_fenced_text_is_found_in_the_prompt() -> None:
    by = cache()
    assert source(by, call(f"{FIRST} </ticket>")) == "model"
    assert source(by, call(f"{AGAIN} </ticket>")) == "semantic cache"


@pytest.mark.parametrize(
    "text", ["My order 4711 is lost", "I am sam@example.com, where is it", "See https://example.com/x", "word " * 500]
)
def test_what_may_be_somebodys_is_never_shared(text: str) -> None:
    by = cache()
    assert [source(by, call(text)), source(by, call(text))] == ["model", "model"]


def test_neighbours_that_disagree_are_asked_again() -> None:
    by = cache()
    source(by, call(FIRST), '{"label": "card"}')
    source(by, call(NEAR), '{"label": "money"}')
    assert _alike(AGAIN, NEAR) > RADIUS
    assert not Said.of(FIRST).same_as(Said.of(NEAR))
    assert source(by, call(AGAIN)) == "model"


def test_neighbours_that_agree_do_not_stand_in_the_way() -> None:
    by = cache()
    for text in (FIRST, NEAR):
        source(by, call(text), '{"label": "card"}')
    assert source(by, call(AGAIN)) == "semantic cache"


def _alike(one: str, other: str) -> float:
    from playground.lexical import vectors

    return float((vectors([one]) @ vectors([other]).T).toarray()[0, 0])


def test_a_rehearsed_answer_is_not_kept_for_a_live_run() -> None:
    by = cache()
    by.call(call(FIRST), QUIET, Answering(provenance="rehearsal"))
    assert source(by, call(AGAIN)) == "model"


@pytest.mark.parametrize("bad", ['{"label": "?"}', '{"label": "ca', ""])
def test_a_bad_answer_is_not_kept(bad: str) -> None:
    by = cache()
    source(by, call(FIRST), bad)
    assert source(by, call(AGAIN)) == "model"


def test_an_answer_is_checked_against_the_call_it_is_served_to() -> None:
    by = cache()
    source(by, call(FIRST))
    fewer = replace(call(AGAIN), context=replace(call(AGAIN).context, labels={"money": ""}))
    assert source(by, fewer) == "model"


def test_answers_out_of_another_cache_are_not_kept_and_the_exact_one_keeps_none_of_ours() -> None:
    with closing(Answers(None)) as answers:
        outer, inner = ExactCache(answers, "live"), cache()

        def ask(text: str) -> str:
            return outer.call(call(text), QUIET, lambda r, w: inner.call(r, w, Answering())).source

        assert [ask(FIRST), ask(FIRST), ask(AGAIN), ask(AGAIN)] == [
            "model",
            "exact cache",
            "semantic cache",
            "semantic cache",
        ]


@pytest.mark.parametrize(("later_s", "found"), [(0, True), (59, True), (60, False), (-1, False)])
def test_time_and_clocks_that_jump(later_s: float, found: bool) -> None:
    clock = Clock()
    by = cache(ttl_s=60, now=clock)
    source(by, call(FIRST))
    clock.at += later_s
    assert (source(by, call(AGAIN)) == "semantic cache") is found


def test_a_tenant_can_be_forgotten() -> None:
    by = cache()
    for customer in ("acme", "other"):
        source(by, call(FIRST, customer=customer))
    assert (by.forget("acme"), by.forget("acme")) == (1, 0)
    assert [source(by, call(AGAIN, customer=c)) for c in ("acme", "other")] == ["model", "semantic cache"]


def test_it_holds_no_more_than_it_may_and_what_is_used_stays() -> None:
    by = cache(most_entries=3)
    for customer in ("a", "b", "c"):
        source(by, call(FIRST, customer=customer))
    assert source(by, call(AGAIN, customer="a")) == "semantic cache"
    source(by, call(FIRST, customer="d"))
    assert len(by._index) == 3
    assert [source(by, call(AGAIN, customer=c)) for c in "acd"] == ["semantic cache"] * 3
    for word in ("invoice", "webhook", "export", "login", "seat"):
        source(by, call(f"Where do I find the {word}", customer="e"))
    assert len(by._index) == 3
    assert source(by, call("where can I find a seat", customer="e")) == "semantic cache"


@pytest.mark.parametrize("changes", [{"ttl_s": 0}, {"ttl_s": -1}, {"most_entries": 0}])
def test_no_time_or_room_keeps_nothing_and_says_so(changes: dict[str, Any]) -> None:
    by = cache(**changes)
    assert by.problem.startswith("The cache keeps nothing")
    assert [source(by, call(FIRST)), source(by, call(FIRST))] == ["model", "model"]


@pytest.mark.parametrize("threshold", [1.01, -0.01, float("nan"), float("inf"), True, "0.8"])
def test_a_threshold_outside_of_0_to_1_is_a_sentence(threshold: Any) -> None:
    with pytest.raises(BadInput, match=r"threshold is .*: give a number from 0 to 1, such as 0.8\.$"):
        cache(threshold=threshold)


def test_thresholds_at_the_ends() -> None:
    never, often = cache(threshold=1.0), cache(threshold=0)
    for by in (never, often):
        source(by, call(FIRST))
    assert [source(by, call(AGAIN)) for by in (never, often)] == ["model", "semantic cache"]
    assert source(never, call(FIRST)) == "semantic cache"


@pytest.mark.parametrize("stages", [(), ("intent", "reply")])
def test_an_unknown_stage_is_a_sentence(stages: tuple[str, ...]) -> None:
    with pytest.raises(BadInput, match="name stages out of intent, rerank"):
        cache(stages=stages)


def test_only_intent_takes_part_unless_a_stage_is_named() -> None:
    for stages, last in (((), "model"), (("draft",), "semantic cache")):
        by = cache(stages=stages) if stages else cache()
        assert source(by, call(FIRST, stage="draft")) == "model"
        assert source(by, call(AGAIN, stage="draft")) == last


WORDS = st.sampled_from(
    ["card", "cards", "refund", "not", "my", "the", "3", "4", "reset", "login", "why", "from", "to", "4711", "@"]
)


@given(
    st.lists(
        st.tuples(st.lists(WORDS, min_size=1, max_size=4), st.sampled_from("ab"), st.sampled_from(["card", "money"])),
        max_size=25,
    )
)
@settings(deadline=None, max_examples=60)
def test_every_hit_comes_from_a_request_of_the_tenant_that_says_the_same(
    asked: list[tuple[list[str], str, str]],
) -> None:
    by = cache(threshold=0.7)
    stored: list[tuple[str, str, str]] = []
    for words, customer, label in asked:
        text, answer = " ".join(words), f'{{"label": "{label}"}}'
        done = by.call(call(text, customer), QUIET, Answering(answer))
        said = Said.of(words_of(call(text).context.ticket))
        same = {a for t, c, a in stored if c == customer and said.same_as(Said.of(t)) and _alike(t, text) > 0.69}
        if done.source == "semantic cache":
            assert shareable(text)
            assert same == {done.text}
        elif shareable(text):
            stored.append((text, customer, answer))


def test_threads_share_one() -> None:
    by, model = cache(), Answering()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: by.call(call(f"Where is the {'abcdefgh'[n % 8] * 9}"), QUIET, model), range(200)))
    assert {source(by, call(f"where is my {letter * 9}")) for letter in "abcdefgh"} == {"semantic cache"}


# The threshold


def test_upper_bound_agrees_with_the_binomial_distribution() -> None:
    from scipy.stats import binom

    for false, hits in ((0, 149), (1, 236), (3, 250), (10, 100)):
        assert binom.cdf(false, hits, upper_bound(false, hits)) == pytest.approx(0.05)
    assert upper_bound(0, 149) < MOST_FALSE < upper_bound(0, 148)
    assert (upper_bound(0, 0), upper_bound(5, 5)) == (1.0, 1.0)


def test_tuning_finds_the_lowest_threshold_with_few_enough_wrong_hits() -> None:
    alike = np.repeat([0.95, 0.85, 0.75, 0.0], [200, 200, 200, 400])
    same = np.ones(1000, np.bool_)
    same[[0, 200, 400, 401, 402, *range(410, 440)]] = False
    found = tune(alike, same)
    assert found is not None
    assert (found.threshold, found.requests, found.hits, found.false_hits) == (0.76, 1000, 400, 2)
    assert (found.hit_share, found.false_hit_share) == (0.4, 0.005)
    assert found.false_hit_bound == upper_bound(2, 400)
    stricter, looser = tune(alike, same, 0.005), tune(alike, same, 0.2)
    assert stricter is None
    assert looser is not None
    assert looser.threshold == GRID[0] == RADIUS


@pytest.mark.parametrize(("hits", "wrong", "enough"), [(48, 0, False), (49, 0, True), (98, 1, False), (99, 1, True)])
def test_tuning_needs_enough_hits(hits: int, wrong: int, enough: bool) -> None:
    same = np.arange(hits) >= wrong
    assert (tune(np.full(hits, 0.9), same) is not None) is enough
    assert tune([], []) is None


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=200), st.floats(0.01, 0.99))
def test_what_is_tuned_keeps_its_promise(pairs: list[tuple[float, bool]], most: float) -> None:
    found = tune([p[0] for p in pairs], [p[1] for p in pairs], most)
    for threshold in GRID:
        hits = [same for alike, same in pairs if alike >= threshold]
        passes = hits.count(False) + 1 <= most * (len(hits) + 1)
        if found is None or threshold < found.threshold:
            assert not passes
        elif threshold == found.threshold:
            assert passes
            assert (found.hits, found.false_hits) == (len(hits), hits.count(False))
            assert found.false_hit_share <= most


@pytest.mark.parametrize(
    ("similarities", "same", "most", "says"),
    [
        ([0.5], [True, False], 0.02, "two lists of one length"),
        ([[0.5]], [[True]], 0.02, "two lists of one length"),
        ([float("nan")], [True], 0.02, "must be a number"),
        ([0.5], [0.3], 0.02, "true or false"),
        ([0.5], [True], 0, "give a share between 0 and 1"),
        ([0.5], [True], 1.5, "give a share between 0 and 1"),
    ],
)
def test_bad_pairs_are_a_sentence(similarities: Any, same: Any, most: float, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        tune(similarities, same, most)


def test_the_shipped_threshold_is_dated_and_keeps_under_two_percent() -> None:
    assert LEXICAL.as_of is not None
    assert "banking77" in LEXICAL.measured_on
    assert RADIUS < LEXICAL.threshold < 1
    assert LEXICAL.false_hit_share <= MOST_FALSE
    assert LEXICAL.false_hit_bound == pytest.approx(upper_bound(LEXICAL.false_hits, LEXICAL.hits), abs=1e-4)
    assert cache().threshold == LEXICAL.threshold


def test_passages_are_compared_through_the_prompt() -> None:
    """The loop puts passages into the user message; here they differ in the context alone, which no model sees."""
    by = cache()
    source(by, call(FIRST))
    elsewhere = replace(call(AGAIN), context=replace(call(AGAIN).context, passages=(Passage("a", "A", "a"),)))
    assert source(by, elsewhere) == "semantic cache"
