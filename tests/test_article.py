"""The article's table against figures worked by hand in the routing notes."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from playground.article import recompute
from playground.cli import main

D = Decimal
LIST_PRICE = {
    "intent": "0.00085",
    "rerank": "0.0198",
    "draft": "0.1305",
    "check": "0.0255",
    "respond": "0.10575",
    "summarise": "0.008",
}
UNLISTED = {"intent": 860, "rerank": 2356, "draft": 567, "check": 500, "respond": 750, "summarise": 1200}


def test_each_stage_and_the_total_at_list_price() -> None:
    article = recompute()
    assert {r.stage: r.cost_usd for r in article.rows} == {k: D(v) for k, v in LIST_PRICE.items()}
    assert article.cost_usd == D("0.2904")


def test_the_input_tokens_that_would_explain_the_published_figures() -> None:
    assert {r.stage: r.unlisted_input_tokens for r in recompute().rows} == UNLISTED


def test_the_stated_assumptions_give_43_cents_and_62_implies_a_loop_of_1_59() -> None:
    article = recompute()
    assert article.all_in_usd == pytest.approx(D("0.427"), abs=D("0.001"))
    assert article.implied_loop_factor == pytest.approx(D("1.59"), abs=D("0.005"))


def test_published_rows_add_up_to_the_published_total() -> None:
    assert sum(r.published_usd for r in recompute().rows) == D("0.344")


def test_the_command_prints_one_object_with_decimal_strings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["article", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["cost_usd"] == data["before_cost_usd"] == "0.2904"
    assert {s["stage"]: s["cost_usd"] for s in data["stages"]} == LIST_PRICE
    assert data["published"] == {"before": "0.344", "stratified": "0.269", "kr-auto": "0.18", "all-in": "0.62"}


def test_the_command_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["article"]) == 0
    assert "$0.2904" in capsys.readouterr().out
