"""A priced log as a month, against sums by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from math import exp
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.batch_costs import PICO, UNPRICED, exact_sum
from playground.cli import main
from playground.forecast import Assumptions, break_even_tickets, month
from playground.knowledge import SAMPLES, sample_help_centre, sample_policies
from playground.levers import MARKET
from playground.log_forecast import FEWEST_CUSTOMERS, LogForecast, heavy, log_forecast
from playground.log_json import as_json
from playground.log_levers import log_levers
from playground.log_pricing import PricedBatch, merged, price_all, price_batch
from playground.log_summary import summary
from playground.logs import LogRead, read_log
from playground.pipeline import load_shipped
from playground.prompt_caching import SECONDS_IN_MONTH
from playground.records import PLANS
from playground.workshop import make_router

D = Decimal


def made(
    before: list[int],
    routed: list[int],
    rounds: list[int] | None = None,
    customers: list[str] | None = None,
    prompts: list[int] | None = None,
    reference: int = 0,
) -> PricedBatch:
    """A log of one stage, in whole dollars."""
    n = len(before)

    def column(values: list[int]) -> np.ndarray:
        return np.array(values, np.int64) * PICO

    return PricedBatch(
        ids=np.array([str(i) for i in range(n)], object),
        customers=np.array(customers or [""] * n, object),
        days=np.arange(n, dtype=np.int32) + 739_000,
        rounds=np.array(rounds or [0] * n, np.int32),
        satisfaction=np.full(n, np.nan, np.float32),
        labels=np.array([""] * n, object),
        stages=("draft",),
        costs={p: column(v).reshape(n, 1) for p, v in zip(PLANS, (before, before, routed), strict=True)},
        assured={"estimated": column(routed), "proven": column(before)},
        answers={p: column(v) // 2 for p, v in zip(PLANS, (before, before, routed), strict=True)},
        cached=column(routed).reshape(n, 1) // 5,
        reference=column([reference] * n),
        prompts={"ticket": np.array(prompts or range(n), np.uint64)},
        slots=("ticket",),
        input_tokens=np.ones((n, 1), np.int32),
        models={(p, "draft"): {"m": n} for p in PLANS},
        hard=np.zeros(n, np.bool_),
    )


def cached(batch: PricedBatch, extra: float = 0.0) -> PricedBatch:
    """What a warm cache takes off kr-auto, as one stage's fixed part; writing costs `extra` dollars a ticket more than reading."""
    n, read = len(batch.ids), int(batch.cached.sum())
    sums = {"tickets": n, "read_pico_usd": read, "extra_pico_usd": int(n * extra * PICO)}
    return replace(batch, prefixes={("kr-auto", "draft", "m", 300.0): sums, ("estimated", "draft", "m", 300.0): sums})


def forecast(batch: PricedBatch) -> LogForecast:
    found = log_forecast(batch)
    assert found is not None
    return found


def test_means_are_those_of_the_tickets_and_rounds_weigh_by_cost() -> None:
    found = forecast(made([4, 4], [1, 3], rounds=[1, 3]))
    spend = found.spends["kr-auto"]
    assert (spend.one_round_usd, spend.answers_usd) == (D(2), D(1))
    assert spend.rounds == D("2.5")  # (1 x 1 + 3 x 3) / 4
    assert found.again is not None
    assert (found.again.known, found.again.share, found.again.rounds) == (2, 0.5, 2.0)


def test_rounds_that_no_ticket_gives_are_assumed() -> None:
    found = forecast(made([4, 4], [1, 3]))
    assert found.again is None
    assert (found.spends["before"].rounds, found.spends["before"].with_rounds) == (None, None)
    assert month(found.spends["before"], Assumptions(1_000, 0.5, 1.0, retry_share=0)).repeats_usd == D(2_000)


def test_one_ticket_gives_no_range() -> None:
    found = forecast(made([4], [1]))
    assert (found.spends["before"].one_round, found.saving) == (None, None)
    assert found.method == "no range: n = 1"


def test_tickets_that_all_cost_the_same_give_no_range_of_no_width() -> None:
    found = forecast(made([4] * 50, [1] * 50))
    assert found.spends["before"].one_round is None
    assert found.method == "no range: every ticket cost the same"


