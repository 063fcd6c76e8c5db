"""What a ticket should cost when nothing goes wrong, before it runs: counted prompts, typical answers, the router's own choices."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from playground.batch_costs import Whole
from playground.batch_prefixes import one_prefix
from playground.difficulty import cues
from playground.knowledge import HelpCentre
from playground.log_tickets import LogTickets
from playground.money import ZERO
from playground.pipeline import Stage
from playground.prompt_caching import CachedPrefix
from playground.prompt_counts import count_inputs, prefix_tokens
from playground.records import Decision, Plan, Policy, Prompt, Ticket
from playground.router import Router


def ticket_usd(
    router: Router, help_centre: HelpCentre, policies: tuple[Policy, ...], ticket: Ticket, plan: Plan
) -> Decimal | None:
    """The expected cost of one ticket under a plan, the expected cost of climbing included. `None` where a price is missing.

    What only a model could say is assumed, as in `prompt_counts`: an earlier output has its stage's typical length.
    """
    found = stage_usds(router, help_centre, policies, ticket, plan).values()
    return None if None in found else sum((usd for usd in found if usd is not None), ZERO)


def expected_prefixes(
    router: Router, help_centre: HelpCentre, policies: tuple[Policy, ...], ticket: Ticket, plan: Plan
) -> tuple[CachedPrefix, ...]:
    """What providers' caches change on it, for an average ticket like this one."""
    flow, found = router.pipeline, list[CachedPrefix]()
    for stage, inputs, decision in _decided(router, help_centre, policies, ticket, plan):
        length = prefix_tokens(stage, flow, policies)
        found += one_prefix(decision.chosen.model, stage.key, inputs, length)
    return tuple(found)


def stage_usds(
    router: Router, help_centre: HelpCentre, policies: tuple[Policy, ...], ticket: Ticket, plan: Plan
) -> dict[str, Decimal | None]:
    """The same by stage."""
    found = {}
    for stage, _, decision in _decided(router, help_centre, policies, ticket, plan):
        chosen = next((c for c in decision.considered if c.candidate.key == decision.chosen.key), None)
        found[stage.key] = None if chosen is None else chosen.expected_cost_usd
    return found


def _decided(
    router: Router, help_centre: HelpCentre, policies: tuple[Policy, ...], ticket: Ticket, plan: Plan
) -> Iterator[tuple[Stage, Whole, Decision]]:
    """Each stage with its input tokens, shaped (1, calls), and what the router chooses."""
    alone = LogTickets((ticket.id,), (ticket.text,), (ticket.subject,), (ticket.customer_id or "",))
    inputs = count_inputs(alone, router.pipeline, help_centre, policies)
    for stage in router.pipeline.stages:
        counted = inputs[stage.key]
        prompts = tuple(Prompt(stage.key, call, (), n, 0) for call, n in enumerate(counted[0].tolist(), 1))
        yield stage, counted, router.decide(stage, prompts, plan, cues(ticket))
