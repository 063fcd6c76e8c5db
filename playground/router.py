"""Which candidate a stage uses: the cheapest that clears the bar, with a reason for every one considered.

Choice is by expected total cost: input and expected output at the candidate's effort, plus the expected cost of an
output that is not good enough, taken as a call of the before-model. The climb itself goes to the next candidate that is no
worse. If nothing cheaper clears the bar, the stage stays on its before-model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from playground.catalog import Catalog
from playground.difficulty import raised
from playground.errors import BadModel
from playground.evidence import Evidence
from playground.money import ZERO, percent_change, usd
from playground.options import PREFERENCE, Limits, Load, Option, Settings, down, option
from playground.pipeline import Pipeline, Stage
from playground.proofs import standing
from playground.records import Bar, Candidate, Considered, Cue, Decision, Plan, Prompt, Proof, ReasonCode

CANNOT_RUN: frozenset[ReasonCode] = frozenset({"provider_off", "too_long", "never", "over_budget"})


class Router:
    """Decides for one pipeline, catalogue, evidence and settings. Pure: the same question gets the same answer."""

    def __init__(
        self,
        pipeline: Pipeline,
        catalog: Catalog,
        evidence: Evidence,
        settings: Settings | None = None,
        proofs: tuple[Proof, ...] = (),
    ) -> None:
        self.pipeline, self.catalog, self.evidence = pipeline, catalog, evidence
        self.settings, self.proofs = settings or Settings(), proofs
        self.candidates = catalog.candidates(evidence.efforts)
        self._by_key = {c.key: c for c in self.candidates}
        self._prepared: dict[tuple[str, int, str, float], tuple[Option, ...]] = {}

    def but(self, **changes: Any) -> Router:
        """The same router with other settings: what would it choose if."""
        return Router(self.pipeline, self.catalog, self.evidence, replace(self.settings, **changes), self.proofs)

    def decide(
        self,
        stage: Stage,
        prompts: Sequence[Prompt],
        plan: Plan,
        cues: tuple[Cue, ...] = (),
        spent_usd: Decimal = ZERO,
    ) -> Decision:
        """The decision for a stage's prompts. Raises `BadModel` where a named model does not exist.

        `cues` say what makes the ticket hard; `spent_usd` is what its stages before this one have cost.
        """
        decision = self._decide(stage, prompts, plan, cues, spent_usd)
        return replace(decision, cues=cues, spent_usd=spent_usd)

    def bar(self, stage: Stage, cues: tuple[Cue, ...] = ()) -> Bar:
        """A stage's bar for a ticket with these cues."""
        return raised(self.settings.bars.get(stage.key, stage.bar), stage.key, cues if self.settings.raise_bars else ())

    def _decide(
        self, stage: Stage, prompts: Sequence[Prompt], plan: Plan, cues: tuple[Cue, ...], spent_usd: Decimal
    ) -> Decision:
        before, bar = self.named(stage.before), self.bar(stage, cues)
        considered = self._consider(stage, Load.of(stage, prompts), before, bar, self._limits(spent_usd))
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

    def _limits(self, spent_usd: Decimal) -> Limits:
        whole = self.settings.ticket_budget_usd
        return Limits(self.settings.call_budget_usd, None if whole is None else whole - spent_usd)

    def _consider(self, stage: Stage, load: Load, before: Candidate, bar: Bar, limits: Limits) -> list[Considered]:
        options = self._options(stage, before, bar.value)
        rescue = next(o for o in options if o.candidate.key == before.key).cost_usd(load)
        return sorted((o.look(load, rescue, limits) for o in options), key=_cheapest_first)

    def _options(self, stage: Stage, before: Candidate, bar: float) -> tuple[Option, ...]:
        key = (stage.key, stage.typical_output_tokens, before.key, bar)
        if key not in self._prepared:
            pool = self.candidates if before.key in self._by_key else (*self.candidates, before)
            self._prepared[key] = tuple(self._option(c, stage, bar, c.key == before.key) for c in pool)
        return self._prepared[key]

    def _option(self, candidate: Candidate, stage: Stage, bar: float, is_before: bool) -> Option:
        verdict = standing(self.proofs, self.pipeline, stage, candidate)
        return option(candidate, stage, bar, is_before, self.evidence, self.settings, verdict)

    def _cheapest(self, stage: Stage, considered: list[Considered], bar: Bar, before: Candidate) -> Decision:
        passing = [c for c in considered if c.code == "dearer"]
        if not passing:
            return self._stuck(stage, considered, bar, before)
        best = self._preferred(passing)
        stays = best.candidate.key == before.key
        own = next(c for c in considered if c.candidate.key == before.key)
        why = self._why(considered, passing, bar, stays) if best is passing[0] else _favoured(best, passing[0])
        reason = why + _dearer_than_today(best, own)
        winner = replace(best, code="chosen", reason=reason)
        rest = [_dearer(c, winner) if c.code == "dearer" else c for c in considered if c is not best]
        ladder = _ladder(best, [c for c in passing if c is not best], before, considered)
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

    def _preferred(self, passing: Sequence[Considered]) -> Considered:
        """The cheapest, or the cheapest of a preferred provider where it costs little more."""
        favoured = next((c for c in passing if c.candidate.model.provider in self.settings.preferred), None)
        if favoured is None or favoured.expected_cost_usd is None or passing[0].expected_cost_usd is None:
            return passing[0]
        return favoured if favoured.expected_cost_usd <= passing[0].expected_cost_usd * (1 + PREFERENCE) else passing[0]

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
        before = self.named(stage.before)
        ladder = _callable((chosen, before if chosen.key != before.key else top), considered)
        return Decision(
            stage.key,
            plan,
            self.settings.assurance,
            chosen,
            ladder,
            marked,
            bar,
            code,
            reason,
            fallback=ladder[1] if len(ladder) > 1 else None,
        )


