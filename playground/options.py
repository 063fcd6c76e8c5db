"""Every candidate as it stands at a stage: what it costs for these prompts, and what speaks against it.

What does not depend on the prompt (allowed, retired, evidence against the bar) is worked out once for each stage and bar, so
that a decision over 150 candidates takes well under a millisecond.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from playground.accept import SURE
from playground.catalog import reasoning_tokens
from playground.evidence import MIN_PAIRS, Evidence, pairs_needed, pairs_to_prove
from playground.money import usd
from playground.pipeline import Stage
from playground.prices import cost_usd
from playground.records import (
    Assurance,
    Candidate,
    Considered,
    Effort,
    Price,
    Prompt,
    Proof,
    Quality,
    Rates,
    ReasonCode,
    Usage,
)

NO_TIER = 1 << 62
PREFERENCE = Decimal("0.10")
"""How much dearer a preferred provider's candidate may be and still win, as a share."""
Against = tuple[ReasonCode, str]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user allows. `providers` and `efforts` of `None` mean all; `bars` and `pins` are by stage key.

    A `preferred` provider wins while it is at most `PREFERENCE` dearer. Budgets are hard: nothing above them runs, the current
    model neither. `reachable` names the providers and endpoints that can be called now; `None` where none needs to be.
    """

    providers: frozenset[str] | None = None
    reachable: frozenset[str] | None = None
    bars: Mapping[str, float] = field(default_factory=dict)
    pins: Mapping[str, str] = field(default_factory=dict)
    never: frozenset[str] = frozenset()
    preferred: frozenset[str] = frozenset()
    efforts: frozenset[Effort] | None = None
    min_days_to_retirement: int = 0
    call_budget_usd: Decimal | None = None
    ticket_budget_usd: Decimal | None = None
    raise_bars: bool = True
    """Whether what makes a ticket hard raises the bars for it."""
    assurance: Assurance = "estimated"
    today: date = field(default_factory=date.today)


@dataclass(frozen=True, slots=True)
class Load:
    """A stage's tokens for one ticket: input of each call, and visible output expected of each."""

    inputs: tuple[int, ...]
    typical_output: int
    max_output: int
    total: int = field(init=False)
    """Input of all calls."""
    largest: int = field(init=False)
    """Input of the longest call."""

    def __post_init__(self) -> None:
        # A hundred and fifty candidates ask for both.
        object.__setattr__(self, "total", sum(self.inputs))
        object.__setattr__(self, "largest", max(self.inputs))

    @classmethod
    def of(cls, stage: Stage, prompts: Sequence[Prompt]) -> Load:
        """The load of a stage's prompts."""
        return cls(tuple(p.input_tokens for p in prompts), stage.typical_output_tokens, stage.max_output_tokens)

    @property
    def longest(self) -> int:
        """Tokens that the longest call needs room for."""
        return self.largest + self.max_output


@dataclass(frozen=True, slots=True)
class Limits:
    """What may still be spent: on one call, and on the rest of the ticket."""

    call_usd: Decimal | None = None
    left_usd: Decimal | None = None

    def against(self, cost: Decimal | None, calls: int) -> Against | None:
        """Why a stage's cost is too much; `None` where it is not."""
        if cost is None:
            return None
        if self.call_usd is not None and cost > self.call_usd * calls:
            return (
                "over_budget",
                f"a call costs {usd(cost / calls)}, over your limit of {usd(self.call_usd)} in Bars and limits",
            )
        if self.left_usd is not None and cost > self.left_usd:
            return (
                "over_budget",
                f"costs {usd(cost)}; {usd(max(self.left_usd, Decimal(0)))} is left of the ticket's budget, set in Bars and limits",
            )
        return None


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
        if self.flat is not None and load.largest <= self.flat_up_to:
            tokens_in, tokens_out = load.total, (load.typical_output + self.thinking) * len(load.inputs)
            assert self.flat.input_usd_per_mtok is not None
            assert self.flat.output_usd_per_mtok is not None
            return (tokens_in * self.flat.input_usd_per_mtok + tokens_out * self.flat.output_usd_per_mtok) / 1_000_000
        return stage_cost_usd(self.candidate, load)

    def look(self, load: Load, rescue_usd: Decimal | None, limits: Limits) -> Considered:
        """The candidate as the router sees it for a load; a miss is expected to cost a call of the before-model."""
        cost = self.cost_usd(load)
        expected = cost if cost is None or rescue_usd is None else cost + rescue_usd * self.miss_share
        code, reason = self._against(cost, load, limits) or ("dearer", "")
        return Considered(self.candidate, self.quality, cost, expected, code, reason)

    def _against(self, cost: Decimal | None, load: Load, limits: Limits) -> Against | None:
        if self.off is not None:
            return self.off
        room = self.candidate.model.context_tokens
        if room is not None and load.longest > room:
            return "too_long", f"prompt and answer ({load.longest:,} tokens) do not fit its context ({room:,})"
        if self.out is not None:
            return self.out
        return limits.against(cost, len(load.inputs)) or self.short


