"""Every receipt is told of before its step goes on, and nothing is told twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from playground.errors import CallFailed
from playground.loop import run
from playground.receipts import whole
from playground.records import Handover, Receipt, Request, Ticket
from tests.scripted import TICKET, Scripted, good, make
from tests.test_middleware import Doubts, HoldsAt


@dataclass
class Kept:
    receipts: list[Receipt] = field(default_factory=list)
    handovers: list[tuple[str, str]] = field(default_factory=list)

    def paid(self, request: Request, receipts: Sequence[Receipt]) -> None:
        self.receipts += receipts

    def handed_over(self, ticket: Ticket, stage: str, handover: Handover) -> None:
        self.handovers.append((stage, handover.rule))


def fails_once() -> Scripted:
    failed: list[str] = []

    def answer(request: Request) -> str | Exception:
        if request.prompt.stage == "draft" and not failed:
            failed.append("once")
            return CallFailed("server", "Down.")
        return good(request)

    return Scripted(answer)


@pytest.mark.parametrize("complete", [Scripted(), fails_once()])
def test_every_receipt_is_kept_before_its_step_is_shown(complete: Scripted) -> None:
    kept = Kept()
    shown: list[Receipt] = []
    for step in run(replace(make(complete), record=kept), TICKET, "kr-auto"):
        shown += step.receipts
        key = [(r.stage, r.call, r.attempt, r.cost_usd, r.outcome) for r in kept.receipts]
        assert sorted(key, key=str) == sorted(
            ((r.stage, r.call, r.attempt, r.cost_usd, r.outcome) for r in shown), key=str
        )
    assert len(shown) >= 8


def test_a_call_that_a_guardrail_holds_leaves_no_receipt_but_a_handover() -> None:
    kept = Kept()
    steps = list(run(replace(make(), record=kept, middleware=(HoldsAt("draft"),)), TICKET, "before"))
    assert kept.handovers == [("draft", "cap")]
    assert (
        {r.stage for r in kept.receipts}
        == {"intent", "rerank", "summarise"}
        == {r.stage for s in steps for r in s.receipts}
    )


def test_a_doubt_is_kept_with_its_stage() -> None:
    kept = Kept()
    list(run(replace(make(), record=kept, middleware=(Doubts("check"),)), TICKET, "before"))
    assert kept.handovers == [("check", "gate")]


@pytest.mark.parametrize(
    ("given", "kept"),
    [("0.0000000000014", "0.000000000001"), ("0.0034", "0.0034"), ("12.345678901234", "12.345678901234")],
)
def test_money_is_whole_in_picodollars(given: str, kept: str) -> None:
    assert whole(Decimal(given)) == Decimal(kept)


def test_unpriced_stays_unpriced() -> None:
    assert whole(None) is None
