"""Every known answer of the shared vectors, to its printed digits."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from decimal import Decimal
from math import comb, exp, isnan
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from playground import anchored, drift, paired, sequential

Case = dict[str, Any]
Answer = Callable[[Case], dict[str, float]]


def limits(found: paired.FixedInterval) -> dict[str, float]:
    return {"low": found.low, "high": found.high}


def level(case: Case) -> float:
    return float(case["confidence"])


def discordant(case: Case) -> tuple[int, int, int]:
    if "table" in case:
        return case["table"][1], case["table"][2], sum(case["table"])
    return case["b"], case["c"], case["n"]


def counts(case: Case) -> tuple[int, int, int]:
    return case["counts"]["plus"], case["counts"]["zero"], case["counts"]["minus"]


def betting(case: Case) -> dict[str, float]:
    e = sequential.log_e(*counts(case), float(case["margin"]), case["prior"])
    return {"value": e, "lower_bound_at_0.025": sequential.lower_bound(*counts(case), 0.025, case["prior"])}


def single_bet(case: Case) -> dict[str, float]:
    edges = (np.array([1.0, 0, -1]) + float(case["margin"])) / (1 - float(case["margin"]))
    return {"value": float(np.log1p(float(case["u"]) * edges) @ counts(case))}


def expected(case: Case) -> dict[str, float]:
    n, margin = case["n"], float(case["margin"])
    plus, zero, minus = (float(case["p"][key]) for key in ("plus", "zero", "minus"))
    every = [(i, j, n - i - j) for i in range(n + 1) for j in range(n + 1 - i)]
    ways = [comb(n, i) * comb(n - i, j) * plus**i * zero**j * minus**k for i, j, k in every]
    return {"value": sum(w * exp(sequential.log_e(*c, margin)) for w, c in zip(ways, every, strict=True))}


def asymptotic(case: Case) -> dict[str, float]:
    given = (case["n"], case["sd"], float(case["alpha"]), case["n_star"])
    return {
        "rho": anchored.rho(float(case["alpha"]), case["n_star"]),
        "half_width_two_sided": float(anchored.half_width(*given)),
        "half_width_one_sided": float(anchored.half_width(*given, one_sided=True)),
    }


def prediction_powered(case: Case) -> dict[str, float]:
    values, times = case["judge_unlabelled"].split(" repeated ")
    unlabelled = ast.literal_eval(values) * int(times.split()[0])
    return limits(
        anchored.anchored_interval(case["human"], case["judge_on_human"], unlabelled, float(case["alpha"]), lam=1.0)
    )


def shiryaev_roberts(case: Case) -> dict[str, float]:
    stream = np.r_[np.zeros(10), np.ones(2)]
    paths = drift.log_paths(stream, np.ones(12), float(case["p0"]))
    m = np.exp(drift.log_statistic(paths[[drift.BETS.index(case["lambda"])]]))
    return {"after_tenth_0": m[9], "after_first_1": m[10], "after_second_1": m[11]}


ANSWERS: dict[str, Answer] = {
    "tango": lambda c: limits(paired.tango(*discordant(c), level(c))),
    "newcombe_m10_continuity_corrected_phi": lambda c: limits(paired.newcombe(*c["table"], level(c))),
    "wald": lambda c: limits(paired.wald(*discordant(c), level(c))),
    "mcnemar_exact_p": lambda c: {"value": paired.mcnemar_exact(*discordant(c)[:2])},
    "mcnemar_midp": lambda c: {"value": paired.mcnemar_midp(*discordant(c)[:2])},
    "non_inferiority_score_z": lambda c: {"value": paired.non_inferiority_z(*discordant(c), float(c["margin"]))},
    "betting_log_e": betting,
    "betting_log_e_single_u": single_bet,
    "betting_expected_e_by_enumeration": expected,
    "asymptotic_cs": asymptotic,
    "order_statistic_quantile_ci": lambda c: limits(
        paired.quantile_interval(range(1, 101), float(c["quantile"]), level(c))
    ),
    "ppi_mean_lambda_1": prediction_powered,
    "e_shiryaev_roberts": shiryaev_roberts,
}


def same(value: float, printed: Any) -> bool:
    digits = -printed.as_tuple().exponent if isinstance(printed, Decimal) else 0
    return not isnan(value) and abs(value - float(printed)) <= 0.5 * 10.0**-digits + 1e-9


@pytest.fixture(scope="module")
def vectors(shared: Path) -> dict[str, Any]:
    text = (shared / "statistics" / "vectors.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return found


def test_every_vector_to_its_printed_digits(vectors: dict[str, Any]) -> None:
    cases = vectors["published"] + vectors["computed"]
    answers = [(case, ANSWERS[case["method"]](case)) for case in cases]
    wrong = [(c, found) for c, found in answers for key, value in found.items() if key in c and not same(value, c[key])]
    assert not wrong
    assert all(set(found) <= set(case) for case, found in answers)
    assert len(cases) == 21


def test_the_planner_needs_the_pairs_of_the_vectors(vectors: dict[str, Any]) -> None:
    size = vectors["sample_size"]
    given = (float(size["margin"]), float(size["discordance"]), float(size["alpha_one_sided"]))
    for power, key in ((0.8, "power_80"), (0.9, "power_90")):
        exact = paired.pairs_for(*given, power)
        assert exact - size[key] in (0, 1), (exact, size[key])
