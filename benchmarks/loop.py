"""Rehearsal of a ticket, warm; and a live loop on a local server against the sum of its six sequential waits.

The server runs in a process of its own, as a provider does, and answers each call in 200 ms: it starts to stream after
100 ms and has sent its last word after 200 ms. `--quick` runs fewer rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from statistics import median
from typing import Any

import httpx
from _report import quick, report
from _server import provider

from playground import tickets
from playground.gateway import Connection, Gateway, warm
from playground.local import endpoint_models
from playground.loop import Agent, run_all
from playground.options import Settings
from playground.pipeline import load_shipped
from playground.records import Completion, Request
from playground.watch import Watch
from playground.workshop import make_agent, make_router
from tests.fake_server import Reply
from tests.stage_answers import answer

WAIT_S = 0.2
SPREAD, AT_ONCE = "spread", "at-once"


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def rehearsals(rounds: int) -> list[float]:
    agent = make_agent(make_router(load_shipped("support")))
    samples = tuple(tickets.samples().values())
    for ticket in samples:
        run_all(agent, ticket, "kr-auto")
    return [median(seconds(lambda t=t: run_all(agent, t, "kr-auto")) for _ in range(rounds)) for t in samples]  # type: ignore[misc]


def reply(body: dict[str, Any]) -> Reply:
    """200 ms for an answer: half of it before the first word, half while it streams; or all of it before."""
    if body["model"] == AT_ONCE:
        return Reply(delay_s=WAIT_S)
    whole = Reply(answer(body))
    events = len(whole.text or "") // whole.piece + 4
    return replace(whole, delay_s=WAIT_S / 2, gap_s=WAIT_S / 2 / events)


def live_agent(base_url: str, name: str) -> Agent:
    flow = load_shipped("support")
    (model,) = endpoint_models(base_url, [name], Decimal(1), Decimal(1))
    assert model.endpoint
    gateway = Gateway({model.endpoint: Connection(model.provider, "key", base_url)})
    catalog = make_router(flow).catalog.with_model(model)
    router = make_router(flow, Settings(pins={s.key: model.name for s in flow.stages}), catalog)
    return make_agent(router, gateway.complete, "live")


def waits(base_url: str, name: str, rounds: int) -> list[float]:
    """Seconds that a bare HTTP client waits for the six stages' answers, one after another: the server's own time."""
    bodies: list[dict[str, Any]] = []
    agent = live_agent(base_url, name)

    def remember(request: Request, watch: Watch) -> Completion:
        messages = [{"role": m.role, "content": m.content} for m in request.prompt.messages]
        if request.prompt.call == 1:
            bodies.append(
                {"model": name, "messages": messages, "stream": True, "stream_options": {"include_usage": True}}
            )
        return agent.complete(request, watch)

    run_all(replace(agent, complete=remember), next(iter(tickets.samples().values())), "kr-auto")
    with httpx.Client() as client:
        return [seconds(lambda: [read(client, base_url, body) for body in bodies]) for _ in range(rounds)]


def read(client: httpx.Client, base_url: str, body: dict[str, Any]) -> None:
    with client.stream("POST", f"{base_url}/chat/completions", json=body, headers={"Connection": "close"}) as response:
        for _ in response.iter_bytes():
            pass


def live(base_url: str, name: str, rounds: int) -> list[float]:
    ticket = next(iter(tickets.samples().values()))
    agent = live_agent(base_url, name)
    trace = run_all(agent, ticket, "kr-auto")
    assert [s.state for s in trace.steps] == ["done"] * 6, trace.steps[-1].message
    return [seconds(lambda: run_all(agent, ticket, "kr-auto")) for _ in range(rounds)]


def main() -> None:
    rounds = 4 if quick() else 20
    rehearsal = rehearsals(min(rounds, 10))
    warm()
    with provider(answer=answer, script=reply) as base_url:
        waited = {name: median(waits(base_url, name, rounds)) for name in (SPREAD, AT_ONCE)}
        took = {name: live(base_url, name, rounds) for name in (SPREAD, AT_ONCE)}
    figures = {
        "rehearsal_ticket_s": round(max(rehearsal), 4),
        "live_wait_ratio": round(median(took[SPREAD]) / (6 * WAIT_S), 4),
    }
    conditions = {
        "rehearsal": "slowest of the sample tickets, median of the rounds, warm, plan kr-auto",
        "rehearsal_median_s": round(median(rehearsal), 4),
        "live": "eight streamed calls through litellm; the server streams its answer from 100 ms to 200 ms; median of the rounds",
        "waits_s": round(waited[SPREAD], 4),
        "waits": "what a bare HTTP client waits for the same six requests, one after another",
        "live_ratio_to_what_a_bare_client_waits": round(median(took[SPREAD]) / waited[SPREAD], 4),
        "live_wait_ratio_when_the_whole_answer_comes_at_200_ms": round(median(took[AT_ONCE]) / (6 * WAIT_S), 4),
        "rounds": rounds,
    }
    report("loop", figures, {"rehearsal_ticket_s": 0.5, "live_wait_ratio": 1.05}, conditions)


if __name__ == "__main__":
    main()
