"""Spend beyond caps, 16 tickets side by side, as the provider bills it and not as we count it.

Every run of tickets has a cap on the run, a ceiling on each ticket and a cap on each call, in varying mixtures, some of zero. The
calls go through litellm to a server that bills against us: one to two times the tokens of the input that we count (two is the
margin of `worst_case.PRIVATE_TOKENIZERS`), answers up to as long as they may be, and for every twentieth call of the first model a
stream that it cuts without a word on usage and bills in full. That call goes on at a model of twice the price, under the same caps.

The server adds up what it bills, by call, by ticket and by run; the figure is what lies above a cap, over all of them.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import product
from threading import Lock
from typing import Any

from _report import quick, report

from playground import tickets, tokens
from playground.caps import Caps, Purse
from playground.equivalents import Permission, check_equivalents, router_rules
from playground.expected_cost import ticket_usd
from playground.failover import Failover, Patience
from playground.gateway import Connection, Gateway, warm
from playground.health import Breaker, Health
from playground.local import endpoint_models
from playground.loop import Agent, run_all
from playground.money import ZERO
from playground.options import Settings
from playground.pipeline import load_shipped
from playground.prices import cost_usd
from playground.records import Completion, Message, Model, Plan, Request, Ticket, Trace, Usage
from playground.retry_budget import RetryBudget
from playground.watch import Watch
from playground.workshop import make_agent, make_router
from tests.fake_server import FakeServer, Reply
from tests.stage_answers import answer

SIDE_BY_SIDE = 16
PLAN: Plan = "kr-auto"
MARK = "\n[ticket "
RUN_SHARES = ("0", "0.1", "0.4", "0.8", "1.5", None)
"""Of what the tickets of a run should cost together; `None` is no cap."""
MULTIPLES = ("0.5", "1", "3", None)
CALL_SHARES = ("0.4", None)
"""Of what a ticket should cost."""


@dataclass
class Provider:
    """Bills what it likes within what it was asked for, and remembers it by ticket."""

    models: dict[str, Model] = field(default_factory=dict)
    billed: list[tuple[str, Decimal]] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)
    dice: random.Random = field(default_factory=lambda: random.Random(6))

    def __call__(self, body: dict[str, Any]) -> Reply:
        """Answer, or cut."""
        system, _, ticket = body["messages"][0]["content"].rpartition(MARK)
        messages = (Message("system", system), Message("user", body["messages"][1]["content"]))
        counted = tokens.count_messages(messages)
        with self.lock:
            cut = self.dice.random() < 0.05 and body["model"] == "near"
            factor, wait_s = self.dice.choice((1.0, 1.3, 2.0)), self.dice.random() / 50
            share = 1.0 if cut else self.dice.choice((0.02, 0.2, 1.0))
            given, written = int(counted * factor), max(1, int(body["max_tokens"] * share))
            cost = cost_usd(Usage(given, written), self.models[body["model"]].price)
            assert cost is not None
            self.billed.append((ticket.rstrip("]"), cost))
        usage = {"prompt_tokens": given, "completion_tokens": written, "total_tokens": given + written}
        return Reply(answer(body), mode="cut" if cut else "ok", delay_s=wait_s, usage=usage)


@dataclass(frozen=True)
class Marking:
    """Writes a call's ticket under its system message, so that the provider can bill by ticket."""

    gateway: Gateway

    def __call__(self, request: Request, watch: Watch) -> Completion:
        """Mark, and pass on."""
        system, user = request.prompt.messages
        marked = replace(system, content=f"{system.content}{MARK}{request.context.ticket.id}]")
        return self.gateway.complete(replace(request, prompt=replace(request.prompt, messages=(marked, user))), watch)


def agent_at(base_url: str) -> tuple[Agent, Failover, dict[str, Model]]:
    (near,) = endpoint_models(base_url, ["near"], Decimal(1), Decimal(5), "Acme")
    (far,) = endpoint_models(base_url, ["far"], Decimal(2), Decimal(10), "Globex")
    flow = load_shipped("support")
    settings = Settings(pins={s.key: near.name for s in flow.stages}, reachable=frozenset({base_url}))
    router = make_router(flow, settings, make_router(flow).catalog.with_model(near).with_model(far))
    gateway = Gateway({base_url: Connection("Acme", "key", base_url)})
    rerouting = Failover(
        check_equivalents({near.name: [far.name]}, router.named),
        router_rules(router, Permission(Decimal(2), without_evidence=True)),
        Health(Breaker(1_000_000)),
        RetryBudget(),
        Patience(repeats=0),
    )
    return make_agent(router, Marking(gateway), "live"), rerouting, {"near": near, "far": far}


