"""The most that work can cost, so that a cap on spending can be kept before anything is spent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from playground import tokens
from playground.catalog import reasoning_tokens
from playground.difficulty import cues, retrieval_cues
from playground.embedders import embedder_of
from playground.equivalents import Equivalents, check_equivalents, in_order
from playground.errors import BadInput
from playground.loop import THINKING_ROOM, TRIES
from playground.money import ZERO
from playground.options import Load, stage_cost_usd
from playground.pipeline import Stage
from playground.prices import MTOK, cost_usd
from playground.records import Candidate, Cue, OutputSpec, Passage, Plan, Prompt, Rates, Request, Ticket, Usage
from playground.router import Router
from playground.runtime import Runtime
from playground.scoring.judging import MAX_OUTPUT_TOKENS as JUDGE_MOST
from playground.scoring.judging import TRIES as JUDGE_TRIES
from playground.scoring.judging import TYPICAL_OUTPUT_TOKENS as JUDGE_TYPICAL
from playground.semantic_cache import words_of
from playground.shadow import Arms

OTHER_TOKENIZERS = 1.25
PRIVATE_TOKENIZERS = 2.0
"""How many times as many input tokens as we count a provider may bill that does not publish its tokenizer. Anthropic's since Opus
4.7 makes up to 1.35 times as many of a text as its last one (its migration guide; users measured 1.47 on English), and that one
already makes more than the one we count with."""


def most_usd(router: Router, ticket: Ticket, inputs: Sequence[int], plan: Plan) -> Decimal | None:
    """The most a ticket can cost: every stage tried twice, every answer as long as it may be. `None` where a price is missing.

    With failover on, everybody on the list of either try is asked too. `inputs` are counted input tokens by stage, with the margins
    and rates of `request_usd`. It is an estimate: a call that is repeated at one provider after it broke off is not in it, and a
    `caps.Purse` under the calls is what holds them.
    """
    weak = tuple(retrieval_cues((Passage("", "", ""),)))
    found = cues(ticket)
    calls = max_known([_with_cues(router, inputs, plan, hard) for hard in (found, (*found, *weak))])
    return None if calls is None else calls + _embedding_usd(router.pipeline.runtime, ticket)


def _embedding_usd(rules: Runtime, ticket: Ticket) -> Decimal:
    """The most that comparing by meaning adds; nothing for a model without a price, which no cap lets out."""
    if rules.semantic_cache is None or rules.semantic_embedding is None:
        return ZERO
    try:
        embedder = Candidate(embedder_of(rules.semantic_embedding))
    except BadInput:
        return ZERO
    return _reached_usd(embedder, most_embedded([words_of(ticket)]), 0) or ZERO


def max_known(costs: Sequence[Decimal | None]) -> Decimal | None:
    """The largest; `None` where one is unknown."""
    known = [c for c in costs if c is not None]
    return max(known) if len(known) == len(costs) else None


def _with_cues(router: Router, inputs: Sequence[int], plan: Plan, hard: tuple[Cue, ...]) -> Decimal | None:
    total, carried, listed = ZERO, 0, _equivalents(router)
    for stage, counted in zip(router.pipeline.stages, inputs, strict=True):
        a_call = ceil(counted * OTHER_TOKENIZERS / stage.calls) + carried
        prompts = tuple(Prompt(stage.key, call, (), a_call, 0) for call in range(1, stage.calls + 1))
        ladder = router.decide(stage, prompts, plan, hard).ladder[:TRIES]
        asked = dict.fromkeys(c for own in ladder for c in (own, *in_order(listed, own)))
        costs = [_most_usd(stage, ceil(counted / stage.calls), carried, c) for c in asked]
        if None in costs:
            return None
        total += sum((c for c in costs if c is not None), ZERO)
        # A longer answer makes every later prompt longer.
        carried += stage.max_output_tokens
    return total


def _equivalents(router: Router) -> Equivalents:
    rules = router.pipeline.runtime.failover
    return {} if rules is None else check_equivalents(rules.equivalents, router.named)


def _most_usd(stage: Stage, counted: int, carried: int, candidate: Candidate) -> Decimal | None:
    """A stage's calls at one candidate; `carried` are output tokens of earlier stages, as they were billed."""
    thinking = reasoning_tokens(candidate, stage.typical_output_tokens) * THINKING_ROOM
    most_in = ceil((counted + _schema_tokens(stage.output)) * _margin(candidate)) + carried
    a_call = _reached_usd(candidate, most_in, stage.max_output_tokens + thinking)
    return None if a_call is None else a_call * stage.calls


def longest_usd(stage: Stage, input_tokens: int, candidate: Candidate) -> Decimal | None:
    """A stage's calls with answers as long as they may be, `input_tokens` in each; `None` without a price."""
    thinking = reasoning_tokens(candidate, stage.typical_output_tokens) * THINKING_ROOM
    usage = Usage(input_tokens, stage.max_output_tokens + thinking, reasoning_tokens=thinking)
    a_call = cost_usd(usage, candidate.model.price)
    return None if a_call is None else a_call * stage.calls


