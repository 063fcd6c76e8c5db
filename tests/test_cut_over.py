"""Verdicts from pairs, against cases whose answer is plain."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from playground.anchored import MINIMUM_LABELS
from playground.cut_over import Labels, assess, usual_unit
from playground.errors import BadInput
from playground.logs import LogRead
from playground.pairs import Pair, as_payload, from_payload, read_pairs


def pairs(values: list[float], **more: object) -> list[Pair]:
    return [Pair(f"t{i}", v, **more) for i, v in enumerate(values)]  # type: ignore[arg-type]


def test_many_ties_cut_over_and_many_losses_keep() -> None:
    assert assess(pairs([0.0] * 400), 0.02).verdict == "CUT OVER"
    assert assess(pairs([-1.0] * 50), 0.02).verdict == "KEEP"
    assert assess(pairs([0.0] * 10), 0.02).verdict == "CONTINUE"


def test_no_pairs_is_no_verdict_and_no_error() -> None:
    found = assess([], 0.02)
    assert (found.verdict, found.pairs, found.mean, found.saved_usd, found.intents) == ("CONTINUE", 0, 0.0, None, {})


def test_a_missing_judgement_counts_neither_way_and_is_said() -> None:
    found = assess([*pairs([0.0] * 30), Pair("x", 0.0, missing=True)], 0.02)
    assert (found.pairs, found.missing) == (30, 1)


def test_tickets_of_one_customer_are_one_unit_where_that_is_asked_for() -> None:
    of_one = pairs([0.0] * 400, customer="acme")
    assert assess(of_one, 0.02).verdict == "CUT OVER"
    together = assess(of_one, 0.02, unit="customer")
    assert (together.verdict, together.decision.pairs) == ("CONTINUE", 1)
    assert assess(pairs([0.0] * 400), 0.02, unit="customer").decision.pairs == 400  # nameless: each on its own


def test_the_interval_for_one_look_stands_only_beside_wins_ties_and_losses() -> None:
    whole = assess(pairs([1.0, 0.0, -1.0] * 20), 0.02).fixed
    assert whole is not None
    assert "fixed n only" in whole.method
    assert assess(pairs([0.5, 0.0]), 0.02).fixed is None


def test_each_kind_of_ticket_has_its_own_verdict_and_many_are_judged_together() -> None:
    mixed = pairs([0.0] * 600, intent="good") + [Pair(f"b{i}", -1.0, intent="bad") for i in range(60)]
    found = assess(mixed, 0.02).intents
    assert {name: verdict for name, (_, verdict) in found.items()} == {"good": "CUT OVER", "bad": "KEEP"}
    assert "few" not in assess([*mixed, *(Pair(f"f{i}", 0.0, intent="few") for i in range(5))], 0.02).intents


def test_what_is_saved_is_the_mean_difference_in_cost_and_unknown_with_a_missing_price() -> None:
    costs = {"current_usd": Decimal("0.04"), "candidate_usd": Decimal("0.01")}
    found = pairs([0.0] * 3, **costs)
    assert assess(found, 0.02).saved_usd == Decimal("0.03")
    assert assess([*found, Pair("x", 0.0)], 0.02).saved_usd is None


def test_enough_labels_take_over_from_a_lenient_judge() -> None:
    rng = np.random.default_rng(3)
    n = MINIMUM_LABELS * 12
    truth = rng.choice([-1.0, 0.0, 1.0], n, p=[0.14, 0.82, 0.04])
    said = np.where((truth == -1) & (rng.random(n) < 0.9), 0.0, truth)
    judged = [Pair(f"t{i}", float(v), kind="judge") for i, v in enumerate(said)]
    assert assess(judged, 0.02).verdict == "CUT OVER"
    asked = {f"t{i}": float(truth[i]) for i in range(n) if rng.random() < 0.1}
    labels = Labels(asked, 0.1, frozenset(asked))
    found = assess(judged, 0.02, labels=labels)
    assert found.anchored
    assert found.verdict != "CUT OVER"
    assert found.agreement is not None
    # All that is shown rests on the labels as well: the judge alone says that there is no difference.
    assert assess(judged, 0.02).mean > -0.03 > found.mean
    assert found.path.high[-1] == pytest.approx(found.decision.high)
    assert (found.intents, found.fixed) == ({}, None)


def test_equal_answers_that_nobody_was_asked_about_are_no_labels() -> None:
    judged = [replace(p, kind="judge") for p in pairs([0.0] * 4000)]
    found = assess(judged, 0.02, labels=Labels({f"t{i}": 0.0 for i in range(400)}, 0.1, frozenset({"t1"})))
    assert (found.anchored, found.labels) == (False, 1)


def test_a_few_labels_are_shown_and_decide_nothing() -> None:
    judged = [replace(p, kind="judge") for p in pairs([0.0] * 400)]
    found = assess(judged, 0.02, labels=Labels({"t1": 0.0, "t2": -1.0}, 0.1, frozenset({"t1", "t2"})))
    assert (found.anchored, found.labels, found.agreement, found.verdict) == (False, 2, 0.5, "CUT OVER")


def test_a_pair_survives_being_stored() -> None:
    pair = Pair(
        "t", -0.5, "c", "i", 1.0, 0.5, "judge", "why", 10, 20, Decimal("0.01"), None, "live", ("A", None), ("ok",), False,
        ("a", "b", "c"),
    )  # fmt: skip
    assert from_payload(as_payload(pair)) == pair


def test_pairs_are_imported_from_scores_and_bad_rows_are_named(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text(
        "Ticket,customer,intent,current score,candidate score\n"
        "a,acme,refund,1,0.5\nb,,,right,wrong\nc,,,1,1.5\na,,,1,1\nd,,,,1\n"
    )
    read = LogRead()
    found = list(read_pairs(path, read))
    assert [(p.ticket, p.value, p.customer, p.intent) for p in found] == [
        ("a", -0.5, "acme", "refund"), ("b", -1.0, "", "other"),
    ]  # fmt: skip
    reasons = [p.reason for p in read.problems]
    assert len(reasons) == 3
    assert "line 4" in reasons[0]
    assert "from 0 to 1" in reasons[0]
    assert "stood before" in reasons[1]


@pytest.mark.parametrize("content", ["ticket,text\na,b\n", "value\n", ""])
def test_a_file_without_scores_is_refused_in_a_sentence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text(content)
    with pytest.raises(BadInput, match=r"pairs\.csv"):
        list(read_pairs(path))


def test_values_are_imported_too(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"ticket": "a", "value": -1}\n{"ticket": "b", "value": "nan"}\n{"ticket": "c", "value": 0.25}\n')
    assert [p.value for p in read_pairs(path)] == [-1.0, 0.25]


def test_what_tickets_share_counts_as_one_unless_said_otherwise() -> None:
    alone = [Pair(f"t{i}", 0.0, customer=f"c{i}") for i in range(3)]
    assert usual_unit(alone) == "ticket"
    assert usual_unit([Pair("t", 0.0), Pair("u", 0.0)]) == "ticket"
    assert usual_unit([*alone, Pair("x", 0.0, customer="c0")]) == "customer"
    assert usual_unit([Pair("t", 0.0, thread="h"), Pair("u", 0.0, thread="h")]) == "thread"


def test_a_failure_of_either_arm_is_counted() -> None:
    found = assess([Pair("t", -1.0, kind="failed"), Pair("u", 1.0, kind="failed"), Pair("v", 0.0)], 0.02)
    assert (found.failed, found.current_failed) == (1, 1)