def stage_cost_usd(candidate: Candidate, load: Load) -> Decimal | None:
    """List cost of a stage's calls for one ticket, call by call, as long-context tiers ask for."""
    thinking = reasoning_tokens(candidate, load.typical_output)
    out = load.typical_output + thinking
    costs = [cost_usd(Usage(n, out, reasoning_tokens=thinking), candidate.model.price) for n in load.inputs]
    return None if None in costs else sum((c for c in costs if c is not None), Decimal(0))


def option(
    candidate: Candidate,
    stage: Stage,
    bar: float,
    is_before: bool,
    evidence: Evidence,
    rules: Settings,
    verdict: tuple[Proof | None, str] = (None, ""),
) -> Option:
    """Work out what does not depend on the prompt. `verdict` is what a shadow evaluation said of it here (`proofs.standing`)."""
    quality, price = evidence.quality(stage.key, candidate), candidate.model.price
    held = verdict[0] is not None and quality.pairs >= MIN_PAIRS and (quality.estimate or 0.0) < bar
    if verdict[0] is not None and not held:
        quality = replace(quality, proven=True)
    why_not = (
        f"its verdict is on hold, because your pairs put it at {down(quality.estimate or 0.0)}" if held else verdict[1]
    )
    proof = pairs_to_prove(stage.margin)
    sure = evidence.sure(stage.key, candidate, bar) if quality.pairs >= MIN_PAIRS else None
    return Option(
        candidate,
        quality,
        reasoning_tokens(candidate, stage.typical_output_tokens),
        _off(candidate, rules),
        _out(candidate, rules),
        None if is_before else _short(quality, bar, rules.assurance, sure, why_not, proof),
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
    effort = model.default_effort if candidate.effort == "default" else candidate.effort
    if rules.efforts is not None and effort not in rules.efforts:
        return "never", f"it thinks at {effort}, which is not among the efforts you allow"
    return None


def _out(candidate: Candidate, rules: Settings) -> Against | None:
    model = candidate.model
    rates = model.price.rates if model.price else None
    if rates is None or rates.input_usd_per_mtok is None or rates.output_usd_per_mtok is None:
        return "unpriced", "no price is known, so it cannot be compared"
    if model.retires_on and model.retires_on <= rules.today + timedelta(days=rules.min_days_to_retirement):
        return "retired", f"{'retired' if model.retires_on <= rules.today else 'retires'} on {model.retires_on}"
    return None


def _short(
    quality: Quality, bar: float, assurance: Assurance, sure: float | None, void: str, to_prove: int
) -> Against | None:
    """What its quality lacks. Shadow pairs say more than benchmarks, so with pairs it must be sure to clear the bar."""
    if assurance == "proven":
        why = void or "no shadow evaluation has passed it"
        return None if quality.proven else ("no_evidence", f"not proven: {why}; needs about {to_prove:,} pairs")
    if quality.estimate is None or not quality.enough:
        return "no_evidence", f"insufficient evidence: needs about {pairs_needed(quality)} shadow pairs"
    if quality.estimate < bar:
        return (
            "below_bar",
            f"below the bar by {_gap(bar - quality.estimate)} ({down(quality.estimate)} against {bar:.2f})",
        )
    if sure is not None and sure < SURE:
        return "no_evidence", f"{sure:.0%} sure to clear {bar:.2f} after {quality.pairs} pairs; {SURE:.0%} is needed"
    return None


def _gap(share: float) -> str:
    return f"{share:.2f}" if share >= 0.005 else f"{share:.3f}"


def down(share: float) -> str:
    """Two digits, rounded down, so that an estimate just under a bar never reads as the bar."""
    return f"{int(share * 100 + 1e-9) / 100:.2f}"
