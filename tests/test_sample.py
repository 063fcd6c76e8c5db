"""A sample drawn from a log: in proportion, within its cap, and added up from what it kept."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground import tickets
from playground.bounded import Finished, Unit, run_bounded
from playground.jobs import Jobs
from playground.knowledge import SAMPLES, sample_help_centre, sample_policies
from playground.log_pricing import PricedBatch, merged, price_batch
from playground.logs import guess, preview, read_log
from playground.loop import run_all
from playground.money import Total
from playground.pipeline import load_shipped
from playground.records import PLANS, Plan
from playground.sample import _allocation, as_payload, digest_of, draw, summed, tickets_at
from playground.workshop import make_agent, make_router
from playground.worst_case import most_usd
from tests.test_log_summary import batch as flat

ROUTER = make_router(load_shipped("support"))
AGENT = make_agent(ROUTER)
LOG = SAMPLES / "log.csv"


@pytest.fixture(scope="module")
def priced() -> PricedBatch:
    return merged(price_batch(b, ROUTER, sample_help_centre(), sample_policies()) for b in read_log(LOG))


def test_every_kind_of_ticket_stands_in_a_sample_in_proportion(priced: PricedBatch) -> None:
    drawn = draw(priced, 120)
    assert len(drawn.rows) == len(set(drawn.rows.tolist())) == 120
    counts = np.bincount(drawn.strata, minlength=len(drawn.population))
    assert drawn.population.sum() == 600
    assert (counts >= 2).all()
    assert np.abs(counts - drawn.population * 120 / 600).max() <= 4
    assert np.array_equal(drawn.rows, draw(priced, 120).rows)
    assert not np.array_equal(drawn.rows, draw(priced, 120, seed=1).rows)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=9), st.integers(1, 500))
def test_an_allocation_is_whole_and_never_more_than_there_are(population: list[int], n: int) -> None:
    n = min(n, sum(population))
    sizes = _allocation(np.array(population), n)
    assert sum(sizes) == n
    assert all(0 <= size <= most for size, most in zip(sizes, population, strict=True))


def test_a_sample_larger_than_the_log_is_the_log() -> None:
    assert draw(flat([1, 2, 3]), 10).rows.tolist() == [0, 1, 2]


def test_the_drawn_tickets_are_read_again_from_the_file(priced: PricedBatch) -> None:
    rows = draw(priced, 20).rows.tolist()
    shown = preview(LOG)
    assert shown.guess is not None
    found = tickets_at(LOG, shown.guess, rows)
    assert [t.id for t in found] == [priced.ids[row] for row in rows]
    assert digest_of(found) == digest_of(found) != digest_of(found[:-1])


def test_rows_of_a_large_log_are_found_across_batches(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("id,text\n" + "".join(f"t{i},Question {i}\n" for i in range(12_000)))
    columns = guess({"id": "", "text": ""}, "log.csv")
    assert [t.id for t in tickets_at(path, columns, [0, 4_999, 5_000, 11_999])] == ["t0", "t4999", "t5000", "t11999"]


@pytest.mark.parametrize("plan", PLANS)
def test_no_sample_ticket_costs_more_than_the_most_it_can(plan: Plan) -> None:
    for ticket in tickets.samples().values():
        trace = run_all(AGENT, ticket, plan)
        counted = [sum(p.input_tokens for p in step.prompts) for step in trace.steps]
        counted += [counted[-1]] * (len(ROUTER.pipeline.stages) - len(counted))
        most = most_usd(ROUTER, ticket, counted, plan)
        assert most is not None
        assert Total.of(r.cost_usd for r in trace.receipts).known_usd < most


def test_what_is_kept_holds_no_text_and_adds_up() -> None:
    found = [run_all(AGENT, t, "kr-auto") for t in list(tickets.samples().values())[:4]]
    payloads = [as_payload(t, 6) for t in found]
    texts = {word for t in found for word in t.ticket.text.split() if len(word) > 9}
    assert not any(word in repr(payloads) for word in texts)
    ran = summed(payloads)
    assert ran.spent_usd == sum((r.cost_usd for t in found for r in t.receipts if r.cost_usd), Decimal(0))
    assert ran.failed_usd == sum(
        (r.cost_usd for t in found for r in t.receipts if r.cost_usd and r.outcome != "ok"), Decimal(0)
    )
    assert (ran.tickets, ran.done) == (4, 4)
    drafts = [a.receipt.usage.visible_tokens for t in found for a in t.step("draft").attempts if a.output is not None]  # type: ignore[union-attr]
    assert ran.output_tokens["draft"] == Decimal(sum(drafts)) / len(drafts)


def test_a_cancelled_ticket_is_partial_and_its_money_is_not_lost() -> None:
    ticket, stop = next(iter(tickets.samples().values())), Event()

    class Stops:
        def text(self, request: object, chunk: str) -> None:
            stop.set()

        def restart(self, request: object) -> None: ...

        def cancelled(self) -> bool:
            return stop.is_set()

    def work(unit: Unit, event: Event) -> Finished:
        trace = run_all(AGENT, ticket, "kr-auto")
        return Finished(unit.key, {**as_payload(trace, 6), "partial": True}, Decimal(1))

    jobs = Jobs(None)
    found = run_bounded([Unit("1", Decimal(2))], work, workers=1, cap_usd=None, jobs=jobs, job="j", stop=stop)
    assert list(found) == []
    assert (found.spent_usd, found.left) == (Decimal(1), 1)
    jobs.close()