def test_a_range_holds_its_estimate_and_the_paired_saving_is_surer_than_either() -> None:
    rng = np.random.default_rng(1)
    before = [int(c) + 5 for c in rng.lognormal(3, 1, 300)]
    batch = made(before, [c - 4 for c in before])
    found = forecast(batch)
    for plan in ("before", "kr-auto"):
        spend = found.spends[plan]  # type: ignore[index]
        assert spend.one_round is not None
        assert spend.one_round[0] < 1 < spend.one_round[1]
    assert found.saving is None  # four dollars on every ticket: there is nothing to be unsure of


def test_customers_are_resampled_and_the_nameless_are_on_their_own() -> None:
    n = 40
    many = forecast(made(list(range(1, n + 1)), [1] * n, customers=[f"c{i // 2}" for i in range(n - 4)] + [""] * 4))
    assert (many.unit, many.clusters, many.method) == ("customer", (n - 4) // 2 + 4, "bootstrap-t over 22 customers")
    alone = forecast(made([1] * n, [1] * n, customers=[f"c{i}" for i in range(n)]))
    assert (alone.unit, alone.clusters) == ("ticket", n)


def test_a_few_customers_say_too_little_of_others_for_a_range() -> None:
    n = FEWEST_CUSTOMERS * 10
    few = forecast(made(list(range(1, n + 1)), [1] * n, customers=[f"c{i % (FEWEST_CUSTOMERS - 1)}" for i in range(n)]))
    assert few.spends["before"].one_round is None
    assert few.method.startswith("no range: 7 customers")


def test_tickets_of_one_customer_that_are_alike_widen_the_range() -> None:
    rng = np.random.default_rng(2)
    costs = [int(c) for c in np.repeat(rng.lognormal(4, 1, 60), 10)]
    apart = forecast(made(costs, costs)).spends["before"].one_round
    together = forecast(made(costs, costs, customers=[f"c{i // 10}" for i in range(600)])).spends["before"].one_round
    assert apart is not None
    assert together is not None
    assert together[1] - 1 > 2 * (apart[1] - 1)


def test_only_tickets_that_say_how_often_they_came_back_count_for_it() -> None:
    found = forecast(made([4] * 100, [1] * 100, rounds=[3] * 10 + [0] * 90))
    assert found.spends["before"].rounds == 3
    assert found.again is not None
    assert (found.again.known, found.again.rounds) == (10, 2.0)


def test_rounds_that_cannot_be_right_are_not_used_and_said() -> None:
    found = forecast(made([4] * 50, [1] * 50, rounds=[500] * 50))
    assert found.again is None
    assert (found.odd_rounds, found.spends["before"].rounds) == (500, None)


def test_rounds_times_costs_do_not_overflow() -> None:
    dear = made([900] * 4_000, [900] * 4_000, rounds=[19] * 4_000)
    spend = forecast(dear).spends["before"]
    assert (spend.one_round_usd, spend.rounds) == (D(900), D(19))
    many = np.full(2_000_000, 10**14)
    assert exact_sum(many, np.full(2_000_000, 1_000)) == 2_000_000 * 10**14 * 1_000


def test_the_range_of_one_round_goes_with_assumed_rounds() -> None:
    rng = np.random.default_rng(4)
    found = forecast(made([100] * 299 + [101], [1] * 300, rounds=[int(r) for r in rng.integers(1, 6, 300)])).spends[
        "before"
    ]
    assert found.one_round is not None
    assert found.with_rounds is not None
    assert found.range(Assumptions()) == found.with_rounds
    assert found.range(Assumptions(own_rounds=False)) == found.one_round
    assert found.with_rounds[1] > found.one_round[1]


def test_a_ticket_without_a_price_under_one_plan_is_left_out_of_all() -> None:
    batch = made([4, 4, 4], [1, 3, 5])
    batch.costs["kr-auto"][2, 0] = UNPRICED
    found = forecast(batch)
    assert (found.tickets, found.left_out) == (2, 1)
    assert found.spends["before"].one_round_usd == 4
    batch.costs["kr-auto"][:, 0] = UNPRICED
    assert log_forecast(batch) is None


def test_the_dearest_one_in_a_hundred_is_warned_of() -> None:
    found = forecast(made([1] * 99 + [101], [1] * 100))
    assert [(plan, share) for plan, share in heavy(found) if plan == "before"] == [("before", D("0.505"))]
    assert not [plan for plan, _ in heavy(forecast(made([1] * 100, [1] * 100)))]


def test_the_volume_is_that_of_the_log_in_an_average_month() -> None:
    assert forecast(made([1] * 10, [1] * 10)).tickets_per_month == 30  # one a day, 30.4 days


def test_one_mistyped_year_does_not_stretch_the_month() -> None:
    batch = made([1] * 300, [1] * 300)
    batch.days[:] = 739_000 + np.arange(300) // 10
    batch.days[7] -= 3_653
    found = forecast(batch)
    assert found.far == 1
    assert 295 <= (found.tickets_per_month or 0) <= 315


def test_the_levers_by_hand() -> None:
    found = forecast(cached(made([4] * 4, [2] * 4, rounds=[1, 1, 2, 2], prompts=[7, 7, 8, 9], reference=10)))
    a = Assumptions(1_000, escalation_share=0.1, human_cost_usd=D(5), fixed_cost_usd=D(100), retry_share=0.125)
    levers = {v.name: v.usd for v in log_levers(found, a)}
    assert levers == {
        "2025 models": D(10_000), MARKET: D(-6_000), "Before": D(4_000), "Tiers": D(0), "Stratified": D(4_000),
        "Routing": D(-2_000), "kr-auto": D(2_000),
        "Prompt caching": D(-400),           # a fifth of 2
        "Repeated tickets, cached": D(-400),  # one of four, at 1.6
        "Failed attempts": D(150),            # an eighth of 1.2
        "Tickets that come back": D(675),     # half of what is left
        "People, escalated": D(500), "Fixed cost": D(100), "All in, both caches": D(2_625),
    }  # fmt: skip


def test_prompt_caching_saves_less_the_more_seldom_tickets_come_and_then_costs_more() -> None:
    """Half of 2 USD a ticket is fixed text: reading it saves 0.4, and writing it would cost 0.5 more than that."""
    found = forecast(cached(made([4] * 4, [2] * 4, prompts=[7, 7, 8, 9]), 0.5))
    spend, levels = found.spends["kr-auto"], found.levels
    assert (spend.cached_usd(0), spend.cached_usd(1e9)) == (D("2.1"), D("1.6"))
    once_in_five_minutes = SECONDS_IN_MONTH / 300
    assert float(spend.cached_usd(once_in_five_minutes)) == pytest.approx(1.6 + 0.5 * exp(-1))
    # One of four repeats: 2 USD less what the prompt cache takes off already, which is 0.4 where it is warm.
    assert levels.repeated_at(spend.prefixes, 1e9) == D("0.4")
    assert levels.repeated_at(spend.prefixes, 0) == D("0.4") + D("0.1") * D("1.25")
    assert levels.repeated_at((), 1_000) == D("0.5")
    by_name = {v.name: v.usd for v in log_levers(found, Assumptions(1_000))}
    assert by_name["Prompt caching"] == (spend.cached_usd(1_000) * 1_000).quantize(D("1e-6")) - 2_000
    assert "Prompt caching" not in {v.name for v in log_levers(found.without_prompt_cache(), Assumptions(1_000))}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50), st.integers(0, 3)), min_size=2, max_size=8),
    st.integers(1_000, 10_000_000),
    st.floats(0, 1),
    st.decimals(0, 50, places=2),
    st.decimals(0, 10_000, places=2),
)
def test_the_levers_add_up_to_the_last_digit(
    costs: list[tuple[int, int, int]], n: int, escalated: float, person: Decimal, fixed: Decimal
) -> None:
    batch = made([c[0] for c in costs], [c[1] for c in costs], [c[2] for c in costs], prompts=[c[1] for c in costs])
    a = Assumptions(n, escalation_share=escalated, human_cost_usd=person, fixed_cost_usd=fixed)
    level = D(0)
    for lever in log_levers(forecast(batch), a):
        if lever.is_level:
            assert level in (D(0), lever.usd)
            level = lever.usd
        else:
            level += lever.usd


