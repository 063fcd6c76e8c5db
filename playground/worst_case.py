"""The most that work can cost, so that a cap on spending can be kept before anything is spent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from playground.catalog import reasoning_tokens
from playground.difficulty import cues, retrieval_cues
from playground.loop import THINKING_ROOM, TRIES
from playground.money import ZERO
from playground.options import Load, stage_cost_usd
from playground.pipeline import Stage
from playground.prices import cost_usd
from playground.records import Candidate, Cue, Passage, Plan, Prompt, Ticket, Usage
from playground.router import Router
from playground.scoring.judging import MAX_OUTPUT_TOKENS as JUDGE_MOST
from playground.scoring.judging import TRIES as JUDGE_TRIES
from playground.scoring.judging import TYPICAL_OUTPUT_TOKENS as JUDGE_TYPICAL
from playground.shadow import Arms

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


def shadow_usd(router: Router, inputs: Sequence[int], arms: Arms, judge: Candidate | None) -> Cost | None:
    """What one ticket of a shadow evaluation costs as usual, and at most. `None` where a price is missing.

    The stages before run as today, the arms once each, and a judge reads every candidate's answer in both orders.
    """
    usual, most, carried = ZERO, ZERO, 0
    for stage, counted in zip(router.pipeline.stages, inputs, strict=False):
        a_call = ceil(counted * OTHER_TOKENIZERS / stage.calls) + carried
        last = stage.key == arms.stage
        tried = arms.all if last else _today(router, stage, a_call)
        longest = [longest_usd(stage, a_call, c) for c in tried]
        typical = [_usual_usd(stage, counted // stage.calls, c) for c in (tried if last else tried[:1])]
        if None in longest or None in typical:
            return None
        most, usual = most + _sum(longest), usual + _sum(typical)
        carried += stage.max_output_tokens
        if last:
            both = _judge_usd(stage, counted, judge, len(arms.candidates)) if judge is not None else Cost(ZERO, ZERO)
            return None if both is None else Cost(usual + both.usual_usd, most + both.most_usd)
    return None


@dataclass(frozen=True, slots=True)
class Cost:
    """What something costs as usual, and at most, in USD."""

    usual_usd: Decimal
    most_usd: Decimal


def _today(router: Router, stage: Stage, a_call: int) -> tuple[Candidate, ...]:
    prompts = tuple(Prompt(stage.key, call, (), a_call, 0) for call in range(1, stage.calls + 1))
    return router.decide(stage, prompts, "before").ladder[:TRIES]


def _usual_usd(stage: Stage, input_tokens: int, candidate: Candidate) -> Decimal | None:
    load = Load((input_tokens,) * stage.calls, stage.typical_output_tokens, stage.max_output_tokens)
    return stage_cost_usd(candidate, load)


def judged_usd(stage: Stage, output_tokens: int, judge: Candidate) -> Cost | None:
    """What it costs to judge one pair of given outputs, `output_tokens` long together; `None` without a price."""
    return _judge_usd(stage, output_tokens, judge, 1)


def _judge_usd(stage: Stage, counted: int, judge: Candidate, candidates: int) -> Cost | None:
    """Two orders for each candidate; at most two tries of each, on two answers as long as they may be."""
    thinking = reasoning_tokens(judge, JUDGE_TYPICAL)
    usual_in = counted // stage.calls + 2 * stage.typical_output_tokens
    most_in = ceil(counted * OTHER_TOKENIZERS / stage.calls) + 2 * stage.max_output_tokens
    usual = cost_usd(Usage(usual_in, JUDGE_TYPICAL + thinking, reasoning_tokens=thinking), judge.model.price)
    out = JUDGE_MOST + THINKING_ROOM * thinking
    most = cost_usd(Usage(most_in, out, reasoning_tokens=THINKING_ROOM * thinking), judge.model.price)
    return None if usual is None or most is None else Cost(2 * candidates * usual, 2 * JUDGE_TRIES * candidates * most)


def _sum(costs: Sequence[Decimal | None]) -> Decimal:
    return sum((c for c in costs if c is not None), ZERO)
