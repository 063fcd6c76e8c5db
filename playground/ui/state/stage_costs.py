"""What each stage of the month's average ticket costs, with the provider's cache and without."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from playground.batch_costs import UNPRICED, exact_sum, in_usd
from playground.expected_cost import expected_prefixes, stage_usds
from playground.forecast import Spend
from playground.money import ZERO
from playground.prompt_caching import CachedPrefix, saved_usd
from playground.records import Plan
from playground.ui.state.basis import basis, month_source, prompt_cache_is_on
from playground.ui.state.knobs import agent, assumptions, pipeline
from playground.ui.state.log import log_desk
from playground.ui.state.runs import is_whole, plan_bills, trace, unpriced, usual_bills
from playground.ui.state.session import notebook


def stage_means(plan: Plan) -> dict[str, Decimal | None]:
    """One round of an average ticket by stage, in USD: of the log that the month is made of, else of the last ticket.

    A ticket that did not run through says nothing of the stages that it skipped; they are priced on what they should cost.
    """
    if month_source() == "log":
        return _of_log(plan)
    bills = usual_bills()
    if bills is not None and is_whole():
        return {s.key: bills[plan].answers_total(s.key).exact_usd for s in pipeline().stages}
    return expected_stages(plan)


def expected_stages(plan: Plan) -> dict[str, Decimal | None]:
    """What each stage should cost for the ticket in the notebook: counted prompts and typical answers."""
    done, by = trace(), agent()
    ticket = notebook().ticket if done is None else done.ticket
    return stage_usds(by.router, by.help_centre, by.policies, ticket, plan)


def _of_log(plan: Plan) -> dict[str, Decimal | None]:
    batch = log_desk().priced
    assert batch is not None
    costs = batch.costs[plan]
    known = costs[(costs != UNPRICED).all(axis=1)]
    n = max(1, len(known))
    return {stage: in_usd(exact_sum(known[:, i])) / n for i, stage in enumerate(batch.stages)}


def month_spend(plan: Plan) -> Spend | None:
    """The month's average ticket; where nothing ran through, what one should cost."""
    plans = plan_bills()
    if month_source() == "log" or (plans is not None and is_whole() and not unpriced(plans)):
        return basis().spends[plan]
    found = stage_means(plan)
    whole = summed(found, tuple(found))
    if whole is None:
        return None
    done, by = trace(), agent()
    ticket = notebook().ticket if done is None else done.ticket
    is_on = prompt_cache_is_on()
    prefixes = expected_prefixes(by.router, by.help_centre, by.policies, ticket, plan) if is_on else ()
    return Spend(whole, prefixes=prefixes)


def cached_stages(plan: Plan, spend: Spend) -> dict[str, Decimal | None]:
    """What each stage costs with the provider's cache as the month has it: it sits in some stages only."""
    n, found = assumptions().tickets_per_month, stage_means(plan)
    return {s: None if usd is None else usd - saved_at(spend.prefixes, s, n) for s, usd in found.items()}


def saved_at(prefixes: Sequence[CachedPrefix], stage: str, n: int) -> Decimal:
    """What a provider's cache takes off a stage's round at a volume."""
    return saved_usd((p for p in prefixes if p.stage == stage), n)


def part_of(found: dict[str, Decimal | None], stages: tuple[str, ...]) -> Decimal | None:
    """What some stages are of the whole; `None` where a price is missing."""
    some, whole = summed(found, stages), summed(found, tuple(found))
    return None if some is None or whole is None else some / whole if whole else ZERO


def summed(found: dict[str, Decimal | None], stages: tuple[str, ...]) -> Decimal | None:
    """Some stages together; `None` where a price is missing."""
    known = [found.get(stage) for stage in stages]
    return None if None in known else sum((usd for usd in known if usd is not None), ZERO)
