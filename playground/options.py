"""Every candidate as it stands at a stage: what it costs for these prompts, and what speaks against it.

What does not depend on the prompt (allowed, retired, evidence against the bar) is worked out once for each stage and bar, so
that a decision over 150 candidates takes well under a millisecond.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from playground.catalog import reasoning_tokens
from playground.evidence import Evidence, enough, pairs_needed
from playground.money import usd
from playground.pipeline import Stage
from playground.prices import cost_usd
from playground.records import Assurance, Candidate, Considered, Price, Prompt, Quality, Rates, ReasonCode, Usage

NO_TIER = 1 << 62
Against = tuple[ReasonCode, str]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user allows. `providers` of `None` means all; `bars` and `pins` are by stage key.

    `reachable` names the providers and endpoints that can be called now; `None` where none needs to be, as in rehearsal.
    """

    providers: frozenset[str] | None = None
    reachable: frozenset[str] | None = None
    bars: Mapping[str, float] = field(default_factory=dict)
    pins: Mapping[str, str] = field(default_factory=dict)
    never: frozenset[str] = frozenset()
    min_days_to_retirement: int = 0
    call_budget_usd: Decimal | None = None
    assurance: Assurance = "estimated"
    today: date = field(default_factory=date.today)


@dataclass(frozen=True, slots=True)
class Load:
    """A stage's tokens for one ticket: input of each call, and visible output expected of each."""

    inputs: tuple[int, ...]
    typical_output: int
    max_output: int

    @classmethod
    def of(cls, stage: Stage, prompts: Sequence[Prompt]) -> Load:
        """The load of a stage's prompts."""
        return cls(tuple(p.input_tokens for p in prompts), stage.typical_output_tokens, stage.max_output_tokens)

    @property
    def longest(self) -> int:
        """Tokens that the longest call needs room for."""
        return max(self.inputs) + self.max_output


@dataclass(frozen=True, slots=True)
class Option:
    """A candidate at one stage and bar. `off` comes before a prompt that is too long, `out` after it, `short` last."""

    candidate: Candidate
    quality: Quality
    thinking: int
    off: Against | None
    out: Against | None
    short: Against | None
    flat: Rates | None
    """Its rates for calls of up to `flat_up_to` input tokens; `None` where it has no price, or a price for thinking."""
    flat_up_to: int
    miss_share: Decimal
    """Share of outputs expected to be not good enough; zero where nothing is known and for the before-model."""

    def cost_usd(self, load: Load) -> Decimal | None:
        """List cost of a stage's calls for one ticket; `None` where the model has no price."""
        if self.flat is not None and max(load.inputs) <= self.flat_up_to:
            tokens_in, tokens_out = sum(load.inputs), (load.typical_output + self.thinking) * len(load.inputs)
            assert self.flat.input_usd_per_mtok is not None
            assert self.flat.output_usd_per_mtok is not None
            return (tokens_in * self.flat.input_usd_per_mtok + tokens_out * self.flat.output_usd_per_mtok) / 1_000_000
        return stage_cost_usd(self.candidate, load)

    def look(self, load: Load, rescue_usd: Decimal | None, budget_usd: Decimal | None) -> Considered:
        """The candidate as the router sees it for a load; a miss is expected to cost a call of the before-model."""
        cost = self.cost_usd(load)
        expected = cost if cost is None or rescue_usd is None else cost + rescue_usd * self.miss_share
        code, reason = self._against(cost, load, budget_usd) or ("dearer", "")
        return Considered(self.candidate, self.quality, cost, expected, code, reason)

    def _against(self, cost: Decimal | None, load: Load, budget_usd: Decimal | None) -> Against | None:
        if self.off is not None:
            return self.off
        room = self.candidate.model.context_tokens
        if room is not None and load.longest > room:
            return "too_long", f"prompt and answer ({load.longest:,} tokens) do not fit its context ({room:,})"
        if self.out is not None:
            return self.out
        if budget_usd is not None and cost is not None and cost > budget_usd * len(load.inputs):
            return "over_budget", f"a call costs {usd(cost / len(load.inputs))}, over your limit of {usd(budget_usd)}"
        return self.short


def stage_cost_usd(candidate: Candidate, load: Load) -> Decimal | None:
    """List cost of a stage's calls for one ticket, call by call, as long-context tiers ask for."""
    thinking = reasoning_tokens(candidate, load.typical_output)
    out = load.typical_output + thinking
    costs = [cost_usd(Usage(n, out, reasoning_tokens=thinking), candidate.model.price) for n in load.inputs]
    return None if None in costs else sum((c for c in costs if c is not None), Decimal(0))


def option(
    candidate: Candidate, stage: Stage, bar: float, is_before: bool, evidence: Evidence, rules: Settings
) -> Option:
    """Work out what does not depend on the prompt."""
    quality, price = evidence.quality(stage.key, candidate), candidate.model.price
    return Option(
        candidate,
        quality,
        reasoning_tokens(candidate, stage.typical_output_tokens),
        _off(candidate, rules),
        _out(candidate, rules),
        None if is_before else _short(quality, bar, rules.assurance),
        _flat(price),
        price.tiers[0][0] if price is not None and price.tiers else NO_TIER,
        Decimal(0) if is_before or quality.estimate is None else Decimal(str(round(1 - quality.estimate, 4))),
    )


def _flat(price: Price | None) -> Rates | None:
    if price is None or price.rates.reasoning_usd_per_mtok is not None:
        return None
    known = price.rates.input_usd_per_mtok is not None and price.rates.output_usd_per_mtok is not None
    return price.rates if known else None


def _off(candidate: Candidate, rules: Settings) -> Against | None:
    model = candidate.model
    if rules.providers is not None and model.provider not in rules.providers:
        return "provider_off", f"{model.provider} is not among the providers you allow"
    if rules.reachable is not None and (model.endpoint or model.provider) not in rules.reachable:
        return "provider_off", f"no key for {model.provider}: add one in Settings"
    if candidate.key in rules.never or model.name in rules.never:
        return "never", "you chose never to use it"
    return None


def _out(candidate: Candidate, rules: Settings) -> Against | None:
    model = candidate.model
    rates = model.price.rates if model.price else None
    if rates is None or rates.input_usd_per_mtok is None or rates.output_usd_per_mtok is None:
        return "unpriced", "no price is known, so it cannot be compared"
    if model.retires_on and model.retires_on <= rules.today + timedelta(days=rules.min_days_to_retirement):
        return "retired", f"{'retired' if model.retires_on <= rules.today else 'retires'} on {model.retires_on}"
    return None


def _short(quality: Quality, bar: float, assurance: Assurance) -> Against | None:
    if assurance == "proven" and not quality.proven:
        return (
            "no_evidence",
            f"not proven: no shadow evaluation has passed it; needs about {pairs_needed(quality)} pairs",
        )
    if quality.estimate is None or not enough(quality):
        return "no_evidence", f"insufficient evidence: needs about {pairs_needed(quality)} shadow pairs"
    if quality.estimate < bar:
        return "below_bar", f"{down(quality.estimate)} is below the bar of {bar:.2f}"
    return None


def down(share: float) -> str:
    """Two digits, rounded down, so that an estimate just under a bar never reads as the bar."""
    return f"{int(share * 100 + 1e-9) / 100:.2f}"
