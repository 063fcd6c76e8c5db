"""What a report is made of. Every part but the router and the assumptions may be absent; the report then says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from playground.bill import PlanBill
from playground.charts.style import Chart
from playground.forecast import Assumptions, Spend
from playground.log_forecast import LogForecast
from playground.log_pricing import PricedBatch
from playground.log_summary import LogFigures
from playground.money import ZERO, Total
from playground.prices import PRICE_DATE
from playground.records import Assurance, Plan, Provenance, Trace
from playground.router import Router
from playground.sample import SampleRun


@dataclass(frozen=True, slots=True)
class Redaction:
    """What may be shown of what customers wrote and who they are; both are off unless asked for."""

    with_text: bool = False
    with_names: bool = False


@dataclass(frozen=True, slots=True)
class TicketRun:
    """One ticket that ran, with its bills as the notebook has them."""

    trace: Trace
    plans: Mapping[Plan, PlanBill]
    assured: Mapping[Assurance, PlanBill]
    router: Router
    """What it ran with, whatever is set now."""
    recorded: str = ""
    """When it was recorded and from what, in a sentence; empty for a run of now."""
    price_date: date = PRICE_DATE
    is_stale: bool = False
    """Whether something changed since it ran."""

    @property
    def is_whole(self) -> bool:
        """Whether it got through every stage."""
        stages, steps = self.router.pipeline.stages, self.trace.steps
        return len(steps) == len(stages) and all(s.state == "done" for s in steps)


@dataclass(frozen=True, slots=True, eq=False)
class LogPriced:
    """A priced log. `name` is shown only with customers' names: a file is often called after one."""

    name: str
    batch: PricedBatch
    figures: LogFigures
    forecast: LogForecast | None
    answers: str
    """Where the length of answers comes from."""
    left_out: int = 0
    is_sample: bool = False
    stopped: bool = False
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class SpendLine:
    """Receipts added up: one stage on one model, of one provenance."""

    stage: str
    model: str
    provenance: str
    total: Total
    attempts: int
    failed: int = 0
    failed_usd: Decimal = ZERO
    saved_usd: Decimal = ZERO
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Ran:
    """Many tickets that ran."""

    run: SampleRun
    plan: Plan
    provenance: Provenance
    lines: tuple[SpendLine, ...]
    expected_usd: Decimal | None = None
    """What pricing said of the same tickets; `None` where it said nothing."""


@dataclass(frozen=True, slots=True)
class CustomerLine:
    """One customer; `None` is spend that no customer is named for. `usd` is by column of its part."""

    name: str | None
    tickets: int
    usd: tuple[Total | Decimal | None, ...]
    share: Decimal | None = None
    label: str = ""
    """What a row without a name is, where it is not spend that no customer is named for."""


@dataclass(frozen=True, slots=True)
class CustomersPart:
    """Who costs what, the dearest first. `said` are sentences that name nobody."""

    title: str
    columns: tuple[str, ...]
    lines: tuple[CustomerLine, ...]
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """A shadow evaluation of a candidate at a stage; `stands` says whether it still holds, or what it waits for."""

    stage: str
    candidate: str
    current: str
    verdict: str
    pairs: int
    margin: float | None
    provenance: str
    decided_on: date | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    stands: str = ""
    chart: Chart | None = None


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One step of the migration plan."""

    when: str
    title: str
    state: str
    said: str = ""
    saves_usd_month: Decimal | None = None
    """An estimate; `None` where it saves nothing by itself, or its price is not known."""


@dataclass(frozen=True, slots=True)
class PlanPart:
    """The migration plan as it stands."""

    steps: tuple[PlanStep, ...]
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sources:
    """All that a report may be made of. `spends` and `assured` are what the month is made of, from the ticket or from the log."""

    router: Router
    assumptions: Assumptions
    made_on: date
    month_of: Literal["ticket", "log"] = "ticket"
    spends: Mapping[Plan, Spend] = field(default_factory=dict)
    assured: Mapping[Assurance, Spend] = field(default_factory=dict)
    ticket: TicketRun | None = None
    log: LogPriced | None = None
    ran: Ran | None = None
    customers: tuple[CustomersPart, ...] = ()
    verdicts: tuple[VerdictLine, ...] = ()
    plan: PlanPart | None = None
    receipts: tuple[SpendLine, ...] = ()
    """The ledger's sums."""
    redaction: Redaction = Redaction()