@pytest.fixture(scope="module")
def sample_log() -> tuple[PricedBatch, LogRead]:
    read = LogRead()
    router = make_router(load_shipped("support"))
    batches = price_all(
        read_log(SAMPLES / "log.csv", None, read),
        lambda b: price_batch(b, router, sample_help_centre(), sample_policies()),
    )
    return merged(batches), read


def test_the_shipped_log_is_whole_and_shows_every_part_of_a_month(sample_log: tuple[PricedBatch, LogRead]) -> None:
    batch, read = sample_log
    assert (len(batch.ids), read.left_out, read.problems) == (600, 0, [])
    found = forecast(batch)
    assert found.unit == "customer"
    assert found.again is not None
    assert found.repeats == 7  # a customer's own; 50 or so ask what another one asked
    assert 550 <= (found.tickets_per_month or 0) <= 650
    assert found.spends["kr-auto"].one_round_usd < found.spends["before"].one_round_usd
    assert found.assured["estimated"].one_round_usd == found.spends["kr-auto"].one_round_usd
    assert found.assured["proven"].one_round_usd == found.spends["before"].one_round_usd


def test_the_month_is_the_waterfall_without_the_cache_of_whole_answers(
    sample_log: tuple[PricedBatch, LogRead],
) -> None:
    found, a = forecast(sample_log[0]), Assumptions()
    bare = replace(found, levels=replace(found.levels, repeated_usd=D(0), repeated_read_usd=D(0)))
    all_in = log_levers(bare, a)[-1].usd
    assert month(found.spends["kr-auto"], a).prompt_cache_usd < 0
    assert all_in == pytest.approx(month(found.spends["kr-auto"], a).all_in_usd, abs=D("0.000001"))


