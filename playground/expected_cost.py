"""What a ticket should cost when nothing goes wrong, before it runs: counted prompts, typical answers, the router's own choices."""

from __future__ import annotations

from decimal import Decimal

from playground.difficulty import cues
from playground.knowledge import HelpCentre
from playground.log_tickets import LogTickets
from playground.money import ZERO
from playground.prompt_counts import count_inputs
from playground.records import Plan, Policy, Prompt, Ticket
from playground.router import Router


def ticket_usd(
    router: Router, help_centre: HelpCentre, policies: tuple[Policy, ...], ticket: Ticket, plan: Plan
) -> Decimal | None:
    """The expected cost of one ticket under a plan, the expected cost of climbing included. `None` where a price is missing.

    What only a model could say is assumed, as in `prompt_counts`: an earlier output has its stage's typical length.
    """
    found = stage_usds(router, help_centre, policies, ticket, plan).values()
    return None if None in found else sum((usd for usd in found if usd is not None), ZERO)


def stage_usds(
    router: Router, help_centre: HelpCentre, policies: tuple[Policy, ...], ticket: Ticket, plan: Plan
) -> dict[str, Decimal | None]:
    """The same by stage."""
    alone = LogTickets((ticket.id,), (ticket.text,), (ticket.subject,), (ticket.customer_id or "",))
    inputs = count_inputs(alone, router.pipeline, help_centre, policies)
    found = {}
    for stage in router.pipeline.stages:
        counted = inputs[stage.key][0].tolist()
        prompts = tuple(Prompt(stage.key, call, (), n, 0) for call, n in enumerate(counted, 1))
        decision = router.decide(stage, prompts, plan, cues(ticket))
        chosen = next((c for c in decision.considered if c.candidate.key == decision.chosen.key), None)
        found[stage.key] = None if chosen is None else chosen.expected_cost_usd
    return found
