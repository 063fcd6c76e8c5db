"""Which candidate a stage uses: the cheapest that clears the bar, with a reason for every one considered.

Choice is by expected total cost: input and expected output at the candidate's effort, plus the expected cost of climbing to
the before-model when an output is not good enough. If nothing cheaper clears the bar, the stage stays on its before-model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from playground.catalog import Catalog, reasoning_tokens
from playground.errors import BadModel
from playground.evidence import Evidence, enough, pairs_needed
from playground.money import usd
from playground.pipeline import Pipeline, Stage
from playground.prices import cost_usd
from playground.records import Assurance, Bar, Candidate, Considered, Decision, Plan, Prompt, Quality, ReasonCode, Usage

CANNOT_RUN: frozenset[ReasonCode] = frozenset({"provider_off", "too_long", "never"})


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user allows. `providers` of `None` means all; `bars` and `pins` are by stage key."""

    providers: frozenset[str] | None = None
    bars: Mapping[str, float] = field(default_factory=dict)
    pins: Mapping[str, str] = field(default_factory=dict)
    never: frozenset[str] = frozenset()
    min_days_to_retirement: int = 0
    call_budget_usd: Decimal | None = None
    assurance: Assurance = "estimated"
    today: date = field(default_factory=date.today)


@dataclass(frozen=True, slots=True)
class _Load:
    """A stage's tokens for one ticket: per-call inputs, and visible output per call."""

    inputs: tuple[int, ...]
    typical_output: int
    max_output: int


