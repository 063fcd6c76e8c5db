"""Background runs: what lands, cancelling, abandoning, and errors that become sentences."""

from __future__ import annotations

import threading

import pytest

from playground.records import Request
from playground.ui import runner
from playground.ui.runner import Run
from tests.scripted import TICKET, Scripted, good, make

WAIT_S = 10


def finished(run: Run) -> Run:
    run._thread.join(WAIT_S)
    return run


def test_a_run_lands_its_steps_and_its_text() -> None:
    run = finished(Run(make(), TICKET, "kr-auto").start())
    assert run.state == "finished"
    assert len(run.steps) == 6
    assert run.shown("respond") == "It takes days. The limit is $50."


def test_cancel_stops_after_the_call_under_way_and_keeps_what_landed() -> None:
    inside, go = threading.Event(), threading.Event()

    def answer(request: Request) -> str:
        if request.prompt.stage == "draft":
            inside.set()
            assert go.wait(WAIT_S)
        return good(request)

    run = Run(make(Scripted(answer)), TICKET, "kr-auto").start()
    assert inside.wait(WAIT_S)
    assert run.state == "running"
    run.cancel()
    go.set()
    assert finished(run).state == "cancelled"
    assert [s.stage for s in run.steps] == ["intent", "rerank", "draft"]
    assert all(r.cost_usd for s in run.steps for r in s.receipts)


def test_a_run_that_nobody_watches_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "ABANDONED_AFTER_S", -1.0)
    run = finished(Run(make(), TICKET, "kr-auto").start())
    assert run.state == "cancelled"
    assert len(run.steps) == 1


def test_an_error_inside_is_a_sentence_without_ticket_text() -> None:
    run = finished(Run(make(Scripted(lambda _: ValueError(TICKET.text))), TICKET, "kr-auto").start())
    assert run.state == "failed"
    assert run.error is not None
    assert "internal error (ValueError)" in run.error
    assert TICKET.text not in run.error


def test_a_stage_that_fails_is_a_failed_run() -> None:
    assert finished(Run(make(Scripted(lambda _: "no json")), TICKET, "kr-auto").start()).state == "failed"
