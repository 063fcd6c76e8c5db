"""What a ticket would cost, and which models would be chosen, as a bar moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from playground.bill import priced
from playground.forecast import Spend
from playground.records import Candidate, Trace
from playground.router import Router
from playground.ticket_month import spend_of

BARS: tuple[float, ...] = tuple(round(0.80 + step / 100, 2) for step in range(21))
"""From 0.80 to 1.00, where the question is open: below, nearly everything clears; above, nothing can."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A ticket under kr-auto with a bar moved: what it costs, and what each stage would run on."""

    bar: float
    spend: Spend | None
    """`None` where a call has no price."""
    chosen: Mapping[str, Candidate]

    def month_usd(self, tickets: int) -> Decimal | None:
        """One round of so many such tickets a month, with prompt caching at the provider where that is on."""
        return None if self.spend is None else self.spend.cached_usd(tickets) * tickets


def sweep(trace: Trace, router: Router, bars: Sequence[float] = BARS, stage: str = "") -> tuple[WhatIf, ...]:
    """The ticket that ran, priced at each bar: at all stages, or at one named stage alone, whose cost is then the total.

    Prices the prompts and outputs of the trace, so nothing is run. A hard ticket's raise comes on top of each bar.
    """
    part = replace(trace, steps=tuple(s for s in trace.steps if stage in ("", s.stage)))
    return tuple(_at(part, router, bar) for bar in bars)


def _at(trace: Trace, router: Router, bar: float) -> WhatIf:
    moved = router.but(bars={**router.settings.bars, **{s.stage: bar for s in trace.steps}})
    bill = priced(trace, moved, "kr-auto")
    spend = (
        None if bill.answers.exact_usd is None else spend_of(trace, moved, bill, router.pipeline.runtime.prompt_cache)
    )
    return WhatIf(bar, spend, {d.stage: d.chosen for d in bill.decisions})