class Router:
    """Decides for one pipeline, catalogue, evidence and settings. Pure: the same question gets the same answer."""

    def __init__(
        self, pipeline: Pipeline, catalog: Catalog, evidence: Evidence, settings: Settings | None = None
    ) -> None:
        self.pipeline, self.catalog, self.evidence = pipeline, catalog, evidence
        self.settings = settings or Settings()
        self.candidates = catalog.candidates(evidence.efforts)
        self._by_key = {c.key: c for c in self.candidates}

    def decide(self, stage: Stage, prompts: Sequence[Prompt], plan: Plan) -> Decision:
        """The decision for a stage's prompts. Raises `BadModel` where a named model does not exist."""
        load = _Load(tuple(p.input_tokens for p in prompts), stage.typical_output_tokens, stage.max_output_tokens)
        before = self.named(stage.before)
        bar = Bar(self.settings.bars.get(stage.key, stage.bar), stage.bar)
        considered = self._consider(stage, load, before, bar)
        if plan != "before" and stage.key in self.settings.pins:
            return self._fixed(stage, plan, considered, bar, self.named(self.settings.pins[stage.key]), "pinned")
        if plan == "before":
            return self._fixed(stage, plan, considered, bar, before, "before")
        if plan == "stratified":
            return self._fixed(stage, plan, considered, bar, self.named(self.pipeline.tiers[stage.tier]), "tier")
        return self._cheapest(stage, considered, bar, before)

    def named(self, key: str) -> Candidate:
        """A candidate by key, model name or litellm id. Raises `BadModel`."""
        if key in self._by_key:
            return self._by_key[key]
        if " @" in key:
            raise BadModel(f"{key} is not offered: no evidence or price is known at that effort.")
        return Candidate(self.catalog.by_name(key))

    def _consider(self, stage: Stage, load: _Load, before: Candidate, bar: Bar) -> list[Considered]:
        rescue = self.stage_cost(before, load)
        pool = self.candidates if before.key in self._by_key else (*self.candidates, before)
        found = [self._look(stage, load, c, bar, rescue, c.key == before.key) for c in pool]
        return sorted(found, key=_cheapest_first)

    def _look(
        self, stage: Stage, load: _Load, candidate: Candidate, bar: Bar, rescue: Decimal | None, is_before: bool
    ) -> Considered:
        quality = self.evidence.quality(stage.key, candidate)
        cost = self.stage_cost(candidate, load)
        expected = _with_climbing(cost, quality, rescue, is_before)
        code, reason = (
            self._obstacle(candidate, cost, load)
            or (None if is_before else self._shortfall(quality, bar))
            or ("dearer", "")
        )
        return Considered(candidate, quality, cost, expected, code, reason)

    def stage_cost(self, candidate: Candidate, load: _Load) -> Decimal | None:
        """List cost in USD of a stage's calls for one ticket; `None` where the model has no price."""
        thinking = reasoning_tokens(candidate, load.typical_output)
        price = candidate.model.price
        if price is None:
            return None
        out = load.typical_output + thinking
        if not price.tiers:
            calls = len(load.inputs)
            return cost_usd(Usage(sum(load.inputs), out * calls, reasoning_tokens=thinking * calls), price)
        costs = [cost_usd(Usage(tokens, out, reasoning_tokens=thinking), price) for tokens in load.inputs]
        return None if None in costs else sum((c for c in costs if c is not None), Decimal(0))

    def _obstacle(self, candidate: Candidate, cost: Decimal | None, load: _Load) -> tuple[ReasonCode, str] | None:
        model, rules = candidate.model, self.settings
        longest = max(load.inputs) + load.max_output
        if rules.providers is not None and (model.endpoint or model.provider) not in rules.providers:
            return "provider_off", f"{model.provider} is not among the providers you allow"
        if candidate.key in rules.never or model.name in rules.never:
            return "never", "you chose never to use it"
        if model.context_tokens is not None and longest > model.context_tokens:
            return (
                "too_long",
                f"prompt and answer ({longest:,} tokens) do not fit its context ({model.context_tokens:,})",
            )
        if cost is None:
            return "unpriced", "no price is known, so it cannot be compared"
        if model.retires_on and model.retires_on <= rules.today + timedelta(days=rules.min_days_to_retirement):
            return "retired", f"{'retired' if model.retires_on <= rules.today else 'retires'} on {model.retires_on}"
        if rules.call_budget_usd is not None and cost / len(load.inputs) > rules.call_budget_usd:
            return (
                "over_budget",
                f"a call costs {usd(cost / len(load.inputs))}, over your limit of {usd(rules.call_budget_usd)}",
            )
        return None

    def _shortfall(self, quality: Quality, bar: Bar) -> tuple[ReasonCode, str] | None:
        if self.settings.assurance == "proven" and not quality.proven:
            return (
                "no_evidence",
                f"not proven: no shadow evaluation has passed it; needs about {pairs_needed(quality)} pairs",
            )
        if quality.estimate is None or not enough(quality):
            return "no_evidence", f"insufficient evidence: needs about {pairs_needed(quality)} shadow pairs"
        if quality.estimate < bar.value:
            return "below_bar", f"{_down(quality.estimate)} is below the bar of {bar.value:.2f}"
        return None

    def _cheapest(self, stage: Stage, considered: list[Considered], bar: Bar, before: Candidate) -> Decision:
        passing = [c for c in considered if c.code == "dearer"]
        if not passing:
            return self._stuck(stage, considered, bar, before)
        best = passing[0]
        stays = best.candidate.key == before.key
        winner = replace(best, code="chosen", reason=self._why(considered, passing, bar, stays))
        rest = [_dearer(c, winner) if c.code == "dearer" else c for c in considered if c is not best]
        ladder = _ladder(best, passing, before)
        ranked = tuple(sorted((winner, *rest), key=_cheapest_first))
        flip = _flip(winner, rest)
        fallback = ladder[1] if len(ladder) > 1 else None
        return Decision(
            stage.key,
            "kr-auto",
            self.settings.assurance,
            best.candidate,
            ladder,
            ranked,
            bar,
            "chosen",
            winner.reason,
            flip,
            fallback,
        )

    def _why(self, considered: Sequence[Considered], passing: Sequence[Considered], bar: Bar, stays: bool) -> str:
        if not stays:
            return (
                f"cheapest of {len(passing)} that clear {bar.value:.2f}"
                if len(passing) > 1
                else f"the only one that clears {bar.value:.2f}"
            )
        unsure = sum(c.code == "no_evidence" for c in considered)
        missing = f"; {unsure} more need evidence" if unsure else ""
        return f"no change: nothing cheaper clears {bar.value:.2f}{missing}"

    def _stuck(self, stage: Stage, considered: list[Considered], bar: Bar, before: Candidate) -> Decision:
        own = next(c for c in considered if c.candidate.key == before.key)
        if own.code == "too_long" and all(c.code == "too_long" for c in considered if c.code != "provider_off"):
            return self._fixed(
                stage, "kr-auto", considered, bar, before, "too_long", "the prompt fits no allowed model's context"
            )
        if own.code in CANNOT_RUN:
            why = f"no allowed model clears {bar.value:.2f}, and the current model cannot be used: {own.reason}"
            return self._fixed(stage, "kr-auto", considered, bar, before, own.code, why)
        return self._fixed(
            stage,
            "kr-auto",
            considered,
            bar,
            before,
            "before",
            f"nothing clears {bar.value:.2f}: stays on the current model",
        )

    def _fixed(
        self,
        stage: Stage,
        plan: Plan,
        considered: list[Considered],
        bar: Bar,
        chosen: Candidate,
        code: ReasonCode,
        why: str = "",
    ) -> Decision:
        own = next((c for c in considered if c.candidate.key == chosen.key), None)
        blocked = own is not None and own.code in CANNOT_RUN and code not in CANNOT_RUN
        if blocked and own is not None:
            code, why = own.code, f"{chosen.key} cannot be used: {own.reason}"
        reasons = {
            "pinned": "you pinned it",
            "before": "what this stage runs on today",
            "tier": f"the plan's {stage.tier} model",
        }
        reason = why or reasons[code]
        marked = tuple(
            replace(c, code=code, reason=reason) if c is own and not blocked else _plain(c) for c in considered
        )
        top = self.named(self.pipeline.tiers["frontier"])
        ladder = (chosen, self.named(stage.before) if chosen.key != self.named(stage.before).key else top)
        return Decision(
            stage.key, plan, self.settings.assurance, chosen, ladder, marked, bar, code, reason, fallback=ladder[1]
        )


