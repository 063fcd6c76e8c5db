"""What caching would have saved on a log: hits by hand, order, age, customers, money, and how it ends when it is stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from math import exp
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.batch_costs import PICO
from playground.cache_replay import distinct_bound
from playground.cache_share import CacheSavings, PrefixUse
from playground.charts.caching import prefix_by_volume, saved_by_stage
from playground.hit_threshold import LEXICAL
from playground.knowledge import SAMPLES, sample_help_centre, sample_policies
from playground.log_caching import Arrivals, CacheRules, LogCaching, replay_log, words_wanted
from playground.log_pricing import ROUTED, PricedBatch, price_batch
from playground.log_tickets import NO_TIME, LogTickets
from playground.logs import Columns
from playground.options import Settings
from playground.pipeline import load_shipped
from playground.prompt_caching import SECONDS_IN_MONTH, CachedPrefix
from playground.runtime import ExactCache, Runtime
from playground.ui.caching_work import CHANGED, CachingWork, Source
from playground.workshop import make_router

D = Decimal
FLOW = load_shipped("support")
HOUR = 3_600
PRICE = partial(price_batch, router=make_router(FLOW), help_centre=sample_help_centre(), policies=sample_policies())


def priced(
    texts: Sequence[str], customers: Sequence[str] = (), days: Sequence[int] = (), **more: object
) -> PricedBatch:
    n = len(texts)
    tickets = LogTickets(
        tuple(map(str, range(n))), tuple(texts), ("",) * n, tuple(customers) or ("acme",) * n,
        np.array(days or [739_000] * n, np.int32), **more,  # type: ignore[arg-type]
    )  # fmt: skip
    return PRICE(tickets)


def replayed(
    batch: PricedBatch, texts: Sequence[str], seconds: Sequence[int] = (), rules: CacheRules | None = None
) -> LogCaching:
    at = np.array(seconds or [NO_TIME] * len(texts), np.int32)
    return replay_log(batch, FLOW, Arrivals(at, dict(enumerate(texts))), rules or CacheRules())


INVOICE, CARD = "Where is my invoice?", "My card was declined today."


def test_a_repeat_is_served_at_every_stage_and_costs_nothing() -> None:
    texts = [INVOICE, CARD, INVOICE, INVOICE]
    batch = priced(texts)
    found = replayed(batch, texts, [0, HOUR, 2 * HOUR, 3 * HOUR])
    assert (found.order, found.savings.exact_hit_share, found.distinct_bound) == ("time", 0.5, 0.5)
    assert {s.hit_share for s in found.stages} == {0.5}
    repeat = D(int(batch.ticket_costs(ROUTED)[2])) / PICO
    assert found.savings.exact_saving_usd_per_ticket == 2 * repeat / 4
    assert found.savings.one_round_usd == sum(D(int(c)) for c in batch.ticket_costs(ROUTED)) / PICO / 4


def test_customers_never_share_an_answer() -> None:
    texts = [INVOICE] * 4
    found = replayed(priced(texts, ["a", "b", "a", "c"]), texts)
    assert (found.savings.exact_hit_share, found.distinct_bound, found.customers) == (0.25, 0.25, 3)


def test_an_answer_that_is_too_old_is_asked_for_again() -> None:
    texts = [INVOICE] * 3
    rules = CacheRules(ttl_s=2 * HOUR)
    by_time = replayed(priced(texts), texts, [0, HOUR, 3 * HOUR], rules)
    assert (by_time.savings.exact_hit_share, by_time.distinct_bound) == (1 / 3, pytest.approx(2 / 3))
    by_day = replayed(priced(texts, days=[739_000, 739_000, 739_001]), texts, (), rules)
    assert (by_day.order, by_day.savings.exact_hit_share) == ("day", 1 / 3)


def test_tickets_are_asked_in_order_of_arrival_and_not_of_the_file() -> None:
    """The second row came first, an hour before the last; the first came a day after."""
    texts = [INVOICE] * 3
    found = replayed(
        priced(texts, days=[739_001, 739_000, 739_000]), texts, [HOUR, 0, HOUR], CacheRules(ttl_s=2 * HOUR)
    )
    assert found.savings.exact_hit_share == 1 / 3


def test_without_dates_the_file_s_order_holds_and_nothing_grows_old() -> None:
    texts = [INVOICE] * 3
    found = replayed(priced(texts, days=[0, 0, 0]), texts, (), CacheRules(ttl_s=1))
    assert (found.order, found.tickets, found.left_out) == ("file", 3, 0)
    assert found.savings.exact_hit_share == pytest.approx(2 / 3)


def test_tickets_without_a_date_are_left_out_where_others_have_one() -> None:
    texts = [INVOICE] * 3
    found = replayed(priced(texts, days=[739_000, 0, 739_000]), texts)
    assert (found.tickets, found.left_out, found.savings.exact_hit_share) == (2, 1, 0.5)


def test_answers_that_find_no_room_serve_nobody() -> None:
    texts = [INVOICE, CARD, INVOICE]
    assert replayed(priced(texts), texts, (), CacheRules(most_bytes=1_000)).savings.exact_hit_share == 0
    room_for_one = replayed(priced(texts), texts, (), CacheRules(most_bytes=14_000))
    assert room_for_one.savings.exact_hit_share == 0
    assert (
        replayed(priced([INVOICE] * 2), texts[:1] * 2, (), CacheRules(most_bytes=14_000)).savings.exact_hit_share == 0.5
    )


@given(st.lists(st.tuples(st.sampled_from([INVOICE, CARD, "Help"]), st.sampled_from("ab")), min_size=1, max_size=12))
def test_without_bounds_the_hits_are_the_bound(asked: list[tuple[str, str]]) -> None:
    texts, customers = [t for t, _ in asked], [c for _, c in asked]
    found = replayed(priced(texts, customers), texts)
    assert found.savings.exact_hit_share == pytest.approx(distinct_bound(texts, customers))
    assert found.distinct_bound == pytest.approx(distinct_bound(texts, customers))


SAME = ["How do I change the card we pay with?", "How do I change the card that we pay with?"]


def test_a_question_in_nearly_the_same_words_saves_its_label_alone() -> None:
    batch = priced(SAME)
    found = replayed(batch, SAME)
    assert (found.savings.exact_hit_share, found.savings.semantic_hit_share) == (0, 0.5)
    intent = D(int(batch.costs[ROUTED][1, 0])) / PICO
    assert found.savings.semantic_saving_usd_per_ticket == intent / 2
    assert [s.semantic_usd > 0 for s in found.stages] == [True, False, False, False, False, False]
    assert not found.from_labels
    assert found.savings.semantic_false_hit_share == LEXICAL.false_hit_share
    assert replayed(batch, SAME, (), CacheRules(threshold=0.7)).savings.semantic_false_hit_share is None


def test_on_labels_wrong_hits_are_counted() -> None:
    """Neighbours have to agree, so a hit is wrong only where its own label is another one."""
    wrong = replayed(priced(SAME, labels=("card", "seats")), SAME)
    assert (wrong.from_labels, wrong.savings.semantic_false_hit_share) == (True, 1.0)
    right = replayed(priced(SAME, labels=("card", "card")), SAME)
    assert right.savings.semantic_false_hit_share == 0
    assert right.savings.wrong_per_month(1_000) == 0
    assert wrong.savings.wrong_per_month(1_000) == 500


def test_what_the_exact_cache_serves_never_reaches_the_semantic_one() -> None:
    texts = [INVOICE] * 3
    found = replayed(priced(texts), texts, [0, 1, 2])
    assert (found.savings.exact_hit_share, found.savings.semantic_hit_share) == (pytest.approx(2 / 3), 0)


def test_only_the_last_tickets_are_compared_by_their_words() -> None:
    texts = ["one", "two", "three"]
    batch = priced(texts, days=[739_002, 739_000, 739_001])
    assert words_wanted(batch, 2).tolist() == [True, False, True]
    found = replay_log(batch, FLOW, Arrivals(np.zeros(3, np.int32), {0: "one", 2: "three"}), CacheRules())
    assert (found.semantic.compared, found.semantic.tickets, found.semantic.sampled) == (2, 3, True)


# The provider's cache


def test_the_fixed_part_is_counted_on_the_calls_that_are_left_and_as_late_as_the_log_came() -> None:
    texts = [INVOICE, CARD, INVOICE]
    router = make_router(FLOW, Settings(pins={s.key: "claude-sonnet-4-6" for s in FLOW.stages}))
    tickets = LogTickets(("1", "2", "3"), tuple(texts), ("",) * 3, ("a",) * 3, np.full(3, 739_000, np.int32))
    batch = PRICE(tickets, router=router)
    found = replayed(batch, texts, [0, 200, 900])
    uses = {p.alone.stage: p for p in found.savings.prefixes}
    assert set(uses) == {"draft", "check", "respond"}
    draft, left = uses["draft"].alone, uses["draft"].left
    assert (draft.read_usd, draft.extra_usd) == (1_362 * D("2.7") / 1_000_000, 1_362 * D("3.45") / 1_000_000)
    assert left.share == pytest.approx(2 / 3)
    # The first wrote and the last came 700 s after the one before; 5 minutes is what Anthropic keeps it.
    assert found.late["draft", "claude-sonnet-4-6"] == pytest.approx(2 / 3)
    n = 5_000
    written = exp(-n * 300 / SECONDS_IN_MONTH)
    assert float(draft.saved_usd(n)) == pytest.approx(1_362 * (2.7 - written * 3.45) / 1e6)
    assert found.savings.prefix_saving_usd_per_ticket(100) < 0 < found.savings.prefix_saving_usd_per_ticket(n)


def savings(**changes: object) -> CacheSavings:
    use = CachedPrefix("draft", "m", 300.0, D("0.004"), D("0.005"))
    uses = (PrefixUse(use, use.part(D("0.5"))),)
    plain = CacheSavings(0.5, D("0.01"), 0.1, D("0.001"), 0.02, uses, D("0.04"))
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_a_month_adds_up() -> None:
    found, n = savings(), 1e9
    assert found.by_cache(n) == {"exact": D(10_000_000), "semantic": D(1_000_000), "prefix": D(2_000_000)}
    assert found.saving_usd_per_ticket(n) == D("0.013")
    assert found.prefix_saving_usd_per_ticket(n, alone=True) == D("0.004")
    assert found.wrong_per_month(1_000) == pytest.approx(2)
    assert savings(semantic_false_hit_share=None).wrong_per_month(1_000) is None


@pytest.mark.parametrize(
    ("exact", "semantic", "share"),
    [(True, True, 0.275), (True, False, 0.25), (False, True, 0.025), (False, False, None)],
)
def test_a_month_takes_the_share_of_the_caches_that_are_on(exact: bool, semantic: bool, share: float | None) -> None:
    assert savings().served_share(exact, semantic) == share


def test_the_charts_say_what_they_find() -> None:
    texts = [INVOICE, CARD, INVOICE]
    found = replayed(priced(texts), texts)
    chart = saved_by_stage(found, {"draft": "Draft"}, 10_000)
    assert chart.title.startswith("All three caches would take ")
    assert "Draft" in str(chart.chart.to_dict())
    rare = prefix_by_volume(savings(), 1_000)
    # 0.004 saved and 0.005 more to write: -ln(0.8) x 8,766 tickets a month at one each 5 minutes.
    assert "below about 2,000 tickets a month" in rare.title
    assert "1,000 tickets a month, the marked point" in rare.alt
    assert prefix_by_volume(savings(prefixes=()), 1_000).chart is None
    dearer = replace(found, savings=savings(exact_saving_usd_per_ticket=D(0), semantic_saving_usd_per_ticket=D(0)))
    assert saved_by_stage(dearer, {}, 1).title.startswith("All three caches would add ")


def test_rules_are_the_file_s_and_what_is_off_is_replayed_as_if_it_were_on() -> None:
    assert CacheRules.of(Runtime()) == CacheRules(24 * HOUR, 200_000_000, LEXICAL.threshold)
    own = Runtime(exact_cache=ExactCache(2.0, 1.0), semantic_cache=0.9)
    assert CacheRules.of(own) == CacheRules(2 * HOUR, 1_000_000, 0.9)


# In the background


def source(path: Path, batch: PricedBatch | None = None) -> Source:
    return Source(path, None, FLOW, PRICE, batch)


def test_the_sample_log_is_measured_from_its_file() -> None:
    work = CachingWork(source(SAMPLES / "log.csv"), CacheRules()).start(30)
    assert not work.error
    assert work.found is not None
    assert (work.found.tickets, work.found.order, work.found.customers) == (600, "time", 90)
    assert 0 < work.found.savings.exact_hit_share <= work.found.distinct_bound < 0.02


def test_a_file_that_changed_since_it_was_priced_is_said(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("id,text\n1,Hello\n2,There\n")
    other = priced(["Hello", "There"])
    work = CachingWork(Source(path, Columns("text", id="id"), FLOW, PRICE, other), CacheRules()).start(10)
    assert (work.error, work.found) == (CHANGED, None)


def test_a_log_whose_pricing_was_cut_short_is_replayed_as_far(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("id,text\n0,Hello\n1,There\n2,Again\n")
    work = CachingWork(Source(path, None, FLOW, PRICE, priced(["Hello", "There"])), CacheRules()).start(10)
    assert not work.error
    assert work.found is not None
    assert work.found.tickets == 2


def test_stopped_work_finds_nothing_and_says_no_error() -> None:
    work = CachingWork(source(SAMPLES / "log.csv"), CacheRules())
    work.cancel()
    work.start(10)
    assert (work.running, work.found, work.error, work.cancelled) == (False, None, "", True)


def test_an_internal_error_is_one_sentence_without_a_ticket_s_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> LogCaching:
        raise RuntimeError("SECRET TEXT")

    monkeypatch.setattr("playground.ui.caching_work.replay_log", broken)
    work = CachingWork(source(SAMPLES / "log.csv"), CacheRules()).start(30)
    assert "RuntimeError" in work.error
    assert "SECRET" not in work.error