def test_the_command_prints_the_same_figures(
    sample_log: tuple[PricedBatch, LogRead], capsys: pytest.CaptureFixture[str]
) -> None:
    batch, read = sample_log
    assert main(["price", str(SAMPLES / "log.csv"), "--json", "--volume", "20,000", "--escalated", "5"]) == 0
    printed = json.loads(capsys.readouterr().out)
    a = Assumptions(20_000, escalation_share=0.05)
    assert printed == json.loads(
        json.dumps(as_json(batch, [summary(batch, p) for p in PLANS], read, log_forecast(batch), a))
    )
    assert printed["month"]["assumptions"]["tickets_per_month"] == 20_000
    assert main(["price", str(SAMPLES / "log.csv"), "--json", "--volume", "20,000", "--fixed-usd", "5000"]) == 0
    plans, fixed = json.loads(capsys.readouterr().out)["month"]["plans"], Assumptions(20_000, fixed_cost_usd=D(5_000))
    for plan, spend in forecast(batch).spends.items():
        assert plans[plan]["break_even_tickets"] == break_even_tickets(spend, replace(fixed, own_rounds=True))
        assert plans[plan]["break_even_tickets"] > 1_000
    assert sum(d["tickets"] for d in printed["plans"]["before"]["days"]) == 600


@pytest.mark.parametrize(
    "option",
    [
        ["--volume", "0"],
        ["--growth", "nan"],
        ["--growth", "-200"],
        ["--escalated", "101"],
        ["--person-usd", "-1"],
        ["--again", "x"],
    ],
)
def test_an_impossible_assumption_is_refused(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["price", str(SAMPLES / "log.csv"), *option])
    assert option[0] in capsys.readouterr().err


@pytest.mark.parametrize("plan", PLANS)
def test_one_plan_alone_has_a_month_and_no_levers(
    plan: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "log.csv"
    path.write_text("text\nWhere is my invoice?\nI was charged twice.\n")
    assert main(["price", str(path), "--json", "--plan", plan]) == 0
    found = json.loads(capsys.readouterr().out)["month"]
    assert list(found["plans"]) == [plan]
    assert found["levers"] == []


def test_the_command_says_everything_that_it_assumes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["price", str(SAMPLES / "log.csv"), "--again", "20", "--fixed-usd", "7"]) == 0
    printed = capsys.readouterr().out
    for said in (
        "bootstrap-t over 90 customers",
        "1.200 rounds a ticket (assumed)",
        "failed attempts 1.0%",
        "12.0% escalated",
        "$7.00",
    ):
        assert said in printed


def test_a_column_can_be_named_and_the_rest_guessed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("text,who\nWhere is my invoice?,acme\nI was charged twice.,acme\n")
    assert main(["price", str(path), "--json", "--customer", "who"]) == 0
    assert json.loads(capsys.readouterr().out)["plans"]["before"]["customer_count"] == 1
    assert main(["price", str(path), "--customer", "nosuch"]) == 2
