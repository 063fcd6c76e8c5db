"""What the migration plan is made from: one frozen value, gathered elsewhere. Money a month is in USD; unknown is `None`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from playground.money import Total
from playground.records import Plan, Provenance
from playground.runtime import Runtime
from playground.sequential import Verdict

NOTHING = Total()


@dataclass(frozen=True, slots=True)
class Seen:
    """Receipts of one kind of run. `named` of the receipts say whose ticket they were for."""

    receipts: int = 0
    days: int = 0
    named: int = 0
    paid: Total = NOTHING

    @property
    def named_share(self) -> float:
        """From 0 to 1; 0 where there is no receipt."""
        return self.named / self.receipts if self.receipts else 0.0


@dataclass(frozen=True, slots=True)
class Both:
    """Receipts that count for production, and those of rehearsals; never added together."""

    live: Seen = field(default_factory=Seen)
    rehearsed: Seen = field(default_factory=Seen)


@dataclass(frozen=True, slots=True)
class Trial:
    """What the user's own pairs say of a candidate at a stage. `recorded`: its verdict is kept, and still holds."""

    candidate: str
    provenance: Provenance
    pairs: int
    verdict: Verdict = "CONTINUE"
    recorded: bool = False
    needed: int | None = None
    """About how many more pairs a verdict takes; `None` where that cannot be said yet."""
    usd_month: Decimal | None = None
    """The stage's month on this candidate."""
    void: str = ""
    """Why a recorded verdict no longer holds."""
    obstacle: str = ""
    """Why a verdict that the pairs give cannot be recorded."""
    said: str = ""
    """Where an earlier session recorded it, as a sentence."""
    agreement: bool = False
    """Whether all that is known is how far the two agree, which says of no difference who was right."""

    @property
    def is_live(self) -> bool:
        """Whether it counts for production: imported pairs do, rehearsed ones never."""
        return self.provenance != "rehearsal"

    @property
    def is_rehearsed_keep(self) -> bool:
        """Whether a rehearsal kept today's model: it speaks of no live model, so it moves no sum of the plan."""
        return self.verdict == "KEEP" and not self.is_live and not self.void


@dataclass(frozen=True, slots=True)
class Saved:
    """What receipts say was saved: what the same calls cost before, minus what was paid. Failed attempts are paid too."""

    receipts: int = 0
    before: Total = NOTHING
    paid: Total = NOTHING

    @property
    def usd(self) -> Decimal | None:
        """The saving; `None` before the first receipt, and where a part has no price."""
        if not self.receipts or self.before.exact_usd is None or self.paid.exact_usd is None:
            return None
        return self.before.exact_usd - self.paid.exact_usd


@dataclass(frozen=True, slots=True)
class StageFacts:
    """One stage: its month under each plan, who would take it over, and what has been tried. Models are candidates' keys."""

    key: str
    title: str
    tier: str
    before: str
    margin: float
    to_prove: int
    """About how many pairs a verdict takes where nothing was seen yet."""
    before_usd: Decimal | None = None
    stratified_usd: Decimal | None = None
    routed_usd: Decimal | None = None
    stratified: str = ""
    routed: str = ""
    """What kr-auto would use by estimates; the current model where nothing cheaper clears the bar."""
    trials: tuple[Trial, ...] = ()
    pinned: str = ""
    """Whom kr-auto is held to here; empty where nobody is pinned."""
    saved: Saved = field(default_factory=Saved)
    """By this stage's receipts of live runs."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The last digest that reached its channel; `None` where none did. And whether more will follow."""

    live_on: date | None = None
    rehearsed_on: date | None = None
    daily: bool = False
    """Whether the server sends one every day now."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the plan looks at. `own` is whether the month rests on the user's log or a live run."""

    agent: str
    """The pipeline's name: the same agent's steps keep their names in a calendar."""
    stages: tuple[StageFacts, ...]
    on: date
    basis: str
    """Where the month's figures come from, as a sentence."""
    own: bool = False
    before: Both = field(default_factory=Both)
    """Receipts under the plan before."""
    routed: Both = field(default_factory=Both)
    """Receipts under kr-auto that say it chose by proof."""
    untold: int = 0
    """Live receipts under kr-auto that do not say how it chose: from before that was written down."""
    saved: Saved = field(default_factory=Saved)
    """Of live runs only."""
    saved_rehearsed: Saved = field(default_factory=Saved)
    plan: Plan = "before"
    by_proof: bool = False
    """Whether kr-auto uses only what a shadow evaluation has passed."""
    runtime: Runtime = field(default_factory=Runtime)
    guarded_on: Mapping[str, date] = field(default_factory=dict)
    """A guardrail to the day on which an earlier session last switched it on."""
    digest: Delivered = field(default_factory=Delivered)

    @property
    def routes_by_proof(self) -> bool:
        """Whether kr-auto is on, and by proof: what production needs."""
        return self.plan == "kr-auto" and self.by_proof

    def in_force(self, stage: StageFacts, candidate: str) -> bool:
        """Whether the next ticket goes to a candidate that has passed: kr-auto goes by proof, or it is pinned under kr-auto."""
        return self.plan == "kr-auto" and (stage.pinned == candidate if stage.pinned else self.by_proof)

    @property
    def is_priced(self) -> bool:
        """Whether there is a month to speak of."""
        return any(s.before_usd is not None for s in self.stages)
