"""An agent with what its file asks for around it: guardrails, caches, failover and caps, in the one order in which they work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from playground.answer_store import Answers
from playground.cache import ExactCache
from playground.caps import MULTIPLE, Caps, Purse, Tickets
from playground.equivalents import Permission, check_equivalents, router_rules
from playground.expected_cost import ticket_usd
from playground.failover import Failover, Patience
from playground.guardrails import Canary, ConfidenceGate, Escalation, Leaks, Sites
from playground.guardrails.confidence import Calibration
from playground.health import Health
from playground.loop import Agent
from playground.middleware import Middleware
from playground.opinions import SecondOpinions
from playground.outage import Outage
from playground.outcomes import calibration_of
from playground.recording import UNRECORDED, Record
from playground.records import Model, Provenance
from playground.retry_budget import RetryBudget
from playground.runtime import ExactCache as CacheRules
from playground.runtime import FailoverRules, Runtime
from playground.semantic_cache import SemanticCache

HOUR_S = 3_600
MB = 1_000_000


def _no_key(model: Model) -> str:
    return ""


def _unrecorded(record: Record) -> Record:
    return UNRECORDED


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What outlives one run: how providers stand, what may still be repeated, where answers are kept, which key is used."""

    health: Health = field(default_factory=Health)
    budget: RetryBudget = field(default_factory=RetryBudget)
    tickets: Tickets = field(default_factory=Tickets)
    answers: Callable[[CacheRules], Answers] | None = None
    """Opens the store of answers; `None` keeps none."""
    semantic: Callable[[Provenance, float], SemanticCache] | None = None
    """The cache of near-identical requests that outlives a run; `None` keeps none."""
    key_of: Callable[[Model], str] = _no_key
    outage: frozenset[str] = frozenset()
    """Providers that do not answer, for a demo; only seen with failover on."""
    mark: str = ""
    """The installation's canary; empty marks no prompt."""
    aside: Callable[[Record], Record] = _unrecorded
    """Marks a run's record for what second opinions pay; keeps none of it unless given."""
    calibrated: Mapping[str, Calibration] = field(default_factory=dict)
    """How drafts are calibrated, by candidate key; under an empty key for those of every other model."""


def guarded(agent: Agent, around: Surroundings, run: Purse | None = None) -> Agent:
    """The agent with every part that its pipeline's `runtime` has on. `run` is a cap that a batch's tickets share.

    Raises `BadInput` where equivalents form a circle or name a model that does not exist.
    """
    purse = run or _purse(agent.pipeline.runtime)
    return replace(agent, middleware=tuple(parts(agent, around, purse)), second=_second(agent, around, purse))


def under(agent: Agent, purse: Purse) -> Agent:
    """A guarded agent whose every call, second opinions included, is held to one more cap; the tighter one of a run stays."""
    known = next((part.run for part in agent.middleware if isinstance(part, Caps) and part.run is not None), None)
    if known is not None and known.cap_usd < purse.cap_usd:
        purse = Purse(known.cap_usd, purse.spent_usd)
    second = agent.second
    if isinstance(second, SecondOpinions):
        second = replace(second, caps=_held_to(purse, second.caps))
    return replace(agent, middleware=_held_to(purse, agent.middleware), second=second)


def _held_to(purse: Purse, found: tuple[Middleware, ...]) -> tuple[Middleware, ...]:
    if not any(isinstance(part, Caps) for part in found):
        return (*found, Caps(run=purse))
    return tuple(replace(part, run=purse) if isinstance(part, Caps) else part for part in found)


def parts(agent: Agent, around: Surroundings, run: Purse | None = None) -> list[Middleware]:
    """The parts, the outermost first: what answers without a call, then who is called, then what any call may cost."""
    rules = agent.pipeline.runtime
    found = list(_guardrails(rules, around))
    if rules.exact_cache is not None and around.answers is not None:
        found.append(ExactCache(around.answers(rules.exact_cache), agent.provenance))
    if rules.semantic_cache is not None and around.semantic is not None:
        found.append(around.semantic(agent.provenance, rules.semantic_cache))
    if rules.failover is not None:
        found.append(_failover(agent, rules.failover, around))
        if around.outage:
            found.append(Outage(around.outage))
    if rules.cost_caps is not None or run is not None:
        found.append(replace(_caps(agent, rules, run), tickets=around.tickets))
    return found


def _guardrails(rules: Runtime, around: Surroundings) -> Iterator[Middleware]:
    """The canary first: what counts tokens then counts those of its mark."""
    if rules.leaks is not None and rules.leaks.canary and around.mark:
        yield Canary(around.mark)
    if rules.leaks is not None:
        yield Leaks(Sites(rules.leaks.own_sites))
    if rules.escalation is not None:
        yield Escalation({str(c): limit for c, limit in rules.escalation.refund_above.items()})
    if rules.confidence_gate is not None:
        known = around.calibrated
        by_model = {model: calibration_of(known, model) for model in known}
        yield ConfidenceGate(rules.confidence_gate, calibration_of(known, ""), by_model)


def open_answers(path: Path | None, rules: CacheRules) -> Answers:
    """The store of answers as the file's part `exact_cache` asks for it; without a path it is in memory."""
    return Answers(path, rules.ttl_hours * HOUR_S, int(rules.max_mb * MB))


def _failover(agent: Agent, rules: FailoverRules, around: Surroundings) -> Failover:
    router = agent.router
    return Failover(
        check_equivalents(rules.equivalents, router.named),
        router_rules(router, Permission(rules.dearer_up_to, rules.up_to_today)),
        around.health,
        around.budget,
        Patience(repeats=rules.repeats),
        around.key_of,
        lambda stage, candidate: router.evidence.quality(stage, candidate).estimate,
    )


def _caps(agent: Agent, rules: Runtime, run: Purse | None) -> Caps:
    caps = rules.cost_caps
    if caps is None:
        return Caps(run=run)
    expected = partial(ticket_usd, agent.router, agent.help_centre, agent.policies)
    asked = caps.times_expected
    purse = run or _purse(rules)
    return Caps(None if asked is None else expected, MULTIPLE if asked is None else asked, caps.call_usd, purse)


def _purse(rules: Runtime) -> Purse | None:
    return None if rules.cost_caps is None or rules.cost_caps.run_usd is None else Purse(rules.cost_caps.run_usd)


def _second(agent: Agent, around: Surroundings, run: Purse | None) -> SecondOpinions | None:
    """Second opinions are part of no ticket, so the ceiling of a ticket does not hold them; those of a call and a run do.

    Failover knows nobody to answer in their place, but it asks nobody who is down, and repeats within the same budget.
    """
    rules = agent.pipeline.runtime
    if rules.second_opinions is None:
        return None
    call_usd = None if rules.cost_caps is None else rules.cost_caps.call_usd
    found: list[Middleware] = []
    if rules.failover is not None:
        found.append(_failover(agent, replace(rules.failover, equivalents={}), around))
        found += [Outage(around.outage)] if around.outage else []
    if call_usd is not None or run is not None:
        found.append(Caps(call_usd=call_usd, run=run))
    return SecondOpinions(rules.second_opinions, rules.opinion_stage, agent.complete, tuple(found), around.aside)
