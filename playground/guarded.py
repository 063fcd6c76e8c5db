"""An agent with what its file asks for around it: guardrails, caches, failover and caps, in the one order in which they work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from playground.answer_store import Answers
from playground.cache import ExactCache
from playground.caps import MULTIPLE, Caps, Purse, Tickets
from playground.embedders import embedder_of
from playground.equivalents import Permission, check_equivalents, router_rules
from playground.errors import BadInput
from playground.expected_cost import ticket_usd
from playground.failover import Failover
from playground.guardrails import Canary, ConfidenceGate, Escalation, Leaks, Sites
from playground.guardrails.confidence import Calibration
from playground.health import Health
from playground.loop import Agent
from playground.middleware import Middleware
from playground.opinions import SecondOpinions
from playground.outage import Outage
from playground.outcomes import calibration_of
from playground.patience import Patience
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


def _nobody(model: Model) -> bool:
    return False


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
    semantic: Callable[[Provenance, float, Model | None], SemanticCache] | None = None
    """The cache of near-identical requests that outlives a run, by threshold and model for embeddings; `None` keeps none."""
    reaches: Callable[[Model], bool] = _nobody
    """Whether there is a connection to a model for embeddings."""
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
        found.append(around.semantic(agent.provenance, *compared_by(rules, agent.provenance, around.reaches)))
    if rules.failover is not None:
        found.append(_failover(agent, rules.failover, around))
        if around.outage:
            found.append(Outage(around.outage))
    if rules.cost_caps is not None or run is not None:
        found.append(replace(_caps(agent, rules, run), tickets=around.tickets))
    return found


def compared_by(rules: Runtime, provenance: Provenance, reaches: Callable[[Model], bool]) -> tuple[float, Model | None]:
    """From how alike on the semantic cache serves, and which model's embeddings say so; `None` compares by letters.

    By meaning only in a live run that can reach the model; `why_letters` says what is in the way.
    """
    asked = rules.semantic_embedding
    if asked is None or why_letters(rules, provenance, reaches):
        return rules.semantic_cache or 0.0, None
    return asked.threshold, embedder_of(asked)


def why_letters(rules: Runtime, provenance: Provenance, reaches: Callable[[Model], bool]) -> str:
    """Why the semantic cache compares by letters, as a sentence; empty where it compares by meaning."""
    asked = rules.semantic_embedding
    if asked is None:
        return "No threshold for comparing by meaning has been tuned and put to use."
    try:
        embedder = embedder_of(asked)
    except BadInput as error:
        return str(error)
    if provenance != "live":
        return "Only live runs compare by meaning: it takes a call to a model."
    if not reaches(embedder):
        where = f"its address {urlsplit(asked.endpoint).netloc}" if asked.endpoint else embedder.provider
        return f"There is no key or connection for {where}. Add it in Settings."
    if embedder.price is None and rules.cost_caps is not None:
        return (
            f"{embedder.name} has no price, and no call goes out to such a model under a cost ceiling. Give it a price."
        )
    return ""


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
    found = beside(agent, around, run)
    return SecondOpinions(rules.second_opinions, rules.opinion_stage, agent.complete, found, around.aside)


def beside(agent: Agent, around: Surroundings, run: Purse | None) -> tuple[Middleware, ...]:
    """What stands around calls that are part of no ticket: who is asked, and the caps on a call and a run."""
    rules = agent.pipeline.runtime
    call_usd = None if rules.cost_caps is None else rules.cost_caps.call_usd
    found: list[Middleware] = []
    if rules.failover is not None:
        found.append(_failover(agent, replace(rules.failover, equivalents={}), around))
        found += [Outage(around.outage)] if around.outage else []
    if call_usd is not None or run is not None:
        found.append(Caps(call_usd=call_usd, run=run))
    return tuple(found)
