"""The most that work can cost, so that a cap on spending can be kept before anything is spent."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import ceil

from playground.catalog import reasoning_tokens
from playground.difficulty import cues, retrieval_cues
from playground.loop import THINKING_ROOM, TRIES
from playground.money import ZERO
from playground.pipeline import Stage
from playground.prices import cost_usd
from playground.records import Candidate, Cue, Passage, Plan, Prompt, Ticket, Usage
from playground.router import Router

OTHER_TOKENIZERS = 1.25


def most_usd(router: Router, ticket: Ticket, inputs: Sequence[int], plan: Plan) -> Decimal | None:
    """The most a ticket can cost: every stage tried twice, every answer as long as it may be. `None` where a price is missing.

    `inputs` are counted input tokens by stage. A quarter is added to them: only OpenAI publishes its tokenizer.
    """
    weak = tuple(retrieval_cues((Passage("", "", ""),)))
    found = cues(ticket)
    return max_known([_with_cues(router, inputs, plan, hard) for hard in (found, (*found, *weak))])


def max_known(costs: Sequence[Decimal | None]) -> Decimal | None:
    """The largest; `None` where one is unknown."""
    known = [c for c in costs if c is not None]
    return max(known) if len(known) == len(costs) else None


def _with_cues(router: Router, inputs: Sequence[int], plan: Plan, hard: tuple[Cue, ...]) -> Decimal | None:
    total, carried = ZERO, 0
    for stage, counted in zip(router.pipeline.stages, inputs, strict=True):
        a_call = ceil(counted * OTHER_TOKENIZERS / stage.calls) + carried
        prompts = tuple(Prompt(stage.key, call, (), a_call, 0) for call in range(1, stage.calls + 1))
        ladder = router.decide(stage, prompts, plan, hard).ladder[:TRIES]
        costs = [longest_usd(stage, a_call, c) for c in ladder]
        if None in costs:
            return None
        total += sum((c for c in costs if c is not None), ZERO)
        # A longer answer makes every later prompt longer.
        carried += stage.max_output_tokens
    return total


def longest_usd(stage: Stage, input_tokens: int, candidate: Candidate) -> Decimal | None:
    """A stage's calls with answers as long as they may be, `input_tokens` in each; `None` without a price."""
    thinking = reasoning_tokens(candidate, stage.typical_output_tokens) * THINKING_ROOM
    usage = Usage(input_tokens, stage.max_output_tokens + thinking, reasoning_tokens=thinking)
    a_call = cost_usd(usage, candidate.model.price)
    return None if a_call is None else a_call * stage.calls
