"""Which candidate a stage uses: the cheapest that clears the bar, with a reason for every one considered.

Choice is by expected total cost: input and expected output at the candidate's effort, plus the expected cost of an
output that is not good enough, taken as a call of the before-model. The climb itself goes to the next candidate that is no
worse. If nothing cheaper clears the bar, the stage stays on its before-model.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from playground.catalog import Catalog
from playground.difficulty import raised
from playground.errors import BadModel
from playground.evidence import Evidence
from playground.ladder import CANNOT_RUN, callable_only, cheapest_first, ladder
from playground.money import ZERO
from playground.options import PREFERENCE, Limits, Load, Option, Settings, option
from playground.pipeline import Pipeline, Stage
from playground.proofs import standing
from playground.reasons import dearer, dearer_than_today, favoured, flip, plain
from playground.records import Assurance, Bar, Candidate, Considered, Cue, Decision, Plan, Prompt, Proof, ReasonCode


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
        # By identity: the options are kept as long as their router.
        self._open: dict[int, tuple[Option, ...]] = {}
        self._others: dict[Assurance, Router] = {}
        self._prepared: dict[tuple[str, int, tuple[str, ...], float], tuple[Option, ...]] = {}

    def but(self, **changes: Any) -> Router:
        """The same router with other settings: what would it choose if."""
        return Router(self.pipeline, self.catalog, self.evidence, replace(self.settings, **changes), self.proofs)

    def only(self, keys: Collection[str], **changes: Any) -> Router:
        """The same router with other settings and no candidates but these: a decision that is fixed looks at no others."""
        found = self.but(**changes)
        found.candidates = tuple(c for c in found.candidates if c.key in keys)
        return found

    def under(self, assurance: Assurance) -> Router:
        """The same router under an assurance; kept, because a log asks both at every batch."""
        if assurance == self.settings.assurance:
            return self
        if assurance not in self._others:
            self._others[assurance] = self.but(assurance=assurance)
        return self._others[assurance]

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
        before, bar, limits = self.named(stage.before), self.bar(stage, cues), self._limits(spent_usd)
        considered = self._considered(stage, Load.of(stage, prompts), before, bar, limits)
        asked = _Asked(stage, plan, bar, before, limits, considered)
        if plan != "before" and stage.key in self.settings.pins:
            return self._fixed(asked, self.named(self.settings.pins[stage.key]), "pinned", "you pinned it")
        if plan == "before":
            return self._fixed(asked, before, "before", "what this stage runs on today")
        if plan == "stratified":
            chosen = self.named(self.pipeline.tiers[stage.tier])
            return self._fixed(asked, chosen, "tier", f"the plan's {stage.tier} model")
        return self._cheapest(asked)

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

    def _considered(
        self, stage: Stage, load: Load, before: Candidate, bar: Bar, limits: Limits
    ) -> tuple[Considered, ...]:
        options = self.options(stage, bar.value)
        rescue = next(o for o in options if o.candidate.key == before.key).cost_usd(load)
        return tuple(sorted((o.look(load, rescue, limits) for o in options), key=cheapest_first))

    def options(self, stage: Stage, bar: float, also: Candidate | None = None) -> tuple[Option, ...]:
        """Every candidate as it stands at a stage and bar, its current model among them, and `also` where it is none of them."""
        before = self.named(stage.before)
        extra = tuple(c for c in (before, also) if c is not None and c.key not in self._by_key)
        key = (stage.key, stage.typical_output_tokens, tuple(c.key for c in (before, *extra)), bar)
        if key not in self._prepared:
            pool = (*self.candidates, *dict.fromkeys(extra))
            self._prepared[key] = tuple(self._option(c, stage, bar, c.key == before.key) for c in pool)
        return self._prepared[key]

    def open_options(self, stage: Stage, bar: float) -> tuple[Option, ...]:
        """Those that nothing but a ticket's length can speak against, and the current model, by name; kept for a log's batches."""
        options = self.options(stage, bar)
        if id(options) not in self._open:
            before = self.named(stage.before).key
            free = (o for o in options if o.candidate.key == before or not (o.off or o.out or o.short))
            self._open[id(options)] = tuple(sorted(free, key=lambda o: o.candidate.key))
        return self._open[id(options)]

    def _option(self, candidate: Candidate, stage: Stage, bar: float, is_before: bool) -> Option:
        verdict = standing(self.proofs, self.pipeline, stage, candidate)
        return option(candidate, stage, bar, is_before, self.evidence, self.settings, verdict)

    def _cheapest(self, asked: _Asked) -> Decision:
        passing = [c for c in asked.considered if c.code == "dearer"]
        if not passing:
            return self._stuck(asked)
        best = self._preferred(passing)
        why = asked.why(best, passing, self.settings.assurance) if best is passing[0] else favoured(best, passing[0])
        winner = replace(best, code="chosen", reason=why + dearer_than_today(best, asked.own))
        rest = [dearer(c, winner) if c.code == "dearer" else c for c in asked.considered if c is not best]
        others = [c for c in passing if c is not best]
        steps = ladder(best, others, asked.before, asked.considered, asked.limits)
        ranked = tuple(sorted((winner, *rest), key=cheapest_first))
        return self._decision(
            asked, best.candidate, steps, ranked, "chosen", winner.reason, flip(winner, rest, asked.bar)
        )

    def _preferred(self, passing: Sequence[Considered]) -> Considered:
        """The cheapest, or the cheapest of a preferred provider where it costs little more."""
        liked = next((c for c in passing if c.candidate.model.provider in self.settings.preferred), None)
        if liked is None or liked.expected_cost_usd is None or passing[0].expected_cost_usd is None:
            return passing[0]
        return liked if liked.expected_cost_usd <= passing[0].expected_cost_usd * (1 + PREFERENCE) else passing[0]

    def _stuck(self, asked: _Asked) -> Decision:
        own, bar = asked.own, asked.bar.value
        if own.code == "too_long" and all(c.code == "too_long" for c in asked.considered if c.code != "provider_off"):
            return self._fixed(asked, asked.before, "too_long", "the prompt fits no allowed model's context")
        if own.code in CANNOT_RUN:
            why = f"no allowed model clears {bar:.2f}, and the current model cannot be used: {own.reason}"
            return self._fixed(asked, asked.before, own.code, why)
        return self._fixed(asked, asked.before, "before", f"nothing clears {bar:.2f}: stays on the current model")

    def _fixed(self, asked: _Asked, chosen: Candidate, code: ReasonCode, reason: str) -> Decision:
        own = next((c for c in asked.considered if c.candidate.key == chosen.key), None)
        blocked = own is not None and own.code in CANNOT_RUN and code not in CANNOT_RUN
        if blocked and own is not None:
            code, reason = own.code, f"the model {chosen.key} cannot be used: {own.reason}"
        marked = tuple(
            replace(c, code=code, reason=reason) if c is own and not blocked else plain(c) for c in asked.considered
        )
        top = self.named(self.pipeline.tiers["frontier"])
        steps = (chosen, asked.before if chosen.key != asked.before.key else top)
        return self._decision(asked, chosen, callable_only(steps, asked.considered, asked.limits), marked, code, reason)

    def _decision(
        self,
        asked: _Asked,
        chosen: Candidate,
        steps: tuple[Candidate, ...],
        considered: tuple[Considered, ...],
        code: ReasonCode,
        reason: str,
        flips: str = "",
    ) -> Decision:
        return Decision(
            stage=asked.stage.key,
            plan=asked.plan,
            assurance=self.settings.assurance,
            chosen=chosen,
            ladder=steps,
            considered=considered,
            bar=asked.bar,
            code=code,
            reason=reason,
            flip=flips,
            fallback=steps[1] if len(steps) > 1 else None,
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question to the router, and every candidate as it stands."""

    stage: Stage
    plan: Plan
    bar: Bar
    before: Candidate
    limits: Limits
    considered: tuple[Considered, ...]

    @property
    def own(self) -> Considered:
        """The stage's current model as it stands."""
        return next(c for c in self.considered if c.candidate.key == self.before.key)

    def why(self, best: Considered, passing: Sequence[Considered], assurance: Assurance) -> str:
        """Why the cheapest wins."""
        bar = f"{self.bar.value:.2f}"
        if best.candidate.key == self.before.key:
            if assurance == "proven":
                return "no change: nothing cheaper is proven for this stage"
            unsure = sum(c.code == "no_evidence" for c in self.considered)
            return f"no change: nothing cheaper clears {bar}{f'; {unsure} more need evidence' if unsure else ''}"
        fit = "are proven" if assurance == "proven" else f"clear {bar}"
        return f"cheapest of {len(passing)} that {fit}" if len(passing) > 1 else f"the only one that clears {bar}"


def runnable(decision: Decision) -> bool:
    """Whether the chosen candidate may be called at all."""
    return decision.code not in CANNOT_RUN
