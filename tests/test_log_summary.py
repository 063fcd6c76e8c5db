"""A priced log in figures, against sums by hand; and the command that prints it."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from playground.batch_costs import PICO, UNPRICED
from playground.cli import main
from playground.log_pricing import PricedBatch
from playground.log_summary import by_customer, by_day, summary, top_share
from playground.tickets import samples


def batch(costs: list[int], customers: list[str] | None = None, days: list[int] | None = None) -> PricedBatch:
    n = len(costs)
    return PricedBatch(
        ids=np.array(list(map(str, range(n))), object),
        customers=np.array(customers or [""] * n, object),
        days=np.array(days or [0] * n, np.int32),
        rounds=np.zeros(n, np.int32),
        satisfaction=np.full(n, np.nan, np.float32),
        labels=np.array([""] * n, object),
        stages=("draft",),
        costs={"before": np.array(costs, np.int64).reshape(n, 1)},
        assured={},
        answers={"before": np.zeros(n, np.int64)},
        cached=np.zeros((n, 1), np.int64),
        reference=np.zeros(n, np.int64),
        prompts={"ticket": np.arange(n, dtype=np.uint64)},
        slots=("ticket",),
        input_tokens=np.ones((n, 1), np.int32),
        models={("before", "draft"): {"m": n}},
        hard=np.zeros(n, np.bool_),
    )


def test_sums_means_and_percentiles_are_those_of_the_tickets() -> None:
    s = summary(batch([i * PICO for i in range(1, 401)]), "before")
    assert s.total_usd == Decimal(80_200)
    assert s.mean_usd == Decimal("200.5")
    assert s.percentiles_usd == {50: Decimal(200), 90: Decimal(360), 95: Decimal(380), 99: Decimal(396)}
    assert s.stages_usd == {"draft": Decimal(80_200)}


@pytest.mark.parametrize(
    ("n", "known"), [(35, {50}), (36, {50, 90}), (71, {50, 90}), (72, {50, 90, 95}), (368, {50, 90, 95, 99})]
)
def test_a_high_percentile_of_few_tickets_is_refused(n: int, known: set[int]) -> None:
    found = summary(batch([PICO] * n), "before").percentiles_usd
    assert {p for p, value in found.items() if value is not None} == known


def test_a_ticket_without_a_price_is_counted_and_left_out_of_sums() -> None:
    s = summary(batch([PICO, int(UNPRICED), 3 * PICO]), "before")
    assert (s.unpriced_tickets, s.total_usd, s.mean_usd) == (1, Decimal(4), Decimal(2))


def test_what_the_dearest_one_in_a_hundred_carries() -> None:
    assert top_share(np.array([PICO] * 99 + [101 * PICO])) == Decimal("0.505")
    assert top_share(np.array([PICO] * 50)) is None


def test_what_each_customer_spends() -> None:
    priced = batch([PICO, 5 * PICO, PICO, int(UNPRICED)], ["a", "b", "a", ""])
    found = by_customer(priced)
    assert [(g.name, g.tickets, g.usd["before"]) for g in found.dearest] == [("b", 1, 5), ("a", 2, 2), ("", 1, 0)]
    assert (found.count, found.total_usd["before"], found.top_tenth["before"]) == (2, 7, Decimal(5) / 7)
    assert [g.name for g in by_customer(priced, most=1).dearest] == ["b"]


def test_what_each_day_costs_in_order_and_last_what_has_no_date() -> None:
    day = date(2026, 10, 1).toordinal()
    found = by_day(batch([PICO, 2 * PICO, 3 * PICO, PICO], days=[0, day + 1, day, day + 1]))
    assert [(g.name, g.tickets, g.usd["before"]) for g in found] == [
        ("2026-10-01", 1, 3), ("2026-10-02", 2, 3), ("", 1, 1),
    ]  # fmt: skip


def test_the_command_prints_what_the_log_costs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(
        "\n".join(json.dumps({"id": t.id, "text": t.text, "subject": t.subject}) for t in samples().values())
    )
    assert main(["price", str(path), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["provenance"] == "priced, not run"
    assert data["tickets"] == len(samples())
    before, routed = (Decimal(data["plans"][p]["total_usd"]) for p in ("before", "kr-auto"))
    assert 0 < routed < before
    assert sum(Decimal(s["cost_usd"]) for s in data["plans"]["before"]["stages"].values()) == before
    assert data["plans"]["before"]["p95_usd"] is None
    assert main(["price", str(path), "--plan", "before"]) == 0
    assert "12 tickets priced, not run" in capsys.readouterr().out


def test_a_log_that_cannot_be_read_is_one_line_and_exit_code_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["price", str(tmp_path / "none.csv")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    empty = tmp_path / "log.csv"
    empty.write_text("text\n\u200b\n")
    assert main(["price", str(empty)]) == 2
