"""Rehearsal of a ticket, warm; and a live loop on a local server against the sum of its six sequential waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from statistics import median

from _report import quick, report

from playground import tickets
from playground.gateway import Connection, Gateway, warm
from playground.local import endpoint_models
from playground.loop import Agent, run_all
from playground.options import Settings
from playground.pipeline import load_shipped
from playground.workshop import make_agent, make_router
from tests.fake_server import FakeServer
from tests.stage_answers import answer

WAIT_S = 0.2
MODEL = "slow"


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


def live_agent(server: FakeServer) -> Agent:
    flow = load_shipped("support")
    (model,) = endpoint_models(server.base_url, [MODEL], Decimal(1), Decimal(1))
    assert model.endpoint
    gateway = Gateway({model.endpoint: Connection(model.provider, "key", server.base_url)})
    catalog = make_router(flow).catalog.with_model(model)
    router = make_router(flow, Settings(pins={s.key: model.name for s in flow.stages}), catalog)
    return make_agent(router, gateway.complete, "live")


def live(rounds: int) -> list[float]:
    ticket = next(iter(tickets.samples().values()))
    with FakeServer(answer=answer) as server:
        agent = live_agent(server)
        warm()
        trace = run_all(agent, ticket, "kr-auto")
        assert [s.state for s in trace.steps] == ["done"] * 6, trace.steps[-1].message
        return [seconds(lambda: run_all(agent, ticket, "kr-auto")) for _ in range(rounds)]


def main() -> None:
    rounds = 3 if quick() else 15
    rehearsal, loops = rehearsals(rounds), live(rounds)
    figures = {
        "rehearsal_ticket_s": round(max(rehearsal), 4),
        "live_wait_ratio": round(median(loops) / (6 * WAIT_S), 4),
    }
    conditions = {
        "rehearsal": "slowest of the sample tickets, median of the rounds, warm, plan kr-auto",
        "rehearsal_median_s": round(median(rehearsal), 4),
        "live": "eight streamed calls through litellm to a server that waits 200 ms before its first byte; six sequential waits",
        "live_ratio_worst": round(max(loops) / (6 * WAIT_S), 4),
        "rounds": rounds,
    }
    report("loop", figures, {"rehearsal_ticket_s": 0.5, "live_wait_ratio": 1.05}, conditions)


if __name__ == "__main__":
    main()