def runnable(decision: Decision) -> bool:
    """Whether the chosen candidate may be called at all."""
    return decision.code not in CANNOT_RUN


def _with_climbing(cost: Decimal | None, quality: Quality, rescue: Decimal | None, is_before: bool) -> Decimal | None:
    if cost is None or rescue is None or is_before or quality.estimate is None:
        return cost
    return cost + rescue * Decimal(str(round(1 - quality.estimate, 4)))


def _cheapest_first(option: Considered) -> tuple[bool, Decimal, str]:
    return option.expected_cost_usd is None, option.expected_cost_usd or Decimal(0), option.candidate.key


def _ladder(best: Considered, passing: Sequence[Considered], before: Candidate) -> tuple[Candidate, ...]:
    """The winner, then the next one up that is no worse, from another model; the before-model where there is none."""
    floor = best.quality.estimate or 0.0
    others = (
        c.candidate
        for c in passing[1:]
        if c.candidate.model != best.candidate.model and (c.quality.estimate or 0.0) >= floor
    )
    up = next(others, before)
    return (best.candidate, up)


def _dearer(option: Considered, winner: Considered) -> Considered:
    if option.expected_cost_usd is None or winner.expected_cost_usd is None:
        return option
    return replace(option, reason=f"dearer by {usd(option.expected_cost_usd - winner.expected_cost_usd)} a ticket")


def _plain(option: Considered) -> Considered:
    return replace(option, reason="clears the bar") if option.code == "dearer" else option


def _flip(winner: Considered, rest: Sequence[Considered]) -> str:
    limit = winner.expected_cost_usd
    cheaper = [
        c for c in rest if c.code == "below_bar" and limit is not None and (c.expected_cost_usd or limit) < limit
    ]
    if not cheaper:
        return ""
    bar = _down(max(c.quality.estimate or 0.0 for c in cheaper))
    # Several may clear the rounded bar; the cheapest of them is the one that would win.
    would_win = min((c for c in cheaper if (c.quality.estimate or 0.0) >= float(bar)), key=_cheapest_first)
    return f"{would_win.candidate.key} would win at a bar of {bar} or below"


def _down(share: float) -> str:
    """Two digits, rounded down, so that an estimate just under a bar never reads as the bar."""
    return f"{int(share * 100 + 1e-9) / 100:.2f}"
