"""A/B: a sticky split, and a verdict that counts every customer once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.ab import Outcome, compare, customers_for, read_outcomes, variant_of
from playground.errors import BadInput
from playground.logs import LogRead
from playground.paired import LOOKING_COSTS


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_customer_stays_with_a_variant(customer: str, experiment: str) -> None:
    assert variant_of(customer, experiment) == variant_of(customer, experiment)


def test_the_split_is_even_or_as_asked_and_differs_between_experiments() -> None:
    names = [f"c{i}" for i in range(4_000)]
    half = Counter(variant_of(n, "one") for n in names)
    assert 1_850 < half["A"] < 2_150
    assert 300 < sum(variant_of(n, "one", 0.1) == "B" for n in names) < 500
    assert 1_800 < sum(variant_of(n, "one") == variant_of(n, "two") for n in names) < 2_200


def outcomes(a: list[float], b: list[float]) -> list[Outcome]:
    found = []
    for i, (x, y) in enumerate(zip(a, b, strict=True)):
        found += [Outcome(f"a{i}", "A", x), Outcome(f"b{i}", "B", y)]
    return found


def test_equal_variants_cut_over_and_a_bad_one_is_kept_out() -> None:
    assert compare(outcomes([1.0] * 400, [1.0] * 400), 0.02).decision.verdict == "CUT OVER"
    assert compare(outcomes([1.0] * 60, [0.0] * 60), 0.02).decision.verdict == "KEEP"


def test_a_customer_counts_once_by_the_first_outcome() -> None:
    found = compare([*outcomes([1.0], [0.0]), *[Outcome("b0", "B", 1.0)] * 9], 0.02)
    assert (found.means["B"], found.customers["B"], found.tickets["B"]) == (0.0, 1, 10)


def test_a_customer_of_both_variants_stays_with_the_first_and_is_counted() -> None:
    found = compare(
        [*outcomes([1.0], [1.0]), Outcome("x", "A", 1.0), Outcome("x", "B", 1.0), Outcome("y", "A", 1.0)], 0.02
    )
    assert (found.mixed, found.customers, found.decision.pairs) == (1, {"A": 3, "B": 1}, 1)


def test_what_comes_later_takes_no_verdict_back() -> None:
    seen = outcomes([1.0] * 900, [1.0] * 900)
    decided = compare(seen, 0.02)
    later = compare([*seen, Outcome(seen[0].customer, "B" if seen[0].variant == "A" else "A", 0.0)], 0.02)
    assert (decided.decision.verdict, later.decision.verdict, later.mixed) == ("CUT OVER", "CUT OVER", 1)
    assert later.differences.tolist() == decided.differences.tolist()


def test_nothing_seen_is_not_decided() -> None:
    assert compare([], 0.02).decision.verdict == "CONTINUE"


def test_wrong_verdicts_at_the_margin_stay_rare_under_looking() -> None:
    rng = np.random.default_rng(7)
    wrong = 0
    for _ in range(200):
        a, b = rng.random(1_000) < 0.88, rng.random(1_000) < 0.83
        wrong += (
            compare(outcomes(a.astype(float).tolist(), b.astype(float).tolist()), 0.05).decision.verdict == "CUT OVER"
        )
    assert wrong <= 5


def test_the_sample_size_is_that_of_the_formula_and_more_for_looking() -> None:
    # z = 1.96 + 0.8416; 2 x 0.88 x 0.12 / 0.02^2 x 7.849 = 4144
    assert customers_for(0.88, 0.02) == pytest.approx(4_144 * LOOKING_COSTS, rel=0.001)


def test_outcomes_are_read_and_bad_rows_named(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("Customer,Variant,Outcome\nacme,a,yes\nbeta,B,0.5\n,A,1\ngamma,C,1\ndelta,A,2\n")
    read = LogRead()
    assert list(read_outcomes(path, read)) == [Outcome("acme", "A", 1.0), Outcome("beta", "B", 0.5)]
    assert [p.line for p in read.problems] == [4, 5, 6]
    path.write_text("a,b\n1,2\n")
    with pytest.raises(BadInput, match="needs the columns"):
        list(read_outcomes(path))
