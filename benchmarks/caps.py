"""Spend beyond caps, 16 tickets side by side, as the provider bills it and not as we count it.

Every run of tickets has a cap on the run, a ceiling on each ticket and a cap on each call, in varying mixtures, some of zero, put
together by `guarded` as in the app. The calls go through litellm to a server that bills against us: one to two times the tokens
of the input that we count (two is the margin of `worst_case.PRIVATE_TOKENIZERS`) and answers up to as long as they may be. At
the first model it also breaks streams off, in the middle or before their first text, and drops calls without an answer; it bills
all of these in full and says nothing of usage. It answers some with 429, which it does not bill. Such calls are repeated, and go
on at another model, under the same caps. Half of the tickets get a second opinion on their draft, judged by a third model; these
are under the caps on a call and a run and part of no ticket.

The server adds up what it bills, by call, by ticket and by run; the figure is what lies above a cap, over all of them.
"""

from __future__ import annotations

import json
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
from playground.caps import Caps
from playground.expected_cost import ticket_usd
from playground.gateway import Connection, Gateway, warm
from playground.guarded import Surroundings, guarded
from playground.health import Breaker, Health
from playground.loop import Agent, run_all
from playground.money import ZERO
from playground.options import Settings
from playground.pipeline import load_shipped
from playground.prices import cost_usd
from playground.records import Completion, Message, Model, Plan, Request, Ticket, Trace, Usage
from playground.runtime import CostCaps, FailoverRules, Runtime
from playground.scoring import CRITERIA
from playground.watch import Watch
from playground.workshop import make_agent, make_router
from tests.fake_server import FakeServer, Reply
from tests.stage_answers import answer, stage_of

SIDE_BY_SIDE = 16
PLAN: Plan = "kr-auto"
MARK = "\n[ticket "
RUN_SHARES = ("0", "0.4", "1.5", "4", "12", None)
"""Of what the tickets of a run should cost together; `None` is no cap."""
MULTIPLES = ("0.5", "1", "3", "8", None)
CALL_SHARES = ("0.4", "6", None)
"""Of what a ticket should cost."""


NEAR, FAR, THIRD = "claude-sonnet-4-6", "gpt-5.4", "gemini-2.5-pro"
"""Who answers, in whose place, and who says a second opinion: of three families, so that each may be judged by another."""
BESIDE = "beside "
TROUBLE = {"ok": 0.84, "cut": 0.04, "early cut": 0.04, "drop": 0.04, "429": 0.04}
_FIRST = {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}
_CHUNK = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [_FIRST]}
BEGUN = f"data: {json.dumps(_CHUNK)}\n\n".encode() * 3
JUDGEMENT = json.dumps({name: {"winner": "A", "reason": "It is better."} for name in (*CRITERIA, "overall")})


def is_judge(body: dict[str, Any]) -> bool:
    """Whether a call is none of a stage's."""
    try:
        stage_of(body)
    except KeyError:
        return True
    return False


@dataclass
class Provider:
    """Bills what it likes within what it was asked for, and remembers it by ticket."""

    models: dict[str, Model] = field(default_factory=dict)
    billed: list[tuple[str, Decimal]] = field(default_factory=list)
    """By ticket; those of second opinions under a name of their own."""
    trouble: Counter[str] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)
    dice: random.Random = field(default_factory=lambda: random.Random(6))

    def __call__(self, body: dict[str, Any]) -> Reply:
        """Answer, or break off."""
        system, _, ticket = body["messages"][0]["content"].rpartition(MARK)
        messages = (Message("system", system), Message("user", body["messages"][1]["content"]))
        counted = tokens.count_messages(messages)
        with self.lock:
            kind = self.dice.choices(list(TROUBLE), list(TROUBLE.values()))[0] if body["model"] == NEAR else "ok"
            self.trouble[kind] += 1
            if kind == "429":
                return Reply(status=429, message="Too many requests")
            factor, wait_s = self.dice.choice((1.0, 1.3, 2.0)), self.dice.random() / 50
            share = 1.0 if kind != "ok" else self.dice.choice((0.02, 0.2, 1.0))
            most = body.get("max_tokens") or body["max_completion_tokens"]
            given, written = int(counted * factor), max(1, int(most * share))
            cost = cost_usd(Usage(given, written), self.models[body["model"]].price)
            assert cost is not None
            self.billed.append((ticket.rstrip("]"), cost))
        usage = {"prompt_tokens": given, "completion_tokens": written, "total_tokens": given + written}
        return self.reply(kind, body, usage, wait_s)

    def reply(self, kind: str, body: dict[str, Any], usage: dict[str, int], wait_s: float) -> Reply:
        """What goes over the wire."""
        if kind == "early cut":
            return Reply(raw=BEGUN, mode="cut", delay_s=wait_s)
        text = JUDGEMENT if is_judge(body) else answer(body)
        if body["model"] == THIRD:
            text = text.replace("A live answer", "Another answer")  # equal drafts need no judge
        return Reply(text, mode="ok" if kind == "ok" else kind, delay_s=wait_s, usage=usage)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Marking:
    """Writes a call's ticket under its system message, so that the provider can bill by ticket."""

    gateway: Gateway

    def __call__(self, request: Request, watch: Watch) -> Completion:
        """Mark, and pass on."""
        system, user = request.prompt.messages
        aside = request.prompt.stage == "judge" or request.candidate.model.name == THIRD
        marked = replace(system, content=f"{system.content}{MARK}{BESIDE if aside else ''}{request.context.ticket.id}]")
        return self.gateway.complete(replace(request, prompt=replace(request.prompt, messages=(marked, user))), watch)