@dataclass
class Found:
    """What one run of tickets came to."""

    caps: Caps
    traces: list[Trace]
    ceilings: dict[str, Decimal]


def run_of(agent: Agent, rerouting: Failover, batch: list[Ticket], shares: tuple[str | None, ...]) -> Found:
    run_share, multiple, call_share = (None if s is None else Decimal(s) for s in shares)
    expected = {t.id: ticket_usd(agent.router, agent.help_centre, agent.policies, t, PLAN) or ZERO for t in batch}
    whole = sum(expected.values(), ZERO)
    caps = Caps(
        expected=None if multiple is None else lambda ticket, plan: expected[ticket.id],
        multiple=multiple or Decimal(3),
        call_usd=None if call_share is None else call_share * whole / len(batch),
        run=None if run_share is None else Purse(run_share * whole),
    )
    held = replace(agent, middleware=(rerouting, caps))
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        traces = list(pool.map(lambda ticket: run_all(held, ticket, PLAN), batch))
    return Found(caps, traces, {} if multiple is None else {i: multiple * usd for i, usd in expected.items()})


def beyond(found: Found, billed: list[tuple[str, Decimal]]) -> Iterator[Decimal]:
    """What the provider billed above each cap, at least zero."""
    own = [(ticket, cost) for ticket, cost in billed if ticket in {t.ticket.id for t in found.traces}]
    if found.caps.run is not None:
        yield max(ZERO, sum((cost for _, cost in own), ZERO) - found.caps.run.cap_usd)
    if found.caps.call_usd is not None:
        yield from (max(ZERO, cost - found.caps.call_usd) for _, cost in own)
    by_ticket: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for ticket, cost in own:
        by_ticket[ticket] += cost
    yield from (max(ZERO, by_ticket[ticket] - ceiling) for ticket, ceiling in found.ceilings.items())


def batches(n: int, runs: int) -> list[list[Ticket]]:
    samples = list(tickets.samples().values())
    made = [replace(samples[i % len(samples)], id=f"{i:04}") for i in range(n)]
    size = -(-n // runs)
    return [made[start : start + size] for start in range(0, n, size)]


def main() -> None:
    mixtures = list(product(RUN_SHARES, MULTIPLES, CALL_SHARES))
    n, mixtures = (48, mixtures[::5]) if quick() else (1000, mixtures)
    warm()
    provider = Provider()
    with FakeServer(script=provider) as server:
        agent, rerouting, models = agent_at(server.base_url)
        provider.models |= models
        found = [
            run_of(agent, rerouting, batch, shares)
            for batch, shares in zip(batches(n, len(mixtures)), mixtures, strict=False)
        ]
    traces = [t for f in found for t in f.traces]
    receipts = [r for t in traces for r in t.receipts]
    capped = [f.caps.run for f in found if f.caps.run is not None and f.caps.run.cap_usd]
    ends = Counter(t.handover.rule if t.handover else "completed" if finished(t) else "failed" for t in traces)
    conditions = {
        "tickets": len(traces),
        "side_by_side": SIDE_BY_SIDE,
        "runs": len(found),
        "calls_that_reached_the_provider": len(provider.billed),
        "receipts": len(receipts),
        "tickets_ended": dict(sorted(ends.items())),
        "billed_by_the_provider_usd": money(sum((cost for _, cost in provider.billed), ZERO)),
        "on_our_receipts_usd": money(sum((r.cost_usd or ZERO for r in receipts), ZERO)),
        "calls_that_failed_over": sum(bool(r.rule) for r in receipts),
        "share_of_a_run_cap_that_was_spent": [
            round(float(p.spent_usd / p.cap_usd), 3) for p in sorted(capped, key=lambda p: p.cap_usd)
        ],
    }
    figures = {"spend_beyond_caps_usd": money(sum((sum(beyond(f, provider.billed), ZERO) for f in found), ZERO))}
    report("caps", figures, {"spend_beyond_caps_usd": 0.0}, conditions)


def finished(trace: Trace) -> bool:
    return len(trace.steps) == 6 and all(s.state == "done" for s in trace.steps)


def money(amount: Decimal) -> float:
    return float(round(amount, 9))


if __name__ == "__main__":
    main()
