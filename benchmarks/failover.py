"""Failover over one of two providers in trouble: tickets completed and receipts kept; and what failover costs when nothing fails.

Tickets: both providers are servers on this machine, called through litellm; 16 tickets run side by side. The first provider
answers 429, answers 500, hangs, refuses connections, or cuts its streams, at every call or at every other one. The stages' models
are pinned to it, and nothing but failover can complete a ticket: no climb leads elsewhere. The breaker is the shipped one, and a
second run of each kind keeps it from opening, so that every call meets the failure.

Receipts: each call is counted where it leaves (refused ones too) and where it arrives, and both must be the number of receipts.

Latency: one call, in random turn through plain `litellm.completion` in one piece, through the same streamed, and through Failover,
Caps and the gateway, which streams, to a provider in its own process that waits 50 ms before it answers. Medians; the figure is
against the faster of the two plain ones.

`--quick` runs few tickets, and only with the shipped breaker.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count
from statistics import median, quantiles
from threading import Lock
from typing import Any

from _report import quick, report
from _server import provider

from playground import tickets
from playground.caps import Caps, Purse
from playground.equivalents import Permission, check_equivalents, router_rules
from playground.failover import Failover
from playground.gateway import Connection, Gateway, _arguments, _litellm, warm
from playground.health import Breaker, Health
from playground.local import endpoint_models
from playground.loop import Agent, run_all
from playground.middleware import around
from playground.options import Settings
from playground.pipeline import load_shipped
from playground.records import Completion, Context, Message, Model, OutputSpec, Prompt, Request, Ticket, Trace
from playground.retry_budget import RetryBudget
from playground.router import Router
from playground.watch import Complete, Unwatched, Watch
from playground.workshop import make_agent, make_router
from tests.fake_server import FakeServer, Reply
from tests.stage_answers import answer

SIDE_BY_SIDE = 16
TIMEOUT_S, QUICK_TIMEOUT_S = 3.0, 0.4
"""Long beside what a call takes here: sixteen side by side on two cores keep a server that is well waiting for a second."""
WAIT_S, PAUSE_S = 0.05, 0.02
TROUBLE = {
    "429": Reply(status=429, message="Too many requests", retry_after="1"),
    "500": Reply(status=500, message="The engine fell over"),
    "hang": Reply(mode="hang"),
    "cut": Reply(mode="cut"),
    "refuse": None,
}
BREAKERS = {"shipped": Breaker(), "never opens": Breaker(failures_to_open=1_000_000)}


@dataclass
class Sent:
    """Counts every call at the point where it leaves, by model."""

    complete: Complete
    calls: Counter[str] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)

    def __call__(self, request: Request, watch: Watch) -> Completion:
        """Count, and pass on."""
        with self.lock:
            self.calls[request.candidate.model.name] += 1
        return self.complete(request, watch)


def troubled(reply: Reply | None, every: int) -> Callable[[dict[str, Any]], Reply]:
    """Fails at every call, or at every other one."""
    number = count()
    return lambda body: reply if reply and next(number) % every == 0 else Reply(answer(body))


@contextmanager
def providers(kind: str, every: int) -> Iterator[tuple[FakeServer, FakeServer]]:
    """The one in trouble and the one that is well. Where connections are refused, nobody listens any more."""
    with FakeServer(answer=answer, script=troubled(TROUBLE[kind], every)) as first:
        if TROUBLE[kind] is not None:
            with FakeServer(answer=answer, script={}) as second:
                yield first, second
            return
    with FakeServer(answer=answer, script={}) as second:
        yield first, second


def models_at(first: str, second: str) -> tuple[Model, Model]:
    one, two = (
        endpoint_models(url, ["model"], Decimal(1), Decimal(1), provider)[0]
        for url, provider in ((first, "Acme"), (second, "Globex"))
    )
    return one, two


def make_router_for(first: Model, second: Model, timeout_s: float) -> Router:
    flow = load_shipped("support")
    flow = replace(flow, stages=tuple(replace(s, timeout_s=timeout_s) for s in flow.stages))
    pins = {s.key: first.name for s in flow.stages}
    settings = Settings(pins=pins, reachable=frozenset(m.endpoint for m in (first, second) if m.endpoint))
    return make_router(flow, settings, make_router(flow).catalog.with_model(first).with_model(second))


def failover_for(router: Router, first: Model, second: Model, health: Health, gateway: Gateway) -> Failover:
    listed = check_equivalents({first.name: [second.name]}, router.named)
    rules = router_rules(router, Permission(without_evidence=True))
    return Failover(listed, rules, health, RetryBudget(), key_of=gateway.key_id)


def gateway_for(*models: Model) -> Gateway:
    return Gateway({m.endpoint: Connection(m.provider, "key", m.endpoint) for m in models if m.endpoint})


@dataclass
class Outcome:
    """What became of a group of tickets."""

    tickets: int
    completed: int
    lost: int
    calls: int
    rerouted: int
    unpriced: int
    seconds: float
    unlike: tuple[str, ...]


def group(kind: str, every: int, breaker: Breaker, n: int, timeout_s: float) -> Outcome:
    with providers(kind, every) as (acme, globex):
        first, second = models_at(acme.base_url, globex.base_url)
        router = make_router_for(first, second, timeout_s if kind == "hang" else 20.0)
        gateway = gateway_for(first, second)
        sent = Sent(gateway.complete)
        parts = (failover_for(router, first, second, Health(breaker), gateway), Caps(run=Purse(Decimal(1000))))
        agent = replace(make_agent(router, sent, "live"), middleware=parts)
        started = time.perf_counter()
        traces = run_many(agent, n)
        took = time.perf_counter() - started
        receipts = [r for trace in traces for r in trace.receipts]
        arrived = {first.name: len(acme.seen), second.name: len(globex.seen)}
    kept = Counter(r.model for r in receipts if r.failure != "down")
    lost = sum(abs(sent.calls[m.name] - kept[m.name]) for m in (first, second))
    listening = (second,) if kind == "refuse" else (first, second)
    lost += sum(abs(arrived[m.name] - kept[m.name]) for m in listening)
    return Outcome(
        tickets=n,
        completed=sum(completed(t, router) for t in traces),
        lost=lost,
        calls=sum(sent.calls.values()),
        rerouted=sum(r.rule.startswith("failover: Acme") and r.outcome == "ok" for r in receipts),
        unpriced=sum(r.cost_usd is None for r in receipts),
        seconds=took,
        unlike=tuple(sorted({r.failure for r in receipts if r.failure})),
    )


def run_many(agent: Agent, n: int) -> list[Trace]:
    samples = list(tickets.samples().values())
    batch = [replace(samples[i % len(samples)], id=f"ticket-{i}") for i in range(n)]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return list(pool.map(lambda ticket: run_all(agent, ticket, "kr-auto"), batch))


def completed(trace: Trace, router: Router) -> bool:
    return len(trace.steps) == len(router.pipeline.stages) and all(s.state == "done" for s in trace.steps)


# Latency


def slow(body: dict[str, Any]) -> Reply:
    return Reply("It takes three to five days.", delay_s=WAIT_S)


def latencies(base_url: str, rounds: int) -> tuple[list[float], ...]:
    """Seconds of a plain call, of a plain streamed one, and of ours, in turn."""
    first, second = models_at(base_url, f"{base_url}/other")
    router, gateway = make_router_for(first, second, 20.0), gateway_for(first, second)
    parts = (failover_for(router, first, second, Health(), gateway), Caps(run=Purse(Decimal(1000))))
    ours, request = around(parts, gateway.complete), asked(router, first)
    arguments, litellm = _arguments(_litellm(), request), _litellm()

    whole = {name: value for name, value in arguments.items() if name != "stream_options"} | {"stream": False}

    def plain() -> None:
        assert litellm.completion(api_key="key", api_base=base_url, **whole).usage

    def streamed() -> None:
        for _ in litellm.completion(api_key="key", api_base=base_url, **arguments):
            pass

    def through() -> None:
        done = ours(request, Unwatched())
        assert done.usage.counted == "provider"
        assert not done.tries

    ways = (plain, streamed, through)
    for work in ways * 5:
        work()
    found: dict[Callable[[], None], list[float]] = {work: [] for work in ways}
    dice = random.Random(6)
    for _ in range(rounds):
        for work in dice.sample(ways, len(ways)):
            time.sleep(PAUSE_S)  # what litellm does in the background after a call must not weigh on the next one
            found[work].append(seconds(work))
    return tuple(found.values())


def asked(router: Router, model: Model) -> Request:
    messages = (Message("system", "You help customers. " * 50), Message("user", "When does my refund arrive? " * 50))
    prompt, context = Prompt("respond", 1, messages, 600, 300), Context(Ticket("t", "When?"), {}, ())
    return Request(router.named(model.name), prompt, OutputSpec("text"), 1500, 450, context, timeout_s=20.0)


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    short = quick()
    warm()
    with provider(script=slow) as base_url:
        plain, streamed, through = latencies(base_url, 20 if short else 400)
    each, timeout_s = (2, QUICK_TIMEOUT_S) if short else (50, TIMEOUT_S)
    groups = {}
    for kind in TROUBLE:
        for name, breaker in list(BREAKERS.items())[: 1 if short else None]:
            every = 2 if name == "never opens" and kind != "refuse" else 1
            groups[f"{kind}, every {'other ' if every == 2 else ''}call, breaker {name}"] = group(
                kind, every, breaker, each, timeout_s
            )
    total = sum(g.tickets for g in groups.values())
    figures = {
        "completed_share": sum(g.completed for g in groups.values()) / total,
        "receipts_lost": sum(g.lost for g in groups.values()),
        "added_latency_share": round(median(through) / min(median(plain), median(streamed)) - 1, 4),
    }
    conditions = {
        "tickets": total,
        "side_by_side": SIDE_BY_SIDE,
        "calls": sum(g.calls for g in groups.values()),
        "rerouted_calls": sum(g.rerouted for g in groups.values()),
        "receipts_without_a_price": sum(g.unpriced for g in groups.values()),
        "timeout_s_where_it_hangs": timeout_s,
        "groups": {
            name: {
                "completed": f"{g.completed} of {g.tickets}", "lost": g.lost, "calls": g.calls, "rerouted": g.rerouted,
                "failures": g.unlike, "seconds": round(g.seconds, 1),
            }
            for name, g in groups.items()
        },
        "plain_litellm_ms": spread(plain),
        "plain_litellm_streamed_ms": spread(streamed),
        "gateway_with_failover_ms": spread(through),
        "calls_timed": len(plain),
    }  # fmt: skip
    report("failover", figures, {"completed_share": 1.0, "receipts_lost": 0, "added_latency_share": 0.05}, conditions)


def spread(times: list[float]) -> dict[str, float]:
    cuts = quantiles(times, n=20)
    return {"median": round(1000 * median(times), 2), "p5": round(1000 * cuts[0], 2), "p95": round(1000 * cuts[-1], 2)}


if __name__ == "__main__":
    main()