def runnable(decision: Decision) -> bool:
    """Whether the chosen candidate may be called at all."""
    return decision.code not in CANNOT_RUN


def _cheapest_first(option: Considered) -> tuple[bool, Decimal, str]:
    return option.expected_cost_usd is None, option.expected_cost_usd or Decimal(0), option.candidate.key


def _ladder(
    best: Considered, others: Sequence[Considered], before: Candidate, considered: Sequence[Considered]
) -> tuple[Candidate, ...]:
    """The winner, then the next one up that is no worse, from another model; else the before-model, if it may be called."""
    floor = best.quality.estimate or 0.0
    up = [
        c.candidate
        for c in others
        if c.candidate.model != best.candidate.model and (c.quality.estimate or 0.0) >= floor
    ]
    return _callable((best.candidate, *up[:1]) if up else (best.candidate, before), considered)


def _callable(ladder: tuple[Candidate, ...], considered: Sequence[Considered]) -> tuple[Candidate, ...]:
    """The ladder without candidates above the first that the user has ruled out: their provider must never see a ticket."""
    ruled_out = {c.candidate.key for c in considered if c.code in CANNOT_RUN}
    return (ladder[0], *(c for c in ladder[1:] if c.key not in ruled_out))


def _dearer(option: Considered, winner: Considered) -> Considered:
    if option.expected_cost_usd is None or winner.expected_cost_usd is None:
        return option
    more = usd(option.expected_cost_usd - winner.expected_cost_usd)
    return replace(option, reason=f"dearer by {more} a ticket, retries counted")


def _favoured(best: Considered, cheapest: Considered) -> str:
    more = percent_change(best.expected_cost_usd, cheapest.expected_cost_usd) or "+0%"
    return f"you prefer {best.candidate.model.provider}: {more} against {cheapest.candidate.key}"


def _dearer_than_today(best: Considered, own: Considered) -> str:
    """Why the stage gets dearer; empty where it does not."""
    if own.code not in CANNOT_RUN or best.cost_usd is None or own.cost_usd is None or best.cost_usd <= own.cost_usd:
        return ""
    return f"; dearer than {own.candidate.key}, which cannot be used: {own.reason}"


def _plain(option: Considered) -> Considered:
    return replace(option, reason="clears the bar") if option.code == "dearer" else option


def _flip(winner: Considered, rest: Sequence[Considered]) -> str:
    limit = winner.expected_cost_usd
    cheaper = [
        c for c in rest if c.code == "below_bar" and limit is not None and (c.expected_cost_usd or limit) < limit
    ]
    if not cheaper:
        return ""
    bar = down(max(c.quality.estimate or 0.0 for c in cheaper))
    # Several may clear the rounded bar; the cheapest of them is the one that would win.
    would_win = min((c for c in cheaper if (c.quality.estimate or 0.0) >= float(bar)), key=_cheapest_first)
    return f"{would_win.candidate.key} would win at a bar of {bar} or below"
