"""A sample drawn from a log: in proportion, within its cap, and added up from what it kept."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground import tickets
from playground.bounded import Finished, Unit, run_bounded
from playground.caps import Caps, Purse
from playground.guarded import Surroundings, guarded, under
from playground.jobs import Jobs
from playground.knowledge import SAMPLES, sample_help_centre, sample_policies
from playground.log_pricing import PricedBatch, merged, price_batch
from playground.log_tickets import LogTickets
from playground.logs import guess, preview, read_log
from playground.loop import Agent, run_all
from playground.money import Total
from playground.options import Settings
from playground.pipeline import load_shipped
from playground.prompt_counts import count_inputs
from playground.records import PLANS, Completion, Plan, Request, Ticket, Usage
from playground.runtime import CostCaps, FailoverRules, Runtime
from playground.sample import _allocation, as_payload, digest_of, draw, summed, ticket_work, tickets_at
from playground.watch import Watch
from playground.workshop import make_agent, make_router
from playground.worst_case import most_usd, request_usd
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


def in_failover(ticket: Ticket) -> tuple[Agent, list[int], Decimal]:
    """The ticket's agent with a dear equivalent for each of its models and one provider down, its tokens, and its most cost."""
    base, settings = load_shipped("support"), Settings(providers=frozenset({"Google", "Anthropic"}), raise_bars=False)
    settings = replace(settings, bars={s.key: 0.6 for s in base.stages})
    chosen = {s.decision.chosen.key for s in run_all(make_agent(make_router(base, settings)), ticket, "kr-auto").steps}
    rules = FailoverRules({key: ("claude-opus-4-5",) for key in chosen}, dearer_up_to=Decimal(100))
    agent = make_agent(make_router(replace(base, runtime=Runtime(failover=rules)), settings))
    alone = LogTickets((ticket.id,), (ticket.text,), (ticket.subject,), ("acme",))
    counted = count_inputs(alone, agent.pipeline, agent.help_centre, agent.policies)
    inputs = [int(counted[s.key][0].sum()) for s in agent.pipeline.stages]
    around = Surroundings()
    around.health.take_down("Google")
    complete = agent.complete

    def longest(request: Request, watch: Watch) -> Completion:
        usage = Usage(request.prompt.input_tokens, request.max_output_tokens, counted="provider")
        return replace(complete(request, watch), usage=usage)

    most = most_usd(agent.router, ticket, inputs, "kr-auto")
    assert most is not None
    return guarded(replace(agent, complete=longest), around), inputs, most


def test_the_most_that_a_ticket_can_cost_knows_of_failover() -> None:
    ticket = tickets.samples()["02-password-reset"]
    agent, _, most = in_failover(ticket)
    trace = run_all(agent, ticket, "kr-auto")
    assert {r.model for r in trace.receipts if r.outcome == "ok"} == {"claude-opus-4-5"}
    assert sum(r.cost_usd or 0 for r in trace.receipts) <= most


def test_a_call_is_reserved_with_the_margin_of_a_cap() -> None:
    """Of a model whose tokenizer is not published, and that bills what it writes to its cache."""
    ticket = tickets.samples()["02-password-reset"]
    pinned = make_router(
        load_shipped("support"), Settings(pins={s.key: "claude-opus-4-5" for s in load_shipped("support").stages})
    )
    agent = make_agent(pinned)
    asked: list[Decimal] = []
    complete = agent.complete

    def noting(request: Request, watch: Watch) -> Completion:
        asked.append(request_usd(request) or Decimal(0))
        return complete(request, watch)

    trace = run_all(replace(agent, complete=noting), ticket, "kr-auto")
    inputs = [sum(p.input_tokens for p in s.prompts) for s in trace.steps]
    most = most_usd(pinned, ticket, inputs, "kr-auto")
    assert most is not None
    assert most >= sum(asked)


def test_under_a_cap_no_call_of_a_ticket_or_its_second_opinion_crosses_it_and_the_ticket_runs_again() -> None:
    ticket = tickets.samples()["02-password-reset"]
    base = replace(load_shipped("support"), runtime=Runtime(second_opinions=1.0))
    agent = guarded(make_agent(make_router(base)), Surroundings())
    whole = ticket_work(agent, {"0": ticket}, "kr-auto")(Unit("0", Decimal(1)), Event())
    for share in ("0.3", "0.6", "1", "1.2"):
        purse = Purse(whole.cost_usd * Decimal(share))
        done = ticket_work(under(agent, purse), {"0": ticket}, "kr-auto")(Unit("0", Decimal(1)), Event())
        assert done.cost_usd == purse.spent_usd <= purse.cap_usd
        assert done.payload.get("partial") is True
        assert "could cross the cap on this run" in done.why
    ample = Purse(whole.cost_usd * 100)
    assert ticket_work(under(agent, ample), {"0": ticket}, "kr-auto")(Unit("0", Decimal(1)), Event()) == whole


def test_the_tighter_cap_on_a_run_stays() -> None:
    caps = CostCaps(run_usd=Decimal(1))
    agent = guarded(
        make_agent(make_router(replace(load_shipped("support"), runtime=Runtime(cost_caps=caps)))), Surroundings()
    )
    for cap, kept in ((Decimal(5), 1), (Decimal("0.5"), Decimal("0.5"))):
        (part,) = under(agent, Purse(cap, Decimal("0.1"))).middleware
        assert isinstance(part, Caps)
        assert part.run is not None
        assert (part.run.cap_usd, part.run.spent_usd) == (kept, Decimal("0.1"))