@dataclass
class Bench:
    """The server's models, one way to call them, and what is known of them over all runs."""

    base_url: str
    models: dict[str, Model]
    around: Surroundings

    def agent(self, runtime: Runtime) -> Agent:
        """The agent as the app puts it together."""
        flow = load_shipped("support")
        tiers = {"cheap": NEAR, "mid": NEAR, "frontier": THIRD}
        flow = replace(flow, runtime=runtime, tiers=tiers)
        settings = Settings(pins={s.key: NEAR for s in flow.stages}, reachable=frozenset({self.base_url}), bars=BARS)
        catalog = make_router(flow).catalog
        for model in self.models.values():
            catalog = catalog.with_model(model)
        gateway = Gateway({self.base_url: Connection("Acme", "key", self.base_url)})
        return make_agent(make_router(flow, settings, catalog), Marking(gateway), "live")


BARS = dict.fromkeys(("intent", "rerank", "draft", "check", "respond", "summarise"), 0.5)


def bench_at(base_url: str) -> Bench:
    catalog = make_router(load_shipped("support")).catalog
    models = {
        name: replace(catalog.by_name(name), id=f"openai/{name}", endpoint=base_url) for name in (NEAR, FAR, THIRD)
    }
    return Bench(base_url, models, Surroundings(health=Health(Breaker(1_000_000))))


@dataclass
class Found:
    """What one run of tickets came to."""

    caps: Caps
    traces: list[Trace]
    ceilings: dict[str, Decimal]


def run_of(bench: Bench, batch: list[Ticket], shares: tuple[str | None, ...]) -> Found:
    run_share, multiple, call_share = (None if s is None else Decimal(s) for s in shares)
    plain = bench.agent(Runtime())
    expected = {t.id: ticket_usd(plain.router, plain.help_centre, plain.policies, t, PLAN) or ZERO for t in batch}
    whole = sum(expected.values(), ZERO)
    caps = CostCaps(
        times_expected=multiple,
        call_usd=None if call_share is None else call_share * whole / len(batch),
        run_usd=None if run_share is None else run_share * whole,
    )
    rerouting = FailoverRules({NEAR: (FAR,)}, dearer_up_to=Decimal(10), up_to_today=True, repeats=2)
    runtime = Runtime(cost_caps=caps, failover=rerouting, second_opinions=0.5, opinion_stage="draft")
    held = guarded(bench.agent(runtime), bench.around)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        traces = list(pool.map(lambda ticket: run_all(held, ticket, PLAN), batch))
    (part,) = (p for p in held.middleware if isinstance(p, Caps))
    return Found(part, traces, {} if multiple is None else {i: multiple * usd for i, usd in expected.items()})


def beyond(found: Found, billed: list[tuple[str, Decimal]]) -> Iterator[Decimal]:
    """What the provider billed above each cap, at least zero."""
    ids = {t.ticket.id for t in found.traces}
    own = [(ticket, cost) for ticket, cost in billed if ticket.removeprefix(BESIDE) in ids]
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
    n, mixtures = (48, mixtures[::11]) if quick() else (1000, mixtures)
    warm()
    provider = Provider()
    with FakeServer(script=provider) as server:
        bench = bench_at(server.base_url)
        provider.models |= bench.models
        found = [
            run_of(bench, batch, shares) for batch, shares in zip(batches(n, len(mixtures)), mixtures, strict=False)
        ]
    traces = [t for f in found for t in f.traces]
    seconds = [second for t in traces for _, second in t.second_opinions]
    beside = [r for second in seconds for r in second.receipts]
    receipts = [*(r for t in traces for r in t.receipts), *beside]
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
        "what_the_first_model_did": dict(sorted(provider.trouble.items())),
        "calls_that_were_repeated": sum(r.attempt > 1 and not r.rule for r in receipts),
        "second_opinions": len(seconds),
        "judged": sum(any(r.stage == "judge" for r in second.receipts) for second in seconds),
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
