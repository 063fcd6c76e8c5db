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
    alone = LogTickets((ticket.id,), (ticket.text,), (ticket.subject,), (ticket.customer_id or "",))
    inputs = count_inputs(alone, router.pipeline, help_centre, policies)
    total = ZERO
    for stage in router.pipeline.stages:
        counted = inputs[stage.key][0].tolist()
        prompts = tuple(Prompt(stage.key, call, (), n, 0) for call, n in enumerate(counted, 1))
        decision = router.decide(stage, prompts, plan, cues(ticket))
        chosen = next((c for c in decision.considered if c.candidate.key == decision.chosen.key), None)
        if chosen is None or chosen.expected_cost_usd is None:
            return None
        total += chosen.expected_cost_usd
    return total