def request_usd(request: Request) -> Decimal | None:
    """The most that one call can be billed: its input as counted and a margin, its answer as long as it may be. `None` unpriced.

    The margin is a quarter at OpenAI, whose tokenizer is known, for what a call adds to its messages; all else is doubled. A
    schema is counted on top. Every rate is the dearest that may apply: writing to a cache, thinking, a long-context tier. A
    provider that does not keep to the output cap that it is sent bills more than this.
    """
    if request.output.kind == "vector":
        return _reached_usd(request.candidate, most_embedded(m.content for m in request.prompt.messages), 0)
    counted = request.prompt.input_tokens + _schema_tokens(request.output)
    most_in = ceil(counted * _margin(request.candidate))
    return _reached_usd(request.candidate, most_in, request.max_output_tokens)


def most_embedded(texts: Iterable[str]) -> int:
    """The most tokens that texts can be billed as by whoever embeds them: one for each byte, and two that mark begin and end."""
    return sum(len(text.encode("utf-8", "replace")) + 2 for text in texts)


def _margin(candidate: Candidate) -> float:
    own = candidate.model.provider == "OpenAI" and candidate.model.endpoint is None
    return OTHER_TOKENIZERS if own else PRIVATE_TOKENIZERS


def _reached_usd(candidate: Candidate, tokens_in: int, tokens_out: int) -> Decimal | None:
    """One call at the dearest of the rates that so many input tokens reach."""
    price = candidate.model.price
    if price is None:
        return None
    reached = (price.rates, *(rates for above, rates in price.tiers if tokens_in > above))
    return max_known([_dearest_usd(rates, tokens_in, tokens_out) for rates in reached])


def _schema_tokens(output: OutputSpec) -> int:
    sent = output.kind == "json" and output.schema is not None
    return tokens.count_fixed(json.dumps(output.schema, default=str)) if sent else 0


def _dearest_usd(rates: Rates, tokens_in: int, tokens_out: int) -> Decimal | None:
    fresh, written = rates.input_usd_per_mtok, rates.output_usd_per_mtok
    if fresh is None or written is None:
        return None
    dearest_in = max(fresh, rates.cache_write_usd_per_mtok or ZERO)
    dearest_out = max(written, rates.reasoning_usd_per_mtok or ZERO)
    return (tokens_in * dearest_in + tokens_out * dearest_out) / MTOK


def shadow_usd(
    router: Router, inputs: Sequence[int], arms: Arms, judge: Candidate | None, rubric_tokens: int = 0
) -> Cost | None:
    """What one ticket of a shadow evaluation costs as usual, and at most. `None` where a price is missing.

    The stages before run as today, the arms once each, and a judge reads every candidate's answer in both orders.
    """
    usual, most, carried = ZERO, ZERO, 0
    for stage, counted in zip(router.pipeline.stages, inputs, strict=False):
        a_call = ceil(counted * PRIVATE_TOKENIZERS / stage.calls) + carried
        last = stage.key == arms.stage
        tried = arms.all if last else _today(router, stage, a_call)
        longest = [longest_usd(stage, a_call, c) for c in tried]
        typical = [_usual_usd(stage, counted // stage.calls, c) for c in (tried if last else tried[:1])]
        if None in longest or None in typical:
            return None
        most, usual = most + _sum(longest), usual + _sum(typical)
        carried += stage.max_output_tokens
        if last:
            both = (
                _judge_usd(stage, counted, judge, len(arms.candidates), rubric_tokens)
                if judge is not None
                else Cost(ZERO, ZERO)
            )
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


def judged_usd(stage: Stage, output_tokens: int, judge: Candidate, rubric_tokens: int = 0) -> Cost | None:
    """What it costs to judge one pair of given outputs, `output_tokens` long together; `None` without a price."""
    return _judge_usd(stage, output_tokens, judge, 1, rubric_tokens)


def _judge_usd(stage: Stage, counted: int, judge: Candidate, candidates: int, rubric_tokens: int) -> Cost | None:
    """Two orders for each candidate; at most two tries of each, on two answers as long as they may be."""
    thinking = reasoning_tokens(judge, JUDGE_TYPICAL)
    usual_in = counted // stage.calls + rubric_tokens + 2 * stage.typical_output_tokens
    most_in = ceil((counted / stage.calls + rubric_tokens) * PRIVATE_TOKENIZERS) + 2 * stage.max_output_tokens
    usual = cost_usd(Usage(usual_in, JUDGE_TYPICAL + thinking, reasoning_tokens=thinking), judge.model.price)
    out = JUDGE_MOST + THINKING_ROOM * thinking
    most = cost_usd(Usage(most_in, out, reasoning_tokens=THINKING_ROOM * thinking), judge.model.price)
    return None if usual is None or most is None else Cost(2 * candidates * usual, 2 * JUDGE_TRIES * candidates * most)


def _sum(costs: Sequence[Decimal | None]) -> Decimal:
    return sum((c for c in costs if c is not None), ZERO)
